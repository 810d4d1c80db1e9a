"""Retries, and connections that fail, as HTTP clients meet them."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest
from http_kit import ANSWER, STREAM, TEXT, closed_port, error, failure
from rig.asking import PATIENT, World, finish, target
from rig.loopback import Action, ScriptedServer, in_turn
from rig.responses import head, sse
from rig.wire_chat import RAIN

from mrt.providers import Timers

TWICE = replace(PATIENT, retries=2)


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 502, 503, 504, 520, 529])
def test_a_passing_trouble_is_tried_again(status: int) -> None:
    world = World()
    with ScriptedServer({"*": in_turn(error(status), error(status), sse(ANSWER))}) as server:
        reply = finish(world.call(target(server.url), timers=TWICE))
        bodies = [request.json() for request in server.requests]
    assert (reply.text, reply.failure) == (TEXT, None)
    assert world.slept == [0.5, 1.0]
    assert bodies[0] == bodies[1] == bodies[2]
    assert [note.split("; ")[-1] for note in world.notes] == ["trying again in 0.5 s", "trying again in 1.0 s"]


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 405, 413, 422, 501])
def test_a_lasting_trouble_is_not_tried_again(status: int) -> None:
    world = World()
    with ScriptedServer({"*": error(status)}) as server:
        reply = finish(world.call(target(server.url), timers=TWICE))
        assert len(server.requests) == 1
    assert f"not now (HTTP {status})" in failure(reply)[1]
    assert world.slept == []


@pytest.mark.parametrize("retries", [0, 1, 3])
def test_the_number_of_tries_is_limited(retries: int) -> None:
    world = World()
    with ScriptedServer({"*": error(503)}) as server:
        reply = finish(world.call(target(server.url), timers=replace(PATIENT, retries=retries)))
        assert len(server.requests) == retries + 1
    assert failure(reply) == ("overloaded", "not now (HTTP 503)")
    assert world.slept == [0.5, 1.0, 2.0][:retries]


@pytest.mark.parametrize(
    ("headers", "slept"),
    [
        ({"retry-after": "7"}, [7.0]),
        ({"retry-after": "0.25"}, [0.25]),
        ({"Retry-After": "Sun, 04 Oct 2026 12:00:30 GMT"}, [30.0]),
        ({"retry-after-ms": "1500", "retry-after": "9"}, [1.5]),
        ({"llm_provider-retry-after": "60"}, [60.0]),
        ({"retry-after": "120"}, [120.0]),
        ({"retry-after": "0"}, [0.5]),
    ],
    ids=str,
)
def test_the_server_says_how_long_to_wait(headers: dict[str, str], slept: list[float]) -> None:
    world = World()
    with ScriptedServer({"*": in_turn(error(429, **headers), sse(ANSWER))}) as server:
        assert finish(world.call(target(server.url), timers=TWICE)).text == TEXT
    assert world.slept == slept


@pytest.mark.parametrize(
    ("response", "code"),
    [
        (error(429, "You exceeded your current quota"), "quota"),
        (error(402), "quota"),
        (error(500, "This model's maximum context length is 4096 tokens"), "context"),
        (error(500, "model 'x' not found"), "model_not_found"),
        (error(503, **{"x-should-retry": "false"}), "overloaded"),
        (error(429, **{"retry-after": "121"}), "rate_limit"),
        (error(429, **{"retry-after": "86400"}), "rate_limit"),
    ],
    ids=["quota", "payment", "context", "model", "x-should-retry", "two-minutes", "a-day"],
)
def test_waiting_would_not_help(response: list[bytes], code: str) -> None:
    world = World()
    with ScriptedServer({"*": response}) as server:
        reply = finish(world.call(target(server.url), timers=TWICE))
        assert len(server.requests) == 1
    assert failure(reply)[0] == code
    assert world.slept == []


def test_there_is_no_waiting_beyond_the_deadline() -> None:
    world = World()
    with ScriptedServer({"*": error(503, **{"retry-after": "60"})}) as server:
        timers = replace(TWICE, deadline=world.clock() + 30)
        assert failure(finish(world.call(target(server.url), timers=timers)))[0] == "overloaded"
        assert len(server.requests) == 1
    assert world.slept == []


def test_a_deadline_that_has_passed_sends_nothing() -> None:
    world = World()
    with ScriptedServer({"*": sse(ANSWER)}) as server:
        reply = finish(world.call(target(server.url), timers=replace(TWICE, deadline=world.clock() - 1)))
        assert server.requests == []
    assert failure(reply) == ("timeout", "timeout: out of time (--timeout)")


@pytest.mark.parametrize(
    "ending",
    [
        [{"error": {"message": "the worker died", "code": 503}}],
        [],
        ["broken json"],
    ],
    ids=["error", "cut", "broken"],
)
def test_nothing_is_tried_again_after_the_first_token(ending: list[Any]) -> None:
    world = World()
    with ScriptedServer({"*": in_turn(sse([*RAIN, *ending]), sse(ANSWER))}) as server:
        reply = finish(world.call(target(server.url), timers=TWICE))
        assert len(server.requests) == 1
    assert reply.text == TEXT
    assert reply.failure is not None
    assert world.slept == []


def test_a_closed_port_on_this_machine_stays_closed() -> None:
    world = World()
    with closed_port() as port:
        reply = finish(world.call(target(f"http://127.0.0.1:{port}"), timers=TWICE))
    assert failure(reply) == ("unreachable", f"cannot connect to http://127.0.0.1:{port} (connection refused)")
    assert world.slept == []


def refusing(failures: list[Exception]) -> Callable[[str], httpx.Client]:
    """Clients whose requests fail with these exceptions in turn, and then are answered."""

    def answer(_: httpx.Request) -> httpx.Response:
        if failures:
            raise failures.pop(0)
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, content=b"".join(STREAM))

    return lambda _: httpx.Client(transport=httpx.MockTransport(answer))


LOST = httpx.ConnectError("[Errno -2] Name or service not known")


def test_another_machine_may_come_back() -> None:
    world = World(refusing([LOST, LOST]))
    assert finish(world.call(target("http://koala:4000"), timers=TWICE)).text == TEXT
    assert world.slept == [0.5, 1.0]


def test_another_machine_that_stays_away() -> None:
    world = World(refusing([LOST] * 3))
    reply = finish(world.call(target("http://koala:4000"), timers=TWICE))
    assert failure(reply) == ("unreachable", "cannot connect to http://koala:4000 (name or service not known)")
    world = World(refusing([LOST]))
    timers = replace(TWICE, deadline=world.clock() + 0.4)
    assert failure(finish(world.call(target("http://koala:4000"), timers=timers)))[0] == "unreachable"
    assert world.slept == []


@pytest.mark.parametrize(
    ("raised", "code", "message"),
    [
        (httpx.ConnectTimeout("x"), "unreachable", "no connection to http://localhost:1 within 20 s"),
        (httpx.ProxyError("403 Forbidden"), "unreachable", "cannot connect to http://localhost:1 (403 forbidden)"),
        (
            httpx.ReadTimeout("x"),
            "timeout",
            "timeout: http://localhost:1 accepted the request and sent nothing in time",
        ),
        (httpx.WriteError(""), "upstream", "http://localhost:1 closed the connection without an answer"),
        (httpx.UnsupportedProtocol("x"), "config", "endpoint near has no usable url: http://localhost:1"),
        (
            httpx.LocalProtocolError("Illegal header value"),
            "config",
            "the request to endpoint near cannot be sent: illegal header value",
        ),
        (httpx.ConnectError(""), "unreachable", "cannot connect to http://localhost:1 (connecterror)"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_every_way_to_fail_has_its_words(raised: Exception, code: str, message: str) -> None:
    reply = finish(World(refusing([raised])).call(target("http://localhost:1"), timers=TWICE))
    assert failure(reply)[0] == code
    assert failure(reply)[1].lower() == message.lower()


def test_a_machine_that_does_not_accept_connections() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, contextlib.ExitStack() as waiting:
        address = listener.getsockname()
        for _ in range(3):  # fill the queue, so that the kernel drops what comes after
            client = waiting.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(address)
        url = f"http://127.0.0.1:{address[1]}"
        reply = finish(World().call(target(url), timers=replace(TWICE, connect=0.2)))
    assert failure(reply) == ("unreachable", f"no connection to {url} within 0.2 s")


@pytest.mark.parametrize("timers", [Timers(first_token=0.2, retries=2), None], ids=["first-token", "total"])
def test_a_black_hole(timers: Timers | None) -> None:
    world = World()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        timers = timers or Timers(deadline=world.clock() + 0.2, retries=2)
        reply = finish(world.call(target(url), timers=timers))
    assert failure(reply) == ("timeout", f"timeout: {url} accepted the request and sent nothing in time")
    assert world.slept == []


@pytest.mark.parametrize(
    ("response", "code", "words"),
    [
        ([Action.CLOSE], "upstream", "closed the connection without an answer"),
        ([Action.RESET], "upstream", "closed the connection without an answer"),
        ([b"+OK POP3 server ready\r\n\r\n"], "not_an_api", "does not speak HTTP (illegal status line"),
        (
            [b"SSH-2.0-OpenSSH_9.6\r\nInvalid identification.\r\n"],
            "upstream",
            "closed the connection without an answer",
        ),
        ([b"\x15\x03\x01\x00\x02\x02\x46"], "not_an_api", "does not speak HTTP"),
        ([b"HTTP/1.1 200 OK\r\nbad header\r\n\r\n"], "not_an_api", "does not speak HTTP"),
        ([head(204, {})], "upstream", "HTTP 204"),
        ([head(201, {"content-length": "2"}) + b"{}"], "upstream", "HTTP 201"),
        ([head(200, {"content-length": "0"})], "truncated", "truncated"),
        ([head(200, {"content-type": "application/json", "content-length": "0"})], "truncated", "truncated"),
        ([head(500, {"content-length": "99"}) + b"it broke"], "upstream", "it broke (HTTP 500)"),
        ([head(500, {"content-encoding": "gzip", "content-length": "8"}) + b"no gzip!"], "upstream", "HTTP 500"),
    ],
    ids=[
        "close",
        "reset",
        "pop3",
        "ssh",
        "tls",
        "header",
        "204",
        "201",
        "empty",
        "empty-json",
        "cut-error",
        "broken-error",
    ],
)
def test_what_is_no_answer(response: list[Any], code: str, words: str) -> None:
    world = World()
    with ScriptedServer({"*": response}) as server:
        reply = finish(world.call(target(server.url), timers=PATIENT))
        assert len(server.requests) == 1
    assert failure(reply)[0] == code
    assert words.lower() in failure(reply)[1].lower()


def test_tls_to_a_port_that_speaks_plain_http() -> None:
    with ScriptedServer({"*": sse(ANSWER)}) as server:
        url = server.url.replace("http:", "https:")
        reply = finish(World().call(target(url), timers=replace(TWICE, connect=0.2)))
        assert server.requests == []
    assert failure(reply)[0] == "unreachable"


@pytest.mark.parametrize("url", ["ftp://localhost", "localhost:8000", "http://[::1", ""])
def test_an_url_that_is_none(url: str) -> None:
    assert failure(finish(World().call(target(url)))) == ("config", f"endpoint near has no usable url: {url}")
