"""The lines that `mrt mcp` reads: what is no message is answered, cut text is mended, and what was asked last is answered."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import anyio
import pytest
from mcp_kit import VERSION, raw
from rig.command import Command, Home
from rig.loopback import ScriptedServer

from mrt.commands._mcp_pipes import LinesOut

ABOUT = {"protocolVersion": VERSION, "capabilities": {}, "clientInfo": {"name": "raw", "version": "1"}}
PARSE, INVALID = -32700, -32600


def message(**fields: Any) -> bytes:
    """A line."""
    return json.dumps({"jsonrpc": "2.0", **fields}).encode() + b"\n"


def call(number: int, tool: str, **arguments: Any) -> bytes:
    """A line that calls a tool."""
    return message(id=number, method="tools/call", params={"name": tool, "arguments": arguments})


BEGIN = message(id=0, method="initialize", params=ABOUT) + message(method="notifications/initialized")
TO_ANSWER = [
    pytest.param(b"{", None, PARSE, "the line is no JSON", id="broken"),
    pytest.param(b"\xff\xfe", None, PARSE, "the line is no JSON", id="no-text"),
    pytest.param(b"[" * 100_000, None, PARSE, "the line is no JSON", id="deep"),
    pytest.param(b"{}", None, INVALID, "the line is no JSON-RPC message", id="empty-object"),
    pytest.param(b"7", None, INVALID, "the line is no JSON-RPC message", id="number"),
    pytest.param(b'{"id":5,"method":"ping"}', 5, INVALID, "the line is no JSON-RPC message", id="no-version"),
    pytest.param(
        b'{"jsonrpc":"2.0","id":"a","method":"ping","params":[1]}',
        "a",
        INVALID,
        "the line is no JSON-RPC message",
        id="list-of-parameters",
    ),
    pytest.param(b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]', None, INVALID, "one message a line", id="batch"),
    pytest.param(b'{"jsonrpc":"2.0","id":1.5,"method":"ping"}', None, INVALID, "an id is a string or", id="fraction"),
    pytest.param(b'{"jsonrpc":"2.0","id":null,"method":"ping"}', None, INVALID, "an id is a string or", id="null"),
    pytest.param(b'{"jsonrpc":"2.0","id":true,"method":"ping"}', None, INVALID, "an id is a string or", id="flag"),
]


@pytest.mark.parametrize(("line", "number", "code", "words"), TO_ANSWER)
def test_what_is_no_message_is_answered_and_the_next_one_served(
    mrt: Command, home: Home, line: bytes, number: int | str | None, code: int, words: str
) -> None:
    ping = message(id="next", method="ping")
    done = mrt("mcp", stdin=BEGIN + line + b"\n" + ping)
    wrong = [one for one in map(json.loads, done.stdout.splitlines()) if "error" in one]
    assert [(one["id"], one["error"]["code"]) for one in wrong] == [(number, code)]
    assert wrong[0]["error"]["message"].startswith(words)
    assert '"id":"next"' in done.stdout
    assert (done.exit_code, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b" ",
        b'{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":77}}',
        b'{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":[1]}}',
        b'{"jsonrpc":"2.0","method":"notifications/cancelled","params":{}}',
        b'{"jsonrpc":"2.0","method":"notifications/of-another-time"}',
        b'{"jsonrpc":"2.0","id":99,"result":{}}',
    ],
)
def test_what_asks_for_nothing_is_passed_over(mrt: Command, home: Home, line: bytes) -> None:
    done = mrt("mcp", stdin=BEGIN + line + b"\n" + message(id="next", method="ping"))
    assert [json.loads(one)["id"] for one in done.stdout.splitlines()] == [0, "next"]


def test_text_that_was_cut_within_a_character_is_asked_all_the_same(
    mrt: Command, home: Home, server: ScriptedServer
) -> None:
    with raw(mrt) as talking:
        talking.begin()
        talking.call(1, "ask_local_model", prompt="cut \ud83d")
        assert talking.answer(1)["result"]["structuredContent"]["accepted"]
    assert server.requests[0].json()["messages"][-1]["content"] == "cut ?"


def test_a_number_that_is_none_is_not_sent_on(mrt: Command, home: Home, server: ScriptedServer) -> None:
    done = mrt("mcp", stdin=BEGIN + call(1, "ask_local_model", prompt="hi", temperature=float("nan")))
    failure = json.loads(done.stdout.splitlines()[-1])["result"]["structuredContent"]["error"]
    assert failure["message"] == "ask_local_model: numbers must be finite"
    assert server.requests == []


def test_what_is_piped_in_is_answered_before_the_end(mrt: Command, home: Home) -> None:
    asked = BEGIN + message(id=1, method="tools/list") + call(2, "ask_local_model", prompt="capital of France")
    done = mrt("mcp", stdin=asked)
    answers = {one["id"]: one["result"] for one in map(json.loads, done.stdout.splitlines())}
    assert answers.keys() == {0, 1, 2}
    assert answers[2]["content"][0]["text"] == "Paris."
    assert (done.exit_code, done.stderr) == (0, "")


def test_nobody_is_waited_for_who_does_not_read_any_more() -> None:
    reading, writing = os.pipe()

    async def heard() -> tuple[bool, bool]:
        out = LinesOut(writing, lambda: None)
        before = out.is_read()
        os.close(reading)
        return before, out.is_read()

    assert anyio.run(heard) == (True, False)
    os.close(writing)


@pytest.mark.parametrize(
    ("closed", "code", "answered"), [("2>&-", 0, True), (">&-", 2, False), ("<&-", 2, False), (">/dev/full", 0, False)]
)
def test_streams_that_are_closed_do_not_mix_with_others(home: Home, closed: str, code: int, answered: bool) -> None:
    done = subprocess.run(
        ["sh", "-c", f'exec "{sys.executable}" -m mrt mcp -v {closed}'],
        input=BEGIN + call(1, "spend_summary"),
        env=dict(home.environment),
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == code
    assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == ([0, 1] if answered else [])
    assert b"internal error" not in done.stderr
