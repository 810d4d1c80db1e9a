"""llama.cpp's server, with one model or as a router over many."""

from __future__ import annotations

import re
from typing import Any

from mrt.endpoints.line import Line, is_refusal
from mrt.endpoints.reading import at, count, flag, has, number, rows, text
from mrt.endpoints.report import ModelReport
from mrt.endpoints.sighting import Sighting
from mrt.providers.failure import error_text
from mrt.providers.visit import Answer

KIND = "llamacpp"


def recognise(line: Line) -> Sighting | None:
    """By `/props`, which also tells whether it sleeps: that request does not wake it."""
    answer = line.ask("/props")
    if answer is None:
        return None
    if is_loading(answer):
        return Sighting(KIND, "loading", message="it is loading its model")
    if is_refusal(answer) and answer.headers.get("server") == "llama.cpp":
        return Sighting(KIND, "auth")
    props = answer.json if answer.status == 200 else None
    if at(props, "role") == "router":
        return _router(line, props)
    if not (isinstance(at(props, "build_info"), str) or count(at(props, "total_slots")) is not None):
        return None
    return _single(line, props)


def is_loading(answer: Answer) -> bool:
    """While it loads a model, every path answers so."""
    return answer.status == 503 and "loading model" in (error_text(answer.json) or "").lower()


def _single(line: Line, props: Any) -> Sighting:
    asleep = at(props, "is_sleeping") is True
    busy, queue = (None, None) if asleep else _load(line, props)
    listed = line.more("/v1/models", KIND)
    found = rows(listed.json, "data") if listed else None
    return Sighting(
        KIND,
        version=_version(props),
        models=tuple(_model(row, props, not asleep) for row in found or [{"id": at(props, "model_alias")}]),
        slots=number(at(props, "total_slots")),
        busy=busy,
        queue=queue,
    )


def _version(props: Any) -> str | None:
    """A build made outside a repository calls itself "b0-unknown", which says nothing."""
    version = text(at(props, "build_info"))
    return None if version == "b0-unknown" else version


def _model(row: dict[str, Any], props: Any, loaded: bool) -> ModelReport:
    meta = row.get("meta")
    served = number(at(props, "default_generation_settings", "n_ctx")) or number(at(meta, "n_ctx"))
    return ModelReport(
        id=text(row.get("id")) or "unnamed",
        loaded=loaded,
        context_served=served,
        context_trained=number(at(meta, "n_ctx_train")),
        quantization=text(at(meta, "ftype")) or text(at(props, "model_ftype")),
        size_bytes=number(at(meta, "size")),
        remote=False,
        tools=flag(at(props, "chat_template_caps", "supports_tools")),
        vision=flag(at(props, "modalities", "vision")),
        reasoning=_reasons(props),
    )


def _reasons(props: Any) -> bool | None:
    """Whether the chat template opens a thinking block; a template that is not shown tells nothing."""
    template = at(props, "chat_template")
    return (
        None if not isinstance(template, str) or not template else bool(re.search(r"<think>|enable_thinking", template))
    )


def _load(line: Line, props: Any) -> tuple[int | None, int | None]:
    """How many requests run, and how many wait, where the server counts them."""
    metrics = line.more("/metrics", KIND) if at(props, "endpoint_metrics") is True else None
    if metrics is None:
        return None, None
    return gauge(metrics.text, "llamacpp:requests_processing"), gauge(metrics.text, "llamacpp:requests_deferred")


def gauge(metrics: str, name: str) -> int | None:
    """The sum of one gauge over its labels, in Prometheus' text format; None when there is none."""
    found = re.findall(
        rf"^{re.escape(name)}(?:\{{[^}}\n]{{0,2000}}\}})? ([0-9]{{1,12}})(?:\.0*)?\s*$", metrics, re.MULTILINE
    )
    return sum(map(int, found)) if found else None


def _router(line: Line, props: Any) -> Sighting:
    """Its own list has every model's state; asking for one model would load it, and throw another out."""
    listed = line.more("/models", KIND) or line.more("/v1/models", KIND)
    found = rows(listed.json, "data") if listed else None
    return Sighting(KIND, version=_version(props), models=tuple(map(_routed, found or ())), router=True, slots=None)


def _routed(row: dict[str, Any]) -> ModelReport:
    state = text(at(row, "status", "value"))
    meta = row.get("meta")
    return ModelReport(
        id=text(row.get("id")) or "unnamed",
        loaded=None if state is None else state == "loaded",
        context_served=number(at(meta, "n_ctx")),
        context_trained=number(at(meta, "n_ctx_train")),
        quantization=text(at(meta, "ftype")),
        size_bytes=number(at(meta, "size")),
        remote=False,
        vision=has(row["architecture"], "input_modalities", "image")
        if isinstance(row.get("architecture"), dict)
        else None,
    )
