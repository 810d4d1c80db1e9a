"""What a project's file may say, laid between the user's file and the environment.

The file may have come with somebody's repository. So it sets only what its declaration lets a project set, and only as that
allows; the rest is named and ignored.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mrt.config.declaration import OWN_ALONE, Offer
from mrt.config.from_file import read_file
from mrt.config.keys import format_key, suggestion
from mrt.config.model import Origin
from mrt.config.render import toml_text
from mrt.config.resolution import Finding, Resolution, Value
from mrt.config.settings import NAMED, SECTIONS, SETTINGS, Key, setting_of
from mrt.config.source import Source

IGNORED = "; ignored"
LONGEST_NAME = 60


def read_project(source: Source, result: Resolution) -> Mapping[Key, Value]:
    """The values that the file offers. Its new names go into the result, and so does what is wrong with it.

    Values of a wrong type are errors, as in the user's file; keys that are not a project's to set are warnings.
    """
    taken: dict[str, Any] = {}
    for key, raw in _leaves(source.document):
        if _may_be_set(key):
            _put(taken, key, raw)
        else:
            _ignore(result, source.where(key), *_why_not(key, raw))
    offered = Resolution(source)
    read_file(taken, offered)
    result.findings.extend(offered.findings)
    for section in taken:
        _add_names(section, offered, result)
    return {key: Value(value.value, Origin("project", value.origin.where)) for key, value in offered.values.items()}


def accept(offered: Mapping[Key, Value], result: Resolution) -> None:
    """Take the offers that are allowed, where the environment says nothing. All other values are in the result by now."""
    own = dict(result.values)
    for key, value in offered.items():
        setting, mine = setting_of(key), own.get(key)
        rule = setting and setting.declaration.project
        if setting is None or rule is None or key in result.refused or (mine and mine.origin.kind == "environment"):
            continue
        offer = Offer(mine.value if mine else setting.default, value.value, _is_limited(key, own))
        if rule.allows(offer):
            result.values[key] = value
        else:
            message = rule.otherwise.format(key=format_key(key), value=toml_text(value.value))
            _ignore(result, value.origin.where, message)


def _leaves(document: Mapping[str, Any]) -> Iterator[tuple[Key, Any]]:
    """Every setting of the file, and what stands where a section belongs."""
    for section, content in document.items():
        if section not in SECTIONS or not isinstance(content, dict):
            yield (section,), content
            continue
        for name, inner in content.items():
            if section in NAMED and isinstance(inner, dict):
                yield from (((section, name, last), raw) for last, raw in inner.items())
            else:
                yield (section, name), inner


def _may_be_set(key: Key) -> bool:
    """Whether it is a project's to set; what is no section and should be one goes on to where that is said."""
    setting = setting_of(key)
    if setting is not None:
        return setting.declaration.project is not None
    return _is_section(key) and any(one.section == key[0] and one.declaration.project for one in SETTINGS)


def _is_section(key: Key) -> bool:
    return key[0] in SECTIONS and len(key) <= (2 if key[0] in NAMED else 1)


def _why_not(key: Key, raw: Any) -> tuple[str, str | None]:
    if setting_of(key) is not None or _is_section(key):
        return OWN_ALONE.format(key=_named(key)), None
    what = "section" if isinstance(raw, dict) and len(key) == 1 else "setting"
    return f"unknown {what} {_named(key)}", suggestion(key)


def _named(key: Key) -> str:
    """The key, and no long text that somebody wrote in the place of one."""
    dotted = format_key(key)
    return dotted if len(dotted) <= LONGEST_NAME else dotted[: LONGEST_NAME - 1] + "…"


def _put(document: dict[str, Any], key: Key, raw: Any) -> None:
    for part in key[:-1]:
        document = document.setdefault(part, {})
    document[key[-1]] = raw


def _add_names(section: str, offered: Resolution, result: Resolution) -> None:
    for name in offered.names.get(section, ()):
        if name not in result.names[section]:
            result.names[section].append(name)
            continue
        table = (section, name)
        _ignore(result, offered.where(table), f"your own config has [{_named(table)}]")
        for key in [key for key in offered.values if key[:2] == table]:
            del offered.values[key]


def _is_limited(key: Key, own: Mapping[Key, Value]) -> bool:
    """Whether limits of the user's go by this label of calls."""
    return any(
        other[0] == "limits" and other[-1] == key[-1] and value.value is not None for other, value in own.items()
    )


def _ignore(result: Resolution, where: str, message: str, hint: str | None = None) -> None:
    result.findings.append(Finding("warning", where, message + IGNORED, hint))
