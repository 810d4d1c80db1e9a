"""How a run of `mrt bench` ends early, what it leaves, and how it is gone on with; and whom it asks at once."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from bench_kit import BANDS, RUN_ID, bench, journals
from rig.bench import model, number_of, solves, suite_folder
from rig.command import Command, Home
from rig.home_setup import calls, configure, ladder, run_here, says, store_path
from rig.loopback import Action, Request, Response, ScriptedServer, Wait
from rig.responses import json_response

from mrt.ledger import open_store, sweep


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    return suite_folder(tmp_path / "own", BANDS)


def test_an_endpoint_that_is_down_ends_with_3_and_keeps_no_journal(store_home: Home, suite: Path) -> None:
    configure(store_home, ladder("llamacpp", box="http://127.0.0.1:9"))
    result = bench(store_home, suite, "box")
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert "box" in result.stderr
    assert result.exit_code == 3
    assert journals(store_home) == []


def priced(url: str, daily: float) -> dict[str, Any]:
    tables = ladder(local=False, box=url)
    tables["endpoints.box"]["key_env"] = "BOX_KEY"
    price = {"input_usd_per_mtok": 1.0, "output_usd_per_mtok": 10.0}
    return tables | {'prices."box/m"': price, "budget": {"daily_usd": daily}}


def test_a_budget_stops_the_run_keeps_the_journal_and_resume_goes_on(store_home: Home, suite: Path) -> None:
    key = {"BOX_KEY": "k-123"}
    with ScriptedServer(model(solves)) as server:
        # An answer may cost 500 tokens at $10 a million, and takes 40: the third does not fit any more.
        configure(store_home, priced(server.url, 0.0061))
        stopped = bench(store_home, suite, "box", "--max-tokens", "500", env=key)
        asked = len(server.requests)
        configure(store_home, priced(server.url, 1.0))
        resumed = run_here(store_home, "bench", "--resume", env=key)
    assert stopped.exit_code == 5
    assert "box/m: " in stopped.stderr
    assert "!! incomplete: " in stopped.stdout
    assert 0 < asked < 4 + 1
    assert resumed.exit_code == 0
    assert "all     4 of 4" in resumed.stdout
    assert "cost: $0.00165, $0.000412 a task (priced)\n" in resumed.stdout
    assert sum(request.method == "POST" for request in server.requests) == 4
    assert len(journals(store_home)) == 1


def test_a_server_that_crashes_mid_run_ends_with_3_and_resume_goes_on(store_home: Home, suite: Path) -> None:
    broken = True
    with ScriptedServer(
        model(lambda number: json_response(503, {}) if broken and number > 1 else solves(number))
    ) as server:
        configure(store_home, ladder(box=server.url))
        crashed = bench(store_home, suite, "box")
        broken = False
        resumed = run_here(store_home, "bench", "--resume")
    assert crashed.exit_code == 3
    assert "!! incomplete: 1 of 4 graded" in crashed.stdout
    assert "3 times in a row" in crashed.stderr
    assert (resumed.exit_code, "all     4 of 4" in resumed.stdout) == (0, True)
    asked = [number_of(request) for request in server.requests if request.method == "POST"]
    assert asked == [1, 2, 3, 4, 2, 3, 4]


def test_a_server_that_stalls_is_out_of_time(store_home: Home, suite: Path) -> None:
    def answer(number: int) -> Response:
        return [*says("Let me see")[:2], Action.HOLD] if number == 2 else solves(number)

    with ScriptedServer(model(answer)) as server:
        configure(store_home, ladder(box=server.url) | {"ask": {"retries": 0, "idle_timeout": 0.3}})
        result = bench(store_home, suite, "box")
    assert "gen_timeout: 1\n  add-2: " in result.stdout
    assert "all     3 of 4" in result.stdout


def test_ctrl_c_keeps_what_was_answered(mrt: Command, suite: Path) -> None:
    waiting = threading.Event()

    def answer(number: int) -> Response:
        if number < 3 or waiting.is_set():
            return solves(number)
        waiting.set()
        return [*says("thinking")[:1], Action.HOLD]

    with ScriptedServer(model(answer)) as server:
        configure(mrt.home, ladder(box=server.url))
        with mrt.start("bench", "--quality-only", "--tasks", str(suite), "box") as process:
            assert waiting.wait(30)
            process.send_signal(signal.SIGINT)
            _, stderr = process.communicate(timeout=30)
        resumed = mrt("bench", "--resume")
    assert process.returncode == 130
    assert RUN_ID.sub("RUN", stderr.decode()) == (
        "kept what was answered; go on with: mrt bench --resume RUN\nerror: interrupted\n"
    )
    assert "all     4 of 4" in resumed.stdout
    outcomes = [call["outcome"] for call in calls(mrt.home)]
    assert (outcomes.count("interrupted"), outcomes.count("accepted")) == (1, 4)


def test_ctrl_c_ends_all_endpoints_and_books_what_they_used(mrt: Command, suite: Path) -> None:
    begun = [threading.Event(), threading.Event()]

    def holds(own: int) -> Callable[[int], Response]:
        return lambda _: [*says("let me see")[:2], (begun[own].set(), Action.HOLD)[1]]

    with ScriptedServer(model(holds(0))) as first, ScriptedServer(model(holds(1))) as second:
        configure(mrt.home, ladder(left=first.url, right=second.url))
        with mrt.start("bench", "--quality-only", "--tasks", str(suite)) as process:
            assert all(event.wait(30) for event in begun)
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=30)
    assert process.returncode == 130
    with closing(open_store(store_path(mrt.home))) as store:
        sweep(store)  # as the next run does: a call whose answer had not begun is left to it
    states = [call["state"] for call in calls(mrt.home)]
    assert len(states) == 2
    assert set(states) <= {"partial", "void"}


def test_different_endpoints_are_asked_at_once(store_home: Home, suite: Path) -> None:
    begun = [threading.Event(), threading.Event()]

    def waits(own: int) -> Callable[[int], Response]:
        def answer(number: int) -> Response:
            begun[own].set()
            return [Wait(begun[1 - own], 20), *solves(number)]

        return answer

    with ScriptedServer(model(waits(0))) as first, ScriptedServer(model(waits(1))) as second:
        configure(store_home, ladder(left=first.url, right=second.url))
        result = bench(store_home, suite, "--json")
    assert result.exit_code == 0
    runs = json.loads(result.stdout)["data"]["runs"]
    assert [(run["model"], run["overall"]["passed"]) for run in runs] == [("left/m", 4), ("right/m", 4)]


def test_models_of_one_endpoint_are_asked_one_after_the_other(store_home: Home, suite: Path) -> None:
    open_now, most = [0], [0]
    lock = threading.Lock()

    def answer(request: Request) -> Response:
        with lock:
            open_now[0] += 1
            most[0] = max(most[0], open_now[0])
        response = solves(number_of(request))
        with lock:
            open_now[0] -= 1
        return response

    with ScriptedServer({**model(solves), "/v1/chat/completions": answer}) as server:
        configure(store_home, ladder(box=server.url))
        result = bench(store_home, suite, "box/a", "box/b")
    assert (result.exit_code, most[0]) == (0, 1)
    assert [request.json()["model"] for request in server.requests if request.method == "POST"] == ["a"] * 4 + ["b"] * 4
