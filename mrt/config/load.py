"""Config files and environment into one Config; options of a verb replace what it says where they are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from mrt.config.keys import format_key
from mrt.config.model import Config
from mrt.config.paths import CONFIG_VARIABLE, config_path, expand
from mrt.config.project_file import find_project
from mrt.config.resolution import Finding, Resolution
from mrt.config.resolve import resolve
from mrt.config.settings import NAMED, SECTIONS, section_settings
from mrt.config.source import FileProblem, Source, parse, read
from mrt.errors import ConfigError


def load(environment: Mapping[str, str], path: Path | None = None) -> Config:
    """The configuration: environment over project's file over file over default.

    `path` is the file a flag names; it must exist, as must the one `MRT_CONFIG` names, and no project's file is read then.
    Raises ConfigError for the first problem, with file and line.
    """
    sources = find_sources(environment, path)
    return _config(environment, sources.own.path if sources.own else None, sources)


def load_text(environment: Mapping[str, str], path: Path, text: str) -> Config:
    """The configuration as it would be with this text in the file alone. Raises ConfigError as `load` does."""
    return _config(environment, path, Sources(parse(path, text)))


def _config(environment: Mapping[str, str], path: Path | None, sources: Sources) -> Config:
    resolution = resolve(environment, sources.own, sources.project)
    if errors := resolution.errors():
        raise as_error(errors[0], others=len(errors) - 1)
    warnings = (*sources.refused, *resolution.findings)
    return replace(
        build(environment, path, resolution),
        project_path=sources.project.path if sources.project else None,
        warnings=tuple(f"{finding.where}: {finding.message}" for finding in warnings),
    )


class Sources(NamedTuple):
    """The user's file and the project's, None where there is none; `refused` says why one of the latter is not read."""

    own: Source | None = None
    project: Source | None = None
    refused: tuple[Finding, ...] = ()


def find_sources(environment: Mapping[str, str], path: Path | None = None) -> Sources:
    """The files that hold the configuration. Raises ConfigError."""
    own, found = find_source(environment, path), find_project(environment, path)
    if found is None:
        return Sources(own)
    if found.refused:
        return Sources(own, None, (Finding("warning", str(found.path), f"{found.refused}; ignored"),))
    return Sources(own, read(found.path))


def find_source(environment: Mapping[str, str], path: Path | None = None) -> Source | None:
    """The user's config file, None when there is none and none was named. Raises ConfigError."""
    wanted = path or config_path(environment)
    source = read(wanted)
    if source is None and (path is not None or environment.get(CONFIG_VARIABLE)):
        by = "--config" if path is not None else CONFIG_VARIABLE
        raise FileProblem(str(wanted), f"this file does not exist (named by {by})", "`mrt config init` writes one")
    return source


def as_error(finding: Finding, others: int = 0) -> ConfigError:
    """The finding as the failure it is for a verb that needs the configuration."""
    more = f" (and {others} more)" if others else ""
    return ConfigError(f"{finding.where}: {finding.message}{more}", finding.hint or "run `mrt config check`")


def build(environment: Mapping[str, str], path: Path | None, resolution: Resolution) -> Config:
    """The Config of a resolution without problems."""
    _make_key_files_absolute(environment, path, resolution)
    sections: dict[str, Any] = {section: _section(section, resolution) for section in SECTIONS}
    sections["tiers"] = tuple(sections["tiers"].values())
    origins = {format_key(key): value.origin for key, value in resolution.values.items()}
    return Config(path=path, origins=origins, **sections)


def _section(section: str, resolution: Resolution) -> Any:
    model = SECTIONS[section]
    if model is None:
        return {name: resolution.get(section, name) for name in resolution.names[section]}
    return _instances(section, resolution) if section in NAMED else model(**_fields((section,), resolution))


def _instances(section: str, resolution: Resolution) -> dict[str, Any]:
    model: Any = SECTIONS[section]
    instances = {}
    for name in resolution.names[section]:
        own_name = {} if section == "prices" else {"name": name}
        instances[name] = model(**own_name, **_fields((section, name), resolution))
    return instances


def _fields(table: tuple[str, ...], resolution: Resolution) -> dict[str, Any]:
    return {last: resolution.get(*table, last) for last in section_settings(table[0])}


def _make_key_files_absolute(environment: Mapping[str, str], path: Path | None, resolution: Resolution) -> None:
    for name in resolution.names["endpoints"]:
        key = ("endpoints", name, "key_file")
        found = resolution.values[key]
        if found.value is not None:
            absolute = key_file_path(environment, path, found.value)
            resolution.values[key] = found._replace(value=str(absolute))


def key_file_path(environment: Mapping[str, str], config_file: Path | None, text: str) -> Path:
    """A key file as the user wrote it, relative to the config file's directory."""
    directory = config_file.absolute().parent if config_file else Path.cwd()
    return directory / expand(environment, text)
