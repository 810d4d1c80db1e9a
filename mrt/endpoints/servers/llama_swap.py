"""llama-swap, which starts one server per model when it is asked for. What it says of their command lines stays unread."""

from __future__ import annotations

from typing import Any

from mrt.endpoints.line import Line, is_refusal
from mrt.endpoints.reading import at, number, rows, rows_or_null, text
from mrt.endpoints.report import ModelReport
from mrt.endpoints.sighting import Sighting

KIND = "llama_swap"


def recognise(line: Line) -> Sighting | None:
    """By the list under `/running`. Any path with a model's name in it would load that model."""
    running = rows_or_null(line.json("/running"), "running")
    if running is None:
        return None
    states = {name: text(row.get("state")) for row in running if (name := text(row.get("model")))}
    version = text(at(line.json("/api/version"), "version"))
    answer = line.ask("/v1/models")
    if answer is not None and is_refusal(answer):
        return Sighting(KIND, "auth", version)
    listed = rows(answer.json, "data") if answer is not None and answer.status == 200 else None
    models = tuple(_model(row, states) for row in listed or ())
    known = {model.id for model in models}
    unlisted = (
        ModelReport(name, loaded=_is_loaded(name, states), remote=False) for name in states if name not in known
    )
    return Sighting(KIND, version=None if version == "0" else version, models=(*models, *unlisted))


def _is_loaded(name: str, states: dict[str, str | None]) -> bool | None:
    """What does not run is not loaded; of what runs its state tells."""
    state = states.get(name)
    return None if name in states and state is None else state == "ready"


def _model(row: dict[str, Any], states: dict[str, str | None]) -> ModelReport:
    name = text(row.get("id")) or "unnamed"
    return ModelReport(
        id=name,
        loaded=_is_loaded(name, states),
        context_served=number(at(row, "meta", "n_ctx")),
        context_trained=number(at(row, "meta", "n_ctx_train")),
        # Its peers are other servers, which may be anywhere.
        remote=None if at(row, "meta", "llamaswap", "peerID") else False,
    )
