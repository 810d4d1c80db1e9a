"""What a period came to: sums by any dimension, from the roll-up, or from the rows where it lacks one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time
from typing import NamedTuple

from mrt.budget import periods, zone
from mrt.domain import CostState
from mrt.ledger.rollup import DIMENSIONS, ENDED, METRICS
from mrt.ledger.store import Store, reading

# Weeks begin on Monday, and are named by that day.
KEYS: dict[str, str] = {
    "day": "day",
    "week": "date(day, 'weekday 0', '-6 days')",
    "month": "substr(day, 1, 7)",
    "model": "endpoint || '/' || model",
    "provider": "endpoint",
    "tier": "tier",
    "tag": "tag",
    "project": "project",
    "session": "session",
    "host": "host",
    "purpose": "purpose",
    "baseline": "baseline_model",
}
_IN_TIME = ("day", "week", "month")
_SUMS = ", ".join(f"coalesce(sum({name}), 0)" for name in METRICS)
_EACH = ", ".join(f"{expression} AS {name}" for name, expression in (DIMENSIONS | METRICS).items())


class Span(NamedTuple):
    """Days from `first` to `last`, both included; `first` None is since the first call."""

    first: date | None
    last: date


class Totals(NamedTuple):
    """Sums over calls; the fields are the metrics of the roll-up."""

    calls: int = 0
    answers: int = 0
    local_answers: int = 0
    escalations: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    uncounted_calls: int = 0
    cost_nano: int = 0
    unpriced_calls: int = 0
    reported_calls: int = 0
    priced_calls: int = 0
    estimated_calls: int = 0
    held_nano: int = 0
    unbounded_calls: int = 0
    lost_nano: int = 0
    baseline_calls: int = 0
    baseline_low_nano: int = 0
    baseline_high_nano: int = 0

    @property
    def state(self) -> CostState:
        """How the cost is known: as its least certain part."""
        if self.unpriced_calls:
            return "unknown"
        if self.estimated_calls:
            return "estimated"
        if self.priced_calls:
            return "priced"
        return "reported" if self.reported_calls else "free"


class Group(NamedTuple):
    """The sums under one key; `keys` has a value for each dimension asked for, "" where a call has none."""

    keys: tuple[str, ...]
    totals: Totals


def total(store: Store, span: Span) -> Totals:
    """All calls of the span."""
    return groups(store, span, ())[0].totals


def groups(store: Store, span: Span, by: Sequence[str]) -> list[Group]:
    """Sums by the keys in `by`: in the order of time, else the dearest first. No keys: one group. Raises StoreError."""
    keys = [KEYS[name] for name in by]
    source, values = _rows(store, span) if "session" in by else ("rollup", [])
    numbers = ", ".join(str(position + 1) for position in range(len(keys)))
    query = (
        f"SELECT {', '.join([*keys, _SUMS])} FROM {source} WHERE day >= ? AND day <= ?"  # noqa: S608
        f" {f'GROUP BY {numbers} HAVING sum(calls) > 0' if keys else ''}"
    )
    first = "" if span.first is None else span.first.isoformat()
    with reading(store) as connection:
        rows = connection.execute(query, [*values, first, span.last.isoformat()]).fetchall()
    found = [Group(tuple(row[: len(keys)]), Totals(*row[len(keys) :])) for row in rows]
    return sorted(found, key=lambda group: _place(group, by))


def _place(group: Group, by: Sequence[str]) -> tuple[object, ...]:
    when = tuple(key for key, name in zip(group.keys, by, strict=True) if name in _IN_TIME)
    return (when, -group.totals.cost_nano, -group.totals.calls, group.keys)


class Day(NamedTuple):
    """One day with calls, of this store's own or `imported` ones: their known cost in nano-dollars, and how many have none."""

    day: date
    imported: bool
    cost_nano: int
    unpriced_calls: int


def days(store: Store, span: Span) -> list[Day]:
    """The days of the span on which calls began that have ended since; days without any are left out."""
    first = "" if span.first is None else span.first.isoformat()
    with reading(store) as connection:
        rows = connection.execute(
            "SELECT day, imported, sum(cost_nano), sum(unpriced_calls) FROM rollup WHERE day >= ? AND day <= ?"
            " GROUP BY day, imported HAVING sum(calls) > 0",
            (first, span.last.isoformat()),
        ).fetchall()
    return [Day(date.fromisoformat(day), bool(imported), *sums) for day, imported, *sums in rows]


def first_own_day(store: Store) -> date | None:
    """The day of this store's first own call that has ended."""
    return _one_day(store, "WHERE NOT imported AND calls > 0 ORDER BY day")


def last_day(store: Store) -> date | None:
    """The day of the last call that has ended; a clock that was set back leaves it in the future."""
    return _one_day(store, "WHERE calls > 0 ORDER BY day DESC")


def _one_day(store: Store, where: str) -> date | None:
    with reading(store) as connection:
        row = connection.execute(f"SELECT day FROM rollup {where} LIMIT 1").fetchone()  # noqa: S608
    return None if row is None else date.fromisoformat(row[0])


def bounds_us(span: Span, timezone: str) -> tuple[int, int]:
    """[start, end) of the span's days in that zone, in microseconds since 1970."""
    start = 0 if span.first is None else _day_us(span.first, timezone)[0]
    return start, _day_us(span.last, timezone)[1]


def _day_us(day: date, timezone: str) -> tuple[int, int]:
    noon = datetime.combine(day, time(12), tzinfo=zone(timezone))
    return periods(noon, timezone)["daily"]


def _rows(store: Store, span: Span) -> tuple[str, list[int]]:
    """The rows as if they were the roll-up's, with their session: a session is often one call, too many to sum up ahead."""
    from mrt.ledger.rollup import zone_of_days

    with reading(store) as connection:
        timezone = zone_of_days(connection) or "UTC"
    each = f"SELECT {_EACH}, coalesce(session, '') AS session FROM calls"  # noqa: S608
    return f"({each} WHERE {ENDED} AND started_us >= ? AND started_us < ?)", list(bounds_us(span, timezone))
