"""Sums over a period, from the roll-up where it covers the period, else from the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mrt.budget import local_day
from mrt.ledger.records import Sums
from mrt.ledger.rollup import ENDED, roll, zone_of_days
from mrt.ledger.store import Store, reading

if TYPE_CHECKING:
    import sqlite3

__all__ = ["roll", "sums", "used"]

_YEAR_9999_US = 253_370_764_800_000_000


def used(store: Store, start_us: int, end_us: int) -> Sums:
    """What the calls that started in [start_us, end_us) cost; a call belongs to the period in which it was reserved.

    Calls imported from other machines do not count: a budget is one machine's.
    """
    with reading(store) as connection:
        return sums(connection, start_us, end_us)


def sums(connection: sqlite3.Connection, start_us: int, end_us: int) -> Sums:
    """`used`, inside a transaction."""
    days = whole_days(connection, start_us, end_us)
    if days is None:
        return _sums_of_rows(connection, start_us, end_us)
    settled, held, unpriced, calls = connection.execute(
        """
        SELECT coalesce(sum(cost_nano), 0), coalesce(sum(held_nano), 0), coalesce(sum(unpriced_calls), 0),
               coalesce(sum(calls), 0)
        FROM rollup WHERE day >= ? AND day <= ? AND NOT imported
        """,
        days,
    ).fetchone()
    return Sums(settled, held + open_nano(connection, start_us, end_us), unpriced, calls)


def open_nano(connection: sqlite3.Connection, start_us: int, end_us: int) -> int:
    """The bounds of the calls under way, in nano-dollars."""
    (nano,) = connection.execute(
        """
        SELECT coalesce(sum(reserved_nano), 0) FROM calls INDEXED BY calls_reserved
        WHERE state = 'reserved' AND started_us >= ? AND started_us < ?
        """,
        (start_us, end_us),
    ).fetchone()
    return int(nano)


def whole_days(connection: sqlite3.Connection, start_us: int, end_us: int) -> tuple[str, str] | None:
    """The first and the last day of a period that consists of days as the roll-up counts them, None for any other."""
    zone = zone_of_days(connection)
    if not zone or not 0 < start_us < end_us < _YEAR_9999_US:
        return None
    first, last = local_day(start_us, zone), local_day(end_us - 1, zone)
    if local_day(start_us - 1, zone) == first or local_day(end_us, zone) == last:
        return None
    return first, last


def _sums_of_rows(connection: sqlite3.Connection, start_us: int, end_us: int) -> Sums:
    row = connection.execute(
        f"""
        SELECT coalesce(sum(cost_nano), 0),
               coalesce(sum(reserved_nano) FILTER (WHERE cost_nano IS NULL), 0),
               count(*) FILTER (WHERE {ENDED} AND cost_nano IS NULL),
               count(*) FILTER (WHERE {ENDED})
        FROM calls WHERE started_us >= ? AND started_us < ? AND imported_us IS NULL
        """,  # noqa: S608
        (start_us, end_us),
    ).fetchone()
    return Sums(*row)
