"""`mrt bench` as a user meets it: the table, the statuses, the exit codes, what is kept and what is booked."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bench_kit import BANDS, RUN_ID, bench
from rig.bench import model, number_of, right, solves, suite_folder, wrong
from rig.command import Command, Home
from rig.home_setup import calls, configure, ladder, run_here, says
from rig.loopback import Request, Response, ScriptedServer
from rig.responses import json_response, ndjson, sse
from rig.wire_chat import DONE, STOP, counts

from mrt.bench.sandbox.executor import UNSAFE_FLAG, UNSAFE_VARIABLE

SPEED = re.compile(r"speed \(medians\): .*")


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    return suite_folder(tmp_path / "own", BANDS)


def plain(text: str) -> str:
    """Without what differs from run to run."""
    return SPEED.sub("speed (medians): ...", RUN_ID.sub("RUN", text))


def test_a_model_that_solves_everything(store_home: Home, suite: Path) -> None:
    with ScriptedServer(model(solves)) as server:
        configure(store_home, ladder(box=server.url))
        result = bench(store_home, suite, "box")
    assert result.stderr == ""
    assert plain(result.stdout) == (
        "box/m  own  run RUN\n"
        "\n"
        "band    passed   rate  95 % interval  █ sure  ▓ found  ░ possible\n"
        "------  ------  -----  -------------  ---------------------------\n"
        "1 C1-2  2 of 2  100 %       34-100 %  ███████▓▓▓▓▓▓▓▓▓▓▓▓▓\n"
        "2 C3-4  1 of 1  100 %       21-100 %  ████▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓\n"
        "3 C5-6  1 of 1  100 %       21-100 %  ████▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓\n"
        "all     4 of 4  100 %       51-100 %  ██████████▓▓▓▓▓▓▓▓▓▓\n"
        "\n"
        "speed (medians): ...\n"
        "cost: no API cost\n"
        "trusted up to complexity 4 (safe), 5 (bold): at least 80 % pass there with a chance of 90 %, 75 % (4 graded answers)\n"
    )
    assert result.exit_code == 0
    booked = calls(store_home)
    assert [(call["purpose"], call["tier"], call["outcome"]) for call in booked] == [("bench", "bench", "accepted")] * 4


FAULTS: dict[int, Callable[[], Response]] = {
    1: lambda: says(wrong(1)),
    2: lambda: says(right(2), finish="length"),
    3: lambda: sse(
        [
            {"choices": [{"index": 0, "delta": {"reasoning_content": "hm"}}]},
            STOP,
            {"choices": [], "usage": counts(9, 9)},
            DONE,
        ]
    ),
    4: lambda: says("Add them up."),
    5: lambda: says("```python\ndef add_5(n):\n    raise KeyError(n)\n```"),
    6: lambda: says("```python\ndef total(n):\n    return n + 6\n```"),
    7: lambda: says(right(7)),
    8: lambda: json_response(500, {"error": "it broke"}),
}


def test_every_kind_of_failure_has_its_own_status(store_home: Home, tmp_path: Path) -> None:
    suite = suite_folder(tmp_path / "own", dict.fromkeys(FAULTS, 2))
    with ScriptedServer(model(lambda number: FAULTS[number]())) as server:
        configure(store_home, ladder(box=server.url))
        result = bench(store_home, suite, "box", "--max-tokens", "500")
    lines = plain(result.stdout).splitlines()
    assert lines[1:3] == [
        "!! 2 of 7 answers were cut off at the token limit: raise it with --max-tokens before you judge the model",
        "!! incomplete: 7 of 8 graded; go on with: mrt bench --resume RUN",
    ]
    assert lines[6] == "2 C3-4  1 of 7  14 %         3-51 %  █▓▓░░░░░░░"
    assert lines[lines.index("wrong: 1") : -5] == [
        "wrong: 1",
        "  add-1 breaks rule sum: add_1(1) must give 2, and it gave 0",
        "truncated: 1",
        "  add-2: cut at the token limit (max_tokens)",
        "empty_after_reasoning: 1",
        "  add-3: empty answer: only reasoning came",
        "no_code: 1",
        "  add-4: nothing in the answer is Python that defines anything",
        "exception: 1",
        "  add-5 breaks rule sum: add_5(1) raised KeyError: 1",
        "name_mismatch: 1",
        "  add-6: it defines no add_6",
        "endpoint_error: 1",
        "  add-8: it broke (HTTP 500)",
    ]
    assert result.exit_code == 0


def test_json_has_the_keys_of_the_contract(store_home: Home, suite: Path) -> None:
    with ScriptedServer(model(lambda number: says(wrong(number) if number == 4 else right(number)))) as server:
        configure(store_home, ladder(box=server.url))
        result = bench(store_home, suite, "box", "--json")
    document = json.loads(result.stdout)
    data = document["data"]
    assert (document["schema_version"], document["command"], document["errors"]) == (1, "bench", [])
    assert (data["model"], data["suite"]) == ("box/m", str(suite))
    assert data["bands"][2] == {"band": 3, "passed": 0, "graded": 1, "rate": 0.0, "low": 0.0, "high": 0.7935}
    assert [(task["id"], task["band"], task["status"]) for task in data["tasks"]] == [
        ("add-1", 1, "pass"),
        ("add-2", 1, "pass"),
        ("add-3", 2, "pass"),
        ("add-4", 3, "wrong"),
    ]
    assert data["cost"] == {"state": "free", "usd": "0", "known_usd": "0", "unpriced_answers": 0}
    assert data["thresholds"]["safe"] is None or data["thresholds"]["safe"] <= data["thresholds"]["bold"]
    assert data["environment"]["layers"][:2] == ["landlock", "seccomp"]


def test_no_sandbox_means_that_nothing_is_sent(store_home: Home, suite: Path) -> None:
    with ScriptedServer(model(solves)) as server:
        configure(store_home, ladder(box=server.url))
        result = Command(store_home)(
            "bench", "--quality-only", "--tasks", suite, "--executor", "docker", "box", env={"PATH": "/nowhere"}
        )
        assert server.requests == []
    assert (result.stdout, result.exit_code) == ("", 69)


def test_the_unsafe_flag_must_be_said_twice_and_is_stamped(store_home: Home, suite: Path) -> None:
    flag, variable = UNSAFE_FLAG, {UNSAFE_VARIABLE: "1"}
    with ScriptedServer(model(solves)) as server:
        configure(store_home, ladder(box=server.url))
        refused = bench(store_home, suite, flag, "box")
        assert server.requests == []
        done = bench(store_home, suite, flag, "box", env=variable)
    assert refused.exit_code == 2
    assert refused.stderr.startswith(f"error: {flag} is refused where nobody is watching\n")
    assert done.exit_code == 0
    assert done.stdout.splitlines()[1] == "!! UNSAFE: this code ran on this machine without a sandbox"
    assert "without a sandbox: it can read and delete your files" in done.stderr
    document = json.loads(run_here(store_home, "bench", "report", "last", "--json").stdout)
    assert document["data"]["environment"]["unsafe"] is True


def test_a_terminal_sees_how_far_it_is_and_the_line_goes(mrt: Command, suite: Path) -> None:
    with ScriptedServer(model(solves)) as server:
        configure(mrt.home, ladder(box=server.url))
        shown = mrt("bench", "--quality-only", "--tasks", suite, "box", tty=True).stdout
    drawn = [line for line in shown.split("\r\x1b[K") if line.strip()]
    steps = [line for line in drawn if line[0] in "░█"]
    assert steps[0].endswith("0 of 4  asking")
    assert "2 of 4" in steps[2]
    assert steps[4].startswith("████████████████████ 4 of 4")
    assert all(len(line) < 80 for line in steps[:5])
    assert next(line for line in drawn if line not in steps and not line.endswith("...")).startswith("box/m  own  run ")


def test_a_served_context_that_is_too_small_shortens_the_answer_not_the_run(store_home: Home, suite: Path) -> None:
    message = "This model's maximum context length is 2048 tokens. However, you requested too many tokens."
    refusal = json_response(400, {"error": {"message": message, "code": "context_length_exceeded"}})

    def answer(request: Request) -> Response:
        return solves(number_of(request)) if request.json()["max_tokens"] <= 1024 else refusal

    with ScriptedServer({**model(solves), "/v1/chat/completions": answer}) as server:
        configure(store_home, ladder(box=server.url))
        result = bench(store_home, suite, "box")
        allowed = [request.json()["max_tokens"] for request in server.requests if request.method == "POST"]
    assert "all     4 of 4" in result.stdout
    assert allowed[:3] == [4096, 2048, 1024]


def test_a_server_that_cannot_unload_is_said_once(store_home: Home, suite: Path) -> None:
    with ScriptedServer(model(solves)) as server:
        configure(store_home, ladder(box=server.url))
        result = bench(store_home, suite, "box", "--reset-every", "1")
    assert result.stderr == (
        "warning: box/m cannot be unloaded from here (only Ollama can be told to): --reset-every does nothing\n"
    )


def test_a_key_that_is_refused_ends_with_4_after_one_question(store_home: Home, suite: Path) -> None:
    refusal = json_response(401, {"error": {"message": "invalid key"}})
    with ScriptedServer({"*": refusal}) as server:
        configure(store_home, ladder(box=server.url))
        result = bench(store_home, suite, "box")
        assert sum(request.method == "POST" for request in server.requests) <= 1
    assert (result.exit_code, "401" in result.stderr) == (4, True)


def test_ollama_is_told_to_unload_and_gets_a_context_that_fits(store_home: Home, suite: Path) -> None:
    def chat(request: Request) -> Response:
        text = {"model": "m", "message": {"role": "assistant", "content": right(number_of(request))}, "done": False}
        end = {"model": "m", "message": {"content": ""}, "done": True, "done_reason": "stop", "eval_count": 9}
        return ndjson([text, end])

    tags = json_response(200, {"models": [{"name": "m", "model": "m"}]})
    routes: dict[str, Any] = {
        "/api/tags": tags,
        "/api/chat": chat,
        "/api/generate": json_response(200, {}),
        "*": json_response(200, {}),
    }
    with ScriptedServer(routes) as server:
        configure(store_home, ladder("ollama", box=server.url))
        result = bench(store_home, suite, "box", "--reset-every", "2")
    assert "all     4 of 4" in result.stdout
    unloads = [request.json() for request in server.requests if request.path == "/api/generate"]
    assert unloads == [{"model": "m", "keep_alive": 0}]
    asked = [request.json()["options"] for request in server.requests if request.path == "/api/chat"]
    assert {options["num_ctx"] for options in asked} == {8192}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param(["--suite", "nope", "box"], "no suite 'nope': No such file or directory", id="no such suite"),
        pytest.param(
            ["--suite", "hard", "--tasks", ".", "box"], "--suite and --tasks contradict each other", id="two suites"
        ),
        pytest.param(["--quick", "--samples", "2", "box"], "--quick takes one sample of each task", id="quick samples"),
        pytest.param(
            ["--resume", "x", "box"], "--resume takes the model and the suite of its run", id="resume a model"
        ),
        pytest.param(
            ["--apply", "box"], "--apply asks before it writes, and nobody can answer here", id="apply unasked"
        ),
        pytest.param(["nosuch"], "'nosuch' is no tier, alias or PROVIDER/MODEL", id="no such model"),
        pytest.param(["--resume", "2019"], "no run '2019'", id="no such run"),
    ],
)
def test_wrong_use(store_home: Home, words: list[str], message: str) -> None:
    configure(store_home, ladder(box="http://127.0.0.1:9"))
    result = run_here(store_home, "bench", *words)
    assert result.stderr.splitlines()[0] == f"error: {message}"
    assert (result.stdout, result.exit_code) == ("", 2)


def test_tasks_first_then_the_speed(store_home: Home, suite: Path) -> None:
    """Without --quality-only each model's speed is measured too, by calls of its own."""

    def answer(request: Request) -> Response:
        prompt = request.json()["messages"][-1]["content"]
        if "def add_" in prompt:
            return solves(int(prompt.partition("def add_")[2].partition("(")[0]))
        return says(*["word "] * 40, outgoing=40)

    routes = {**model(solves), "/v1/chat/completions": answer}
    few = ("--prompt-tokens", "64", "--repetitions", "1")
    with ScriptedServer(routes) as server:
        configure(store_home, ladder(box=server.url))
        shown = run_here(store_home, "bench", "--tasks", suite, *few, "box/m")
        document = json.loads(run_here(store_home, "bench", "--tasks", suite, *few, "--json", "box/m").stdout)
    assert shown.exit_code == 0, shown.stderr
    assert "all     4 of 4" in shown.stdout
    assert "box/m  speed: median (min-max) of 1" in shown.stdout
    measured = document["data"]["speed"]["measured"]
    assert (measured["model"], measured["complete"], len(measured["speed"]["lengths"])) == ("box/m", True, 1)
    assert document["data"]["overall"]["passed"] == 4
