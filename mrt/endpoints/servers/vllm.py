"""vLLM, which has one model and perhaps adapters of it."""

from __future__ import annotations

from mrt.endpoints.line import Line, is_refusal
from mrt.endpoints.reading import at, number, rows, text
from mrt.endpoints.report import ModelReport
from mrt.endpoints.servers.llamacpp import gauge
from mrt.endpoints.sighting import Sighting

KIND = "vllm"


def recognise(line: Line) -> Sighting | None:
    """By the owner of its models; without the key by how it says no, since its version stays open."""
    answer = line.ask("/v1/models")
    if answer is None:
        return None
    if is_refusal(answer):
        # Its own error is a bare string; nobody else on record says no like that.
        return Sighting(KIND, "auth", _version(line)) if at(answer.json, "error") == "Unauthorized" else None
    listed = rows(answer.json, "data") if answer.status == 200 else None
    if not listed or not any(row.get("owned_by") == "vllm" for row in listed):
        return None
    metrics = line.more("/metrics", KIND)
    return Sighting(
        KIND,
        version=_version(line),
        models=tuple(
            ModelReport(
                id=text(row.get("id")) or "unnamed",
                loaded=True,
                context_served=number(row.get("max_model_len")),
                remote=False,
            )
            for row in listed
        ),
        busy=gauge(metrics.text, "vllm:num_requests_running") if metrics else None,
        queue=gauge(metrics.text, "vllm:num_requests_waiting") if metrics else None,
    )


def _version(line: Line) -> str | None:
    answer = line.more("/version", KIND)
    return text(at(answer.json, "version")) if answer else None
