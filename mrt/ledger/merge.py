"""Add calls from elsewhere, each once, however often they come."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from mrt.budget import local_day
from mrt.ledger.rollup import roll, zone_of_days
from mrt.ledger.store import Store, storable, writing

if TYPE_CHECKING:
    import sqlite3


class Merged(NamedTuple):
    """How many calls were new, how many got their late settlement, how many were known, and how many have no price."""

    added: int = 0
    updated: int = 0
    known: int = 0
    unpriced: int = 0


def merge(store: Store, rows: Iterable[Mapping[str, Any]], timezone: str) -> Merged:
    """Add checked rows in one transaction; on a failure, of `rows` too, nothing is added.

    A call that is known stays as it is, unless it was closed at its upper bound there and here and its settlement has come
    since. Calls of this store that come back are known.
    """
    added = updated = known = unpriced = 0
    with writing(store) as connection:
        zone = zone_of_days(connection) or timezone
        now_us = store.now_us()
        for row in rows:
            held = connection.execute("SELECT settled_us, swept_us FROM calls WHERE id = ?", (row["id"],)).fetchone()
            if held is None:
                _insert(connection, row, zone, now_us)
                added += 1
                unpriced += row["cost_nano"] is None
            elif held[0] is None and held[1] is not None and row["settled_us"] is not None:
                _update(connection, row)
                updated += 1
            else:
                known += 1
    return Merged(added, updated, known, unpriced)


def _insert(connection: sqlite3.Connection, row: Mapping[str, Any], zone: str, now_us: int) -> None:
    whole = {
        **_storable(row),
        "day": local_day(row["started_us"], zone),
        "timezone": zone,
        "expires_us": row["started_us"],
        "pid": 0,
        "imported_us": now_us,
    }
    names = ", ".join(whole)
    marks = ", ".join(f":{name}" for name in whole)
    connection.execute(f"INSERT INTO calls ({names}) VALUES ({marks})", whole)  # noqa: S608
    roll(connection, row["id"], 1)


def _update(connection: sqlite3.Connection, row: Mapping[str, Any]) -> None:
    roll(connection, row["id"], -1)
    # When it began stays as it is booked here: the roll-up's day goes by it.
    changes = ", ".join(f"{name} = :{name}" for name in row if name not in ("id", "started_us"))
    connection.execute(f"UPDATE calls SET {changes} WHERE id = :id", _storable(row))  # noqa: S608
    roll(connection, row["id"], 1)


def _storable(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: storable(value) if isinstance(value, str) else value for name, value in row.items()}
