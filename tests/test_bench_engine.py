"""`mrt bench` on llama.cpp itself, with models that solve, think first, loop, chat and crash as their script says."""

from __future__ import annotations

import json
import re
import threading
from pathlib import Path

import pytest
from rig.bench import right, suite_folder, wrong
from rig.command import Home
from rig.home_setup import calls, configure, ladder, run_here
from rig.llama_server import LlamaServer, llama_server
from rig.scripted_model import Line, ModelScript, write_model

BANDS = {1: 1, 2: 2, 3: 2, 4: 3, 5: 3, 6: 4}


def cue(number: int) -> str:
    return f"def add_{number}("


MIXED = ModelScript(
    name="mixed",
    context_length=16384,
    lines=(
        Line(cue(1), right(1)),
        Line(cue(2), right(2), think="Two more than the number is asked for."),
        Line(cue(3), wrong(3)),
        Line(cue(4), "and once again from the start\n", endless=True),
        Line(cue(5), "One would just put five on top of it."),
        Line(cue(6), right(6)),
        Line("", "I know nothing of this."),
    ),
)
SOLVER = ModelScript(
    name="solver",
    context_length=16384,
    lines=(*(Line(cue(number), right(number)) for number in BANDS), Line("", "I know nothing of this.")),
)
DOOMED = ModelScript(
    name="doomed",
    context_length=16384,
    lines=(
        *(Line(cue(number), right(number)) for number in (1, 2, 3)),
        Line("", "over and over and over\n", endless=True),
    ),
)


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    return suite_folder(tmp_path / "own", BANDS)


def table(stdout: str) -> str:
    """Without what differs from run to run."""
    stdout = re.sub(r"run \d{8}-\d{6}-\d{3}-\S+", "run RUN", stdout)
    return re.sub(r"\d+\.\d+ tokens/s, first token after \d+\.\d+ s, an answer takes \d+\.\d+ s", "SPEED", stdout)


def test_a_mixed_model_gets_exactly_the_verdicts_of_its_script(
    store_home: Home, suite: Path, models_folder: Path
) -> None:
    with llama_server(write_model(MIXED, models_folder), alias="m", n_ctx=16384) as server:
        configure(store_home, ladder("llamacpp", box=server.url))
        result = run_here(store_home, "bench", "--quality-only", "--tasks", suite, "--max-tokens", "300", "box")
    assert table(result.stdout) == (
        "box/m  own  run RUN\n"
        "!! 1 of 6 answers were cut off at the token limit: raise it with --max-tokens before you judge the model\n"
        "\n"
        "band    passed   rate  95 % interval  █ sure  ▓ found  ░ possible\n"
        "------  ------  -----  -------------  ---------------------------\n"
        "1 C1-2  1 of 1  100 %       21-100 %  ████▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓\n"
        "2 C3-4  1 of 2   50 %         9-91 %  ██▓▓▓▓▓▓▓▓░░░░░░░░\n"
        "3 C5-6  0 of 2    0 %         0-66 %  ░░░░░░░░░░░░░\n"
        "4 C7-8  1 of 1  100 %       21-100 %  ████▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓\n"
        "all     3 of 6   50 %        19-81 %  ████▓▓▓▓▓▓░░░░░░\n"
        "\n"
        "wrong: 1\n"
        "  add-3 breaks rule sum: add_3(1) must give 4, and it gave -2\n"
        "truncated: 1\n"
        "  add-4: cut at the token limit (max_tokens)\n"
        "no_code: 1\n"
        "  add-5: nothing in the answer is Python that defines anything\n"
        "\n"
        "reasoning: seen in 1 of 6 answers\n"
        "speed (medians): SPEED, 12 tokens long\n"
        "cost: no API cost\n"
        "trusted at no complexity (safe or bold): at least 80 % pass there with a chance of 90 %, 75 % (6 graded answers)\n"
    )
    assert (result.stderr, result.exit_code) == ("", 0)
    booked = {call["output_tokens"] for call in calls(store_home)}
    assert (max(booked), len(booked)) == (300, 6)


@pytest.mark.parametrize(
    ("lines", "passed"),
    [pytest.param(SOLVER, 6, id="all"), pytest.param(ModelScript((Line("", "No."),)), 0, id="none")],
)
def test_all_or_none(store_home: Home, suite: Path, models_folder: Path, lines: ModelScript, passed: int) -> None:
    with llama_server(write_model(lines, models_folder), alias="m", n_ctx=16384) as server:
        configure(store_home, ladder("llamacpp", box=server.url))
        result = run_here(store_home, "bench", "--quality-only", "--tasks", suite, "--json", "box")
    data = json.loads(result.stdout)["data"]
    assert (data["overall"]["passed"], data["overall"]["graded"], data["complete"]) == (passed, 6, True)
    assert data["cost"]["state"] == "free"
    assert data["speed"]["output_tokens"] > 1


def test_an_engine_that_dies_mid_run_is_no_mark_against_the_model(
    store_home: Home, suite: Path, models_folder: Path
) -> None:
    with llama_server(write_model(DOOMED, models_folder), alias="m", n_ctx=16384) as server:
        configure(store_home, ladder("llamacpp", box=server.url))
        done = threading.Event()
        watcher = threading.Thread(target=_kill_after, args=(server, store_home, 3, done))
        watcher.start()
        try:
            result = run_here(store_home, "bench", "--quality-only", "--tasks", suite, "--json", "box")
        finally:
            done.set()
            watcher.join()
    document = json.loads(result.stdout)
    assert [(task["id"], task["status"]) for task in document["data"]["tasks"]] == [
        *((f"add-{number}", "pass") for number in (1, 2, 3)),
        *((f"add-{number}", "endpoint_error") for number in (4, 5, 6)),
    ]
    assert (document["data"]["overall"]["rate"], document["data"]["complete"]) == (1.0, False)
    assert (document["errors"][0]["code"], result.exit_code) == ("upstream", 3)


def _kill_after(server: LlamaServer, home: Home, answers: int, done: threading.Event) -> None:
    """End the engine as soon as the journal has so many answers."""
    folder = home.data / "mrt" / "bench"
    while not done.wait(0.01):
        kept = [path.read_text().count("\n") for path in folder.glob("*.jsonl")]
        if kept and kept[0] > answers:
            server.kill()
            return
