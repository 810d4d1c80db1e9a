"""What the ledger's tests share: a clock, bookings, independent sums, and processes that use a store of their own accord.

Run as a program it is such a process: `python ledger_kit.py WHAT PATH`, reporting one line of JSON per step.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mrt.domain import Cost, Usage
from mrt.errors import BudgetError
from mrt.ledger import Allowance, Booking, Limit, Settlement, Store, open_store, reserve, settle, used

BEGIN_US, END_US = 0, 2**62
DAY_S = 86_400.0
ENDED = ("settled", "partial", "failed")


@dataclass
class Clock:
    """Seconds since 1970 that pass when told to."""

    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


def booking(bound_nano: int | None = 1_000, **changes: Any) -> Booking:
    """A call to a paid tier."""
    fields: dict[str, Any] = {
        "operation_id": "op",
        "attempt": 1,
        "purpose": "ask",
        "tier": "cloud",
        "endpoint": "anthropic",
        "model": "claude-haiku-4-5",
        "local": False,
        "bound_nano": bound_nano,
    }
    return Booking(**fields | changes)


def allowance(limit_nano: int, *, allow_unpriced: bool = False, scope: str = "daily") -> Allowance:
    """One limit for all time."""
    return Allowance((Limit(scope, BEGIN_US, END_US, limit_nano),), allow_unpriced)


def priced(nano: int, **changes: Any) -> Settlement:
    """An accepted answer of three tokens."""
    return Settlement(
        **{"outcome": "accepted", "usage": Usage(1, 2, source="reported"), "cost": Cost("priced", nano)} | changes
    )


def rows(store: Store) -> list[dict[str, Any]]:
    """All calls, in the order of their ids."""
    cursor = store.connection.execute("SELECT * FROM calls ORDER BY id")
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def rollup(store: Store) -> dict[tuple[str, str, str], tuple[int, ...]]:
    """The roll-up as it is kept, without groups that hold nothing."""
    sums = (
        "sum(calls), sum(input_tokens), sum(output_tokens), sum(uncounted_calls), sum(cost_nano), sum(unpriced_calls)"
    )
    query = f"SELECT day, tier, model, {sums} FROM rollup GROUP BY day, tier, model"
    kept = {row[:3]: row[3:] for row in store.connection.execute(query)}
    return {key: sums for key, sums in kept.items() if any(sums)}


def summed_rows(store: Store) -> dict[tuple[str, str, str], tuple[int, ...]]:
    """The roll-up as it must be, added up row by row."""
    groups: dict[tuple[str, str, str], tuple[int, ...]] = {}
    for row in rows(store):
        if row["state"] not in ENDED:
            continue
        key = (row["day"], row["tier"], row["model"])
        uncounted = row["input_tokens"] is None or row["output_tokens"] is None
        cost = row["cost_nano"]
        one = (1, row["input_tokens"] or 0, row["output_tokens"] or 0, int(uncounted), cost or 0, int(cost is None))
        groups[key] = tuple(map(sum, zip(groups.get(key, (0,) * 6), one, strict=True)))
    return groups


@contextmanager
def process(what: str, path: Path) -> Iterator[subprocess.Popen[str]]:
    """This file as a process; it is ended with the block, if it has not ended by itself."""
    command = [sys.executable, __file__, what, str(path)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as child:
        try:
            yield child
        finally:
            child.kill()


def report(**fields: Any) -> None:
    """Tell the test; a line that has been read is an acknowledgement."""
    sys.stdout.write(json.dumps(fields) + "\n")
    sys.stdout.flush()


def do_open(path: Path) -> None:
    """Open a store that may be new, together with others."""
    sys.stdin.read()
    open_store(path).close()
    report(opened=True)


def do_spend(path: Path) -> None:
    """Spend against one small budget, together with others."""
    sys.stdin.read()
    limit = allowance(40_000)
    for turn in range(15):
        with closing(open_store(path)) as store:
            try:
                identifier = reserve(store, booking(1_000, attempt=turn), limit)
            except BudgetError as refusal:
                report(refused=refusal.code)
                continue
            sums = used(store, BEGIN_US, END_US)
            report(taken=sums.settled_nano + sums.reserved_nano)
            settle(store, identifier, priced(600 + 100 * (turn % 5)))
            report(settled=identifier)


def do_forever(path: Path) -> None:
    """Book calls until killed."""
    store = open_store(path)
    while True:
        identifier = reserve(store, booking(1_000))
        report(reserved=identifier)
        settle(store, identifier, priced(700))
        report(settled=identifier)


def do_hold(path: Path) -> None:
    """Reserve a paid call, one of unknown price and a local one, and wait."""
    store = open_store(path)
    report(reserved=[reserve(store, booking(bound, local=bound == 0)) for bound in (1_000, None, 0)])
    sys.stdin.read()


if __name__ == "__main__":
    {"open": do_open, "spend": do_spend, "forever": do_forever, "hold": do_hold}[sys.argv[1]](Path(sys.argv[2]))
