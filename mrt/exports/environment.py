"""The settings as the environment variables that mrt reads in their place, for machines that shall have no config file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from mrt.config import Config
from mrt.config.compound import EXAMPLES, NAMES, TABLE
from mrt.config.keys import format_key
from mrt.config.model import DEFAULT_TIERS
from mrt.config.render import plain_text, toml_text
from mrt.config.settings import ALIASES, NAMED, section_settings
from mrt.config.values import MODEL, Invalid, Kind
from mrt.endpoints import PROVIDERS
from mrt.errors import UsageError
from mrt.exports.places import Place, keys, places, translated
from mrt.exports.report import Export, Lost
from mrt.exports.secret_values import holds_secret
from mrt.exports.shells import SHELLS, Shell
from mrt.exports.told import Told, told
from mrt.exports.yaml_text import one_line
from mrt.near import guessed, nearest

_ONLY_FILES = "only a config file can name it"
_USUAL = {tier.name: tier for tier in DEFAULT_TIERS}


def export_environment(config: Config, environment: Mapping[str, str], shell: str) -> Export:
    """Assignments for that shell. Raises UsageError for one that is none of SHELLS."""
    if shell not in SHELLS:
        raise UsageError(f"unknown shell {shell!r}{guessed(nearest(shell, SHELLS))}", f"shells are {', '.join(SHELLS)}")
    settings = list(told(config))
    found = places([one.value for one in settings if _is_model(one)], config, environment)
    lost = list(_tables(config, found))
    values = {
        f"{place.stem}_BASE_URL": place.url for place in found.values() if not (place.is_usual or place.is_secret)
    }
    for one in settings:
        if _is_carried(one):
            value = _here(one, config, found) if _is_model(one) else one.value
            text, why = _text(one.setting.kind, value, SHELLS[shell])
            if why or (_is_model(one) and _unknown(value, config, found) in PROVIDERS):
                lost.append(Lost(one.dotted, why or f"without the file {value} is at another server"))
            else:
                values[one.setting.variables(one.key)[0]] = text
    needed = keys(config, environment, found)
    form = SHELLS[shell]
    remarks = [f"{form.remark}{one_line(f'{one.name}: {one.what}')}" for one in needed] if form.remark else []
    lines = [*remarks, *(form.assign(name, text) for name, text in values.items())]
    notes = (*_changed(settings, config, found), *(f"set {one.name}: {one.what}" for one in needed))
    return Export("".join(f"{line}\n" for line in lines), tuple(lost), needed, notes)


def _text(kind: Kind, value: Any, shell: Shell) -> tuple[str, str | None]:
    """The value as a variable has it, or why it cannot have it; what is given reads back as the same value."""
    text = _written(kind, value)
    if holds_secret(value):
        return "", "it holds what looks like a key"
    if not text:
        return "", "an empty variable counts as none"
    if "\0" in text:
        return "", "no variable can hold the character of code 0"
    if refused := shell.refuses(text):
        return "", refused
    return (text, None) if _reads_back(kind, text, value) else ("", "no variable can hold this value")


def _reads_back(kind: Kind, text: str, value: Any) -> bool:
    with suppress(Invalid):
        return bool(kind.check(kind.parse(text)) == value)
    return False


def _written(kind: Kind, value: Any) -> str:
    if kind in (EXAMPLES, TABLE):
        return toml_text(list(value) if isinstance(value, tuple) else value)
    if kind is NAMES:
        simple = value and all(name == name.strip() and not set(name) & set(",[") for name in value)
        return ",".join(value) if simple else toml_text(list(value))
    return plain_text(value)


def _tables(config: Config, found: Mapping[str, Place]) -> Iterator[Lost]:
    """Named tables, which variables can neither make nor take away."""
    for section in (*sorted(NAMED), ALIASES):
        names = [tier.name for tier in config.tiers] if section == "tiers" else getattr(config, section)
        for name in names:
            stands = name in found if section == "endpoints" else section == "tiers" and name in _USUAL
            if not stands:
                yield Lost(format_key((section, name)), _ONLY_FILES)
    yield from _kept_defaults(config)
    if [tier.name for tier in config.tiers] != list(_USUAL):
        yield Lost("tiers", f"without a file the tiers are {', '.join(_USUAL)}, in this order")


def _kept_defaults(config: Config) -> Iterator[Lost]:
    """What a default tier says and the user's of that name does not."""
    for tier in config.tiers:
        usual = _USUAL.get(tier.name)
        for key, setting in section_settings("tiers").items() if usual else ():
            if getattr(tier, key) == setting.default != getattr(usual, key):
                yield Lost(format_key(("tiers", tier.name, key)), "no variable takes the default tier's value away")


def _is_carried(one: Told) -> bool:
    """Whether a variable can have it: all but what stands in tables of a name that only a file can give."""
    return one.key[0] not in (*NAMED, ALIASES) or (one.key[0] == "tiers" and one.key[1] in _USUAL)


def _is_model(one: Told) -> bool:
    return one.setting.kind is MODEL and bool(one.value)


def _here(one: Told, config: Config, found: Mapping[str, Place]) -> str:
    """The model id that means the same without the file. Only a tier's own model is never the name of a tier."""
    tier = None if one.key[0] == "tiers" else next((tier for tier in config.tiers if tier.name == one.value), None)
    if tier is not None and tier.name in _USUAL:
        return tier.name
    return translated(tier.model if tier else one.value, config, found)


def _changed(settings: list[Told], config: Config, found: Mapping[str, Place]) -> Iterator[str]:
    """Model ids that read otherwise than in the file, and those that lead nowhere without it."""
    for one in settings:
        if not _is_model(one) or not _is_carried(one):
            continue
        model = _here(one, config, found)
        unknown = _unknown(model, config, found)
        if unknown in PROVIDERS:
            continue
        if model != one.value:
            yield f"{one.dotted} is {model} here, which is {one.value} of the file"
        if unknown:
            yield f"{one.dotted} is {model}, which nobody knows without the file's [endpoints]"


def _unknown(model: str, config: Config, found: Mapping[str, Place]) -> str | None:
    """The endpoint of the model where no variable stands for it; a provider of that name is another server."""
    endpoint = model.partition("/")[0]
    return endpoint if endpoint in config.endpoints and endpoint not in found else None
