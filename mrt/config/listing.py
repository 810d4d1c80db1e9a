"""The settings of a Config as rows, each with its value and origin."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from mrt.config.keys import format_key, parse_key
from mrt.config.model import Config, Origin
from mrt.config.render import json_value, plain_text, toml_text
from mrt.config.resolution import unknown
from mrt.config.secrets import mask
from mrt.config.settings import ALIASES, NAMED, SECTIONS, Key, section_settings
from mrt.errors import UsageError


class Row(NamedTuple):
    """One setting: `value` is what the Config holds, `is_set` is False where that says nothing."""

    key: str
    value: Any
    origin: Origin

    @property
    def is_set(self) -> bool:
        """False for a setting that has neither a value nor a default that says anything."""
        return self.origin.kind != "default" or self.value not in (None, (), {})

    @property
    def toml(self) -> str:
        """The value in TOML syntax, without anything that looks like a key."""
        return mask(toml_text(self.value))

    @property
    def plain(self) -> str:
        """The value as a script wants it, without anything that looks like a key; empty where there is none."""
        return mask(plain_text(self.value)) if self.is_set else ""

    @property
    def json(self) -> Any:
        """The value as JSON carries it, without anything that looks like a key; None where there is none."""
        return _masked(json_value(self.value)) if self.is_set else None


def rows(config: Config) -> Iterator[Row]:
    """All settings, in the order of the declarations and, within a section, of the file."""
    for section in SECTIONS:
        content = getattr(config, section)
        if section == "tiers":
            content = {tier.name: tier for tier in content}
        if section == ALIASES:
            yield from (_row(config, (section, name), value) for name, value in content.items())
        elif section in NAMED:
            for name, instance in content.items():
                yield from _fields(config, (section, name), instance)
        else:
            yield from _fields(config, (section,), content)


def find(config: Config, dotted: str) -> Row:
    """The row of a key. Raises UsageError, with the nearest key, when there is none."""
    key = parse_key(dotted)
    wanted = format_key(key)
    names: dict[str, list[str]] = {section: [] for section in (*NAMED, ALIASES)}
    for row in rows(config):
        if row.key == wanted:
            return row
        names.setdefault(parse_key(row.key)[0], []).append(parse_key(row.key)[1])
    raise UsageError(*unknown(key, {section: list(dict.fromkeys(found)) for section, found in names.items()}))


def _fields(config: Config, table: Key, instance: object) -> Iterator[Row]:
    return (_row(config, (*table, last), getattr(instance, last)) for last in section_settings(table[0]))


def _row(config: Config, key: Key, value: Any) -> Row:
    dotted = format_key(key)
    return Row(dotted, value, config.origins.get(dotted, Origin("default")))


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, list):
        return [_masked(item) for item in value]
    if isinstance(value, dict):
        return {name: _masked(item) for name, item in value.items()}
    return value
