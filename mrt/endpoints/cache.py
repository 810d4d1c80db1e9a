"""The last reports, kept in the user's cache directory, for what must not wait for a server: gates and completion."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any, NamedTuple, get_args, get_type_hints

from mrt.config.paths import cache_directory
from mrt.endpoints.report import EndpointReport, ModelReport, State

FRESH_FOR_S = 10 * 60
# A server that nobody has seen for that long is no help to anyone.
KEPT_FOR_S = 30 * 24 * 3600
LARGEST_FILE = 8 * 1024 * 1024
MOST_ENDPOINTS = 100
ABILITIES = ("tools", "vision", "reasoning", "embedding")
# Of all endpoints together, the newest reports first: what a person completes by hand is far below.
MOST_MODELS = 4000
_VERSION = 1


class CachedReport(NamedTuple):
    """A report and how many seconds ago it was made."""

    report: EndpointReport
    age_s: float

    @property
    def fresh(self) -> bool:
        """Young enough to decide by."""
        return self.age_s <= FRESH_FOR_S


def cache_path(environment: Mapping[str, str]) -> Path:
    """Where the reports are kept: `$XDG_CACHE_HOME/mrt/probe.json`."""
    return cache_directory(environment) / "probe.json"


def load_cache(environment: Mapping[str, str], now: float | None = None) -> tuple[CachedReport, ...]:
    """The reports of the last probes, the newest first; nothing when there are none, or none that can be read.

    `now` is seconds since 1970. Touches no network.
    """
    moment = time.time() if now is None else now
    found = [CachedReport(report, moment - report.checked_at) for report in _read(cache_path(environment))]
    # One from the future was made by a clock that was wrong then, or is now.
    kept = [cached for cached in found if 0 <= cached.age_s <= KEPT_FOR_S]
    return tuple(sorted(kept, key=lambda cached: cached.age_s))


def save_cache(environment: Mapping[str, str], reports: Iterable[EndpointReport], now: float | None = None) -> None:
    """Keep these reports in place of older ones of the same endpoints; does nothing where the place cannot be written.

    What a model can do, and the server does not tell, stays as it was known.
    """
    old = {(cached.report.name, cached.report.url): cached.report for cached in load_cache(environment, now)}
    new = [_filled(report, old.pop((report.name, report.url), None)) for report in reports]
    kept = [*new, *old.values()]
    with suppress(OSError, ValueError):
        _write(cache_path(environment), _within_bounds(kept))


def _filled(report: EndpointReport, before: EndpointReport | None) -> EndpointReport:
    """The report, with the abilities that an earlier one has and this one does not tell."""
    known = {model.id: model for model in before.models} if before else {}
    models = tuple(_able(model, known[model.id]) if model.id in known else model for model in report.models)
    return replace(report, models=models)


def _able(model: ModelReport, before: ModelReport) -> ModelReport:
    missing = {name: getattr(before, name) for name in ABILITIES if getattr(model, name) is None}
    return replace(model, **missing)


def _read(path: Path) -> list[EndpointReport]:
    import json

    try:
        if not path.is_file():  # a pipe would never end
            return []
        with path.open("rb") as file:
            document = json.loads(file.read(LARGEST_FILE))
    except (OSError, ValueError, RecursionError):
        return []
    if not isinstance(document, dict) or document.get("version") != _VERSION:
        return []
    rows = document.get("reports")
    types = _types(EndpointReport), _types(ModelReport)
    reports = (_report(row, *types) for row in rows) if isinstance(rows, list) else ()
    return [report for report in reports if report is not None]


def _report(row: Any, of_endpoints: dict[str, Any], of_models: dict[str, Any]) -> EndpointReport | None:
    if not isinstance(row, dict) or not isinstance(row.get("models"), list) or row.get("state") not in get_args(State):
        return None
    models = tuple(model for item in row["models"] if (model := _made(ModelReport, of_models, item)) is not None)
    report: EndpointReport | None = _made(EndpointReport, of_endpoints, {**row, "models": models})
    return report


def _made(kind: Any, types: dict[str, Any], row: Any) -> Any:
    """The object of a row of the file; None when a field is missing or is not what it should be."""
    if not isinstance(row, dict):
        return None
    values = {name: row[name] for name in types if name in row}
    try:
        return kind(**values) if all(isinstance(value, types[name]) for name, value in values.items()) else None
    except TypeError:
        return None


def _types(kind: Any) -> dict[str, Any]:
    simple = {"models": tuple, "state": str, "access": (str, type(None)), "checked_at": (int, float)}
    hints = get_type_hints(kind)
    return {field.name: simple.get(field.name, hints[field.name]) for field in fields(kind)}


def _within_bounds(reports: list[EndpointReport]) -> list[EndpointReport]:
    room, kept = MOST_MODELS, []
    for report in reports[:MOST_ENDPOINTS]:
        kept.append(replace(report, models=report.models[:room]))
        room = max(0, room - len(report.models))
    return kept


def _write(path: Path, reports: list[EndpointReport]) -> None:
    """A whole new file in place of the old one, so that a reader never sees half of it."""
    import json

    text = json.dumps({"version": _VERSION, "reports": [asdict(report) for report in reports]}, ensure_ascii=True)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:  # noqa: PTH123
            file.write(text)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
