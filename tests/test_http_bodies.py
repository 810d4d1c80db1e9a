"""Bodies of HTTP replies, and what of the traffic is shown."""

from __future__ import annotations

import gzip
import itertools
import json
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
from http_kit import ANSWER, KEY, STREAM, TEXT, error, failure
from rig.asking import PROMPT, World, canned, finish, target
from rig.loopback import Action, ScriptedServer, Wait
from rig.responses import body_response, gzip_sse, sse
from rig.wire_chat import RAIN

from mrt.domain import Secret


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
