"""What booked calls would cost by the prices known today, beside what they were booked at; nothing is changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from mrt.domain import Usage
from mrt.ledger.store import Store, reading
from mrt.pricing import Rates, cost_nano


class Sent(NamedTuple):
    """What decides the price of a booked call: `record` is what was kept of its rates and of how it was to be served."""

    endpoint: str
    model: str
    served: str | None
    moment: datetime
    record: Mapping[str, Any]


FindRates = Callable[[Sent], Rates | None]
_HOUR_US = 3_600_000_000
# Amounts of the server stand, and what is free stays free. What nobody counted cannot be priced.
_PRICED_BY_US = """
    state IN ('settled', 'partial', 'failed') AND cost_state IN ('priced', 'estimated', 'unknown')
    AND input_tokens IS NOT NULL AND output_tokens IS NOT NULL
"""


class Difference(NamedTuple):
    """One model's calls whose price differs, in nano-dollars. `unpriced_calls` of them had no price; `now` is for all."""

    model: str
    calls: int
    booked_nano: int
    unpriced_calls: int
    now_nano: int


def differences(store: Store, find: FindRates, start_us: int = 0) -> list[Difference]:
    """By model, the largest amount first. `find` gives the rates of a call."""
    found: dict[str, Difference] = {}
    for name, booked, now in _repriced(store, find, start_us):
        if booked == now:
            continue
        so_far = found.get(name, Difference(name, 0, 0, 0, 0))
        found[name] = Difference(
            name,
            so_far.calls + 1,
            so_far.booked_nano + (booked or 0),
            so_far.unpriced_calls + (booked is None),
            so_far.now_nano + now,
        )
    return sorted(found.values(), key=lambda one: (-one.now_nano, one.model))


def _repriced(store: Store, find: FindRates, start_us: int) -> Iterator[tuple[str, int | None, int]]:
    """The model, the booked and today's amount of each call that has a price today."""
    rates: dict[tuple[Any, ...], Rates | None] = {}
    with reading(store) as connection:
        for endpoint, model, served, started_us, kept, booked, *counts in connection.execute(
            f"""
            SELECT endpoint, model, served_model, started_us, rates, cost_nano,
                   input_tokens, output_tokens, cached_tokens, cache_write_tokens
            FROM calls WHERE {_PRICED_BY_US} AND started_us >= ? ORDER BY rowid
            """,  # noqa: S608
            (start_us,),
        ):
            key = (endpoint, model, served, started_us // _HOUR_US, kept)
            if key not in rates:
                moment = datetime.fromtimestamp(started_us / 1_000_000, UTC)
                rates[key] = find(Sent(endpoint, model, served, moment, _record(kept)))
            now = _cost(rates[key], counts)
            if now is not None:
                yield f"{endpoint}/{model}", booked, now


def _record(kept: str | None) -> Mapping[str, Any]:
    """What was kept of a call's rates; nothing where another program wrote something else there."""
    try:
        record = json.loads(kept or "{}")
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}


def _cost(rates: Rates | None, counts: list[int | None]) -> int | None:
    if rates is None:
        return None
    input_tokens, output_tokens, cached, written = counts
    return cost_nano(Usage(input_tokens, output_tokens, cached, written, source="reported"), rates)
