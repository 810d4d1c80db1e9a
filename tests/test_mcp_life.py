"""The life of `mrt mcp`: progress, cancellation, calls side by side, a client that leaves, signals, and a clean stdout."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp_kit import PATIENCE_S, connected, raw, talk, until
from rig.command import Command, Home
from rig.home_setup import beginning, calls, configure, ladder, says
from rig.loopback import Action, Request, Response, ScriptedServer, Step, Wait

LONG = ["one ", "two ", "three "]


class Held:
    """A server that sends the beginning of an answer, or nothing, and then waits; it sees when the client leaves."""

    def __init__(self, *words: str) -> None:
        self.asked = threading.Event()
        self.requests: list[Request] = []
        self._begin: list[Step] = beginning(*words) if words else []

    def __call__(self, request: Request) -> Response:
        self.requests.append(request)
        self.asked.set()
        return [*self._begin, Action.HOLD]


def held_home(home: Home, held: Held, server: ScriptedServer) -> None:
    """A home whose only tier is held, and never judged; a better tier would be there."""
    server.routes["*"] = held
    tables = ladder(only=server.url, more="http://127.0.0.1:9")
    tables["tiers.only"] |= {"think": "off", "tools": False}
    configure(home, tables)


def only_call(home: Home) -> dict[str, Any]:
    """The one booked attempt."""
    (call,) = calls(home)
    return call


def soon(what: Callable[[], bool]) -> None:
    """Wait until it is so."""
    pause, end = threading.Event(), time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < end
        pause.wait(0.02)


def alive(process: int) -> bool:
    """Whether it runs."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


# --- progress


def test_progress_says_what_happens(store_home: Home) -> None:
    told: list[tuple[float, float | None, str | None]] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress, total, message))

    refusal = says("I'm sorry, but I can't help with that.")
    with ScriptedServer({"*": refusal}) as low, ScriptedServer({"*": says("Fine.")}) as high:
        configure(store_home, ladder(low=low.url, high=high.url))
        talk(store_home, lambda client: client.call_tool("ask_local_model", {"prompt": "hi"}, progress_callback=note))
    messages = [message or "" for _, _, message in told]
    steps = [message for message in messages if not message.endswith("so far")]
    assert steps[0] == "asking low (low/m)"
    assert steps[1].startswith("escalated to high from low: refusal")
    assert steps[2] == "asking high (high/m)"
    assert messages[-1] == "high: about 2 tokens so far"
    figures = [progress for progress, _, _ in told]
    assert figures == sorted(set(figures))


def test_progress_counts_what_came_and_ends_before_the_result(mrt: Command, store_home: Home) -> None:
    with ScriptedServer() as server:
        begin, go = threading.Event(), threading.Event()

        def slowly(_: Request) -> Response:
            first, second = beginning("a word "), says(*("more " for _ in range(20)))
            begin.set()
            return [*first, Wait(go, 0.7), *second[1:]]

        server.routes["*"] = slowly
        tables = ladder(only=server.url)
        tables["tiers.only"] |= {"think": "off", "checks": []}
        configure(store_home, tables)
        with raw(mrt) as talking:
            talking.begin()
            talking.call(1, "ask_local_model", token="t", prompt="hi")
            answer = talking.answer(1)
    assert answer["result"]["structuredContent"]["accepted"]
    told = [message["params"] for message in talking.received if message.get("method") == "notifications/progress"]
    assert {one["progressToken"] for one in told} == {"t"}
    assert "about " in told[-1]["message"]
    assert told[-1]["message"].endswith(" tokens so far")
    assert talking.received[-1] is answer


def test_nothing_is_told_to_a_client_that_did_not_ask(mrt: Command, home: Home) -> None:
    with raw(mrt) as talking:
        talking.begin()
        talking.call(1, "ask_local_model", prompt="hi")
        talking.answer(1)
    assert [message.get("id") for message in talking.received] == [0, 1]


# --- cancellation


@pytest.mark.parametrize("words", [LONG, []], ids=["in-mid-answer", "before-the-first-token"])
@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
def test_a_cancelled_call_stops_the_server_and_is_booked(store_home: Home, words: list[str], mode: str) -> None:
    held = Held(*words)
    with ScriptedServer() as server:
        held_home(store_home, held, server)

        async def say(client: Client) -> int:
            began = anyio.Event()

            async def note(_: float, __: float | None, message: str | None) -> None:
                if message and "so far" in message:
                    began.set()

            async with anyio.create_task_group() as group:
                group.start_soon(partial(client.call_tool, "ask_local_model", {"prompt": "hi"}, progress_callback=note))
                await until(held.asked)
                if words:
                    await began.wait()
                group.cancel_scope.cancel()
            await until(held.requests[0].disconnected)
            return len((await client.list_tools()).tools)

        assert talk(store_home, say, mode=mode) == 6
    call = only_call(store_home)
    assert (call["tier"], call["outcome"], call["state"]) == ("only", "interrupted", "partial" if words else "failed")
    assert call["cost_state"] == "free"


def test_a_call_cancelled_by_hand_gets_no_result(mrt: Command, store_home: Home) -> None:
    held = Held(*LONG)
    with ScriptedServer() as server:
        held_home(store_home, held, server)
        with raw(mrt) as talking:
            talking.begin()
            talking.call(1, "ask_local_model", token="t", prompt="hi")
            talking.progress("so far")
            talking.send(method="notifications/cancelled", params={"requestId": 1, "reason": "never mind"})
            assert held.requests[0].disconnected.wait(PATIENCE_S)
            talking.call(2, "spend_summary")
            answer = talking.answer(2)
            assert answer["result"]["structuredContent"]["month"]["calls"] == 1
    assert only_call(store_home)["outcome"] == "interrupted"


def test_a_command_that_judges_ends_with_the_call(mrt: Command, home: Home) -> None:
    path = home.config / "mrt" / "config.toml"
    marks = home.path / "began", home.path / "pid"
    check = f"cat > {marks[0]}; echo $$ > {marks[1]}.part; mv {marks[1]}.part {marks[1]}; exec sleep 600"
    path.write_text(path.read_text().replace("[tiers.only]", f'[tiers.only]\nchecks = ["verify={check}"]'))
    with raw(mrt) as talking:
        talking.begin()
        talking.call(1, "ask_local_model", prompt="hi")
        soon(marks[1].exists)
        talking.send(method="notifications/cancelled", params={"requestId": 1})
        soon(lambda: calls(home)[0]["outcome"] == "interrupted")
        soon(lambda: not alive(int(marks[1].read_text())))
    assert marks[0].read_text() == "Paris."


# --- side by side


def test_calls_run_side_by_side(store_home: Home) -> None:
    count = 8
    both = threading.Barrier(count)

    def together(request: Request) -> Response:
        both.wait(PATIENCE_S)
        return says(f"It is {request.json()['messages'][-1]['content']}.")

    with ScriptedServer({"*": together}) as server:
        tables = ladder(only=server.url)
        tables["tiers.only"]["tools"] = False
        configure(store_home, tables)
        answers: dict[int, str] = {}

        async def say(client: Client) -> None:
            async def one(number: int) -> None:
                result = await client.call_tool("ask_local_model", {"prompt": f"number {number}"})
                answers[number] = result.structured_content["answer"]

            async with anyio.create_task_group() as group:
                for number in range(count):
                    group.start_soon(one, number)

        talk(store_home, say)
    assert answers == {number: f"It is number {number}." for number in range(count)}
    assert {call["outcome"] for call in calls(store_home)} == {"accepted"}
    assert len({call["operation_id"] for call in calls(store_home)}) == count


def test_two_servers_share_one_store(home: Home) -> None:
    async def run() -> None:
        with anyio.fail_after(PATIENCE_S):
            async with connected(home) as one, connected(home) as other, anyio.create_task_group() as group:
                for client in (one, other):
                    for _ in range(4):
                        group.start_soon(client.call_tool, "ask_local_model", {"prompt": "hi"})

    anyio.run(run)
    assert [call["outcome"] for call in calls(home)] == ["accepted"] * 8


# --- the end


def test_a_client_that_leaves_ends_everything(mrt: Command, store_home: Home) -> None:
    held = Held(*LONG)
    with ScriptedServer() as server:
        held_home(store_home, held, server)
        with raw(mrt) as talking:
            talking.begin()
            talking.call(1, "ask_local_model", token="t", prompt="hi")
            talking.progress("so far")
            stdout, stderr = talking.process.communicate(timeout=PATIENCE_S)
        assert (talking.process.returncode, stderr) == (0, b"")
        assert [json.loads(line)["id"] for line in stdout.splitlines()] == [1]  # an error: the connection is closed
        assert held.requests[0].disconnected.wait(PATIENCE_S)
    assert (only_call(store_home)["outcome"], only_call(store_home)["state"]) == ("interrupted", "partial")


def test_a_client_that_reads_no_more_ends_it_too(mrt: Command, home: Home) -> None:
    with raw(mrt) as talking:
        talking.begin()
        assert talking.process.stdout is not None
        talking.process.stdout.close()
        talking.send(id=1, method="tools/list")
        assert talking.process.wait(PATIENCE_S) == 0


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)], ids=["term", "int", "hup"]
)
def test_a_signal_ends_it_with_its_own_code(mrt: Command, store_home: Home, number: int, code: int) -> None:
    held = Held(*LONG)
    with ScriptedServer() as server:
        held_home(store_home, held, server)
        with raw(mrt) as talking:
            talking.begin()
            talking.call(1, "ask_local_model", token="t", prompt="hi")
            talking.progress("so far")
            talking.process.send_signal(number)
            assert talking.process.wait(PATIENCE_S) == code
            assert talking.process.stderr is not None
            assert talking.process.stderr.read() == b"error: interrupted\n"
        assert held.requests[0].disconnected.wait(PATIENCE_S)
    assert only_call(store_home)["outcome"] == "interrupted"


def test_idle_it_ends_with_its_client(mrt: Command, home: Home) -> None:
    result = mrt("mcp", stdin="")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")


def test_closed_streams_are_a_usage_error(mrt: Command, home: Home) -> None:
    script = f'"{sys.executable}" -m mrt mcp <&- '
    done = subprocess.run(["sh", "-c", script], env=dict(home.environment), capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: stdin or stdout is closed\n")


def test_on_a_terminal_it_says_what_it_waits_for(mrt: Command, home: Home) -> None:
    screen, terminal = pty.openpty()
    try:
        with mrt.start("mcp", stdin=terminal, stdout=terminal) as process:
            assert process.stderr is not None
            said = [process.stderr.readline().decode() for _ in range(2)]
            process.send_signal(signal.SIGINT)
            process.wait(PATIENCE_S)
    finally:
        os.close(screen)
        os.close(terminal)
    assert said[0] == "waiting for a client on stdin, one JSON-RPC message a line; Ctrl-C ends it\n"
    assert "`mrt mcp config claude-code`" in said[1]
