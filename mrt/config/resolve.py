"""Files and environment laid over the defaults."""

from __future__ import annotations

from collections.abc import Mapping

from mrt.config.from_file import read_file
from mrt.config.keys import format_key
from mrt.config.legacy import with_provider
from mrt.config.model import DEFAULT_TIERS, Origin
from mrt.config.resolution import Resolution, Value
from mrt.config.settings import Key, Setting, section_settings
from mrt.config.source import Source
from mrt.config.values import MODEL, Invalid


def resolve(environment: Mapping[str, str], source: Source | None, project: Source | None = None) -> Resolution:
    """Environment over project's file over file over default, for every setting. Nothing is raised: problems are findings."""
    if project is not None:
        return _with_project(environment, source, project)
    result = Resolution(source)
    _read_own(source, result)
    _overlay_all(environment, result)
    return _completed(result)


def _with_project(environment: Mapping[str, str], source: Source | None, project: Source) -> Resolution:
    """The same with a project's file, which is judged by what all others say and so comes last."""
    from mrt.config.project import accept, read_project

    result = Resolution(source, project)
    _read_own(source, result)
    offered = read_project(project, result)
    _overlay_all(environment, result)
    accept(offered, result)
    return _completed(result)


def _read_own(source: Source | None, result: Resolution) -> None:
    if source is not None:
        read_file(source.document, result)
    if not result.names["tiers"]:
        _add_default_tiers(result)


def _overlay_all(environment: Mapping[str, str], result: Resolution) -> None:
    for key, setting in result.settings():
        _overlay(key, setting, environment, result)


def _completed(result: Resolution) -> Resolution:
    for key, setting in result.settings():
        _complete(key, setting, result)
    return result


def _add_default_tiers(result: Resolution) -> None:
    for tier in DEFAULT_TIERS:
        result.names["tiers"].append(tier.name)
        for last in section_settings("tiers"):
            result.values["tiers", tier.name, last] = Value(getattr(tier, last), Origin("default"))


def _overlay(key: Key, setting: Setting, environment: Mapping[str, str], result: Resolution) -> None:
    """Let the environment replace what the file says."""
    variable = next((name for name in setting.variables(key) if environment.get(name)), None)
    if variable is not None:
        text = environment[variable]
        if setting.kind is MODEL:
            text = with_provider(variable, text, result.names["endpoints"])
        _take_text(key, setting, text, Origin("environment", variable), result)


def _take_text(key: Key, setting: Setting, text: str, origin: Origin, result: Resolution) -> None:
    try:
        result.values[key] = Value(setting.kind.check(setting.kind.parse(text)), origin)
    except Invalid as error:
        result.refused.add(key)
        result.complain(origin.where, f"{format_key(key)} {error.message}", error.hint)


def _complete(key: Key, setting: Setting, result: Resolution) -> None:
    """Fill in the default, or say that a required setting is missing."""
    if key in result.values:
        return
    if not setting.required:
        result.values[key] = Value(setting.default, Origin("default"))
    elif key not in result.refused:
        hint = f"add {key[-1]} = {setting.sample} to [{format_key(key[:-1])}]"
        result.complain(result.where(key), f"{format_key(key)} is missing", hint)
