"""A tier with its persona as a Modelfile, from which Ollama makes a model of its own.

The grammar is that of Ollama's parser (0.33): an instruction's value ends with its line, unless it stands in three quotation
marks; then it ends at the first line that ends in three of them. Nothing is escaped. Characters that cannot be printed are
dropped, and so are spaces that are none of ASCII's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mrt.config import Config, Tier
from mrt.config.secrets import looks_secret
from mrt.domain import OLLAMA_CONTEXT, Target
from mrt.endpoints import resolve
from mrt.errors import UsageError
from mrt.exports.ollama_parameters import PARAMETERS, WHOLE_NUMBERS, fits
from mrt.exports.report import Export, Lost
from mrt.exports.yaml_text import one_line
from mrt.near import guessed, nearest

_QUOTES = '"""'
_BESIDE = {
    "max_complexity": "which prompts a tier gets is for mrt to decide",
    "checks": "Ollama does not judge answers",
    "timeout": "how long to wait is for the client to say",
    "think": "a client says with each request whether a model is to think",
    "tools": "tools come with each request",
}


def exportable(config: Config, environment: Mapping[str, str]) -> list[str]:
    """The tiers that a Modelfile can be made of."""
    return [tier.name for tier in config.tiers if _source(tier, config, environment) is not None]


def export_modelfile(name: str, config: Config, environment: Mapping[str, str]) -> Export:
    """The Modelfile of a tier. Raises UsageError for a tier that is none, or that Ollama cannot serve, or cannot say."""
    tier = next((tier for tier in config.tiers if tier.name == name), None)
    if tier is None:
        near = guessed(nearest(name, [tier.name for tier in config.tiers]))
        listed = ", ".join(tier.name for tier in config.tiers)
        raise UsageError(f"there is no tier {name}{near}", f"tiers are {listed}")
    source = _source(tier, config, environment)
    if source is None:
        raise UsageError(
            f"tier {name} is {resolve(tier.name, config, environment).name}, which is no model of a local Ollama",
            "Modelfiles are for ollama tiers, and for models that are a .gguf file",
        )
    lost = tuple(_lost(tier))
    lines = [*_head(tier, source, lost), f"FROM {source}", *_parameters(tier, config), *_persona(tier)]
    return Export("\n".join(lines) + "\n", lost, notes=tuple(_notes(tier)))


def _source(tier: Tier, config: Config, environment: Mapping[str, str]) -> str | None:
    """What FROM names: a model that Ollama has, or a file that it can read."""
    target = resolve(tier.name, config, environment)
    if target.kind == "ollama":
        return target.model if target.local and _is_plain(target) else None
    return target.model if target.local and target.model.lower().endswith(".gguf") and _is_plain(target) else None


def _is_plain(target: Target) -> bool:
    """Whether Ollama's parser reads the name as it stands."""
    return target.model.isprintable() and '"' not in target.model


def _made(tier: Tier, source: str) -> str:
    """What to call the model that is made: as the tier, unless that would replace the model it is made of."""
    name = tier.name.lower()
    return f"{name}-persona" if name == source.lower().removesuffix(":latest") else name


def _head(tier: Tier, source: str, lost: tuple[Lost, ...]) -> Iterator[str]:
    yield f"# Tier {tier.name} for Ollama, made by `mrt export ollama-modelfile`. Save it as Modelfile, then:"
    yield f"#   ollama create {_made(tier, source)} -f Modelfile"
    for setting, reason in lost:
        yield f"# Not carried over: {one_line(setting)} ({reason})"


def _parameters(tier: Tier, config: Config) -> Iterator[str]:
    """Those that `mrt ask` sends with each request; the tier's own options win."""
    found: dict[str, object] = {
        "num_ctx": tier.context or OLLAMA_CONTEXT,
        "num_predict": tier.max_tokens or config.ask.max_tokens,
    }
    if tier.temperature is not None:
        found["temperature"] = tier.temperature
    found |= {name: value for name, value in tier.options.items() if _why_not(name, value) is None}
    for name, value in found.items():
        for one in value if isinstance(value, list) else [value]:
            yield f"PARAMETER {name} {_value(name, one, tier)}"


def _value(name: str, value: object, tier: Tier) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _quoted(value, tier, f"options.{name}")
    # Ollama reads no 40.0 where it wants a whole number.
    return str(int(value) if isinstance(value, float) and name in WHOLE_NUMBERS else value)


def _persona(tier: Tier) -> Iterator[str]:
    if tier.system:
        yield f"SYSTEM {_quoted(tier.system, tier, 'system')}"
    for number, example in enumerate(tier.examples, 1):
        yield f"MESSAGE user {_quoted(example.user, tier, f'examples, number {number}')}"
        yield f"MESSAGE assistant {_quoted(example.assistant, tier, f'examples, number {number}')}"


def _quoted(text: str, tier: Tier, where: str) -> str:
    """The text in three quotation marks. Raises UsageError where a line in it would end it too soon, or a key stands in it."""
    if looks_secret(text):
        raise UsageError(
            f"tier {tier.name}: its {where} holds what looks like a key", "take it out of the configuration first"
        )
    if any(line.endswith(_QUOTES) for line in _lines(text)[:-1]):
        raise UsageError(
            f"tier {tier.name}: a line of its {where} ends in {_QUOTES}, which ends the text in a Modelfile",
            "end that line in something else, or leave the persona to mrt, which sends it with each prompt",
        )
    return f"{_QUOTES}{text}{_QUOTES}"


def _lines(text: str) -> list[str]:
    """The lines as Ollama's parser looks at their ends."""
    kept = "".join(letter for letter in text if letter.isprintable() or letter in "\n\t\r")
    return [line.rstrip() for line in kept.replace("\r", "\n").split("\n")]


def _lost(tier: Tier) -> Iterator[Lost]:
    usual = Tier(tier.name, tier.model)
    for name, reason in _BESIDE.items():
        if getattr(tier, name) != getattr(usual, name):
            yield Lost(f"tiers.{tier.name}.{name}", reason)
    for name, value in tier.options.items():
        if why := _why_not(name, value):
            yield Lost(f"tiers.{tier.name}.options.{name}", why)


def _why_not(name: str, value: object) -> str | None:
    if name not in PARAMETERS:
        return "it is no parameter of a Modelfile"
    return None if fits(name, value) else "its value is none that PARAMETER takes"


def _notes(tier: Tier) -> Iterator[str]:
    texts = [tier.system or "", *(text for example in tier.examples for text in example)]
    if any(not (letter.isprintable() or letter in "\n\t\r") for text in texts for letter in text):
        yield f"the persona of {tier.name} holds characters that cannot be printed: Ollama drops them"
