"""The table of all settings, made from the declarations: keys, environment names, defaults, help."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, fields
from typing import Any, NamedTuple

from mrt.config.declaration import Declaration
from mrt.config.model import (
    AskSettings,
    AssessorSettings,
    EndpointSettings,
    McpSettings,
    PlannerSettings,
    RouteSettings,
    Template,
    Tier,
)
from mrt.config.render import plain_text, toml_text
from mrt.config.spending import Budget, LimitSettings, Price
from mrt.config.values import MODEL, Kind

Key = tuple[str, ...]

# In the order of the starter file. Sections in NAMED hold one table per name; [aliases] holds a value per name.
SECTIONS: dict[str, type[Any] | None] = {
    "tiers": Tier,
    "endpoints": EndpointSettings,
    "budget": Budget,
    "limits": LimitSettings,
    "prices": Price,
    "ask": AskSettings,
    "route": RouteSettings,
    "assessor": AssessorSettings,
    "planner": PlannerSettings,
    "mcp": McpSettings,
    "aliases": None,
    "templates": Template,
}
NAMED = frozenset({"tiers", "endpoints", "limits", "prices", "templates"})
ALIASES = "aliases"
NAME_PATTERN = r"[A-Za-z0-9_.-]+"
# What letters become in the name of an environment variable.
_IN_VARIABLES = bytes(code if code < 128 and chr(code).isalnum() else ord("_") for code in range(256))
_ALIAS = Declaration(MODEL, "Model id that the name stands for", "ollama/qwen2.5-coder:7b")


class Setting(NamedTuple):
    """One setting, for all names of its section."""

    section: str
    key: str
    declaration: Declaration
    default: Any = None
    required: bool = False

    @property
    def kind(self) -> Kind:
        """What values it takes."""
        return self.declaration.kind

    @property
    def pattern(self) -> str:
        """The dotted key, with NAME where the user's name stands: `tiers.NAME.model`."""
        return ".".join(self.of("NAME"))

    @property
    def sample(self) -> str:
        """A value in TOML syntax to show how it is written: the default, or an example where that says nothing."""
        return toml_text(self.default if self.declaration.example is None else self.declaration.example)

    def of(self, name: str) -> Key:
        """The key of this setting under a name; the name does not matter where the section has none."""
        if self.section == ALIASES:
            return (self.section, name)
        return (self.section, name, self.key) if self.section in NAMED else (self.section, self.key)

    def variables(self, key: Key) -> tuple[str, ...]:
        """Environment variables that set it, the strongest first."""
        upper = "_".join(key).upper().encode("ascii", "replace").translate(_IN_VARIABLES).decode()
        also = self.declaration.also.get(key[1] if self.section in NAMED else "")
        return (f"MRT_{upper}", also) if also else (f"MRT_{upper}",)


class Description(NamedTuple):
    """A setting as the reference shows it; `environment` holds the names of its variables, the strongest first.

    `project` says what a project's file may do to it: "lower it"; empty for nothing.
    """

    name: str
    type: str
    default: str
    environment: tuple[str, ...]
    help: str
    project: str = ""


def _setting(section: str, declared: Field[Any]) -> Setting:
    required = declared.default is MISSING and declared.default_factory is MISSING
    default = declared.default if declared.default_factory is MISSING else declared.default_factory()
    return Setting(section, declared.name, declared.metadata["setting"], None if required else default, required)


def _all_settings() -> Iterator[Setting]:
    for section, model in SECTIONS.items():
        if model is None:
            yield Setting(section, "NAME", _ALIAS)
        else:
            yield from (_setting(section, item) for item in fields(model) if "setting" in item.metadata)


SETTINGS = tuple(_all_settings())
_BY_SECTION: dict[str, dict[str, Setting]] = {
    section: {setting.key: setting for setting in SETTINGS if setting.section == section} for section in SECTIONS
}


def section_settings(section: str) -> Mapping[str, Setting]:
    """The settings of a section by their last key; empty for an unknown section."""
    return _BY_SECTION.get(section, {})


def setting_of(key: Key) -> Setting | None:
    """The setting that a key belongs to, None when there is none."""
    last = "NAME" if key[0] == ALIASES and len(key) == 2 else key[-1]
    setting = section_settings(key[0]).get(last)
    return setting if setting and len(setting.of("NAME")) == len(key) else None


def describe() -> tuple[Description, ...]:
    """Every setting for the reference, in the order of the starter file."""
    return tuple(
        Description(
            setting.pattern,
            setting.kind.name,
            "" if setting.default is None else plain_text(setting.default),
            tuple(dict.fromkeys((*setting.variables(setting.of("NAME")), *setting.declaration.also.values()))),
            setting.declaration.help,
            setting.declaration.project.may if setting.declaration.project else "",
        )
        for setting in SETTINGS
    )
