"""mrt ask in JSON: one object, or a line for every event."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Sequence

import pytest
from ask_kit import FREE, HI, events, two_tiers
from rig.command import Command, Home
from rig.home_setup import beginning, calls, run_here, says
from rig.loopback import Action, ScriptedServer
from rig.responses import sse
from rig.wire_chat import DONE, STOP, chunk, say

USAGE = {"input_tokens": 12, "output_tokens": 3, "cached_tokens": None, "reasoning_tokens": None, "source": "reported"}

TIMING_KEYS = {"ttft_ms", "total_ms", "tokens_per_second"}


def test_one_object_with_every_key(home: Home) -> None:
    result = run_here(home, "ask", "--json", "hi")
    assert (result.exit_code, result.stderr) == (0, "")
    document = json.loads(result.stdout)
    assert document.keys() == {"schema_version", "command", "data", "errors"}
    assert (document["schema_version"], document["command"], document["errors"]) == (1, "ask", [])
    data = document["data"]
    (attempt,) = data.pop("attempts")
    assert (data.pop("timing").keys(), attempt.pop("timing").keys()) == (TIMING_KEYS, TIMING_KEYS)
    assert attempt == {
        "tier": "only",
        "model": "only/m",
        "outcome": "accepted",
        "check": None,
        "reason": None,
        "usage": USAGE,
        "cost": FREE,
    }
    identifier = data.pop("id")
    assert data.pop("session").startswith("ask-")
    assert data == {
        "answer": "Paris.",
        "reasoning": None,
        "tier": "only",
        "model": "only/m",
        "served_model": None,
        "finish_reason": "stop",
        "complete": True,
        "usage": USAGE,
        "cost": FREE,
    }
    assert calls(home)[0]["operation_id"] == identifier


def test_a_failure_in_json_still_holds_what_there_is(home: Home, server: ScriptedServer) -> None:
    server.routes["*"] = says("Par", finish="length")
    result = run_here(home, "ask", "--json", "hi")
    document = json.loads(result.stdout)
    message, hint = "only/m: cut at the token limit (max_tokens)", "raise it with --max-tokens"
    assert result.exit_code == 6
    assert document["errors"] == [{"code": "max_tokens", "message": message, "hint": hint, "exit_code": 6}]
    assert (document["data"]["answer"], document["data"]["complete"]) == ("Par", False)
    assert document["data"]["attempts"][0]["outcome"] == "failed"
    assert result.stderr == f"error: {message}\nhint: {hint}\n"


@pytest.mark.parametrize(
    ("arguments", "code", "exit_code"),
    [
        (("--nope",), "usage", 2),
        (("-m", "nope", "hi"), "usage", 2),
        ((), "usage", 2),
        (("--max-tokens", "x"), "usage", 2),
    ],
)
def test_errors_before_the_request_are_json_too(
    home: Home, arguments: Sequence[str], code: str, exit_code: int
) -> None:
    whole = run_here(home, "ask", "--json", *arguments)
    document = json.loads(whole.stdout)
    assert (whole.exit_code, document["command"], document["data"]) == (exit_code, "ask", None)
    assert [error["code"] for error in document["errors"]] == [code]
    lines = run_here(home, "ask", "--stream-json", *arguments)
    event = json.loads(lines.stdout)
    assert (lines.exit_code, event["event"], event["code"]) == (exit_code, "error", code)


def test_a_line_for_every_event(store_home: Home) -> None:
    thinking = sse([chunk({"reasoning_content": "Hm."}), *say("Par", "is."), STOP, DONE])
    with ScriptedServer({"*": sse(say("Lyon"))}) as low, ScriptedServer({"*": thinking}) as high:
        two_tiers(store_home, low.url, high.url)
        lines = events(run_here(store_home, "ask", "--stream-json", "hi").stdout)
    assert [line["event"] for line in lines] == [
        "route",
        "start",
        "delta",
        "escalate",
        "start",
        "reasoning",
        "delta",
        "delta",
        "usage",
        "result",
    ]
    assert lines[0] == {"event": "route", "tier": "low", "model": "low/m", "reason": HI}
    assert lines[1] == {"event": "start", "tier": "low", "model": "low/m", "final": False}
    assert lines[2] == {"event": "delta", "text": "Lyon"}
    reason = "truncated: the stream ended without a finish reason"
    assert lines[3] == {"event": "escalate", "from": "low", "to": "high", "check": "truncated", "reason": reason}
    assert lines[5] == {"event": "reasoning", "text": "Hm."}
    assert lines[8]["usage"]["source"] == "estimated"
    whole = json.loads(run_here(store_home, "ask", "--json", "hi").stdout)["data"]
    assert lines[9].keys() == {"event", *whole}
    assert (lines[9]["answer"], lines[9]["reasoning"], len(lines[9]["attempts"])) == ("Paris.", "Hm.", 2)


def test_the_last_line_says_what_went_wrong(home: Home, server: ScriptedServer) -> None:
    server.routes["*"] = sse(say("Par"))
    result = run_here(home, "ask", "--stream-json", "hi")
    *_, last = events(result.stdout)
    assert (result.exit_code, last["event"], last["code"], last["exit_code"]) == (6, "error", "truncated", 6)
    assert last["data"]["answer"] == "Par"


def test_how_long_nothing_came_is_told(home: Home, server: ScriptedServer) -> None:
    server.routes["*"] = [Action.HOLD]
    result = run_here(home, "ask", "--json", "--timeout", "0.3", "hi")
    (attempt,) = json.loads(result.stdout)["data"]["attempts"]
    assert (result.exit_code, attempt["timing"]["ttft_ms"]) == (124, None)
    assert 250 <= attempt["timing"]["total_ms"] == calls(home)[0]["total_ms"]


def test_an_interruption_in_json(mrt: Command, home: Home, server: ScriptedServer) -> None:
    server.routes["*"] = [*beginning("Par"), Action.HOLD]
    with mrt.start("ask", "--stream-json", "hi", stdin=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(3)]
        assert json.loads(lines[2]) == {"event": "delta", "text": "Par"}
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read().decode()
        assert process.wait(20) == 130
    assert events(rest)[-1]["code"] == "interrupted"


def test_an_interruption_on_a_terminal(mrt: Command, home: Home, server: ScriptedServer) -> None:
    server.routes["*"] = [*beginning("Par"), Action.HOLD]
    screen, terminal = os.openpty()
    try:
        with mrt.start(
            "ask", "-q", "--no-color", "hi", stdin=subprocess.DEVNULL, stdout=terminal, stderr=terminal
        ) as process:
            assert os.read(screen, 100) == b"Par"
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == -signal.SIGINT
        assert os.read(screen, 100) == b"\r\nerror: interrupted\r\n"
    finally:
        os.close(screen)
        os.close(terminal)
