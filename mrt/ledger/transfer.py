"""Calls as they travel between stores: which columns, and what a row from elsewhere must be."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from mrt.errors import UsageError
from mrt.ledger.store import Store, reading

FORMAT = "mrt-calls-1"

# Name -> type; a trailing "?" allows null. In the order in which they are written.
COLUMNS: dict[str, str] = {
    "id": "text",
    "operation_id": "text",
    "attempt": "count",
    "purpose": "text",
    "state": "state",
    "started_us": "time",
    "settled_us": "time?",
    "swept_us": "time?",
    "tier": "text",
    "endpoint": "text",
    "model": "text",
    "served_model": "text?",
    "local": "truth",
    "session": "text?",
    "tag": "text?",
    "project": "text?",
    "decision": "text?",
    "reserved_nano": "money?",
    "host": "text",
    "input_tokens_estimate": "count",
    "outcome": "outcome?",
    "check_name": "text?",
    "reason": "text?",
    "finish_reason": "text?",
    "input_tokens": "count?",
    "output_tokens": "count?",
    "cached_tokens": "count?",
    "cache_write_tokens": "count?",
    "reasoning_tokens": "count?",
    "usage_source": "source?",
    "cost_state": "cost",
    "cost_nano": "money?",
    "rates": "text?",
    "price_reference": "text?",
    "ttft_ms": "count?",
    "total_ms": "count?",
    "tokens_per_second": "number?",
    "baseline_model": "text?",
    "baseline_rates": "text?",
    "baseline_low_nano": "money?",
    "baseline_high_nano": "money?",
}
_MONEY_MAX = 10**15
_COUNT_MAX = 2**53
# 9998: the calendar needs a day after the last.
_TIME_MAX = 253_370_764_800_000_000
_CHOICES = {
    "state": ("settled", "partial", "failed", "void"),
    "outcome": ("accepted", "rejected", "failed", "interrupted", "refused"),
    "source": ("reported", "estimated", "unknown"),
    "cost": ("reported", "priced", "estimated", "unknown", "free"),
}
_RANGES = {"count": _COUNT_MAX, "money": _MONEY_MAX, "time": _TIME_MAX, "truth": 1}
# Control characters, and halves of a character, which no database keeps apart.
_UNFIT = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


def ended_calls(store: Store, start_us: int = 0) -> Iterator[dict[str, Any]]:
    """Every call that has ended and began at `start_us` or later, in the order of booking."""
    names = ", ".join(COLUMNS)
    with reading(store) as connection:
        cursor = connection.execute(
            f"SELECT {names} FROM calls WHERE state != 'reserved' AND started_us >= ? ORDER BY rowid",  # noqa: S608
            (start_us,),
        )
        for row in cursor:
            yield dict(zip(COLUMNS, row, strict=True))


def checked(row: Mapping[str, Any], where: str) -> dict[str, Any]:
    """A row from elsewhere with all columns, or a UsageError that says what is wrong with it."""
    unknown = sorted(set(row) - set(COLUMNS))
    if unknown:
        raise UsageError(f"{where}: unknown field {unknown[0]!r}", "it may come from a newer mrt: update this one")
    for name, kind in COLUMNS.items():
        if not _fits(row.get(name), kind):
            raise UsageError(f"{where}: {name} cannot be {row.get(name)!r:.60}", "export it again where it comes from")
    _check_together(row, where)
    return {name: row.get(name) for name in COLUMNS}


def _fits(value: Any, kind: str) -> bool:
    base = kind.removesuffix("?")
    if value is None:
        return base != kind
    if base == "text":
        return isinstance(value, str) and "\x00" not in value
    if base in _CHOICES:
        return value in _CHOICES[base]
    if base == "number":
        return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < _COUNT_MAX
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _RANGES[base]


def _check_together(row: Mapping[str, Any], where: str) -> None:
    state, nano = row["cost_state"], row.get("cost_nano")
    consistent = nano is None if state == "unknown" else nano == 0 if state == "free" else nano is not None
    if not consistent or (row["state"] == "void" and nano != 0):
        raise UsageError(
            f"{where}: a cost that is {state} cannot be {nano!r} nano-dollars", "export it again where it comes from"
        )
    if not row["id"] or _UNFIT.search(row["id"]):
        raise UsageError(f"{where}: {row['id']!r:.60} is no id", "export it again where it comes from")
