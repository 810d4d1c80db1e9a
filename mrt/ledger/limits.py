"""What is taken of a limit: settled, held and reserved by the calls it is for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mrt.budget import Limit
from mrt.ledger.records import Sums
from mrt.ledger.store import Store, reading, storable
from mrt.ledger.totals import EVERY, Which, sums

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
    return sums(connection, limit.start_us, limit.end_us, _calls_of(limit) if limit.match else EVERY)


def _calls_of(limit: Limit) -> Which:
    """SQL for the calls a limit is for, and its values."""
    terms, values = [], {}
    for number, (field, text) in enumerate(limit.match):
        anything = "*" in text and field != "session"
        values[f"match{number}"] = storable(_glob(text) if anything else text)
        terms.append(f"{_FIELDS[field]} {'GLOB' if anything else '='} :match{number}")
    return Which(" AND ".join(terms), values, in_rollup="session" not in dict(limit.match))


def _glob(text: str) -> str:
    """A pattern in which only `*` means more than itself."""
    return text.replace("[", "[[]").replace("?", "[?]")
