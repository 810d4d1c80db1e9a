"""What is taken of a limit: settled, held and reserved by the calls it is for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mrt.budget import Limit
from mrt.ledger.records import Sums
from mrt.ledger.rollup import ENDED
from mrt.ledger.store import Store, reading, storable
from mrt.ledger.totals import sums, whole_days

if TYPE_CHECKING:
    import sqlite3

# The same in the rows and in the roll-up, which has no sessions.
_FIELDS = {
    "tier": "tier",
    "model": "endpoint || '/' || model",
    "tag": "coalesce(tag, '')",
    "project": "coalesce(project, '')",
    "session": "session",
}


def taken(store: Store, limit: Limit) -> Sums:
    """What the calls of a limit cost and may cost. Raises StoreError."""
    with reading(store) as connection:
        return taken_of(connection, limit)


def taken_of(connection: sqlite3.Connection, limit: Limit) -> Sums:
    """`taken`, inside a transaction."""
    if not limit.match:
        return sums(connection, limit.start_us, limit.end_us)
    where, values = _condition(limit)
    days = None if "session" in dict(limit.match) else whole_days(connection, limit.start_us, limit.end_us)
    if days is None:
        return _of_rows(connection, limit, where, values)
    settled, held, unpriced, calls = connection.execute(
        f"""
        SELECT coalesce(sum(cost_nano), 0), coalesce(sum(held_nano), 0), coalesce(sum(unpriced_calls), 0),
               coalesce(sum(calls), 0)
        FROM rollup WHERE day >= :first AND day <= :last AND NOT imported AND {where}
        """,  # noqa: S608
        values | {"first": days[0], "last": days[1]},
    ).fetchone()
    return Sums(settled, held + _under_way(connection, limit, where, values), unpriced, calls)


def _condition(limit: Limit) -> tuple[str, dict[str, Any]]:
    """SQL for the calls a limit is for, and its values."""
    terms, values = [], {}
    for number, (field, text) in enumerate(limit.match):
        anything = "*" in text and field != "session"
        values[f"match{number}"] = storable(_glob(text) if anything else text)
        terms.append(f"{_FIELDS[field]} {'GLOB' if anything else '='} :match{number}")
    return " AND ".join(terms), values


def _glob(text: str) -> str:
    """A pattern in which only `*` means more than itself."""
    return text.replace("[", "[[]").replace("?", "[?]")


def _of_rows(connection: sqlite3.Connection, limit: Limit, where: str, values: dict[str, Any]) -> Sums:
    row = connection.execute(
        f"""
        SELECT coalesce(sum(cost_nano), 0),
               coalesce(sum(reserved_nano) FILTER (WHERE cost_nano IS NULL), 0),
               count(*) FILTER (WHERE {ENDED} AND cost_nano IS NULL),
               count(*) FILTER (WHERE {ENDED})
        FROM calls WHERE started_us >= :start AND started_us < :end AND imported_us IS NULL AND {where}
        """,  # noqa: S608
        values | {"start": limit.start_us, "end": limit.end_us},
    ).fetchone()
    return Sums(*row)


def _under_way(connection: sqlite3.Connection, limit: Limit, where: str, values: dict[str, Any]) -> int:
    (nano,) = connection.execute(
        f"""
        SELECT coalesce(sum(reserved_nano), 0) FROM calls INDEXED BY calls_reserved
        WHERE state = 'reserved' AND started_us >= :start AND started_us < :end AND {where}
        """,  # noqa: S608
        values | {"start": limit.start_us, "end": limit.end_us},
    ).fetchone()
    return int(nano)
