"""The timers of a call: to the first token, between tokens, after the finish, and for the whole run."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from rig.asking import PATIENT, World, canned, finish, target
from rig.loopback import Action, ScriptedServer, Step, Wait
from rig.responses import chunk, head, sse_event
from rig.wire_chat import RAIN, STOP, USAGE

from mrt.providers import Timers
from mrt.providers.watchdog import Socket, Watchdog

NEVER = threading.Event()
STREAM_HEAD = head(200, {"content-type": "text/event-stream", "transfer-encoding": "chunked"})
PING = chunk(b": keep-alive\n\n")
RAINS = [chunk(sse_event(event)) for event in RAIN]


def drip(piece: bytes, milliseconds: int = 20) -> Iterator[Step]:
    """The same piece again and again, until the client leaves."""
    for _ in range(2000):
        yield piece
        yield Wait(NEVER, milliseconds / 1000)


def serve(*steps: Any) -> Any:
    """A route that sends these steps; those that are iterators are made anew for each request."""

    def answer(_: Any) -> Any:
        return itertools.chain.from_iterable(step() if callable(step) else [step] for step in steps)

    return answer


def pings() -> Iterator[Step]:
    return drip(PING)


SPACES = head(200, {"content-type": "application/json", "transfer-encoding": "chunked"})


@pytest.mark.parametrize(
    ("steps", "timers", "text", "message"),
    [
        ([STREAM_HEAD, Action.HOLD], Timers(first_token=0.2), "", "timeout: no token for 0.2 s"),
        ([STREAM_HEAD, pings], Timers(first_token=0.2), "", "timeout: no token for 0.2 s"),
        ([STREAM_HEAD, *RAINS, Action.HOLD], Timers(idle=0.25), "It rains.", "timeout: no token for 0.25 s"),
        ([STREAM_HEAD, *RAINS, pings], Timers(idle=0.25), "It rains.", "timeout: no token for 0.25 s"),
        (
            [STREAM_HEAD, RAINS[0], Wait(NEVER, 0.4), RAINS[1], Action.HOLD],
            Timers(first_token=0.2, idle=0.6),
            "It rains.",
            "timeout: no token for 0.6 s",
        ),
        (
            [SPACES, lambda: drip(chunk(b" "))],
            Timers(first_token=0.2),
            "",
            "timeout: no token for 0.2 s",
        ),
        (
            [SPACES, chunk(b'{"choices":['), lambda: drip(chunk(b" "))],
            Timers(first_token=0.2),
            "",
            "timeout: no token for 0.2 s",
        ),
        (
            [head(200, {"content-type": "application/x-ndjson"}), b'{"half', Action.HOLD],
            Timers(first_token=0.2),
            "",
            "timeout: no token for 0.2 s",
        ),
        ([b"HTTP/1.1 200 OK\r\n", lambda: drip(b"x: y\r\n")], Timers(first_token=0.2), "", "sent nothing in time"),
    ],
    ids=[
        "silent",
        "only-comments",
        "stopped",
        "stopped-but-comments",
        "idle-is-longer",
        "white-space",
        "json-drips",
        "half-a-line",
        "headers-drip",
    ],
)
def test_a_server_that_makes_no_progress(steps: list[Any], timers: Timers, text: str, message: str) -> None:
    world = World()
    with ScriptedServer({"*": serve(*steps)}) as server:
        reply = finish(world.call(target(server.url), timers=timers))
        assert server.requests[0].disconnected.wait(10)
    assert reply.text == text
    assert reply.failure is not None
    assert reply.failure.code == "timeout"
    assert message in reply.failure.message
    assert len(server.requests) == 1, "a timeout is not tried again: the first request may still cost money"


def test_the_timeout_between_tokens_has_a_hint() -> None:
    with ScriptedServer({"*": [STREAM_HEAD, *RAINS, Action.HOLD]}) as server:
        reply = finish(World().call(target(server.url), timers=Timers(idle=0.1)))
    assert reply.failure is not None
    assert reply.failure.hint == "raise --idle-timeout if the model is only slow"


def failing(piece: bytes) -> Any:
    """A 500 whose body drips."""
    return serve(head(500, {"content-type": "text/plain", "transfer-encoding": "chunked"}), lambda: drip(piece))


@pytest.mark.parametrize(
    ("route", "text"),
    [
        (serve(STREAM_HEAD, pings), ""),
        (serve(STREAM_HEAD, *RAINS, pings), "It rains."),
        (serve(STREAM_HEAD, lambda: drip(RAINS[0])), "It"),
        (serve(SPACES, lambda: drip(chunk(b" "))), ""),
        (serve(b"HTTP/1.1 200 OK\r\n", lambda: drip(b"x: y\r\n")), ""),
        (failing(chunk(b"x")), ""),
    ],
    ids=["comments", "comments-after-text", "text", "white-space", "headers", "failure"],
)
def test_the_deadline_holds_to_a_fraction_of_a_second(route: Any, text: str) -> None:
    world, started = World(), time.monotonic()
    with ScriptedServer({"*": route}) as server:
        reply = finish(world.call(target(server.url), timers=replace(PATIENT, deadline=world.clock() + 0.3)))
        passed = time.monotonic() - started
        assert server.requests[0].disconnected.wait(10)
    assert reply.text.startswith(text)
    assert reply.failure is not None
    assert 0.25 < passed < 1.0


def test_the_deadline_says_so() -> None:
    world = World()
    with ScriptedServer({"*": serve(STREAM_HEAD, *RAINS, pings)}) as server:
        reply = finish(world.call(target(server.url), timers=replace(PATIENT, deadline=world.clock() + 0.2)))
    assert reply.failure is not None
    assert (reply.failure.code, reply.failure.message) == ("timeout", "timeout: out of time (--timeout)")


@pytest.mark.parametrize("events", [[STOP], [STOP, USAGE]], ids=["finish", "finish-and-usage"])
def test_after_the_finish_keep_alives_do_not_prolong_an_answer(events: list[Any]) -> None:
    steps = serve(STREAM_HEAD, *RAINS, *(chunk(sse_event(event)) for event in events), pings)
    started = time.monotonic()
    with ScriptedServer({"*": steps}) as server:
        reply = finish(World().call(target(server.url)))
    assert (reply.text, reply.failure) == ("It rains.", None)
    assert time.monotonic() - started < 4


def test_reasoning_is_progress() -> None:
    thoughts = chunk(sse_event({"choices": [{"delta": {"reasoning_content": "Hm. "}}]}))
    steps: list[Any] = [STREAM_HEAD]
    for _ in range(6):
        steps += [thoughts, Wait(NEVER, 0.1)]
    steps += [chunk(sse_event(event)) for event in (*RAIN, STOP, "[DONE]")]
    with ScriptedServer({"*": steps}) as server:
        reply = finish(World().call(target(server.url), timers=Timers(first_token=0.4, idle=0.4)))
    assert (reply.text, reply.reasoning, reply.failure) == ("It rains.", "Hm. " * 6, None)


def test_a_head_held_back_is_shown_after_a_moment() -> None:
    """Text may turn out to be reasoning, but nobody waits long for that."""
    steps: list[Any] = [STREAM_HEAD]
    for _ in range(20):
        steps += [chunk(sse_event({"choices": [{"delta": {"content": "word "}}]})), Wait(NEVER, 0.03)]
    with ScriptedServer({"*": [*steps, Action.HOLD]}) as server:
        deltas = World().call(target(server.url)).deltas()
        shown = next(deltas).text
        assert server.requests[0].disconnected.is_set() is False
        deltas.close()
    assert "word" in shown
    assert len(shown) < 20 * len("word ")


def test_times_are_measured() -> None:
    steps = [STREAM_HEAD, RAINS[0], Wait(NEVER, 0.1), RAINS[1], *(chunk(sse_event(e)) for e in (STOP, USAGE, "[DONE]"))]
    timings = []
    for _ in range(10):
        with ScriptedServer({"*": steps}) as server:
            timing = finish(World().call(target(server.url))).timing
        assert timing.ttft_ms is not None
        assert timing.ttft_ms <= timing.total_ms
        assert 100 <= timing.total_ms < 5000
        timings.append(timing)
        if timing.ttft_ms + 90 <= timing.total_ms:
            return
    # A busy machine may read the first chunk late, but not time after time.
    raise AssertionError(f"the first token is never told apart from the last: {timings}")


@pytest.mark.parametrize("tokens", [10**12, 10**400], ids=["many", "absurd"])
def test_absurd_counts_do_not_break_the_figures(tokens: int) -> None:
    usage = {"choices": [], "usage": {"prompt_tokens": tokens, "completion_tokens": tokens}}
    body = [sse_event(event) for event in (*RAIN, STOP, usage, "[DONE]")]
    reply = finish(World(canned(body, {"content-type": "text/event-stream"})).call(target("http://localhost")))
    assert (reply.text, reply.failure) == ("It rains.", None)
    assert reply.usage.source == ("reported" if tokens == 10**12 else "estimated")


# --- the watchdog itself


class Abort(threading.Event):
    """Remembers that it was called."""

    def __call__(self) -> None:
        self.set()


def test_an_earlier_limit_wakes_the_watchdog() -> None:
    now, abort = [0.0], Abort()
    with Watchdog(lambda: now[0], None, abort) as watchdog:
        watchdog.expect(100)
        assert not watchdog.expired
        now[0] = 5.0
        watchdog.expect(-1)
        assert abort.wait(10)
        assert watchdog.expired
        assert not watchdog.out_of_time


def test_a_later_limit_replaces_an_earlier_one() -> None:
    now, abort = [0.0], Abort()
    with Watchdog(lambda: now[0], 50.0, abort) as watchdog:
        watchdog.expect(10)
        now[0] = 9.0
        watchdog.expect(10)
        now[0] = 18.0
        assert not watchdog.expired
        now[0] = 50.0
        assert watchdog.out_of_time
    assert not abort.is_set()


def test_a_socket_that_is_not_there_can_be_closed() -> None:
    connection = Socket()
    connection.close()
    connection.watch("connection.connect_tcp.started", {})
    connection.close()
