"""From a request to the first byte of its answer: retries, redirects, proxies, and connections that lead nowhere."""

from __future__ import annotations

import contextlib
import gzip
import itertools
import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from rig.asking import PATIENT, PROMPT, World, canned, finish, target
from rig.loopback import Action, ScriptedServer, Wait, in_turn
from rig.responses import body_response, gzip_sse, head, json_response, redirect, sse
from rig.wire_chat import DONE, RAIN, ROLE, STOP, USAGE

from mrt.domain import Reply, Secret
from mrt.errors import UpstreamError
from mrt.providers import Timers, is_loopback, open_client

ANSWER = [ROLE, *RAIN, STOP, USAGE, DONE]
TEXT = "It rains."
TWICE = replace(PATIENT, retries=2)
KEY = "sk-very-secret"


def error(status: int, message: str = "not now", **headers: str) -> list[bytes]:
    """A failure of the OpenAI kind."""
    return json_response(status, {"error": {"message": message}}, headers)


def failure(reply: Reply) -> tuple[str, str]:
    """Code and message of the failure."""
    assert reply.failure is not None
    return reply.failure.code, reply.failure.message


@contextlib.contextmanager
def closed_port() -> Iterator[int]:
    """A port on which nobody listens, as long as the block runs."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


# --- retries


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


# --- connections


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


STREAM = sse(ANSWER, chunked=False)[1:]
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


# --- bodies


@pytest.mark.parametrize(
    ("response", "text"),
    [
        (gzip_sse(ANSWER), TEXT),
        (body_response(200, gzip.compress(b"".join(STREAM)), "text/plain", {"content-encoding": "gzip"}), TEXT),
        (body_response(200, b"".join(STREAM), ""), TEXT),
        (body_response(200, b"\n\n \r\n" + b"".join(STREAM), "application/octet-stream"), TEXT),
        (body_response(200, b"\n\n\n" + b'{"choices":[{"message":{"content":"It rains."}}]}', "text/plain"), TEXT),
    ],
    ids=["gzip-stream", "gzip-body", "no-type", "other-type", "json-as-text"],
)
def test_bodies_of_every_kind(response: list[bytes], text: str) -> None:
    with ScriptedServer({"*": response}) as server:
        reply = finish(World().call(target(server.url)))
    assert (reply.text, reply.failure) == (text, None)


EVENT_STREAM = {"content-type": "text/event-stream"}
BIG = b'data: {"choices":[{"delta":{"content":"' + b"x" * 2**20 + b'"}}]}\n\n'


@pytest.mark.parametrize(
    ("protocol", "kind", "parts", "words"),
    [
        (
            "chat",
            "text/event-stream",
            itertools.chain([b"data: "], itertools.repeat(b"x" * 2**18)),
            "line longer than 16",
        ),
        ("chat", "text/event-stream", itertools.repeat(b"data: " + b"x" * 2**18 + b"\n"), "event longer than 16 MiB"),
        ("ollama", "application/x-ndjson", itertools.repeat(b"{" * 2**18), "line longer than 16 MiB"),
        ("chat", "text/event-stream", itertools.repeat(BIG), "answer is larger than 64 MiB"),
        (
            "chat",
            "application/json",
            itertools.chain([b"["], itertools.repeat(b"1," * 2**19)),
            "answer is larger than 64",
        ),
    ],
    ids=["line", "event", "json-line", "text", "json"],
)
def test_nothing_grows_for_ever(protocol: str, kind: str, parts: Iterator[bytes], words: str) -> None:
    world = World(canned(parts, {"content-type": kind}))
    reply = finish(world.call(target("http://localhost", protocol, think="off")))
    assert failure(reply)[0] == "protocol"
    assert words in failure(reply)[1]


def test_an_endless_failure_is_read_up_to_a_limit() -> None:
    read = itertools.count()
    parts = (b"x" * 2**16 for _ in read)
    reply = finish(World(canned(parts, {}, 500)).call(target("http://localhost")))
    code, message = failure(reply)
    assert code == "upstream"
    assert message.startswith("xxx")
    assert len(message) < 3000
    assert next(read) == 16  # 1 MiB in pieces of 64 KiB


def test_text_before_an_overlong_line_counts() -> None:
    parts = itertools.chain(STREAM[:3], itertools.repeat(b"x" * 2**20))
    reply = finish(World(canned(parts, EVENT_STREAM)).call(target("http://localhost")))
    assert reply.text == TEXT
    assert failure(reply)[0] == "protocol"


# --- redirects


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_on_the_same_server_is_followed_with_the_key(status: int) -> None:
    routes = {"/v1/chat/completions": redirect("/elsewhere", status), "/elsewhere": sse(ANSWER)}
    with ScriptedServer(routes) as server:
        reply = finish(World().call(target(server.url, key=Secret(KEY))))
        sent = [(request.method, request.headers["authorization"], request.body) for request in server.requests]
    assert reply.text == TEXT
    assert sent == [("POST", f"Bearer {KEY}", server.requests[0].body)] * 2


@pytest.mark.parametrize("protocol", ["chat", "anthropic", "ollama"])
@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1:{port}/",
        "http://127.0.0.1:{port}@localhost:{port}/x",
        "//127.0.0.1:{port}/v1/chat/completions",
    ],
)
def test_a_redirect_elsewhere_gets_neither_key_nor_prompt(location: str, protocol: str) -> None:
    with ScriptedServer({"*": sse(ANSWER)}) as thief:
        with ScriptedServer({"*": redirect(location.format(port=thief.port))}) as server:
            reply = finish(World().call(target(server.url, protocol, key=Secret(KEY))))
        assert thief.requests == []
    code, message = failure(reply)
    assert code == "upstream"
    assert "neither key nor prompt goes there" in message
    assert reply.failure is not None
    assert reply.failure.hint == "if that is right, set the url of endpoint near to it"


@pytest.mark.parametrize("location", ["https://127.0.0.1:{port}/", "http://localhost:{port}/", "http://127.0.0.1/"])
def test_another_scheme_host_or_port_is_elsewhere(location: str) -> None:
    with ScriptedServer() as server:
        server.routes["*"] = redirect(location.format(port=server.port))
        reply = finish(World().call(target(server.url, key=Secret(KEY))))
        assert len(server.requests) == 1
    assert "another host" in failure(reply)[1]


@pytest.mark.parametrize("location", ["http://[", "http://127.0.0.1:99999999/", "http://127.0.0.1:x/"])
def test_a_redirect_to_no_address(location: str) -> None:
    with ScriptedServer({"*": redirect(location)}) as server:
        reply = finish(World().call(target(server.url)))
    assert isinstance(reply.failure, UpstreamError)


@pytest.mark.parametrize("response", [redirect("/v1/chat/completions"), [head(307, {"content-length": "0"})]])
def test_a_redirect_in_a_circle(response: list[bytes]) -> None:
    with ScriptedServer({"*": response}) as server:
        reply = finish(World().call(target(server.url)))
        assert len(server.requests) == 4
    assert failure(reply) == ("upstream", f"{server.url} redirects in a circle")


# --- proxies


@pytest.fixture
def proxies(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Sets every proxy variable to one address."""

    def everywhere(url: str) -> None:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, url)
            monkeypatch.setenv(name.lower(), url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)

    return everywhere


def test_this_machine_is_reached_without_a_proxy(proxies: Callable[[str], None]) -> None:
    with closed_port() as port, ScriptedServer({"*": sse(ANSWER)}) as server:
        proxies(f"http://127.0.0.1:{port}")
        assert finish(World().call(target(server.url))).text == TEXT


def test_other_machines_are_reached_through_the_proxy(proxies: Callable[[str], None]) -> None:
    with ScriptedServer({"*": sse(ANSWER)}) as proxy:
        proxies(proxy.url)
        assert finish(World().call(target("http://koala.invalid"))).text == TEXT
        assert proxy.requests[0].path == "http://koala.invalid/v1/chat/completions"


def test_a_proxy_that_cannot_be_used(proxies: Callable[[str], None]) -> None:
    proxies("gopher://127.0.0.1:70")
    code, message = failure(finish(World().call(target("http://koala.invalid"))))
    assert code == "config"
    assert message.startswith("the environment's proxy or certificates cannot be used")


def test_certificates_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/certificates.pem")
    assert failure(finish(World().call(target("https://koala.invalid"))))[0] == "config"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://localhost:1", True),
        ("http://LOCALHOST", True),
        ("http://127.0.0.1:11434/v1", True),
        ("http://127.1.2.3", True),
        ("http://[::1]:8080", True),
        ("http://0.0.0.0:8080", True),
        ("http://models.localhost", True),
        ("http://127.0.0.1.example.org", False),
        ("http://127.example.org", False),
        ("http://localhost.example.org", False),
        ("http://192.168.1.7", False),
        ("http://user:localhost@koala", False),
        ("http://[::1", False),
        ("", False),
    ],
)
def test_what_is_on_this_machine(url: str, expected: bool) -> None:
    assert is_loopback(url) is expected


def test_plain_http_needs_no_certificates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/certificates.pem")
    with open_client("http://127.0.0.1") as client:
        assert not client.follow_redirects


# --- what is shown


@pytest.mark.parametrize("protocol", ["chat", "anthropic", "ollama"])
def test_the_trace_shows_everything_but_the_key(protocol: str) -> None:
    world = World()
    with ScriptedServer({"*": error(401, **{"set-cookie": "session=secret"})}) as server:
        finish(world.call(target(server.url, protocol, key=Secret(KEY))))
        assert KEY in str(server.requests[0].headers)
    shown = "\n".join(world.traced)
    assert f"> POST {server.url}/" in shown
    assert "What is the weather?" in shown
    assert "< HTTP 401" in shown
    assert "***" in shown
    assert not any(word in shown for word in (KEY, "session=secret"))


def test_the_trace_hides_a_password_in_the_url() -> None:
    world = World()
    with ScriptedServer({"*": sse(ANSWER)}) as server:
        finish(world.call(target(server.url.replace("http://", "http://user:password@"))))
        assert server.requests[0].headers["authorization"].startswith("Basic ")
    assert f"> POST {server.url}/v1/chat/completions" in world.traced
    assert "password" not in str(world.traced)


def test_a_refused_key_comes_with_the_hint_where_it_is_from() -> None:
    with ScriptedServer({"*": error(401)}) as server:
        reply = finish(World().call(target(server.url, key_hint="export NEAR_API_KEY=...")))
    assert reply.failure is not None
    assert (reply.failure.code, reply.failure.hint) == ("auth", "export NEAR_API_KEY=...")


def test_closing_the_generator_closes_the_connection() -> None:
    with ScriptedServer({"*": [*sse(RAIN, finish=False), Action.HOLD]}) as server:
        call = World().call(target(server.url, think="off"))
        deltas = call.deltas()
        assert next(deltas).text == "It"
        assert call.began
        deltas.close()
        assert server.requests[0].disconnected.wait(10)
        assert call.reply().text.startswith("It")
        assert not call.reply().complete


def test_an_interrupt_in_the_reader_closes_the_connection() -> None:
    with ScriptedServer({"*": [*sse(RAIN, finish=False), Action.HOLD]}) as server:
        deltas = World().call(target(server.url, think="off")).deltas()
        next(deltas)
        with pytest.raises(KeyboardInterrupt):
            deltas.throw(KeyboardInterrupt())
        assert server.requests[0].disconnected.wait(10)


def test_deltas_come_as_they_are_sent() -> None:
    go_on = threading.Event()

    first, second, third, *others = sse(ANSWER)
    with ScriptedServer({"*": [first, second, third, Wait(go_on), *others]}) as server:
        deltas = World().call(target(server.url, think="off", local=False)).deltas()
        assert next(deltas).text == "It"
        go_on.set()
        assert "".join(delta.text for delta in deltas) == " rains."


def test_a_reply_before_anything_came_is_no_answer() -> None:
    reply = World().call(target("http://localhost:1")).reply()
    assert failure(reply)[0] == "truncated"
    assert reply.timing.ttft_ms is None


def test_what_a_request_looks_like() -> None:
    with ScriptedServer({"*": sse(ANSWER)}) as server:
        finish(World().call(target(server.url, key=Secret(KEY)), replace(PROMPT, options={"seed": 7})))
        request = server.requests[0]
    assert (request.method, request.path) == ("POST", "/v1/chat/completions")
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"] == "mrt"
    assert request.json() == {
        "model": "m",
        "messages": [{"role": "user", "content": "What is the weather?"}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 100,
        "seed": 7,
    }


def test_lone_surrogates_can_be_sent() -> None:
    with ScriptedServer({"*": sse(ANSWER)}) as server:
        message = replace(PROMPT.messages[0], content="odd \ud800 text")
        finish(World().call(target(server.url), replace(PROMPT, messages=(message,))))
        assert json.loads(server.requests[0].body)["messages"][0]["content"] == "odd ? text"
