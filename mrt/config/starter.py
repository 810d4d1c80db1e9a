"""The file that `mrt config init` writes: every setting, with its default and what it does."""

from __future__ import annotations

from collections.abc import Iterator

from mrt.config.keys import format_key
from mrt.config.model import DEFAULT_TIERS
from mrt.config.render import toml_text
from mrt.config.settings import ALIASES, NAMED, SECTIONS, Setting, section_settings

_HEAD = """\
# Configuration of mrt. A line "#key = value" shows a default or an example: take the "#" away to set it.
# `mrt config check` finds mistakes; `mrt config show --origin` shows what holds, and why.
"""
_ABOUT = {
    "tiers": "Tiers, the cheapest first: a prompt starts on the first one that is able enough, and goes up from there.",
    "endpoints": "Servers of your own, usable as NAME/MODEL. Keys stay outside this file.",
    "budget": "What paid models may cost.",
    "limits": "Limits on some of the calls, besides the budget.",
    "prices": "Prices of your own, which win over the built-in ones.",
    "ask": "How `mrt ask` behaves.",
    "route": "How a tier is chosen.",
    "assessor": "A model that rates prompts beside the rules.",
    "planner": "The model that breaks work down.",
    "mcp": "What agents may do with the tools of `mrt mcp`.",
    "aliases": "Short names of models.",
    "templates": "Prompts kept under a name: mrt ask -t NAME.",
}
_SAMPLE_NAMES = {
    "endpoints": "koala",
    "limits": "nightly",
    "prices": "koala/gpt-4o",
    ALIASES: "coder",
    "templates": "summary",
}


def initial_text() -> str:
    """A starter file: the default tiers as they are, everything else as comments to take away."""
    return "\n".join([_HEAD, *(f"# {_ABOUT[section]}\n{_section(section)}" for section in SECTIONS)])


def _section(section: str) -> str:
    if section == "tiers":
        return "\n".join(_tiers())
    off = "#" if section in _SAMPLE_NAMES else ""
    table = (section, _SAMPLE_NAMES[section]) if section in NAMED else (section,)
    lines = (_commented(setting) for setting in section_settings(section).values())
    return f"{off}[{format_key(table)}]\n" + "".join(lines)


def _tiers() -> Iterator[str]:
    settings = section_settings("tiers").values()
    for tier in DEFAULT_TIERS:
        given = [setting for setting in settings if getattr(tier, setting.key) != setting.default]
        first = tier is DEFAULT_TIERS[0]
        lines = [_line(setting, setting.key, toml_text(getattr(tier, setting.key)), explain=first) for setting in given]
        if first:
            lines += [_commented(setting) for setting in settings if setting not in given]
        yield f"[{format_key(('tiers', tier.name))}]\n" + "".join(lines)


def _commented(setting: Setting) -> str:
    key = setting.of(_SAMPLE_NAMES.get(setting.section, ""))
    return "#" + _line(setting, key[-1], setting.sample, explain=True)


def _line(setting: Setting, key: str, value: str, *, explain: bool) -> str:
    return f"{key} = {value}" + (f"  # {setting.declaration.help}\n" if explain else "\n")
