"""Many real processes on one store: `python spenders.py PATH PROCESSES CALLS BUDGET` forks them, and they start together.

They begin when stdin is closed. Each line of the output is one thing that was acknowledged, with the process that says so.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from ledger_kit import BEGIN_US, END_US, booking

from mrt.budget import Allowance, Limit
from mrt.domain import Cost, Usage
from mrt.errors import BudgetError, MrtError, StoreError
from mrt.ledger import Settlement, open_store, reserve, settle

TAGS = ("ci", "web", None)


def limits(budget: int) -> Allowance:
    """One budget, and a third of it for one tag."""
    whole = Limit("daily", BEGIN_US, END_US, budget)
    return Allowance((whole, Limit("daily", BEGIN_US, END_US, budget // 3, "ci", (("tag", "ci"),))))


def ending(draw: random.Random, bound: int) -> Settlement:
    """Any way a call can end, at no more than its bound."""
    cost = draw.choice([Cost("priced", draw.randint(0, bound)), Cost("estimated", bound), Cost("unknown")])
    outcome: Any = draw.choice(["accepted", "accepted", "rejected", "failed", "interrupted"])
    return Settlement(outcome=outcome, usage=Usage(3, 4, source="reported"), cost=cost, partial=draw.random() < 0.2)


def tell(**fields: Any) -> None:
    """One line at once: processes share the pipe, and a short write is not torn."""
    os.write(1, json.dumps({"pid": os.getpid(), **fields}).encode() + b"\n")


def spend(path: Path, calls: int, budget: int) -> None:
    """Reserve and settle so many calls, each on a connection of its own, as one-shot commands do."""
    draw = random.Random(os.getpid())
    for number in range(calls):
        bound, tag = draw.randint(200, 2_000), draw.choice(TAGS)
        try:
            with closing(open_store(path)) as store:
                try:
                    identifier = reserve(store, booking(bound, attempt=number, tag=tag), limits(budget))
                except StoreError:
                    raise
                except BudgetError:
                    tell(refused=bound)
                    continue
                tell(reserved=identifier)
                settlement = ending(draw, bound)
                settle(store, identifier, settlement)
                tell(settled=identifier, cost=settlement.cost.nano)
        except MrtError as error:
            tell(error=error.message)


def main() -> None:
    """Fork, wait for each."""
    path, processes, calls, budget = Path(sys.argv[1]), *map(int, sys.argv[2:5])
    children = []
    for _ in range(processes):
        child = os.fork()
        if child == 0:
            sys.stdin.read()
            spend(path, calls, budget)
            os._exit(0)
        children.append(child)
    tell(children=children)
    for child in children:
        os.waitpid(child, 0)


@contextmanager
def spenders(path: Path, processes: int, calls: int, budget: int) -> Iterator[subprocess.Popen[str]]:
    """The processes, waiting to be started by closing stdin."""
    words = [sys.executable, __file__, str(path), *map(str, (processes, calls, budget))]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=pipe, text=True, start_new_session=True) as parent:
        try:
            yield parent
        finally:
            with suppress(ProcessLookupError):
                os.killpg(parent.pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
