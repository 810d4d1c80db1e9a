"""What those who watch want to know beyond the bookings: how far answers have come, and what a budget refused."""

from __future__ import annotations

from typing import NamedTuple

from mrt.ledger.records import Booking
from mrt.ledger.settlements import plain_line
from mrt.ledger.store import Store, storable, writing

REFUSALS_KEPT = 1000


class Progress(NamedTuple):
    """An answer so far: about how many tokens, and when the first and the last of them came, in microseconds since 1970."""

    tokens: int
    first_us: int
    last_us: int


def note_progress(store: Store, reservation_id: str, progress: Progress) -> bool:
    """Note it in the row of a call under way; False, at once, when others write or the store cannot be written.

    An answer must not wait for this: a note that is lost costs nothing, and so none is forced to the disk at once.
    """
    import sqlite3

    if not store.lock.acquire(blocking=False):
        return False
    connection = store.connection
    try:
        (patience,) = connection.execute("PRAGMA busy_timeout").fetchone()
        connection.execute("PRAGMA busy_timeout = 0")
        connection.execute("PRAGMA synchronous = NORMAL")
        try:
            _write(store, reservation_id, progress)
        finally:
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute(f"PRAGMA busy_timeout = {int(patience)}")
    except sqlite3.Error:
        return False
    finally:
        store.lock.release()
    return True


def _write(store: Store, reservation_id: str, progress: Progress) -> None:
    store.connection.execute(
        "UPDATE calls SET first_token_us = ?, heard_us = ?, heard_tokens = ? WHERE id = ? AND state = 'reserved'",
        (progress.first_us, progress.last_us, progress.tokens, reservation_id),
    )


def note_refusal(store: Store, booking: Booking, check: str, reason: str) -> None:
    """Keep what stood in the way of a call that was never sent; the oldest go when there are many. Raises StoreError."""
    with writing(store) as connection:
        cursor = connection.execute(
            "INSERT INTO refusals (at_us, operation_id, purpose, tier, endpoint, model, check_name, reason)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                store.now_us(),
                booking.operation_id,
                booking.purpose,
                *(storable(text) for text in (booking.tier, booking.endpoint, booking.model)),
                check,
                plain_line(reason) or "",
            ),
        )
        connection.execute("DELETE FROM refusals WHERE id <= ?", ((cursor.lastrowid or 0) - REFUSALS_KEPT,))
