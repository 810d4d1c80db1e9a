"""Calls as OpenTelemetry spans, in OTLP's JSON encoding with the gen_ai names of its semantic conventions.

Each line is a whole `TracesData`, as the collector's file receiver reads it and its HTTP receiver takes it on /v1/traces.
There is no standard name for a cost yet: `gen_ai.usage.cost` is what others write, in dollars; `mrt.cost.state` says how it
is known.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mrt import __version__
from mrt.domain import usd

SPANS_PER_LINE = 1000
_CLIENT = 3
_OK, _ERROR = 1, 2


def traces(rows: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """One document for every thousand calls."""
    batch: list[Mapping[str, Any]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == SPANS_PER_LINE:
            yield _document(batch)
            batch = []
    if batch:
        yield _document(batch)


def _document(rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    hosts: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        hosts.setdefault(row["host"], []).append(span(row))
    scope = {"name": "mrt", "version": __version__}
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": _attributes({"service.name": "mrt", "host.name": host})},
                "scopeSpans": [{"scope": scope, "spans": spans}],
            }
            for host, spans in hosts.items()
        ]
    }


def span(row: Mapping[str, Any]) -> dict[str, Any]:
    """One call; calls of one operation share a trace. The ids follow from ours, so that an export repeats itself."""
    started = row["started_us"] * 1000
    failed = row["state"] == "failed"
    return {
        "traceId": _digest(row["operation_id"], 16),
        "spanId": _digest(row["id"], 8),
        "name": f"chat {row['model']}",
        "kind": _CLIENT,
        "startTimeUnixNano": str(started),
        "endTimeUnixNano": str(started + (row["total_ms"] or 0) * 1_000_000),
        "attributes": _attributes(_facts(row)),
        "status": {"code": _ERROR, "message": row["reason"] or ""} if failed else {"code": _OK},
    }


def _facts(row: Mapping[str, Any]) -> dict[str, Any]:
    finish = row["finish_reason"]
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": row["endpoint"],
        "gen_ai.request.model": row["model"],
        "gen_ai.response.model": row["served_model"],
        "gen_ai.response.finish_reasons": [finish] if finish else None,
        "gen_ai.conversation.id": row["session"],
        "gen_ai.usage.input_tokens": row["input_tokens"],
        "gen_ai.usage.output_tokens": row["output_tokens"],
        "gen_ai.usage.cache_read.input_tokens": row["cached_tokens"],
        "gen_ai.usage.cache_creation.input_tokens": row["cache_write_tokens"],
        "gen_ai.usage.cost": None if row["cost_nano"] is None else float(usd(row["cost_nano"])),
        "mrt.cost.state": row["cost_state"],
        "mrt.id": row["id"],
        "mrt.tier": row["tier"],
        "mrt.purpose": row["purpose"],
        "mrt.attempt": row["attempt"],
        "mrt.outcome": row["outcome"],
        "mrt.check": row["check_name"],
        "mrt.tag": row["tag"],
        "mrt.project": row["project"],
    }


def _attributes(facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What is not known is left out."""
    return [{"key": name, "value": _value(value)} for name, value in facts.items() if value is not None]


def _value(value: Any) -> dict[str, Any]:
    if isinstance(value, list):
        return {"arrayValue": {"values": [_value(item) for item in value]}}
    if isinstance(value, int):
        return {"intValue": str(value)}
    return {"doubleValue": value} if isinstance(value, float) else {"stringValue": value}


def _digest(identifier: str, size: int) -> str:
    return hashlib.blake2b(identifier.encode(), digest_size=size).hexdigest()
