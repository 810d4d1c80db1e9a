"""What `mrt mcp` writes to stdout: the protocol alone, in the version that the client speaks."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import threading
from typing import Any

import anyio
import pytest
from mcp_kit import PATIENCE_S, VERSION, raw
from rig.command import Command, Home
from rig.home_setup import configure, ladder, says
from rig.loopback import ScriptedServer

from mrt.commands._mcp_call import Call, Outcome, Tool, Update
from mrt.commands._mcp_serve import Work
from mrt.output import Console


def test_stdout_carries_the_protocol_alone(mrt: Command, store_home: Home) -> None:
    with ScriptedServer({"*": says("Paris.")}) as server:
        tables = ladder(only=server.url)
        tables["endpoints.only"]["key_cmd"] = "echo key on stderr >&2; echo sk-0123456789abcdef"
        tables["tiers.only"]["checks"] = ["verify=echo noise; echo noise >&2; cat >/dev/null"]
        configure(store_home, tables)
        with raw(mrt, "-vv", "--debug") as talking:
            talking.begin()
            talking.call(1, "ask_local_model", prompt="hi", token="t")
            talking.call(2, "ask_local_model", prompt=7)
            talking.send(id=3, method="no/such/method")
            assert talking.process.stdin is not None
            talking.process.stdin.write(b"this is no JSON\n\n{}\n")
            results = {number: talking.answer(number) for number in (1, 2, 3)}
            talking.process.stdin.close()
            while talking.line() is not None:
                pass
            assert talking.process.wait(PATIENCE_S) == 0
    assert results[2]["result"]["isError"]
    assert results[3]["error"]["code"] == -32601
    assert results[1]["result"]["structuredContent"]["accepted"]


PRINTS = """
import os, sys
sys.argv = ["mrt", "mcp"]
import mrt.commands._mcp_look as look

def noisy(call):
    print("printed by a library")
    os.write(1, b"written to descriptor 1\\n")
    os.system("echo from a child")
    return look.Outcome(("quiet",), {"read": sys.stdin.read()})

look.spend_summary = noisy
from mrt.cli import main
main()
"""


def test_whatever_prints_goes_to_stderr(home: Home) -> None:
    messages = [
        {
            "id": 0,
            "method": "initialize",
            "params": {"protocolVersion": VERSION, "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
        },
        {"method": "notifications/initialized"},
        {"id": 1, "method": "tools/call", "params": {"name": "spend_summary", "arguments": {}}},
    ]
    with subprocess.Popen(
        [sys.executable, "-c", PRINTS],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=dict(home.environment),
        cwd=home.path,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        for message in messages:
            process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
        process.stdin.flush()
        first, second = (json.loads(process.stdout.readline()) for _ in range(2))
        rest, errors = process.communicate(timeout=PATIENCE_S)
    assert (first["id"], second["id"], rest) == (0, 1, b"")
    assert second["result"]["content"] == [{"type": "text", "text": "quiet"}]
    assert second["result"]["structuredContent"]["read"] == ""  # nobody but the protocol reads its input
    assert {b"printed by a library", b"written to descriptor 1", b"from a child"} <= set(errors.splitlines())


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("2024-11-05", "2024-11-05"),
        ("2025-03-26", "2025-03-26"),
        (VERSION, VERSION),
        ("2025-11-25", "2025-11-25"),
        ("1999-01-01", "2025-11-25"),
    ],
)
def test_older_clients_are_served(mrt: Command, home: Home, asked: str, given: str) -> None:
    with raw(mrt) as talking:
        answer = talking.begin(asked)
        talking.call(1, "ask_local_model", prompt="hi")
        result = talking.answer(1)["result"]
    assert answer["result"]["protocolVersion"] == given
    assert answer["result"]["serverInfo"]["name"] == "mrt"
    assert result["content"][0]["text"] == "Paris."


def test_a_call_that_says_nothing_for_long_shows_that_it_lives(store_home: Home) -> None:
    heard = threading.Event()

    def slow(call: Call) -> Outcome:
        call.tell(Update("reading"))
        assert heard.wait(PATIENCE_S)
        return Outcome(("done",), {})

    told: list[tuple[float, str | None]] = []

    async def note(progress: float, _: float | None, message: str | None) -> None:
        told.append((progress, message))
        if len(told) == 3:
            heard.set()

    async def run() -> Any:
        tool = Tool("slow", "Slow", "", {"type": "object"}, {"type": "object"}, slow)
        console = Console(None, io.StringIO(), io.StringIO(), store_home.environment)
        return await Work(tool, {}, console, "session").finished(note, beat_s=0.01)

    assert anyio.run(run).texts == ["done"]
    assert told[:3] == [(1, "reading"), (2, "reading"), (3, "reading")]
