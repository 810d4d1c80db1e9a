"""What a run of `mrt bench` decides: thresholds, the router's experience, the exit code of a check."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from rig.bench import model, right, solves, suite_folder, wrong
from rig.command import Home, Result
from rig.home_setup import configure, ladder, rows, run_here, says
from rig.loopback import Response, ScriptedServer

RUN_ID = re.compile(r"\d{8}-\d{6}-\d{3}-box-m\b")


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    return suite_folder(tmp_path / "own", {1: 1, 2: 1, 3: 2, 4: 3})


def bench(home: Home, suite: Path, *words: str | Path, **options: Any) -> Result:
    return run_here(home, "bench", "--quality-only", "--tasks", suite, *words, **options)


def test_samples_tell_flaky_tasks_and_those_that_always_pass(store_home: Home, suite: Path) -> None:
    asked: list[int] = []

    def answer(number: int) -> Response:
        asked.append(number)
        return says(wrong(number) if number == 3 and asked.count(3) == 2 else right(number))

    with ScriptedServer(model(answer)) as server:
        configure(store_home, ladder(box=server.url))
        result = bench(store_home, suite, "box", "--samples", "3")
        temperatures = {request.json()["temperature"] for request in server.requests if request.method == "POST"}
    lines = result.stdout.splitlines()
    assert "all 3 samples pass: 75 % of tasks (pass^3)" in lines
    assert "flaky: add-3 (2 of 3)" in lines
    assert temperatures == {0.7}


@pytest.mark.parametrize(
    ("rate", "code"),
    [pytest.param("0.5", 0, id="inside the interval"), pytest.param("0.99", 7, id="above the whole interval")],
)
def test_fail_under_needs_evidence(store_home: Home, tmp_path: Path, rate: str, code: int) -> None:
    suite = suite_folder(tmp_path / "own", dict.fromkeys(range(1, 11), 1))
    with ScriptedServer(model(lambda number: says(wrong(number) if number < 6 else right(number)))) as server:
        configure(store_home, ladder(box=server.url))
        result = bench(store_home, suite, "box", "--fail-under", rate)
    assert result.exit_code == code
    if code:
        assert result.stderr.startswith("error: box/m passes 50 %, at most 76 %: below 99 %\n")


def test_a_quick_run_asks_around_the_edge(store_home: Home, tmp_path: Path) -> None:
    suite = suite_folder(tmp_path / "own", {number: 1 + number // 8 for number in range(1, 40)})
    with ScriptedServer(model(lambda number: says(wrong(number) if number >= 16 else right(number)))) as server:
        configure(store_home, ladder(box=server.url))
        result = bench(store_home, suite, "box", "--quick", "--json")
    data = json.loads(result.stdout)["data"]
    assert 8 <= len(data["tasks"]) <= 12
    assert ({task["band"] for task in data["tasks"]}, data["complete"]) == ({2, 3}, True)


def test_apply_writes_the_threshold_and_route_cites_the_run(store_home: Home, tmp_path: Path) -> None:
    suite = suite_folder(tmp_path / "own", {number: 1 + number // 8 for number in range(40)})
    with ScriptedServer(model(lambda number: says(wrong(number) if number >= 24 else right(number)))) as server:
        tables = ladder(box=server.url, top=server.url)
        tables["tiers.box"]["max_complexity"] = 9
        path = configure(store_home, tables)
        result = bench(store_home, suite, "box", "--apply", "--yes")
        routed = run_here(store_home, "route", "--explain", "implement an LRU cache")
        again = run_here(store_home, "bench", "report", "last", "--apply", "--yes")
        said = run_here(store_home, "route", "--json", "implement an LRU cache")
    run = RUN_ID.search(result.stdout)
    assert run is not None
    assert "-max_complexity = 9\n+max_complexity = 5\n" in result.stderr
    assert "max_complexity = 5\n" in path.read_text()
    assert "the router knows of 40 graded answers more now" in result.stderr
    assert routed.stdout.endswith(
        "measured by mrt bench\n"
        "  box: 100 % pass (68-100 %, n = 8) at C3-4; 60 % pass (45-74 %, n = 40) of all; run " + run.group() + "\n"
    )
    assert "no threshold changes" in again.stderr
    assert len(rows(store_home, "SELECT * FROM outcomes WHERE kind = 'bench'")) == 40
    tier = json.loads(said.stdout)["data"]["tiers"][0]
    assert tier["measured"]["all"] == {"passed": 24, "graded": 40, "low": 0.446, "high": 0.7365}
    assert tier["p_fail"]["n"] == 40


def test_too_few_answers_decide_nothing(store_home: Home, suite: Path) -> None:
    with ScriptedServer(model(solves)) as server:
        path = configure(store_home, ladder(box=server.url, top=server.url))
        before = path.read_text()
        result = bench(store_home, suite, "box", "--apply", "--yes")
    assert "box: 4 graded answers are too few to decide by\n" in result.stderr
    assert path.read_text() == before


def test_the_last_tier_needs_no_threshold(store_home: Home, tmp_path: Path) -> None:
    suite = suite_folder(tmp_path / "own", dict.fromkeys(range(1, 11), 1))
    with ScriptedServer(model(solves)) as server:
        path = configure(store_home, ladder(box=server.url))
        before = path.read_text()
        result = bench(store_home, suite, "box", "--apply", "--yes")
    assert "box: the last tier takes what is left: it needs no threshold\n" in result.stderr
    assert path.read_text() == before


def test_a_run_that_a_budget_stopped_is_not_applied(store_home: Home, tmp_path: Path) -> None:
    suite = suite_folder(tmp_path / "own", dict.fromkeys(range(1, 11), 1))
    with ScriptedServer(model(solves)) as server:
        tables = ladder(local=False, box=server.url, top=server.url)
        tables["endpoints.box"]["key_env"] = "BOX_KEY"
        price = {"input_usd_per_mtok": 1.0, "output_usd_per_mtok": 10.0}
        path = configure(store_home, tables | {'prices."box/m"': price, "budget": {"daily_usd": 0.0056}})
        before = path.read_text()
        result = bench(store_home, suite, "box", "--max-tokens", "500", "--apply", "--yes", env={"BOX_KEY": "k"})
    assert result.exit_code == 5
    assert path.read_text() == before
