"""What completion may look at: the config file, the last probes, the spend store and the runs; never the network."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from mrt.output import Console

# More than any configuration has; a mistaken MRT_CONFIG must not be read whole at every keystroke.
LARGEST_CONFIG = 2**20
# As mrt.config and mrt.endpoints.cache have them, which take longer to load than a keystroke may.
BUILT_IN_TIERS = ("local-fast", "local-heavy", "cloud")
KEPT_FOR_S = 30 * 24 * 3600
LARGEST_CACHE = 8 * 1024 * 1024
_HEADER = r"""(?m)^[ \t]*\[[ \t]*(\w+)[ \t]*\.[ \t]*["']?([A-Za-z0-9_.-]+?)["']?[ \t]*[\].]"""


def configured(console: Console) -> Mapping[str, Any]:
    """The config file as it stands, its values unchecked; of one that is no TOML, the names that its headers have."""
    from mrt.places import config_path

    return _document(console.config_path or config_path(console.environment))


def of_project(console: Console) -> Mapping[str, Any]:
    """The same of the project's file, which may bring templates and limits of its own; empty where none is read."""
    from mrt.config.project_file import find_project

    found = find_project(console.environment, console.config_path)
    return {} if found is None or found.refused else _document(found.path)


def _document(path: Path) -> Mapping[str, Any]:
    import tomllib

    text = _text(path)
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError):
        found: dict[str, Any] = {}
        for section, name in re.findall(_HEADER, text):
            found.setdefault(section, {})[name] = {}
        return found


def _text(path: Path) -> str:
    try:
        if not path.is_file() or path.stat().st_size > LARGEST_CONFIG:
            return ""
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def named(document: Mapping[str, Any], section: str) -> list[str]:
    """The names under one section of a configuration: tiers, endpoints, aliases, templates, limits, prices."""
    table = document.get(section)
    names = list(table) if isinstance(table, dict) else []
    return names or (list(BUILT_IN_TIERS) if section == "tiers" else [])


def seen_models(environment: Mapping[str, str], now: float | None = None) -> dict[str, list[str]]:
    """The models of each endpoint by its name, the newest report first; empty when there is no cache that can be read.

    `now` is seconds since 1970. Touches no network.
    """
    import time

    moment = time.time() if now is None else now
    reports = [report for report in _reports(environment) if 0 <= moment - report["checked_at"] <= KEPT_FOR_S]
    newest = sorted(reports, key=lambda report: report["checked_at"], reverse=True)
    found: dict[str, list[str]] = {}
    for report in newest:
        ids = [model["id"] for model in report["models"] if isinstance(model, dict) and _is_text(model.get("id"))]
        found.setdefault(report["name"], []).extend(ids)
    return found


def _reports(environment: Mapping[str, str]) -> list[dict[str, Any]]:
    import json

    from mrt.places import cache_directory

    path = cache_directory(environment) / "probe.json"
    try:
        if not path.is_file():  # a pipe would never end
            return []
        with path.open("rb") as file:
            document = json.loads(file.read(LARGEST_CACHE))
    except (OSError, ValueError, RecursionError):
        return []
    rows = document.get("reports") if isinstance(document, dict) else None
    return [row for row in rows if _is_whole(row)] if isinstance(rows, list) else []


def _is_whole(row: Any) -> bool:
    if not isinstance(row, dict) or not _is_text(row.get("name")) or not isinstance(row.get("models"), list):
        return False
    return isinstance(row.get("checked_at"), int | float)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def kept(console: Console, kind: Literal["session", "tag", "project", "call"]) -> list[str]:
    """Names in the spend store."""
    from mrt.ledger.names import kept_names
    from mrt.places import store_path

    return kept_names(store_path(console.environment), kind)


def runs(console: Console) -> list[str]:
    """The ids of the runs of `mrt bench`, the newest first."""
    from mrt.places import data_directory

    return _stems(data_directory(console.environment) / "bench", ".jsonl")[::-1]


def packaged(folder: str, ending: str) -> list[str]:
    """The names of package data, such as the tasks."""
    return _stems(Path(__file__).parent.parent / "data" / folder, ending)


def _stems(folder: Path, ending: str) -> list[str]:
    import os

    try:
        return sorted(name.removesuffix(ending) for name in os.listdir(folder) if name.endswith(ending))  # noqa: PTH208
    except OSError:
        return []


def lines(file: str) -> Iterable[str]:
    """The lines of a file of package data."""
    return (Path(__file__).parent.parent / "data" / file).read_text(encoding="utf-8").splitlines()
