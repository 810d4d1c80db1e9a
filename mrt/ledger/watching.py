"""Calls as a live view follows them: those under way, those booked since the last look, those that ended meanwhile."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from mrt.ledger.owner import host_name, is_dead
from mrt.ledger.store import Store, reading

# Rows that are looked through at most, however many were booked or imported since the last look.
_MOST = 5000


class Call(NamedTuple):
    """One row; times in microseconds since 1970, amounts in nano-dollars, None where nobody knows.

    `heard_tokens` is about how many tokens had come at `heard_us`, the first of them at `first_token_us`.
    """

    number: int
    id: str
    operation: str
    attempt: int
    purpose: str
    tier: str
    endpoint: str
    model: str
    local: bool
    state: str
    started_us: int
    ended_us: int | None
    expires_us: int
    host: str
    pid: int
    pid_started: int | None
    first_token_us: int | None
    heard_us: int | None
    heard_tokens: int | None
    outcome: str | None
    check: str | None
    reason: str | None
    output_tokens: int | None
    usage_source: str | None
    cost_state: str | None
    cost_nano: int | None
    total_ms: int | None
    tokens_per_second: float | None

    @property
    def name(self) -> str:
        """ENDPOINT/MODEL, as people write it."""
        return f"{self.endpoint}/{self.model}"


class Refusal(NamedTuple):
    """A call that a budget stopped before it was sent."""

    number: int
    at_us: int
    operation: str
    purpose: str
    tier: str
    endpoint: str
    model: str
    check: str
    reason: str


_COLUMNS = (
    "rowid, id, operation_id, attempt, purpose, tier, endpoint, model, local, state, started_us,"
    " coalesce(settled_us, swept_us), expires_us, host, pid, pid_started, first_token_us, heard_us, heard_tokens,"
    " outcome, check_name, reason, output_tokens, usage_source, cost_state, cost_nano, total_ms, tokens_per_second"
)
_REFUSED = "id, at_us, operation_id, purpose, tier, endpoint, model, check_name, reason"


@contextmanager
def one_moment(store: Store) -> Iterator[None]:
    """Everything that the block reads is of one moment. It only reads, so it keeps nobody from writing. Raises StoreError."""
    with reading(store) as connection:
        connection.execute("BEGIN")
    try:
        yield
    finally:
        with reading(store) as connection:
            connection.execute("ROLLBACK")


def under_way(store: Store) -> list[Call]:
    """The reservations that are open, oldest first, whether or not their process still lives."""
    return _calls(store, "INDEXED BY calls_reserved WHERE state = 'reserved' ORDER BY started_us, rowid", ())


def owner(call: Call) -> str:
    """Whether the process of a call under way is "alive" or "gone"; "elsewhere" where that cannot be told from here."""
    if call.host != host_name():
        return "elsewhere"
    return "gone" if is_dead(call.pid, call.pid_started) else "alive"


def newest(store: Store, most: int) -> list[Call]:
    """The calls booked last by this store itself, oldest first."""
    where = "WHERE imported_us IS NULL AND rowid > ? ORDER BY rowid DESC LIMIT ?"
    return _calls(store, where, (last_number(store) - _MOST, most))[::-1]


def booked_after(store: Store, number: int) -> list[Call]:
    """The calls booked after the row of that number, oldest first; of very many, the last ones."""
    where = "WHERE rowid > ? AND imported_us IS NULL ORDER BY rowid"
    return _calls(store, where, (max(number, last_number(store) - _MOST),))


def last_number(store: Store) -> int:
    """The number of the row booked last; 0 in an empty store."""
    with reading(store) as connection:
        return int(connection.execute("SELECT coalesce(max(rowid), 0) FROM calls").fetchone()[0])


def calls_named(store: Store, identifiers: Sequence[str]) -> list[Call]:
    """The calls with these ids, without those that are no longer there."""
    found = (_calls(store, "WHERE id = ?", (identifier,)) for identifier in identifiers)
    return [call for calls in found for call in calls]


def refused_after(store: Store, number: int, most: int = _MOST) -> list[Refusal]:
    """The refusals behind the one of that number, oldest first; of very many, the last ones."""
    with reading(store) as connection:
        rows = connection.execute(
            f"SELECT {_REFUSED} FROM refusals WHERE id > ? ORDER BY id DESC LIMIT ?",  # noqa: S608 - constants
            (number, most),
        ).fetchall()
    return [Refusal(*row) for row in rows[::-1]]


def _calls(store: Store, where: str, values: tuple[Any, ...]) -> list[Call]:
    with reading(store) as connection:
        rows = connection.execute(f"SELECT {_COLUMNS} FROM calls {where}", values).fetchall()  # noqa: S608 - constants
    return [Call._make((*row[:8], bool(row[8]), *row[9:])) for row in rows]
