"""What reading the configuration gives: one value and one origin per setting, and every problem met on the way."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import field
from typing import Any, Literal, NamedTuple

from mrt.config.keys import format_key, suggestion
from mrt.config.model import Origin
from mrt.config.settings import ALIASES, NAMED, SECTIONS, Key, Setting, section_settings, setting_of
from mrt.config.source import Source
from mrt.frozen import frozen
from mrt.near import did_you_mean, nearest


class Finding(NamedTuple):
    """A problem: `where` is FILE:LINE or an environment variable; the hint says what to do."""

    severity: Literal["error", "warning"]
    where: str
    message: str
    hint: str | None = None


class Value(NamedTuple):
    """A setting's value and its origin."""

    value: Any
    origin: Origin


@frozen
class Resolution:
    """What was found: values by key, the names in each section in file order, and all problems.

    `refused` holds the keys whose value was wrong: those are set, but have no value.
    """

    source: Source | None = None
    project: Source | None = None

    values: dict[Key, Value] = field(default_factory=dict)
    names: dict[str, list[str]] = field(default_factory=lambda: {section: [] for section in (*NAMED, ALIASES)})
    findings: list[Finding] = field(default_factory=list)
    refused: set[Key] = field(default_factory=set)

    def get(self, *key: str) -> Any:
        """The value of a key, None when it has none."""
        found = self.values.get(key)
        return found.value if found else None

    def where(self, key: Key) -> str:
        """Where the value of a key stands, else the table it would stand in; empty for what is only a default."""
        found = self.values.get(key)
        if found and found.origin.where:
            return found.origin.where
        for source in (self.source, self.project):
            if source and len(key) > 1 and key[:2] in source.lines:
                return source.where(key)
        return self.source.where(key) if self.source else ""

    def settings(self) -> Iterator[tuple[Key, Setting]]:
        """Every setting of every name, in the order of the declarations."""
        for section in SECTIONS:
            for name in self.names.get(section, [""]):
                for setting in section_settings(section).values():
                    yield setting.of(name), setting

    def errors(self) -> list[Finding]:
        """What nothing can be done with; the rest are warnings."""
        return [finding for finding in self.findings if finding.severity == "error"]

    def complain(self, where: str, message: str, hint: str | None = None) -> None:
        """Note an error."""
        self.findings.append(Finding("error", where, message, hint))


def unknown(key: Key, names: Mapping[str, Collection[str]]) -> tuple[str, str]:
    """Message and hint for a key that has no value: no such setting, or none of the names in its section."""
    if setting_of(key) is None:
        return f"unknown setting {format_key(key)}", suggestion(key)
    message = f"there is no alias {key[1]}" if key[0] == ALIASES else f"there is no [{format_key(key[:2])}]"
    known = names[key[0]]
    near = [format_key((key[0], name, *key[2:])) for name in nearest(key[1], known)]
    otherwise = f"{key[0]} there are: {', '.join(known)}" if known else f"there are no {key[0]} yet"
    return message, did_you_mean(near, otherwise)
