"""mrt's own set-up: Python, the configuration and where its values come from, and where each key comes from."""

from __future__ import annotations

import os
import platform
import shlex
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from mrt import __version__
from mrt.config import Config, config_path
from mrt.config.check import findings as config_findings
from mrt.config.paths import cache_directory, data_directory, readable_by_others
from mrt.config.secrets import mask
from mrt.endpoints.checkup.finding import Finding, Level
from mrt.endpoints.kinds import LOCAL_VARIABLES, PROVIDERS
from mrt.endpoints.place import Place

OLDEST_PYTHON = (3, 11)


def python_finding(version: tuple[int, int] = sys.version_info[:2]) -> Finding:
    """Which Python runs which mrt."""
    detail = f"Python {platform.python_version()} ({sys.executable}), mrt {__version__}"
    if version < OLDEST_PYTHON:
        oldest = ".".join(map(str, OLDEST_PYTHON))
        return Finding("python", "problem", f"{detail}: {oldest} or newer is needed", f"install Python {oldest}")
    return Finding("python", "ok", detail)


def config_problems(environment: Mapping[str, str], path: Path | None) -> Iterator[Finding]:
    """Everything that `mrt config check` finds."""
    for found in config_findings(environment, path):
        level: Level = "problem" if found.severity == "error" else "warning"
        where = f"{found.where}: " if found.where else ""
        yield Finding("config", level, mask(f"{where}{found.message}"), found.hint)


def config_finding(config: Config, environment: Mapping[str, str]) -> Finding:
    """Which file was read, and how many settings come from where."""
    origins = Counter(str(origin.kind) for origin in config.origins.values())
    set_by = {
        "file": "in the file",
        "project": "in the project's",
        "environment": "from the environment",
        "flag": "by flags",
    }
    parts = [f"{origins[kind]} {words}" for kind, words in set_by.items() if origins[kind]]
    counts = f"settings: {', '.join(parts)}" if parts else ""
    where = str(config.path) if config.path else f"no file at {config_path(environment)}, so the defaults"
    if config.project_path:
        where += f", and the project's {config.project_path}"
    return Finding("config", "ok", f"{where}; {counts}" if counts else where)


def origin_findings(config: Config) -> Iterator[Finding]:
    """Every setting that is not a default, and who set it; values are shown by `mrt config show`."""
    for key, origin in config.origins.items():
        if origin.kind != "default":
            yield Finding("setting", "ok", f"{key}: {origin.where or origin.kind}")


def key_findings(places: Iterable[Place]) -> Iterator[Finding]:
    """Where the key of each endpoint that the user names comes from. No key is shown, and no command is run."""
    for place in places:
        if place.named:
            source = key_source(place)
            yield Finding("key", "ok", f"{place.name}: {source}")


def key_source(place: Place) -> str:
    """The place of a key, in a few words."""
    endpoint = place.config.endpoints.get(place.name)
    if endpoint is None:
        return _variable_of(place)
    if endpoint.key_env:
        is_set = bool(place.environment.get(endpoint.key_env, "").strip())
        return f"environment variable {endpoint.key_env}" + ("" if is_set else " (not set)")
    if endpoint.key_cmd:
        return f"command: {mask(endpoint.key_cmd)}"
    return f"file {endpoint.key_file}" if endpoint.key_file else "none"


def _variable_of(place: Place) -> str:
    provider = PROVIDERS[place.name]
    stems = (provider.variables, LOCAL_VARIABLES) if provider.local else (provider.variables,)
    names = [f"{stem}_API_KEY" for stem in stems]
    found = next((name for name in names if place.environment.get(name, "").strip()), None)
    if found is not None:
        return f"environment variable {found}"
    return "none, and none is needed" if provider.local else f"none ({names[0]} is not set)"


def mode_findings(config: Config, environment: Mapping[str, str]) -> Iterator[Finding]:
    """Whether others can read the files with keys, or change what is trusted: the configuration, the data and the cache."""
    keys = [Path(one.key_file) for one in config.endpoints.values() if one.key_file]
    wide = [path for path in keys if path.is_file() and readable_by_others(path)]
    for path in wide:
        yield Finding(
            "file mode", "problem", f"others can read the key in {path}", f"chmod 600 {shlex.quote(str(path))}"
        )
    # Many systems let a person's own group write to what they write by hand.
    watched = ((config.path, 0o002), (data_directory(environment), 0o022), (cache_directory(environment), 0o022))
    for place, bits in watched:
        if os.name == "posix" and place is not None and place.exists() and place.stat().st_mode & bits:
            hint = f"chmod go-w {shlex.quote(str(place))}"
            yield Finding("file mode", "warning", f"others can write to {place}", hint)
    if not wide:
        yield Finding("file mode", "ok", "no file with a key can be read by others")
