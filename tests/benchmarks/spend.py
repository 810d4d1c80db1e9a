"""Measure the spend store: `python -m tests.benchmarks.spend` (`MRT_BENCHMARK_ROWS=100000` for a small one).

The report of a month over a store of ten million calls beside the same command over an empty one, as text and as a page; one
reservation with its settlement beside one bare commit; start-up beside the imports it cannot avoid.

A bare commit opens the same kind of file with the same settings (write-ahead log, synchronous FULL, foreign keys), puts the same
row into the same table with the same indexes in one transaction, and closes it: what SQLite takes to keep one call for good,
without a budget, a roll-up, or a second look. A booked call is two such commits, one before the call is sent and one after. A
commit of six short values into a table without any index is printed beside it, to show what the indexes cost; it has no bound.
"""

from __future__ import annotations

import os
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from mrt.budget import Allowance, Limit
from mrt.domain import Cost, Usage
from mrt.ledger import Booking, Settlement, new_id, open_store, reserve, settle
from mrt.ledger.rollup import FILL
from tests.benchmarks.__main__ import compare

ROWS = int(os.environ.get("MRT_BENCHMARK_ROWS", "10000000"))
DAYS = 730
CYCLES = 300

# Two years of calls up to now: three tiers, five models, three projects, as many conversations as a third of the calls.
_FILL = """
WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < :rows)
INSERT INTO calls (
    id, operation_id, attempt, purpose, state, started_us, settled_us, day, timezone, tier, endpoint, model, local, session,
    project, reserved_nano, expires_us, host, pid, input_tokens_estimate, outcome, input_tokens, output_tokens, usage_source,
    cost_state, cost_nano, total_ms)
SELECT printf('%016x', n), printf('%016x', n / 2), n % 2, 'ask', 'settled', at, at + 1000000,
    date(at / 1000000, 'unixepoch'), 'UTC', 'tier' || (n % 3), 'endpoint' || (n % 2), 'model' || (n % 5), n % 3 = 0,
    'talk' || (n / 3), 'project' || (n % 7 % 3), CASE n % 3 WHEN 0 THEN 0 ELSE 2000000 END, at, 'here', 1, 10,
    CASE n % 10 WHEN 9 THEN 'rejected' ELSE 'accepted' END,
    n % 900, n % 300, 'reported', CASE n % 3 WHEN 0 THEN 'free' ELSE 'priced' END,
    CASE n % 3 WHEN 0 THEN 0 ELSE 1000 * (n % 1999) END, 900
FROM (SELECT n, :start + n * :step AS at FROM numbers)
"""


def build(path: Path, rows: int) -> None:
    """A store with so many calls, evenly over two years up to now."""
    span_us = DAYS * 86_400_000_000
    values = {"rows": rows, "start": round(time.time() * 1e6) - span_us, "step": span_us // rows}
    with closing(open_store(path)) as store:
        connection = store.connection
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -500000")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(_FILL, values)
        connection.execute("INSERT INTO meta VALUES ('timezone', 'UTC')")
        connection.execute(FILL)
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def cycle(path: Path, limits: tuple[Limit, ...]) -> None:
    """One call as `mrt ask` books it, in a process of its own."""
    with closing(open_store(path)) as store:
        booking = Booking("op", 0, "ask", "cloud", "anthropic", "claude", False, 1000, session="talk")
        identifier = reserve(store, booking, Allowance(limits))
        settle(store, identifier, Settlement("accepted", Usage(10, 10, source="reported"), Cost("priced", 700)))


def bare(path: Path, values: tuple[object, ...]) -> None:
    """One commit of the same durability, of the same row but for its id."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(f"INSERT INTO calls VALUES (?{', ?' * len(values)})", (new_id(time.time()), *values))
        connection.execute("COMMIT")


def short(path: Path) -> None:
    """One commit of a few values."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO spend VALUES ('op', 'cloud', 'claude', 10, 10, 700)")
        connection.execute("COMMIT")


def milliseconds(action: Callable[[], None]) -> float:
    """Wall time of one run."""
    start = time.perf_counter()
    action()
    return 1000 * (time.perf_counter() - start)


def book(name: str, path: Path, plain: Path) -> None:
    """Print the time of one booked call beside that of a bare commit."""
    from datetime import UTC, datetime
    from decimal import Decimal

    from mrt.budget import limits

    held = limits(Decimal(100_000_000), Decimal(900_000_000), "UTC", datetime.now(UTC))
    cycle(path, held)
    with closing(sqlite3.connect(path)) as connection:
        _, *values = connection.execute("SELECT * FROM calls ORDER BY rowid DESC LIMIT 1").fetchone()
    actions = (lambda: cycle(path, held), lambda: bare(path, tuple(values)), lambda: short(plain))
    times = [tuple(map(milliseconds, actions)) for _ in range(CYCLES)]
    mine, row, least = (statistics.median(side) for side in zip(*times, strict=True))
    print(
        f"{name:<34} {mine:7.2f} ms  beside {row:7.2f} ms  ratio {mine / row:.2f}  (bound 2); "
        f"beside {least:.2f} ms for a short row"
    )


def main() -> None:
    """Build the stores and run all comparisons."""
    mrt = [sys.executable, "-m", "mrt", "spend", "--month"]
    imports = [sys.executable, "-c", "import click, sqlite3, decimal, dataclasses, json, tomllib"]
    with tempfile.TemporaryDirectory(dir=os.environ.get("MRT_BENCHMARK_FOLDER")) as folder:
        small, large, plain = (Path(folder) / name for name in ("small.db", "large.db", "plain.db"))
        open_store(small).close()
        start = time.perf_counter()
        build(large, ROWS)
        size = large.stat().st_size / 2**20
        print(f"built {ROWS:,} calls in {time.perf_counter() - start:.0f} s, {size:,.0f} MiB")
        with closing(sqlite3.connect(plain)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("CREATE TABLE spend (id, tier, model, input, output, cost)")
        environment = {"PATH": os.environ["PATH"], "HOME": folder, "LANG": "C.UTF-8", "TZ": "UTC", "MRT_DB": str(large)}
        empty = ["env", f"MRT_DB={small}"]
        compare(f"spend --month, {ROWS:,} calls", ["env", *mrt], [*empty, *mrt], environment, 1.2)
        page = [*mrt, "--html", "-"]
        compare(f"spend --html -, {ROWS:,} calls", ["env", *page], [*empty, *page], environment, 2)
        compare("spend --month, start-up", [*empty, *mrt], imports, environment, 2)
        book("reserve + settle, empty store", small, plain)
        book(f"reserve + settle, {ROWS:,} calls", large, plain)


if __name__ == "__main__":
    main()
