"""The settings that say something: those whose value is not the default."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from mrt.config import Config
from mrt.config.keys import format_key
from mrt.config.settings import ALIASES, NAMED, SECTIONS, Key, Setting, section_settings


class Told(NamedTuple):
    """One of them: its key as parts, its declaration, its value."""

    key: Key
    setting: Setting
    value: Any

    @property
    def dotted(self) -> str:
        """The key as people write it."""
        return format_key(self.key)


def told(config: Config) -> Iterator[Told]:
    """All of them, in the order of the declarations; what is required is always said."""
    for section in SECTIONS:
        content = getattr(config, section)
        if section == "tiers":
            content = {tier.name: tier for tier in content}
        for name in content if section in (*NAMED, ALIASES) else ("",):
            for setting in section_settings(section).values():
                holder = content[name] if section in NAMED else content
                value = content[name] if section == ALIASES else getattr(holder, setting.key)
                if setting.required or section == ALIASES or value != setting.default:
                    yield Told(setting.of(name), setting, value)
