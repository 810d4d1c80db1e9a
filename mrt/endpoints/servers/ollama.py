"""Ollama, which also passes prompts on to a cloud where a model says so."""

from __future__ import annotations

from typing import Any

from mrt.endpoints.line import Line
from mrt.endpoints.reading import at, count, has, number, rows_or_null, text
from mrt.endpoints.report import ModelReport
from mrt.endpoints.sighting import Sighting

KIND = "ollama"


def recognise(line: Line) -> Sighting | None:
    """By `/api/version` together with a list of models under `/api/tags`; others have one of the two."""
    version = text(at(line.json("/api/version"), "version"))
    if version is None:
        return None
    tags = line.ask("/api/tags")
    listed = rows_or_null(tags.json, "models") if tags is not None and tags.status == 200 else None
    if listed is None:
        return None
    loaded = _loaded(line)
    return Sighting(KIND, version=version, models=tuple(_model(row, loaded) for row in listed))


def _loaded(line: Line) -> dict[str, dict[str, Any]] | None:
    """The models in memory by name; None when the server does not say which they are."""
    answer = line.more("/api/ps", KIND)
    running = rows_or_null(answer.json, "models") if answer else None
    return None if running is None else {name: row for row in running if (name := _name(row))}


def _model(row: dict[str, Any], loaded: dict[str, dict[str, Any]] | None) -> ModelReport:
    name = _name(row)
    remote = bool(row.get("remote_host") or row.get("remote_model"))
    running = None if loaded is None else loaded.get(name)
    details = row.get("details")
    return ModelReport(
        id=name or "unnamed",
        loaded=None if loaded is None or remote else running is not None,
        context_served=None if running is None else number(running.get("context_length")),
        context_trained=number(at(details, "context_length")),
        quantization=_quantization(at(details, "quantization_level")),
        size_bytes=None if remote else number(row.get("size")),
        vram_bytes=None if running is None else count(running.get("size_vram")),
        remote=remote,
        remote_host=text(row.get("remote_host")),
        tools=has(row, "capabilities", "tools"),
        vision=has(row, "capabilities", "vision"),
        reasoning=has(row, "capabilities", "thinking"),
        embedding=has(row, "capabilities", "embedding"),
        digest=None if remote else text(row.get("digest")),
    )


def _name(row: dict[str, Any]) -> str:
    return text(row.get("name")) or text(row.get("model")) or ""


def _quantization(value: Any) -> str | None:
    named = text(value)
    return None if named == "unknown" else named
