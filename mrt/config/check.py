"""Every problem of a configuration at once, of a broken file too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from mrt.config.check_endpoints import endpoint_findings
from mrt.config.check_limits import limit_findings
from mrt.config.check_tiers import model_findings, tier_findings
from mrt.config.keys import format_key
from mrt.config.load import find_sources
from mrt.config.paths import config_path, readable_by_others
from mrt.config.project_file import find_project
from mrt.config.resolution import Finding, Resolution
from mrt.config.resolve import resolve
from mrt.config.secrets import looks_secret
from mrt.config.settings import SECTIONS, SETTINGS
from mrt.config.source import FileProblem, read_text
from mrt.near import did_you_mean, nearest

__all__ = ["Finding", "findings"]


def findings(environment: Mapping[str, str], path: Path | None = None) -> list[Finding]:
    """All problems of the configuration that `load` would read with the same arguments, and what it would not look at."""
    files = _files(environment, path)
    try:
        sources = find_sources(environment, path)
    except FileProblem as problem:
        return [Finding("error", problem.where, problem.what, problem.hint), *_leaks(files)]
    resolution = resolve(environment, sources.own, sources.project)
    return [
        *sources.refused,
        *resolution.findings,
        *_leaks(files),
        *tier_findings(resolution),
        *model_findings(resolution),
        *limit_findings(resolution),
        *endpoint_findings(environment, sources.own.path if sources.own else None, resolution),
        *_environment_findings(environment, resolution),
    ]


def _files(environment: Mapping[str, str], path: Path | None) -> tuple[Path, ...]:
    """The user's file and the project's that is read, whether they are well or broken."""
    project = find_project(environment, path)
    own = path or config_path(environment)
    return (own, project.path) if project and not project.refused else (own,)


def _leaks(paths: Iterable[Path]) -> Iterator[Finding]:
    """Keys in the files themselves; read from the text, so that comments and broken files count too."""
    for path in paths:
        with suppress(FileProblem):
            yield from _leaks_in(path, (read_text(path) or "").split("\n"))


def _leaks_in(path: Path, lines: Sequence[str]) -> Iterator[Finding]:
    leaking = [number for number, line in enumerate(lines, 1) if looks_secret(line)]
    for number in leaking:
        hint = "take it out and name its place with key_env, key_cmd or key_file"
        yield Finding("error", f"{path}:{number}", "something that looks like a key stands here", hint)
    if leaking and readable_by_others(path):
        yield Finding("error", str(path), "others can read this file and the key in it", f"chmod 600 {path}")


def _environment_findings(environment: Mapping[str, str], resolution: Resolution) -> Iterator[Finding]:
    """Variables that look like settings and set nothing."""
    known = {variable for key, setting in resolution.settings() for variable in setting.variables(key)}
    older = {variable: name for setting in SETTINGS for name, variable in setting.declaration.also.items()}
    prefixes = tuple(f"MRT_{section.upper()}_" for section in SECTIONS)
    for variable, text in sorted(environment.items()):
        if not text or variable in known:
            continue
        if variable in older:
            missing = format_key(("tiers", older[variable]))
            yield Finding(
                "warning", variable, f"this sets nothing: there is no [{missing}]", "unset it or add the tier"
            )
        elif variable.startswith(prefixes):
            hint = did_you_mean(nearest(variable, known), "unset it")
            yield Finding("warning", variable, "this sets nothing", hint)
