"""What each protocol sends for a request, and what a call adds to the answer it got."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from rig.asking import PATIENT, PROMPT, World, canned, finish, target
from rig.responses import sse_event
from rig.wire_chat import DONE, RAIN, STOP, USAGE, say

from mrt.domain import Message, Request, Secret
from mrt.providers import Timers, protocol
from mrt.providers.estimate import estimate_tokens
from mrt.providers.jsontext import dump, is_json, parse
from mrt.providers.tools import ESCALATE_TOOL

TALK = Request(
    "m",
    (Message("system", "Be brief."), Message("user", "Hi"), Message("assistant", "Hello"), Message("user", "Why?")),
    max_tokens=2000,
)
TURNS = [
    {"role": "user", "content": "Hi"},
    {"role": "assistant", "content": "Hello"},
    {"role": "user", "content": "Why?"},
]
SYSTEM = {"role": "system", "content": "Be brief."}
SCHEMA = {"type": "object", "required": ["größe"]}
EVENTS = {"content-type": "text/event-stream"}


def body(kind: str, **fields: Any) -> dict[str, Any]:
    """The body of `TALK` with these fields changed."""
    found = target("http://localhost", kind)
    return protocol(found).body(replace(TALK, **fields), found)


def test_chat() -> None:
    plain = {
        "model": "m",
        "messages": [SYSTEM, *TURNS],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 2000,
    }
    assert body("chat") == plain
    rich = body(
        "chat",
        temperature=0.0,
        effort="low",
        logprobs=True,
        offer_escalation=True,
        schema=SCHEMA,
        context_length=4096,
        options={"top_p": 0.9, "stream_options": None},
    )
    assert rich == plain | {
        "temperature": 0.0,
        "reasoning_effort": "low",
        "logprobs": True,
        "tools": [ESCALATE_TOOL],
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "answer", "schema": SCHEMA, "strict": True},
        },
        "top_p": 0.9,
        "stream_options": None,
    }


def test_messages() -> None:
    plain = {"model": "m", "messages": TURNS, "stream": True, "max_tokens": 2000, "system": "Be brief."}
    assert body("anthropic") == plain
    assert "system" not in body("anthropic", messages=TALK.messages[1:])
    assert body("anthropic", temperature=0.5, options={"top_k": 5}) == plain | {"temperature": 0.5, "top_k": 5}
    assert body("anthropic", temperature=1.7)["temperature"] == 1.0, "the protocol ends there"


@pytest.mark.parametrize(
    ("effort", "max_tokens", "budget"),
    [
        (None, 2000, None),
        ("low", 2000, 1024),
        ("high", 2000, 1999),
        ("medium", 9000, 4096),
        ("high", 1024, None),
        ("unheard-of", 9000, None),
    ],
)
def test_effort_is_a_budget_below_the_token_limit(effort: str | None, max_tokens: int, budget: int | None) -> None:
    sent = body("anthropic", effort=effort, max_tokens=max_tokens, temperature=0.3)
    assert sent.get("thinking") == ({"type": "enabled", "budget_tokens": budget} if budget else None)
    assert ("temperature" in sent) is (budget is None), "the two exclude each other"


@pytest.mark.parametrize("messages", [TALK.messages, TALK.messages[1:]], ids=["with-system", "without"])
def test_a_schema_is_told_in_words_where_there_is_no_field_for_it(messages: tuple[Message, ...]) -> None:
    system = body("anthropic", schema=SCHEMA, messages=messages)["system"]
    assert system.startswith("Be brief.\n\nAnswer with" if messages[0].role == "system" else "Answer with")
    assert json.loads(system.splitlines()[-1]) == SCHEMA
    assert "größe" in system


def test_ollama() -> None:
    plain = {
        "model": "m",
        "messages": [SYSTEM, *TURNS],
        "stream": True,
        "truncate": False,
        "shift": False,
        "keep_alive": "5m",
        "options": {"num_predict": 2000, "num_ctx": 8192},
    }
    assert body("ollama") == plain
    rich = body(
        "ollama",
        temperature=0.0,
        logprobs=True,
        offer_escalation=True,
        schema=SCHEMA,
        context_length=16384,
        options={"keep_alive": "1h", "think": True, "top_k": 5},
    )
    assert rich == plain | {
        "logprobs": True,
        "tools": [ESCALATE_TOOL],
        "format": SCHEMA,
        "keep_alive": "1h",
        "think": True,
        "options": {"num_predict": 2000, "num_ctx": 16384, "temperature": 0.0, "top_k": 5},
    }


@pytest.mark.parametrize(
    ("kind", "headers"),
    [
        ("chat", {"authorization": "Bearer sk-1"}),
        ("ollama", {"authorization": "Bearer sk-1"}),
        ("anthropic", {"x-api-key": "sk-1", "anthropic-version": "2023-06-01"}),
    ],
)
def test_the_key_goes_into_one_header(kind: str, headers: dict[str, str]) -> None:
    found = target("http://localhost", kind, key=Secret("sk-1"))
    assert protocol(found).headers(found) == headers
    without = replace(found, key=None)
    assert "sk-1" not in str(protocol(without).headers(without))
    assert "sk-1" not in repr(found)


# --- what a call adds


def answer(*events: Any, **fields: Any) -> tuple[World, Any, dict[str, str]]:
    """The reply of a local model to `PROMPT`, and what was learned."""
    world, quirks = World(canned(list(map(sse_event, events)), EVENTS)), dict[str, str]()
    reply = finish(world.call(target("http://localhost", **fields), quirks=quirks))
    return world, reply, quirks


def test_what_was_not_counted_is_estimated() -> None:
    _, reply, _ = answer(*RAIN, STOP, DONE)
    assert (reply.usage.source, reply.usage.output_tokens) == ("estimated", 3)
    assert reply.usage.input_tokens == estimate_tokens("What is the weather?") == 5


def test_what_was_counted_is_not_estimated() -> None:
    _, reply, _ = answer(*RAIN, STOP, USAGE, DONE)
    assert (reply.usage.source, reply.usage.input_tokens, reply.usage.output_tokens) == ("reported", 12, 3)


def test_a_count_of_nothing_beside_text_is_no_count() -> None:
    usage = {"choices": [], "usage": {"prompt_tokens": 12, "completion_tokens": 0}}
    _, reply, _ = answer(*RAIN, STOP, usage, DONE)
    assert (reply.usage.source, reply.usage.input_tokens, reply.usage.output_tokens) == ("estimated", 12, 3)


@pytest.mark.parametrize(("text", "tokens"), [("", 0), ("a", 1), ("abcd", 1), ("abcde", 2), ("€", 1), ("\ud800", 1)])
def test_an_estimate_counts_bytes(text: str, tokens: int) -> None:
    assert estimate_tokens(text) == tokens


def test_a_model_that_starts_in_the_middle_of_its_thoughts_is_remembered() -> None:
    world, reply, quirks = answer(*say("Clouds?", "\n</think>\n\n", "It rains."), STOP, DONE)
    assert (reply.text, reply.reasoning) == ("It rains.", "Clouds?")
    assert world.learned == quirks == {"think": "implicit"}


@pytest.mark.parametrize("think", ["off", "implicit"])
def test_what_the_user_said_of_thinking_is_not_learned_again(think: str) -> None:
    world, _, quirks = answer(*say("Clouds?", "\n</think>\n\n", "It rains."), STOP, DONE, think=think)
    assert world.learned == quirks == {}


def test_a_model_known_to_think_first_shows_nothing_of_it() -> None:
    events = list(map(sse_event, [*say("Clouds? " * 1000, "</think>", "It rains."), STOP, DONE]))
    call = World(canned(events, EVENTS)).call(target("http://localhost"), quirks={"think": "implicit"})
    assert [(delta.kind, delta.text[:9]) for delta in call.deltas()] == [
        ("reasoning", "Clouds? C"),
        ("text", "It rains."),
    ]


def test_a_cost_in_the_body_goes_before_one_in_the_headers() -> None:
    usage = {"choices": [], "usage": {"prompt_tokens": 12, "completion_tokens": 3, "cost": 0.5}}
    parts = list(map(sse_event, [*RAIN, STOP, usage, DONE]))
    headers = EVENTS | {"x-litellm-response-cost": "0.25"}
    assert finish(World(canned(parts, headers)).call(target("http://localhost"))).reported_nano == 500_000_000
    parts = list(map(sse_event, [*RAIN, STOP, DONE]))
    assert finish(World(canned(parts, headers)).call(target("http://localhost"))).reported_nano == 250_000_000


def raising(*parts: bytes, error: Exception) -> Any:
    """A body that ends with an exception of the client's own."""

    def body() -> Iterator[bytes]:
        yield from parts
        raise error

    return canned(body(), EVENTS)


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (httpx.ReadTimeout("x"), "timeout", "timeout: no token for 20 s"),
        (httpx.ReadError(""), "truncated", "truncated: the connection broke in mid-answer (ReadError)"),
        (httpx.DecodingError("x"), "protocol", "protocol: the compressed body is broken"),
        (httpx.StreamClosed(), "truncated", "truncated: the connection broke in mid-answer"),
    ],
    ids=["timeout", "reset", "decoding", "closed"],
)
def test_a_body_that_breaks_off_keeps_what_came(error: Exception, code: str, message: str) -> None:
    reply = finish(World(raising(*map(sse_event, RAIN), error=error)).call(target("http://localhost")))
    assert reply.text == "It rains."
    assert reply.failure is not None
    assert reply.failure.code == code
    assert reply.failure.message.startswith(message)


def test_an_orderly_end_after_the_deadline_is_a_timeout() -> None:
    world = World()

    def body() -> Iterator[bytes]:
        yield from map(sse_event, RAIN)
        world.slept.append(1000.0)

    world.client = canned(body(), EVENTS)
    reply = finish(world.call(target("http://localhost"), timers=Timers(deadline=world.clock() + 60)))
    assert reply.text == "It rains."
    assert reply.failure is not None
    assert reply.failure.message == "timeout: out of time (--timeout)"


def test_what_comes_after_the_deadline_is_not_taken() -> None:
    world = World()

    def body() -> Iterator[bytes]:
        yield sse_event(RAIN[0])
        world.slept.append(1000.0)
        yield sse_event(RAIN[1])

    world.client = canned(body(), EVENTS)
    reply = finish(world.call(target("http://localhost"), timers=Timers(deadline=world.clock() + 60)))
    assert reply.text == "It"
    assert reply.failure is not None
    assert reply.failure.code == "timeout"


def test_a_refusal_as_finish_reason() -> None:
    stop = {"choices": [{"delta": {}, "finish_reason": "refusal"}]}
    _, reply, _ = answer(*RAIN, stop, DONE)
    assert reply.failure is not None
    assert reply.failure.code == "refusal"


def test_an_error_event_of_the_messages_api_may_come_unnamed() -> None:
    parts = [b'data: {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}\n\n']
    reply = finish(World(canned(parts, EVENTS)).call(target("http://localhost", "anthropic"), PROMPT, PATIENT))
    assert reply.failure is not None
    assert (reply.failure.code, reply.failure.message) == ("overloaded", "Overloaded")


def test_json_that_is_too_deep_is_broken_and_never_a_crash() -> None:
    deep = "[" * 100_000 + "]" * 100_000
    assert not is_json(deep)
    with pytest.raises(ValueError, match="deep"):
        parse(deep)
    nested: list[Any] = []
    for _ in range(100_000):
        nested = [nested]
    assert is_json(dump(nested))
    while nested:  # taken apart by hand: freeing it at once would recurse as deep
        nested = nested[0]
