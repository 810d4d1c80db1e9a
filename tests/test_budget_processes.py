"""A budget under many real processes: never exceeded, never miscounted, nothing lost when they are killed."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from ledger_kit import BEGIN_US, END_US, rollup, rows, summed_rows
from spenders import limits, spenders

from mrt.ledger import Store, open_store, sweep, taken, used

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
BUDGET = 60_000


def begin(parent: subprocess.Popen[str]) -> list[int]:
    """Let the processes go; their ids."""
    assert parent.stdin is not None
    assert parent.stdout is not None
    children: list[int] = json.loads(parent.stdout.readline())["children"]
    parent.stdin.close()
    parent.stdin = None
    return children


def assert_sound(store: Store) -> None:
    assert store.connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert rollup(store) == summed_rows(store)


def held(row: dict[str, Any]) -> int:
    """What a row takes of a budget once it has ended."""
    amount: int = row["reserved_nano"] if row["cost_nano"] is None else row["cost_nano"]
    return amount


def highest(booked: list[dict[str, Any]]) -> int:
    """The most that was settled and reserved at any one moment, from the rows alone."""
    events = []
    for row in booked:
        events.append((row["started_us"], 1, row["reserved_nano"]))
        ended_us = row["settled_us"] if row["settled_us"] is not None else row["swept_us"]
        if ended_us is not None:
            events.append((ended_us, 0, held(row) - row["reserved_nano"]))
    total = most = 0
    for _, _, change in sorted(events):
        total += change
        most = max(most, total)
    return most


class Watcher(threading.Thread):
    """Reads what is taken of each limit, again and again, while others write."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self.ended = threading.Event()
        self.samples: list[tuple[int, ...]] = []

    def run(self) -> None:
        with closing(open_store(self._path)) as store:
            while not self.ended.is_set():
                sums = [taken(store, limit) for limit in limits(BUDGET).limits]
                self.samples.append(tuple(found.settled_nano + found.reserved_nano for found in sums))


@pytest.mark.parametrize(("processes", "calls"), [pytest.param(12, 20, id="12"), pytest.param(64, 4, id="64")])
def test_a_budget_is_never_exceeded_at_any_moment(tmp_path: Path, processes: int, calls: int) -> None:
    path = tmp_path / "store.db"
    open_store(path).close()
    watcher = Watcher(path)
    with spenders(path, processes, calls, BUDGET) as parent:
        watcher.start()
        try:
            begin(parent)
            output, errors = parent.communicate(timeout=60)
        finally:
            watcher.ended.set()
            watcher.join()
    reports = [json.loads(line) for line in output.splitlines()]
    assert (errors, [report for report in reports if "error" in report]) == ("", [])
    ends = [report for report in reports if "settled" in report or "refused" in report]
    assert len({report["pid"] for report in ends}) == processes
    assert len(ends) == processes * calls
    assert any("refused" in report for report in reports)
    whole, of_tag = (max(column) for column in zip(*watcher.samples, strict=True))
    assert len(watcher.samples) > 20
    assert whole <= BUDGET
    assert of_tag <= BUDGET // 3
    with closing(open_store(path)) as store:
        booked = rows(store)
        assert {row["id"]: row["cost_nano"] for row in booked} == {
            report["settled"]: report["cost"] for report in reports if "settled" in report
        }
        assert highest(booked) <= BUDGET
        assert highest([row for row in booked if row["tag"] == "ci"]) <= BUDGET // 3
        sums = used(store, BEGIN_US, END_US)
        assert sums.settled_nano == sum(row["cost_nano"] or 0 for row in booked)
        assert sums.reserved_nano == sum(row["reserved_nano"] for row in booked if row["cost_nano"] is None)
        # Nothing was refused while there was room: a call takes 2,000 at most.
        of_ci = highest([row for row in booked if row["tag"] == "ci"])
        assert highest(booked) > BUDGET - 2_000 or of_ci > BUDGET // 3 - 2_000
        assert_sound(store)


@pytest.mark.parametrize(
    ("processes", "seed", "budget"),
    [
        pytest.param(12, 1, 50_000_000, id="12"),
        pytest.param(12, 2, BUDGET, id="12, against a budget that is used up"),
        pytest.param(64, 3, 150_000, id="64, against a budget that is used up"),
    ],
)
def test_killed_at_any_moment_nothing_acknowledged_is_lost(
    tmp_path: Path, processes: int, seed: int, budget: int
) -> None:
    path = tmp_path / "store.db"
    open_store(path).close()
    draw = random.Random(seed)
    with spenders(path, processes, 100_000, budget) as parent:
        alive = begin(parent)
        reports: list[dict[str, Any]] = []
        assert parent.stdout is not None
        while alive:
            reports += [json.loads(parent.stdout.readline()) for _ in range(draw.randint(1, 25))]
            os.kill(alive.pop(draw.randrange(len(alive))), signal.SIGKILL)
        rest, errors = parent.communicate(timeout=60)
    reports += [json.loads(line) for line in rest.splitlines()]
    assert (errors, [report for report in reports if "error" in report]) == ("", [])
    with closing(open_store(path)) as store:
        sweep(store)
        booked = {row["id"]: row for row in rows(store)}
        for report in reports:
            if "settled" in report:
                assert booked[report["settled"]]["settled_us"] is not None
                assert booked[report["settled"]]["cost_nano"] == report["cost"]
            if "reserved" in report:
                assert report["reserved"] in booked
        assert "reserved" not in {row["state"] for row in booked.values()}
        swept = [row for row in booked.values() if row["settled_us"] is None]
        assert len(swept) <= processes
        assert all(row["cost_nano"] == row["reserved_nano"] and row["state"] == "failed" for row in swept)
        sums = used(store, BEGIN_US, END_US)
        assert sums.settled_nano + sums.reserved_nano == sum(map(held, booked.values()))
        assert highest(list(booked.values())) <= budget
        assert sweep(store) == 0
        assert_sound(store)
