"""Every wire case, read by the layer it is about; and every conversation among them, served and read over HTTP."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from rig.asking import World, canned, finish, target
from rig.expectation import Expectation, differences
from rig.loopback import ScriptedServer
from rig.responses import pieces, sse_event
from rig.wire_case import SseEvent, SseExpectation, ThinkExpectation, WireCase
from rig.wire_cases import ANSWER_CASES, WIRE_CASES, protocol, response

from mrt.providers import anthropic, chat, heal, ollama, retry
from mrt.providers.assembly import Assembly
from mrt.providers.ndjson import NdjsonDecoder
from mrt.providers.sse import SseDecoder
from mrt.providers.think import ThinkSplitter

SIZES = (1, 3, 7)


def of_layer(*layers: str) -> Any:
    """The cases of these layers, as parameters."""
    cases = [case for case in WIRE_CASES if case.layer in layers]
    return pytest.mark.parametrize("case", cases, ids=[case.id for case in cases])


def read_sse(chunks: Iterable[bytes]) -> SseExpectation:
    """What the decoder makes of these chunks."""
    decoder = SseDecoder()
    events = [event for chunk in chunks for event in decoder.feed(chunk)] + decoder.finish()
    return SseExpectation(tuple(SseEvent(*event) for event in events), decoder.cut, decoder.retry_ms)


@of_layer("sse")
def test_events_are_decoded(case: WireCase) -> None:
    assert read_sse(case.given) == case.expect


@of_layer("sse")
@pytest.mark.parametrize("size", SIZES)
def test_events_do_not_depend_on_where_the_bytes_are_cut(case: WireCase, size: int) -> None:
    assert read_sse(pieces(b"".join(case.given), size)) == case.expect


def read_thinking(parts: Iterable[str], given: Any) -> ThinkExpectation:
    """Text and reasoning as a reader ends up with them."""
    splitter = ThinkSplitter(given.mode, given.hold)
    text = reasoning = ""
    for kind, piece in [piece for part in parts for piece in splitter.feed(part)] + splitter.finish():
        if kind == "retract":
            text, reasoning = "", reasoning + text
        elif kind == "text":
            text += piece
        else:
            reasoning += piece
    return ThinkExpectation(text.strip(), reasoning.strip())


@of_layer("think")
def test_thinking_is_split_from_the_answer(case: WireCase) -> None:
    assert read_thinking(case.given.parts, case.given) == case.expect


@of_layer("think")
@pytest.mark.parametrize("size", SIZES)
def test_thinking_does_not_depend_on_where_the_text_is_cut(case: WireCase, size: int) -> None:
    text = "".join(case.given.parts)
    parts = [text[start : start + size] for start in range(0, len(text), size)]
    assert read_thinking(parts, case.given) == case.expect


@of_layer("retry_after")
def test_the_wish_to_wait_is_read(case: WireCase) -> None:
    assert retry.retry_after(case.given.headers, case.given.now) == case.expect


@of_layer("heal")
def test_a_rejected_field_is_found(case: WireCase) -> None:
    given = case.given
    assert heal.heal(given.status, given.evidence, given.sent, {}) == case.expect


@of_layer("heal")
def test_nothing_is_mended_twice(case: WireCase) -> None:
    given = case.given
    assert heal.heal(given.status, given.evidence, given.sent, case.expect or {}) is None


def stream_bytes(case: WireCase) -> bytes:
    """The body of a streamed case."""
    if case.layer == "ollama":
        return b"".join(case.given)
    return b"".join(map(event_bytes, case.given))


def event_bytes(event: Any) -> bytes:
    """One event; those of the Messages API carry their type as their name."""
    name = event.get("type") if isinstance(event, dict) and "choices" not in event else None
    return (f"event: {name}\n".encode() if name else b"") + sse_event(event)


def assemble(case: WireCase, chunks: Iterable[bytes]) -> dict[str, Any]:
    """How the reply put together by decoder and protocol differs from what the case expects."""
    speaker: Any = {"chat": chat, "anthropic": anthropic, "ollama": ollama}[case.layer]
    decoder = NdjsonDecoder() if case.layer == "ollama" else SseDecoder()
    assembly = Assembly(ThinkSplitter("auto", 4000))

    def events() -> Iterator[Any]:
        for chunk in chunks:
            yield from decoder.feed(chunk)
        yield from decoder.finish()

    for event in events():
        speaker.read_event(assembly, event)
    assembly.close()
    return differences(assembly.reply(), case.expect)


@of_layer("chat", "anthropic", "ollama")
@pytest.mark.parametrize("size", [None, *SIZES])
def test_a_stream_is_put_together(case: WireCase, size: int | None) -> None:
    body = stream_bytes(case)
    assert assemble(case, [body] if size is None else pieces(body, size)) == {}


@pytest.mark.parametrize("case", ANSWER_CASES, ids=[case.id for case in ANSWER_CASES])
@pytest.mark.parametrize("local", [True, False], ids=["local", "cloud"])
def test_an_answer_is_read_over_http(case: WireCase, local: bool) -> None:
    with ScriptedServer({"*": response(case)}) as server:
        reply = finish(World().call(target(server.url, protocol(case), local=local)))
    assert differences(reply, case.expect) == {}


TYPES = {"ollama": "application/x-ndjson"}


@of_layer("chat", "anthropic", "ollama")
@pytest.mark.parametrize("size", SIZES)
def test_an_answer_does_not_depend_on_where_the_bytes_are_cut(case: WireCase, size: int) -> None:
    kind = {"content-type": TYPES.get(case.layer, "text/event-stream")}
    world = World(canned(pieces(stream_bytes(case), size), kind))
    reply = finish(world.call(target("http://localhost", case.layer)))
    assert differences(reply, case.expect) == {}


def test_every_layer_has_cases() -> None:
    layers = {case.layer for case in WIRE_CASES}
    assert layers == {"sse", "chat", "anthropic", "ollama", "think", "http", "connection", "retry_after", "heal"}
    assert all(isinstance(case.expect, Expectation) for case in ANSWER_CASES)
