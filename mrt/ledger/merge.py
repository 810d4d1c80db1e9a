"""Add calls from elsewhere, each once, however often they come."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from mrt.budget import local_day
from mrt.ledger.rollup import roll, zone_of_days
from mrt.ledger.store import Store, storable, writing

if TYPE_CHECKING:
    import sqlite3


# So many take tens of milliseconds, for which other processes wait.
BATCH = 500


class Merged(NamedTuple):
    """How many calls were new, how many got their late settlement, how many were known, and how many have no price."""

    added: int = 0
    updated: int = 0
    known: int = 0
    unpriced: int = 0


def merge(store: Store, rows: Iterable[Mapping[str, Any]], timezone: str) -> Merged:
    """Add checked rows, a batch to a transaction: others can book in between, and none waits for `rows` to be read.

    When it fails midway the batches before stay; the same rows once more add what is missing. A call that is known stays as
    it is, unless it was closed at its upper bound there and here and its settlement has come since. Calls of this store that
    come back are known.
    """
    merged, source = Merged(), iter(rows)
    while batch := list(islice(source, BATCH)):
        with writing(store) as connection:
            zone = zone_of_days(connection) or timezone
            done = Counter(_merge_one(connection, row, zone, store.now_us()) for row in batch)
        merged = Merged(
            merged.added + done["added"] + done["unpriced"],
            merged.updated + done["updated"],
            merged.known + done["known"],
            merged.unpriced + done["unpriced"],
        )
    return merged


def _merge_one(connection: sqlite3.Connection, row: Mapping[str, Any], zone: str, now_us: int) -> str:
    """What became of it: added, unpriced (added without a cost), updated or known."""
    held = connection.execute("SELECT settled_us, swept_us FROM calls WHERE id = ?", (row["id"],)).fetchone()
    if held is None:
        _insert(connection, row, zone, now_us)
        return "unpriced" if row["cost_nano"] is None else "added"
    if held[0] is None and held[1] is not None and row["settled_us"] is not None:
        _update(connection, row)
        return "updated"
    return "known"


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
