"""Reserve what a call may cost before it is sent, and close what dead processes left open.

A reservation whose process is gone, or that has expired, may have been sent: it is closed as failed at its upper bound, as an
"at most", so a budget is never exceeded by what nobody could report. Only a call that can cost nothing is voided. If its
process lives after all (an answer slower than the expiry, another container), its settlement still lands.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from mrt.budget import Allowance, Limit, local_day
from mrt.domain import usd
from mrt.errors import BudgetError, UnpricedError
from mrt.ledger.ids import new_id
from mrt.ledger.limits import taken_of
from mrt.ledger.owner import host_name, is_dead, start_of
from mrt.ledger.records import Booking, Sums
from mrt.ledger.rollup import roll
from mrt.ledger.store import Store, storable, writing
from mrt.pricing import CEILING_NANO

if TYPE_CHECKING:
    import sqlite3

EXPIRY_US = 3600 * 1_000_000


def reserve(store: Store, booking: Booking, allowance: Allowance | None = None) -> str:
    """Book a call about to be sent, and give the id to settle it by.

    In one transaction the limits are checked against all that is settled and reserved. Raises BudgetError when this call's
    bound does not fit, UnpricedError when limits are set and the bound is not known, StoreError when nothing can be written.
    A free call is never refused.
    """
    bound = 0 if booking.local and booking.bound_nano is None else booking.bound_nano
    _check(booking, bound, allowance)
    limits = allowance.limits if allowance and bound != 0 else ()
    with writing(store) as connection:
        now_us = store.now_us()
        _sweep(connection, now_us)
        refusal = _refusal(connection, limits, bound)
        identifier = "" if refusal else _insert(connection, booking, bound, now_us)
    if refusal:  # raised out here so that what was swept stays swept
        raise refusal
    return identifier


def sweep(store: Store) -> int:
    """Close the reservations that nobody will settle any more; how many there were. Every `reserve` does so too."""
    with writing(store) as connection:
        return _sweep(connection, store.now_us())


def _check(booking: Booking, bound: int | None, allowance: Allowance | None) -> None:
    name = f"{booking.endpoint}/{booking.model}"
    if bound is None and allowance and allowance.limits and not allowance.allow_unpriced:
        raise UnpricedError(
            f"the price of {name} is not known, so no budget can be held",
            f"state its price in the configuration: [prices.{json.dumps(name, ensure_ascii=False)}]; "
            f"or see which are known: mrt spend prices {name}",
        )
    if bound is not None and bound < 0:
        raise ValueError(f"a call cannot cost less than nothing: {bound}")
    if bound is not None and bound > CEILING_NANO:
        raise BudgetError(
            f"one call to {name} may cost up to ${usd(bound)}", "check its price, or ask for fewer tokens"
        )


def _refusal(connection: sqlite3.Connection, limits: Iterable[Limit], bound: int | None) -> BudgetError | None:
    """The first limit in the way; a call of unknown price, where allowed, is in the way of a used-up limit only."""
    for limit in limits:
        so_far = Sums(0, 0, 0, 0) if limit.scope == "per_call" else taken_of(connection, limit)
        taken = so_far.settled_nano + so_far.reserved_nano
        if taken + (1 if bound is None else bound) > limit.limit_nano:
            return _over(limit, so_far, bound)
    return None


def _over(limit: Limit, so_far: Sums, bound: int | None) -> BudgetError:
    this = "this call's price is not known" if bound is None else f"this call may cost up to ${usd(bound)}"
    used = f"${usd(so_far.settled_nano)} used, ${usd(so_far.reserved_nano)} reserved, "
    return BudgetError(
        f"the {limit.title} of ${usd(limit.limit_nano)} does not allow this call: "
        f"{'' if limit.scope == 'per_call' else used}{this}",
        f"see where it went: mrt spend; raise the limit: mrt config set {limit.setting} AMOUNT; "
        "or stay local: --max-tier",
    )


def _insert(connection: sqlite3.Connection, booking: Booking, bound: int | None, now_us: int) -> str:
    identifier = new_id(now_us / 1_000_000, _last_id(connection))
    pid = os.getpid()
    row: dict[str, Any] = {
        "id": identifier,
        "operation_id": storable(booking.operation_id),
        "attempt": booking.attempt,
        "purpose": booking.purpose,
        "state": "reserved",
        "started_us": now_us,
        "day": local_day(now_us, booking.timezone),
        "timezone": booking.timezone,
        "tier": storable(booking.tier),
        "endpoint": storable(booking.endpoint),
        "model": storable(booking.model),
        "local": int(booking.local),
        "session": storable(booking.session),
        "tag": storable(booking.tag),
        "project": storable(booking.project),
        "decision": None if booking.decision is None else json.dumps(dict(booking.decision), default=str),
        "reserved_nano": bound,
        "expires_us": now_us + EXPIRY_US,
        "host": host_name(),
        "pid": pid,
        "pid_started": start_of(pid),
        "input_tokens_estimate": booking.input_tokens_estimate,
    }
    marks = ", ".join(f":{name}" for name in row)
    connection.execute(f"INSERT INTO calls ({', '.join(row)}) VALUES ({marks})", row)  # noqa: S608
    return identifier


def _last_id(connection: sqlite3.Connection) -> str | None:
    """That of the call this store booked last: imported ones have ids of their own kinds."""
    row = connection.execute("SELECT id FROM calls WHERE imported_us IS NULL ORDER BY rowid DESC LIMIT 1").fetchone()
    return None if row is None else str(row[0])


def abandoned(connection: sqlite3.Connection, now_us: int) -> list[str]:
    """The ids of the reservations that nobody will settle any more: expired, or of a process that is gone."""
    held = connection.execute(
        "SELECT id, expires_us, host, pid, pid_started FROM calls WHERE state = 'reserved'"
    ).fetchall()
    host = host_name()
    return [
        identifier
        for identifier, expires_us, owner_host, pid, started in held
        if expires_us <= now_us or (owner_host == host and is_dead(pid, started))
    ]


def _sweep(connection: sqlite3.Connection, now_us: int) -> int:
    left = abandoned(connection, now_us)
    for identifier in left:
        connection.execute(
            """
            UPDATE calls SET
                state = CASE reserved_nano WHEN 0 THEN 'void' ELSE 'failed' END,
                cost_state = CASE WHEN reserved_nano IS NULL THEN 'unknown' WHEN reserved_nano = 0 THEN 'free'
                             ELSE 'estimated' END,
                cost_nano = reserved_nano, usage_source = 'unknown', outcome = 'interrupted',
                reason = 'not settled: its process ended, or it took too long', swept_us = ?
            WHERE id = ?
            """,
            (now_us, identifier),
        )
        roll(connection, identifier, 1)
    return len(left)
