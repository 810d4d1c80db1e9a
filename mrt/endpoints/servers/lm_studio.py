"""LM Studio, which answers 200 to every path: only a list without an error counts."""

from __future__ import annotations

from typing import Any

from mrt.endpoints.line import Line
from mrt.endpoints.reading import at, flag, has, number, rows, text
from mrt.endpoints.report import ModelReport
from mrt.endpoints.sighting import Sighting

KIND = "lm_studio"


def recognise(line: Line) -> Sighting | None:
    """By `/api/v1/models` since 0.4.0, before that by `/api/v0/models`; it tells its version nowhere."""
    document = line.json("/api/v1/models")
    listed = None if at(document, "error") else rows(document, "models")
    if listed is not None and all(text(row.get("key")) for row in listed):
        return Sighting(KIND, models=tuple(map(_new, listed)))
    document = line.json("/api/v0/models")
    listed = None if at(document, "error") else rows(document, "data")
    if listed and all(text(row.get("state")) for row in listed):
        return Sighting(KIND, models=tuple(map(_old, listed)))
    return None


def _new(row: dict[str, Any]) -> ModelReport:
    instances = rows(row, "loaded_instances")
    configured = at(instances[0], "config") if instances else None
    return ModelReport(
        id=text(row.get("key")) or "unnamed",
        loaded=None if instances is None else bool(instances),
        context_served=number(at(configured, "context_length")),
        context_trained=number(row.get("max_context_length")),
        quantization=text(at(row, "quantization", "name")),
        size_bytes=number(row.get("size_bytes")),
        remote=False,
        tools=flag(at(row, "capabilities", "trained_for_tool_use")),
        vision=flag(at(row, "capabilities", "vision")),
        embedding=_is(row, "embedding"),
    )


def _old(row: dict[str, Any]) -> ModelReport:
    return ModelReport(
        id=text(row.get("id")) or "unnamed",
        loaded=row.get("state") == "loaded",
        context_served=number(row.get("loaded_context_length")),
        context_trained=number(row.get("max_context_length")),
        quantization=text(row.get("quantization")),
        remote=False,
        tools=has(row, "capabilities", "tool_use"),
        vision=_is(row, "vlm"),
        embedding=_is(row, "embedding"),
    )


def _is(row: dict[str, Any], kind: str) -> bool | None:
    named = text(row.get("type"))
    return None if named is None else named.startswith(kind)
