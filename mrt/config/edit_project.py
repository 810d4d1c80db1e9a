"""Change the project's file: like the user's own, but for what a project may not set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from mrt.config.edit import Change, plan
from mrt.config.load import find_source
from mrt.config.paths import PROJECT_FILE, PROJECT_VARIABLE
from mrt.config.project import IGNORED
from mrt.config.project_file import find_project, is_wanted, project_folders, standalone
from mrt.config.render import toml_text
from mrt.config.resolve import resolve
from mrt.config.source import parse
from mrt.errors import ConfigError


def project_path(environment: Mapping[str, str], named: Path | None = None) -> Path:
    """The project's file that is read here, or would be: in the current folder. Raises ConfigError where none would be."""
    if standalone(environment, named):
        raise ConfigError(f"a config file is named, so no {PROJECT_FILE} is read", "leave out --config and MRT_CONFIG")
    if not is_wanted(environment):
        raise ConfigError(f"{PROJECT_VARIABLE} is off, so no {PROJECT_FILE} is read", f"unset {PROJECT_VARIABLE}")
    found = find_project(environment)
    if found is None:
        path = Path.cwd() / PROJECT_FILE
        if not any(project_folders(environment)):
            raise ConfigError("your home folder is no project", "go into a project's folder first")
        return path
    if found.refused:
        raise ConfigError(f"{found.path}: {found.refused}", "remove it, or go elsewhere")
    return found.path


def plan_project(environment: Mapping[str, str], path: Path, pairs: Sequence[tuple[str, str]]) -> Change:
    """The project's file with new values, as `plan` has it. Raises ConfigError for one that would be ignored."""
    change = plan(path, pairs)
    alone = "\n".join(f"{key} = {toml_text(value)}" for key, value in change.values.items())
    resolution = resolve(environment, find_source(environment), parse(path, alone))
    for finding in resolution.findings:
        if finding.message.endswith(IGNORED):
            hint = finding.hint or "without --project it is set in your own config"
            raise ConfigError(finding.message.removesuffix(IGNORED), hint)
    return change
