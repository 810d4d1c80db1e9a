"""How mrt ask judges answers: by schema, command and second opinion, and in time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from ask_kit import PARIS, two_tiers
from rig.command import Command, Home
from rig.home_setup import beginning, calls, run_here, says
from rig.loopback import Action, ScriptedServer, in_turn
from rig.responses import sse

SCHEMA = '{"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}'


@pytest.mark.parametrize(
    ("text", "exit_code", "reason"),
    [
        ('{"n": 1}', 0, ""),
        ('```json\n{"n": 1}\n```', 0, ""),
        ('{"n": "one"}', 7, "error: only/m: schema: data.n must be integer\n"),
        ("one", 7, "error: only/m: schema: not JSON: line 1, column 1: Expecting value\n"),
    ],
    ids=["ok", "in-a-fence", "violated", "no-json"],
)
def test_a_schema_is_checked(home: Home, server: ScriptedServer, text: str, exit_code: int, reason: str) -> None:
    server.routes["*"] = says(text)
    (home.path / "s.json").write_text(SCHEMA)
    for schema in (SCHEMA, str(home.path / "s.json")):
        result = run_here(home, "ask", "--schema", schema, "hi")
        assert result.exit_code == exit_code, result.stderr
        assert result.stderr.startswith(reason)
        assert server.requests[-1].json()["response_format"]["json_schema"]["schema"] == json.loads(SCHEMA)


@pytest.mark.parametrize(
    ("command", "exit_code", "line"),
    [
        ("grep -q Paris", 0, ""),
        ("true", 0, ""),
        ("grep -q Rome", 7, "error: only/m: verify: `grep -q Rome` ended with 1"),
        (
            "echo wrong city >&2; exit 3",
            7,
            "error: only/m: verify: `echo wrong city >&2; exit 3` ended with 3: wrong city",
        ),
        (
            "no-such-command-here 2>/dev/null",
            7,
            "error: only/m: verify: `no-such-command-here 2>/dev/null` ended with 127",
        ),
    ],
)
def test_a_command_of_the_user_judges(home: Home, command: str, exit_code: int, line: str) -> None:
    result = run_here(home, "ask", "--verify", command, "hi")
    assert (result.exit_code, (result.stderr.splitlines() or [""])[0], result.stdout) == (exit_code, line, PARIS)


def test_the_answer_is_never_part_of_a_command(mrt: Command, home: Home, server: ScriptedServer) -> None:
    hostile = "$(touch owned); `touch owned`"
    server.routes["*"] = says(hostile)
    assert mrt("ask", "--verify", "cat >seen", "hi").exit_code == 0
    assert (home.path / "seen").read_text() == hostile
    assert not (home.path / "owned").exists()


def test_a_command_that_hangs_ends_with_the_timeout(mrt: Command, home: Home) -> None:
    result = mrt("ask", "--timeout", "1", "--verify", "sleep 99", "hi")
    assert (result.exit_code, result.stderr.splitlines()[0]) == (
        124,
        "error: only/m: timeout: `sleep 99` did not end before --timeout",
    )


@pytest.mark.parametrize(
    ("second", "exit_code"), [("It is Paris.", 0), ("Rome, without any doubt.", 7)], ids=["agrees", "differs"]
)
def test_a_second_opinion(store_home: Home, second: str, exit_code: int) -> None:
    with ScriptedServer({"*": says("Paris.")}) as low, ScriptedServer({"*": says(second)}) as high:
        two_tiers(store_home, low.url, high.url)
        result = run_here(store_home, "ask", "--agree", "--no-escalate", "the capital of France?")
        assert (result.exit_code, result.stdout) == (exit_code, PARIS), result.stderr
        assert (len(low.requests), len(high.requests)) == (1, 1)
    assert [(call["purpose"], call["tier"]) for call in calls(store_home)] == [("ask", "low"), ("agreement", "high")]
    if exit_code:
        assert result.stderr.startswith("error: low/m: agree: ")
        assert "(second opinion of high/m)" in result.stderr


def test_no_second_opinion_is_no_agreement(store_home: Home) -> None:
    with ScriptedServer({"*": in_turn(says("Paris."))}) as low, ScriptedServer({"*": sse([])}) as high:
        two_tiers(store_home, low.url, high.url)
        result = run_here(store_home, "ask", "--agree", "--no-escalate", "hi")
    assert (result.exit_code, result.stderr.splitlines()[0]) == (
        7,
        "error: low/m: agree: no second opinion could be had",
    )


@pytest.mark.parametrize(
    ("model", "exit_code"), [("high/m", 0), ("high", 0), ("hihg/m", 2)], ids=["model", "tier", "wrong"]
)
def test_a_second_opinion_may_be_named(store_home: Home, model: str, exit_code: int) -> None:
    with ScriptedServer({"*": says("Paris.")}) as low, ScriptedServer({"*": says("Paris")}) as high:
        two_tiers(store_home, low.url, high.url, checks=[f"agree={model}"])
        assert run_here(store_home, "ask", "hi").exit_code == exit_code
        assert (len(low.requests), len(high.requests)) == ((1, 1) if exit_code == 0 else (0, 0))


def test_a_second_sample_where_there_is_one_model(home: Home, server: ScriptedServer) -> None:
    assert run_here(home, "ask", "--agree", "hi").exit_code == 0
    assert [request.json().get("temperature") for request in server.requests] == [None, 0.7]


@pytest.mark.parametrize(
    ("route", "options", "stdout", "line"),
    [
        ([*beginning("Par"), Action.HOLD], ("--idle-timeout", "0.2"), "Par\n", "timeout: no token for 0.2 s"),
        ([*beginning("Par"), Action.HOLD], ("--timeout", "0.5"), "Par\n", "timeout"),
        ([*beginning(), Action.HOLD], ("--idle-timeout", "0.2"), "", "timeout: no token for 0.2 s"),
        ([Action.HOLD], ("--idle-timeout", "0.2"), "", "timeout: "),
        ([Action.HOLD], ("--timeout", "0.3"), "", "timeout: "),
    ],
    ids=["idle", "total", "first-token", "no-head", "no-head-total"],
)
def test_silence_ends_with_124(
    home: Home, server: ScriptedServer, route: Any, options: Sequence[str], stdout: str, line: str
) -> None:
    server.routes["*"] = route
    result = run_here(home, "ask", *options, "hi")
    assert (result.exit_code, result.stdout) == (124, stdout), result.stderr
    assert result.stderr.startswith(f"error: only/m: {line}")


def test_the_timeout_is_for_all_tiers_together(store_home: Home) -> None:
    with ScriptedServer({"*": says("Lyon", finish="length")}) as low, ScriptedServer({"*": [Action.HOLD]}) as high:
        two_tiers(store_home, low.url, high.url)
        result = run_here(store_home, "ask", "--timeout", "0.5", "hi")
    assert result.exit_code == 124
    assert result.stderr.splitlines()[-2].startswith("error: no tier could answer: low (low/m): cut at the token limit")


def test_a_tier_has_a_time_of_its_own(store_home: Home) -> None:
    with ScriptedServer({"*": [Action.HOLD]}) as low, ScriptedServer({"*": says("Paris.")}) as high:
        two_tiers(store_home, low.url, high.url, timeout=0.3)
        result = run_here(store_home, "ask", "hi")
    assert (result.exit_code, result.stdout) == (0, PARIS)
