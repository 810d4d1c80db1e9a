"""`mrt export ollama-modelfile`: read back by Ollama's grammar, a Modelfile says what the tier says."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from rig.command import Home
from rig.home_setup import configure, run_here

from mrt.config import Config, Tier
from mrt.config.compound import Example
from mrt.errors import UsageError
from mrt.exports.modelfile import export_modelfile


class Instruction(NamedTuple):
    """One line of a Modelfile: FROM, PARAMETER, SYSTEM or MESSAGE, and its parts."""

    name: str
    parts: tuple[str, ...]


def read(text: str) -> list[Instruction]:
    """What Ollama's parser makes of a Modelfile (0.33): it drops what cannot be printed, and escapes nothing.

    A value ends with its line, unless it begins with quotation marks; then it ends at the first line that ends in as many.
    """
    found = []
    kept = "".join(letter for letter in text if letter.isprintable() or letter in "\n\t\r")
    lines = _split(kept)
    while lines:
        line = lines.pop(0).strip()
        if not line or line.startswith("#"):
            continue
        name, _, rest = line.partition(" ")
        words = 1 if name in ("PARAMETER", "MESSAGE") else 0
        head, value = (rest.partition(" ")[::2]) if words else ("", rest)
        value = _value(value, lines, text)
        found.append(Instruction(name, (head, value) if words else (value,)))
    return found


def _split(text: str) -> list[str]:
    """Lines, each of which ends at a line feed or a carriage return."""
    lines, line = [], ""
    for letter in text:
        line += letter
        if letter in "\n\r":
            lines.append(line)
            line = ""
    return [*lines, line] if line else lines


def _value(value: str, lines: list[str], text: str) -> str:
    if not value.startswith('"'):
        return value
    marks = '"""' if value.startswith('"""') else '"'
    while not (len(value.strip()) >= 2 * len(marks) and value.strip().endswith(marks)):
        assert lines, f"unexpected end: {text!r}"
        # A value that stands alone on its line was stripped with it; what follows is taken as it is.
        value = (value if value.endswith(("\n", "\r")) else value + "\n") + lines.pop(0)
    return value.strip()[len(marks) : -len(marks)]


def tier_of(text: str) -> dict[str, Any]:
    """The tier that a Modelfile describes."""
    found = read(text)
    says = [parts for name, parts in found if name == "MESSAGE"]
    return {
        "from": [parts[0] for name, parts in found if name == "FROM"],
        "system": [parts[0] for name, parts in found if name == "SYSTEM"],
        "parameters": [parts for name, parts in found if name == "PARAMETER"],
        "messages": says,
    }


# Ollama drops what cannot be printed; that much is noted, and not asked of the text here.
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cf", "Z", "Co", "Cn"]) | st.sampled_from(' \t\n"#{}\\'))
EXAMPLES = st.lists(st.builds(Example, TEXTS, TEXTS), max_size=2).map(tuple)


@settings(deadline=None)
@given(TEXTS, EXAMPLES, st.lists(TEXTS, max_size=2))
def test_a_persona_reads_back_as_it_is_or_is_refused(
    system: str, examples: tuple[Example, ...], stops: list[str]
) -> None:
    tier = Tier("a", "ollama/llama3.1:8b", system=system, examples=examples, options={"stop": stops, "top_p": 0.5})
    texts = [system, *stops, *(text for example in examples for text in example)]
    try:
        text = export_modelfile("a", Config(tiers=(tier,)), {}).text
    except UsageError as error:
        assert 'ends in """' in error.message
        assert any('"""' in one for one in texts)
        return
    found = tier_of(text)
    assert found["from"] == ["llama3.1:8b"]
    assert found["system"] == ([system] if system else [])
    assert found["messages"] == [pair for user, answer in examples for pair in (("user", user), ("assistant", answer))]
    assert [value for name, value in found["parameters"] if name == "stop"] == stops


@settings(deadline=None)
@given(TEXTS)
def test_only_a_line_that_ends_in_three_marks_is_refused(system: str) -> None:
    assume('"""' not in system)
    tier = Tier("a", "ollama/m", system=system)
    export_modelfile("a", Config(tiers=(tier,)), {})


def test_the_whole_tier(store_home: Home) -> None:
    tier = {
        "model": "ollama/llama3.1:8b",
        "system": 'Be brief.\nNever say "no".',
        "examples": [{"user": "2 + 2", "assistant": "4"}],
        "temperature": 0.0,
        "context": 4096,
        "max_tokens": 256,
        "max_complexity": 4,
        "options": {"top_p": 0.9, "stop": ["END", "# 2"], "num_gpu": 20, "grammar": "x", "use_mmap": False},
    }
    configure(store_home, {"tiers.local-fast": tier, "tiers.cloud": {"model": "anthropic/claude-haiku-4-5"}})
    result = run_here(store_home, "export", "ollama-modelfile")
    assert result.exit_code == 0
    assert result.stdout == (
        "# Tier local-fast for Ollama, made by `mrt export ollama-modelfile`. Save it as Modelfile, then:\n"
        "#   ollama create local-fast -f Modelfile\n"
        "# Not carried over: tiers.local-fast.max_complexity (which prompts a tier gets is for mrt to decide)\n"
        "# Not carried over: tiers.local-fast.options.grammar (it is no parameter of a Modelfile)\n"
        "FROM llama3.1:8b\n"
        "PARAMETER num_ctx 4096\n"
        "PARAMETER num_predict 256\n"
        "PARAMETER temperature 0.0\n"
        "PARAMETER top_p 0.9\n"
        'PARAMETER stop """END"""\n'
        'PARAMETER stop """# 2"""\n'
        "PARAMETER num_gpu 20\n"
        "PARAMETER use_mmap false\n"
        'SYSTEM """Be brief.\nNever say "no"."""\n'
        'MESSAGE user """2 + 2"""\n'
        'MESSAGE assistant """4"""\n'
    )
    assert result.stderr == (
        "not carried over: tiers.local-fast.max_complexity (which prompts a tier gets is for mrt to decide)\n"
        "not carried over: tiers.local-fast.options.grammar (it is no parameter of a Modelfile)\n"
    )


def test_what_mrt_asks_of_ollama_unless_told_otherwise(store_home: Home) -> None:
    configure(store_home, {"tiers.a": {"model": "ollama/m"}})
    parameters = tier_of(run_here(store_home, "export", "ollama-modelfile", "a").stdout)["parameters"]
    assert parameters == [("num_ctx", "8192"), ("num_predict", "4096")]


VALUES = {
    "a whole number with a point": ({"top_k": 40.0}, [("top_k", "40")]),
    "a number": ({"top_p": 1.0, "min_p": 1}, [("top_p", "1.0"), ("min_p", "1")]),
    "true or false": ({"use_mmap": True}, [("use_mmap", "true")]),
    "a part of a number": ({"top_k": 40.5}, []),
    "true for a number": ({"seed": True}, []),
    "a number for true": ({"use_mmap": 1}, []),
    "a text for a number": ({"num_gpu": "all"}, []),
    "a number for a text": ({"stop": ["a", 1]}, []),
    "a table": ({"temperature": {"a": 1}}, []),
}


@pytest.mark.parametrize("case", VALUES)
def test_a_value_is_written_as_ollama_reads_it_or_left_out_and_said(case: str) -> None:
    options, expected = VALUES[case]
    export = export_modelfile("a", Config(tiers=(Tier("a", "ollama/m", options=options),)), {})
    assert tier_of(export.text)["parameters"][2:] == expected
    lost = [] if expected else [f"tiers.a.options.{name}" for name in options]
    assert [one.setting for one in export.lost] == lost
    assert all(one.reason == "its value is none that PARAMETER takes" for one in export.lost)


@pytest.mark.parametrize(
    ("tier", "model", "made"),
    [("Fast", "m", "fast"), ("m", "m", "m-persona"), ("m", "m:latest", "m-persona"), ("m", "m:8b", "m")],
)
def test_the_model_that_is_made_does_not_replace_what_it_is_made_of(tier: str, model: str, made: str) -> None:
    text = export_modelfile(tier, Config(tiers=(Tier(tier, f"ollama/{model}"),)), {}).text
    assert f"#   ollama create {made} -f Modelfile\n" in text


def test_a_model_that_is_a_file(store_home: Home) -> None:
    configure(store_home, {"tiers.a": {"model": "llamacpp//models/tiny-q4_0.gguf"}})
    found = tier_of(run_here(store_home, "export", "ollama-modelfile", "a").stdout)
    assert found["from"] == ["/models/tiny-q4_0.gguf"]


def test_what_ollama_drops_is_noted(store_home: Home) -> None:
    configure(store_home, {"tiers.a": {"model": "ollama/m", "system": "Smile:\u200bnow"}})
    data = json.loads(run_here(store_home, "export", "ollama-modelfile", "--json").stdout)["data"]
    assert data["notes"] == ["the persona of a holds characters that cannot be printed: Ollama drops them"]


TWO = {"tiers.one": {"model": "ollama/a"}, "tiers.two": {"model": "ollama/b"}, "tiers.cloud": {"model": "xai/grok-4"}}
FOR_OLLAMA = "hint: Modelfiles are for ollama tiers, and for models that are a .gguf file\n"
NO_OLLAMA = f"which is no model of a local Ollama\n{FOR_OLLAMA}"
MISTAKES = {
    "several": (TWO, (), "error: which tier? one, two\nhint: mrt export ollama-modelfile one\n"),
    "no such tier": (
        TWO,
        ("on",),
        "error: there is no tier on (did you mean one?)\nhint: tiers are one, two, cloud\n",
    ),
    "a cloud's": (
        TWO,
        ("cloud",),
        f"error: tier cloud is xai/grok-4, {NO_OLLAMA}",
    ),
    "Ollama's own cloud": (
        {"tiers.a": {"model": "ollama/gpt-oss:120b-cloud"}},
        ("a",),
        f"error: tier a is ollama/gpt-oss:120b-cloud, {NO_OLLAMA}",
    ),
    "none at all": (
        {"tiers.cloud": {"model": "xai/grok-4"}},
        (),
        "error: no tier is a model of a local Ollama\nhint: name one: mrt config set tiers.local-fast.model ollama/MODEL\n",
    ),
    "what cannot be said": (
        {"tiers.a": {"model": "ollama/m", "system": 'Write\n"""docs"""\nfirst.'}},
        (),
        (
            'error: tier a: a line of its system ends in """, which ends the text in a Modelfile\n'
            "hint: end that line in something else, or leave the persona to mrt, which sends it with each prompt\n"
        ),
    ),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_says_what_to_do(store_home: Home, case: str) -> None:
    tables, words, said = MISTAKES[case]
    configure(store_home, tables)
    result = run_here(store_home, "export", "ollama-modelfile", *words)
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", said)
