"""Sums over a period, from the roll-up where it covers the period, else from the rows."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from mrt.budget import local_day
from mrt.ledger.records import Sums
from mrt.ledger.rollup import ENDED, zone_of_days
from mrt.ledger.store import Store, reading

if TYPE_CHECKING:
    import sqlite3

_YEAR_9999_US = 253_370_764_800_000_000


class Which(NamedTuple):
    """Calls: a condition in SQL, its values by name, and whether the roll-up has all columns that it names."""

    condition: str = "true"
    values: Mapping[str, Any] = MappingProxyType({})
    in_rollup: bool = True


EVERY = Which()


def used(store: Store, start_us: int, end_us: int) -> Sums:
    """What the calls that started in [start_us, end_us) cost; a call belongs to the period in which it was reserved.

    Calls imported from other machines do not count: a budget is one machine's.
    """
    with reading(store) as connection:
        return sums(connection, start_us, end_us)


def sums(connection: sqlite3.Connection, start_us: int, end_us: int, which: Which = EVERY) -> Sums:
    """`used` by the calls that `which` names, inside a transaction."""
    values = {**which.values, "start": start_us, "end": end_us}
    days = _whole_days(connection, start_us, end_us) if which.in_rollup else None
    if days is None:
        return Sums(*connection.execute(_OF_ROWS.format(which.condition), values).fetchone())
    values |= {"first": days[0], "last": days[1]}
    return Sums(*connection.execute(_OF_ROLLUP.format(which.condition), values).fetchone())


_OF_ROWS = f"""
SELECT coalesce(sum(cost_nano), 0),
       coalesce(sum(reserved_nano) FILTER (WHERE cost_nano IS NULL), 0),
       count(*) FILTER (WHERE {ENDED} AND cost_nano IS NULL),
       count(*) FILTER (WHERE {ENDED}),
       count(*) FILTER (WHERE cost_nano IS NULL AND reserved_nano IS NULL)
FROM calls WHERE started_us >= :start AND started_us < :end AND imported_us IS NULL AND {{0}}
"""  # noqa: S608 - made of the constants above
_OF_ROLLUP = """
SELECT coalesce(sum(cost_nano), 0),
       coalesce(sum(held_nano), 0) + (
           SELECT coalesce(sum(reserved_nano), 0) FROM calls INDEXED BY calls_reserved
           WHERE state = 'reserved' AND started_us >= :start AND started_us < :end AND {0}
       ),
       coalesce(sum(unpriced_calls), 0), coalesce(sum(calls), 0),
       coalesce(sum(unbounded_calls), 0) + (
           SELECT count(*) FROM calls INDEXED BY calls_reserved
           WHERE state = 'reserved' AND reserved_nano IS NULL AND started_us >= :start AND started_us < :end AND {0}
       )
FROM rollup WHERE day >= :first AND day <= :last AND NOT imported AND {0}
"""


def _whole_days(connection: sqlite3.Connection, start_us: int, end_us: int) -> tuple[str, str] | None:
    """The first and the last day of a period that consists of days as the roll-up counts them, None for any other."""
    zone = zone_of_days(connection)
    if not zone or not 0 < start_us < end_us < _YEAR_9999_US:
        return None
    first, last = local_day(start_us, zone), local_day(end_us - 1, zone)
    if local_day(start_us - 1, zone) == first or local_day(end_us, zone) == last:
        return None
    return first, last
