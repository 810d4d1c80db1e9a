"""Several processes, one store: nobody fails on another, the budget holds, and kill -9 loses nothing acknowledged."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from ledger_kit import BEGIN_US, END_US, Clock, booking, process, rollup, rows, summed_rows

from mrt.ledger import Store, open_store, reserve, sweep, used
from mrt.ledger.owner import is_dead, start_of
from mrt.ledger.schema import VERSION

MANY = 12


def run_together(what: str, path: Path, number: int = MANY) -> list[dict[str, Any]]:
    """What so many processes report that begin at the same moment; none may fail."""
    with ExitStack() as stack:
        children = [stack.enter_context(process(what, path)) for _ in range(number)]
        for child in children:
            assert child.stdin is not None
            child.stdin.close()
            child.stdin = None  # `communicate` would close it again
        results = [(*child.communicate(timeout=60), child.returncode) for child in children]
    assert [(errors, code) for _, errors, code in results] == [("", 0)] * number
    return [json.loads(line) for output, _, _ in results for line in output.splitlines()]


def next_report(child: subprocess.Popen[str]) -> dict[str, Any]:
    assert child.stdout is not None
    report: dict[str, Any] = json.loads(child.stdout.readline())
    return report


def assert_sound(store: Store) -> None:
    assert store.connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert rollup(store) == summed_rows(store)


def test_many_processes_open_a_fresh_store(tmp_path: Path) -> None:
    path = tmp_path / "state" / "store.db"
    assert run_together("open", path) == [{"opened": True}] * MANY
    with closing(open_store(path)) as store:
        assert_sound(store)
        assert store.connection.execute("SELECT count(*) FROM _sqlite_migrations").fetchone() == (VERSION,)


def test_many_processes_never_overspend_one_budget(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    open_store(path).close()
    reports = run_together("spend", path)
    settled = [report["settled"] for report in reports if "settled" in report]
    refused = [report["refused"] for report in reports if "refused" in report]
    assert max(report["taken"] for report in reports if "taken" in report) <= 40_000
    assert set(refused) == {"budget"}
    assert len(settled) + len(refused) == MANY * 15
    with closing(open_store(path)) as store:
        booked = rows(store)
        assert [row["id"] for row in booked] == sorted(settled)
        assert {row["state"] for row in booked} == {"settled"}
        sums = used(store, BEGIN_US, END_US)
        assert sums.settled_nano == sum(row["cost_nano"] for row in booked)
        # What is refused at the end may still fit once the last calls of the others cost less than their bound.
        assert 40_000 - MANY * 1_000 < sums.settled_nano <= 40_000
        assert_sound(store)


def test_kill_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    open_store(path).close()
    told: dict[str, set[str]] = {"reserved": set(), "settled": set()}
    with ExitStack() as stack:
        children = [stack.enter_context(process("forever", path)) for _ in range(3)]
        for turn, child in enumerate(children):
            for _ in range(20 + 7 * turn):
                for what, identifier in next_report(child).items():
                    told[what].add(identifier)
            child.kill()
            child.wait()
    with closing(open_store(path)) as store:
        sweep(store)
        states = {row["id"]: row["state"] for row in rows(store)}
        assert told["settled"] <= {identifier for identifier, state in states.items() if state == "settled"}
        assert told["reserved"] <= set(states)
        assert set(states.values()) <= {"settled", "failed"}
        failed = list(states.values()).count("failed")
        assert failed <= 3
        sums = used(store, BEGIN_US, END_US)
        assert (sums.settled_nano, sums.reserved_nano) == (700 * (len(states) - failed) + 1_000 * failed, 0)
        assert_sound(store)


def test_what_a_dead_process_reserved_is_closed_and_what_a_living_one_holds_is_not(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with process("hold", path) as child, closing(open_store(path)) as store:
        held = next_report(child)["reserved"]
        reserve(store, booking(50))
        assert sweep(store) == 0
        child.send_signal(signal.SIGKILL)
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # dead, but not yet buried: a zombie counts as dead
        assert sweep(store) == 3
        states = {row["id"]: (row["state"], row["cost_state"], row["cost_nano"]) for row in rows(store)}
        assert [states[identifier] for identifier in held] == [
            ("failed", "estimated", 1_000),
            ("failed", "unknown", None),
            ("void", "free", 0),
        ]
        assert used(store, BEGIN_US, END_US).reserved_nano == 50
        assert_sound(store)


@pytest.mark.parametrize(("folder", "expected"), [("proc", False), ("no-proc", False)])
def test_this_process_is_alive(tmp_path: Path, folder: str, expected: bool) -> None:
    proc = Path("/proc") if folder == "proc" else tmp_path / folder
    assert is_dead(os.getpid(), start_of(os.getpid(), proc), proc) is expected


def test_an_ended_process_is_dead_without_proc_too(tmp_path: Path) -> None:
    with process("open", tmp_path / "store.db") as child:
        assert not is_dead(child.pid, None, tmp_path)
        child.kill()
        child.wait()
        assert is_dead(child.pid, None, tmp_path)


@pytest.mark.parametrize(
    ("line", "started", "dead"),
    [
        pytest.param(b"7 (mrt) S", 500, False, id="alive"),
        pytest.param(b"7 (a) b) (c) S", 500, False, id="parentheses in its name"),
        pytest.param(b"7 (mrt) S", 501, True, id="started at another time"),
        pytest.param(b"7 (mrt) S", None, False, id="start not known"),
        pytest.param(b"7 (mrt) Z", 500, True, id="zombie"),
        pytest.param(None, 500, True, id="gone"),
    ],
)
def test_reading_of_proc(tmp_path: Path, line: bytes | None, started: int | None, dead: bool) -> None:
    for pid, content in (("self", b""), ("7", line)):
        if content is not None:
            (tmp_path / pid).mkdir()
            (tmp_path / pid / "stat").write_bytes(content + b" 0" * 18 + b" 500 0 0")
    assert is_dead(7, started, tmp_path) is dead


def test_an_expired_reservation_of_a_living_process_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    clock = Clock()
    with closing(open_store(path, clock)) as store:
        reserve(store, booking())
        clock.now += 3600
        assert sweep(store) == 1
