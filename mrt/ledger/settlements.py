"""Settle a reservation: what the call came to, once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mrt.domain import Cost, CostState
from mrt.ledger.records import Baseline, Settlement
from mrt.ledger.rollup import roll
from mrt.ledger.store import Store, storable, writing
from mrt.pricing import CEILING_NANO

if TYPE_CHECKING:
    import sqlite3

_REASON_LENGTH = 500
_COUNT_MAX = 2**53


def settle(store: Store, reservation_id: str, settlement: Settlement) -> None:
    """Book how a call ended, and add it to the roll-up, in one transaction.

    A row that was swept before takes the settlement in full, in place of the sweep's "at most". Raises ValueError when the
    id is unknown or already settled, StoreError when nothing can be written.
    """
    cost_state, cost_nano = _amount(settlement.cost)
    state = _state(settlement, cost_nano)
    _close(store, reservation_id, {"state": state, "cost_state": cost_state, "cost_nano": cost_nano}, settlement)


def _close(store: Store, reservation_id: str, verdict: dict[str, Any], settlement: Settlement) -> None:
    with writing(store) as connection:
        if _was_swept(connection, reservation_id):
            roll(connection, reservation_id, -1)
        row = verdict | _details(settlement) | {"settled_us": store.now_us()}
        changes = ", ".join(f"{name} = :{name}" for name in row)
        connection.execute(f"UPDATE calls SET {changes} WHERE id = :id", row | {"id": reservation_id})  # noqa: S608
        roll(connection, reservation_id, 1)


def _was_swept(connection: sqlite3.Connection, reservation_id: str) -> bool:
    """Whether it was closed at its bound and counts already; ValueError when there is nothing to settle."""
    row = connection.execute("SELECT settled_us, swept_us FROM calls WHERE id = ?", (reservation_id,)).fetchone()
    if row is None:
        raise ValueError(f"no reservation has the id {reservation_id}")
    if row[0] is not None:
        raise ValueError(f"the call {reservation_id} is already settled")
    return row[1] is not None


def _amount(cost: Cost) -> tuple[CostState, int | None]:
    """State and nano-dollars as stored: free is 0, and whatever is no credible amount is unknown, never 0."""
    if cost.state == "free":
        return "free", 0
    if cost.state == "unknown" or cost.nano is None or not 0 <= cost.nano <= CEILING_NANO:
        return "unknown", None
    return cost.state, cost.nano


def _state(settlement: Settlement, cost_nano: int | None) -> str:
    if settlement.partial:
        return "partial"
    if settlement.outcome in ("failed", "interrupted"):
        return "failed"
    return "void" if settlement.outcome == "refused" and cost_nano == 0 else "settled"


def _details(settlement: Settlement) -> dict[str, Any]:
    usage, timing = settlement.usage, settlement.timing
    return {
        "outcome": settlement.outcome,
        "check_name": storable(settlement.check),
        "reason": plain_line(settlement.reason),
        "served_model": plain_line(settlement.served_model),
        "finish_reason": plain_line(settlement.finish_reason),
        "input_tokens": _count(usage.input_tokens),
        "output_tokens": _count(usage.output_tokens),
        "cached_tokens": _count(usage.cached_tokens),
        "cache_write_tokens": _count(usage.cache_write_tokens),
        "reasoning_tokens": _count(usage.reasoning_tokens),
        "usage_source": usage.source,
        "rates": None if settlement.rates is None else json.dumps(dict(settlement.rates), default=str),
        "price_reference": settlement.price_reference,
        "ttft_ms": timing.ttft_ms,
        "total_ms": timing.total_ms,
        "tokens_per_second": timing.tokens_per_second,
        **_baseline(settlement.baseline),
    }


def plain_line(text: str | None) -> str | None:
    """A server's words as one plain line: reports show them, and a line break or a control sequence could fake a report's own."""
    kept = storable(text)
    if kept is None:
        return None
    return " ".join("".join(mark if mark.isprintable() else " " for mark in kept[:_REASON_LENGTH]).split())


def _baseline(baseline: Baseline | None) -> dict[str, Any]:
    if baseline is None or not 0 <= baseline.low_nano <= baseline.high_nano <= CEILING_NANO:
        return {}
    return {
        "baseline_model": storable(baseline.model),
        "baseline_rates": json.dumps(dict(baseline.rates), default=str),
        "baseline_low_nano": baseline.low_nano,
        "baseline_high_nano": baseline.high_nano,
    }


def _count(tokens: int | None) -> int | None:
    """A server's count, None when it is impossible: a call must not go unbooked over nonsense."""
    return tokens if tokens is not None and 0 <= tokens < _COUNT_MAX else None
