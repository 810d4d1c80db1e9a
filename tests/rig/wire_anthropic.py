"""Wire cases: streams of the Messages protocol."""

from __future__ import annotations

from typing import Any

from rig.expectation import Expectation
from rig.wire_case import WireCase, answered

Event = dict[str, Any] | bytes


def start(model: str = "m", **usage: int | None) -> Event:
    """message_start with this usage; `output_tokens` is a placeholder there."""
    counts = {"input_tokens": 14, "output_tokens": 1, **usage}
    message: dict[str, Any] = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "content": [],
        "model": model,
        "stop_reason": None,
    }
    return {"type": "message_start", "message": {**message, "usage": counts}}


def block(index: int, kind: str, **fields: Any) -> Event:
    return {"type": "content_block_start", "index": index, "content_block": {"type": kind, **fields}}


def delta(index: int, kind: str, **fields: Any) -> Event:
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, **fields}}


def say(*words: str, index: int = 0) -> list[Event]:
    """A whole block of text."""
    return [block(index, "text", text=""), *(delta(index, "text_delta", text=word) for word in words), closed(index)]


def closed(index: int) -> Event:
    return {"type": "content_block_stop", "index": index}


def end(reason: str | None = "end_turn", usage: dict[str, Any] | None = None, **details: Any) -> list[Event]:
    """message_delta and message_stop."""
    told = {
        "type": "message_delta",
        "delta": {"stop_reason": reason, "stop_sequence": None, **details},
        "usage": usage or {"output_tokens": 5},
    }
    return [told, {"type": "message_stop"}]


def _case(name: str, events: list[Event], expect: Expectation, why: str = "") -> WireCase:
    return answered(name, "anthropic", events, expect, why)


SNOW = say("Snow", " falls.")
TOLD = Expectation("Snow falls.", "end_turn", 14, 5, 0)
WEIGHED = Expectation("Snow falls.", "end_turn", 14, 5, 0, reasoning="Cold?")

_WHOLE = (
    _case("plain", [start(), *SNOW, *end()], TOLD, "the placeholder of 1 output token is replaced, not added"),
    _case("pings", [{"type": "ping"}, start(), {"type": "ping"}, *SNOW, {"type": "ping"}, *end()], TOLD),
    _case(
        "cached",
        [start(input_tokens=4, cache_read_input_tokens=900, cache_creation_input_tokens=96), *SNOW, *end()],
        Expectation("Snow falls.", "end_turn", 1000, 5, 900),
        "input is fresh, written and read tokens together",
    ),
    _case(
        "cache-counts-null",
        [start(cache_read_input_tokens=None, cache_creation_input_tokens=None), *SNOW, *end()],
        TOLD,
    ),
    _case(
        "input-corrected-at-the-end",
        [start(), *SNOW, *end(usage={"input_tokens": 20, "cache_read_input_tokens": 80, "output_tokens": 5})],
        Expectation("Snow falls.", "end_turn", 100, 5, 80),
        "usage of message_delta is cumulative and replaces",
    ),
    _case(
        "input-only-at-the-end",
        [
            start(input_tokens=0, output_tokens=0, cache_read_input_tokens=0, cache_creation_input_tokens=0),
            *SNOW,
            *end(usage={"input_tokens": 14, "output_tokens": 5}),
        ],
        TOLD,
        "LiteLLM starts with zeros",
    ),
    _case(
        "output-counted-twice",
        [start(), *SNOW, {"type": "message_delta", "delta": {}, "usage": {"output_tokens": 3}}, *end()],
        TOLD,
    ),
    _case(
        "thinking",
        [
            start(),
            block(0, "thinking", thinking="", signature=""),
            delta(0, "thinking_delta", thinking="Co"),
            delta(0, "thinking_delta", thinking="ld?"),
            delta(0, "signature_delta", signature="c2ln"),
            closed(0),
            *say("Snow falls.", index=1),
            *end(),
        ],
        WEIGHED,
    ),
    _case(
        "redacted-thinking",
        [start(), block(0, "redacted_thinking", data="eHg="), closed(0), *say("Snow falls.", index=1), *end()],
        TOLD,
    ),
    _case("two-blocks-of-text", [start(), *say("Snow"), *say(" falls.", index=1), *end()], TOLD),
    _case(
        "text-in-the-block-start",
        [start(), block(0, "text", text="Snow"), delta(0, "text_delta", text=" falls."), closed(0), *end()],
        TOLD,
    ),
    _case(
        "citations",
        [
            start(),
            block(0, "text", text=""),
            delta(0, "text_delta", text="Snow falls."),
            delta(0, "citations_delta", citation={"cited_text": "x"}),
            closed(0),
            *end(),
        ],
        TOLD,
    ),
    _case(
        "unknown-event",
        [start(), {"type": "weather_report", "wind": 3}, *SNOW, *end()],
        TOLD,
        "new kinds may appear at any time",
    ),
    _case(
        "unknown-delta",
        [
            start(),
            block(0, "text", text=""),
            delta(0, "wind_delta", wind=3),
            delta(0, "text_delta", text="Snow falls."),
            closed(0),
            *end(),
        ],
        TOLD,
    ),
    _case(
        "unknown-block",
        [start(), block(0, "hologram", text=["?"]), closed(0), *say("Snow falls.", index=1), *end()],
        TOLD,
    ),
    _case(
        "stop-sequence", [start(), *SNOW, *end("stop_sequence")], Expectation("Snow falls.", "stop_sequence", 14, 5, 0)
    ),
    _case("done-after-the-stop", [start(), *SNOW, *end(), b"event: data\ndata: [DONE]\n\n"], TOLD, "OpenRouter"),
    _case(
        "events-after-the-stop",
        [start(), *SNOW, *end(), *say(" Not!", index=1), {"type": "error", "error": {"message": "late"}}],
        TOLD,
    ),
    _case("no-message-stop", [start(), *SNOW, end()[0]], TOLD, "the reason to stop has come: nothing is missing"),
    _case(
        "events-without-names",
        [
            b'data: {"type":"message_start","message":{"usage":{"input_tokens":14}}}\n\n',
            b'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Snow falls."}}\n\n',
            b'data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":5}}\n\n',
        ],
        TOLD,
    ),
    _case(
        "another-model-took-over",
        [
            start("claude-large"),
            block(0, "fallback", **{"from": {"model": "claude-large"}, "to": {"model": "claude-small"}}),
            closed(0),
            *say("Snow falls.", index=1),
            *end(),
        ],
        Expectation("Snow falls.", "end_turn", 14, 5, 0, served_model="claude-small"),
        "the one that served is the one to price",
    ),
)
_FAULTS = (
    _case("cut", [start(), *SNOW], Expectation("Snow falls.", None, 14, None, 0, failure="truncated")),
    _case("cut-in-a-block", [start(), *SNOW[:2]], Expectation("Snow", None, 14, None, 0, failure="truncated")),
    _case("only-pings", [{"type": "ping"}, {"type": "ping"}], Expectation(failure="truncated")),
    _case(
        "stop-without-a-reason",
        [start(), *SNOW, *end(None)],
        Expectation("Snow falls.", None, 14, 5, 0, failure="truncated"),
        "nobody said why it ended",
    ),
    _case(
        "token-limit",
        [start(), *SNOW, *end("max_tokens")],
        Expectation("Snow falls.", "max_tokens", 14, 5, 0, failure="max_tokens"),
    ),
    _case(
        "context-full",
        [start(), *SNOW, *end("model_context_window_exceeded")],
        Expectation("Snow falls.", "model_context_window_exceeded", 14, 5, 0, failure="max_tokens"),
    ),
    _case(
        "paused",
        [start(), *SNOW, *end("pause_turn")],
        Expectation("Snow falls.", "pause_turn", 14, 5, 0, failure="incomplete", words=("pause_turn",)),
    ),
    _case(
        "refusal",
        [
            start(),
            *SNOW,
            *end("refusal", stop_details={"type": "refusal", "category": "cyber", "explanation": "not this one"}),
        ],
        Expectation("Snow falls.", "refusal", 14, 5, 0, failure="refusal", words=("not this one",)),
    ),
    _case(
        "refusal-without-details",
        [start(), *end("refusal", stop_details=None)],
        Expectation("", "refusal", 14, 5, 0, failure="refusal"),
    ),
    _case("empty", [start(), *say(), *end()], Expectation("", "end_turn", 14, 5, 0, failure="empty")),
    _case(
        "only-thinking",
        [start(), block(0, "thinking", thinking=""), delta(0, "thinking_delta", thinking="Cold?"), closed(0), *end()],
        Expectation("", "end_turn", 14, 5, 0, reasoning="Cold?", failure="empty"),
    ),
    _case(
        "tool-use",
        [
            start(),
            block(0, "tool_use", id="t1", name="shovel", input={}),
            delta(0, "input_json_delta", partial_json='{"depth":'),
            delta(0, "input_json_delta", partial_json="2}"),
            closed(0),
            *end("tool_use"),
        ],
        Expectation("", "tool_use", 14, 5, 0, tool_calls=("shovel",), failure="tool_calls"),
    ),
    _case(
        "overloaded-in-mid-stream",
        [start(), *SNOW, {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}],
        Expectation("Snow falls.", None, 14, None, 0, failure="overloaded"),
        "a 529 that came too late for the status",
    ),
    _case(
        "rate-limit-first",
        [{"type": "error", "error": {"type": "rate_limit_error", "message": "too fast"}}],
        Expectation(failure="rate_limit", words=("too fast",)),
    ),
    _case(
        "key-first",
        [{"type": "error", "error": {"type": "authentication_error", "message": "invalid x-api-key"}}],
        Expectation(failure="auth"),
    ),
    _case(
        "error-in-another-shape",
        [start(), *SNOW, {"error": {"message": "the worker died", "code": 500}}],
        Expectation("Snow falls.", None, 14, None, 0, failure="upstream", words=("worker died",)),
        "proxies mix the protocols",
    ),
    _case(
        "error-then-stop",
        [start(), *SNOW, {"type": "error", "error": {"type": "api_error", "message": "the worker died"}}, *end()],
        Expectation("Snow falls.", None, 14, None, 0, failure="upstream", words=("worker died",)),
    ),
    _case(
        "broken-json",
        [start(), *SNOW, b'event: message_delta\ndata: {"type":\n\n', *end()],
        Expectation("Snow falls.", None, 14, None, 0, failure="protocol"),
    ),
)

ANTHROPIC_CASES: tuple[WireCase, ...] = (*_WHOLE, *_FAULTS)
