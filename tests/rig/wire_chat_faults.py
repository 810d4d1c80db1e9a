"""Wire cases: streams of the chat-completions protocol that look like success and are none."""

from __future__ import annotations

from typing import Any

from rig.expectation import Expectation
from rig.wire_case import WireCase, answered
from rig.wire_chat import DONE, RAIN, ROLE, STOP, USAGE, Event, chunk, counts, say


def _case(name: str, events: list[Event], expect: Expectation, why: str = "") -> WireCase:
    return answered(name, "chat", events, expect, why)


def _broken(failure: str, *words: str, text: str = "It rains.", finish: str | None = None) -> Expectation:
    return Expectation(text, finish, failure=failure, words=words)


_CUT = (
    _case("cut", [ROLE, *RAIN], _broken("truncated"), "vLLM, Ollama; several clients call this success"),
    _case("cut-after-the-role", [ROLE], _broken("truncated", text="")),
    _case("nothing-at-all", [], _broken("truncated", text="")),
    _case("only-pings", [{"type": "ping"}, {"type": "ping"}], _broken("truncated", text="")),
    _case("cut-but-usage", [ROLE, *RAIN, USAGE], Expectation("It rains.", None, 12, 3, failure="truncated")),
    _case(
        "error-became-an-empty-chunk",
        [
            *RAIN,
            {
                "model": "",
                "choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}],
            },
        ],
        _broken("truncated"),
        "Ollama's /v1 turns an error in mid-stream into this",
    ),
    _case(
        "broken-json",
        [*RAIN, '{"choices":[{"delta":{"content":" Ca', STOP, DONE],
        _broken("protocol"),
        "a piece of text is lost",
    ),
)
_ENDS = (
    _case("length", [*RAIN, chunk({}, "length"), DONE], _broken("max_tokens", finish="length")),
    _case(
        "length-in-gemini-s-words", [*RAIN, chunk({}, "MAX_TOKENS"), DONE], _broken("max_tokens", finish="MAX_TOKENS")
    ),
    _case(
        "length-before-any-text",
        [chunk({"reasoning_content": "Clouds?"}), chunk({}, "length"), DONE],
        Expectation("", "length", reasoning="Clouds?", failure="max_tokens"),
    ),
    _case("content-filter", [*RAIN, chunk({}, "content_filter"), DONE], _broken("filtered", finish="content_filter")),
    _case("safety", [*RAIN, chunk({}, "SAFETY"), DONE], _broken("filtered", finish="SAFETY")),
    _case("finish-reason-error", [*RAIN, chunk({}, "error"), DONE], _broken("upstream", finish="error")),
    _case(
        "empty",
        [ROLE, STOP, USAGE, DONE],
        Expectation("", "stop", 12, 3, failure="empty"),
        "LM Studio when the prompt is longer than the context",
    ),
    _case("only-white-space", [*say("\n", "  "), STOP, DONE], _broken("empty", text="\n  ", finish="stop")),
    _case("only-done", [DONE], _broken("empty", text="")),
    _case(
        "only-reasoning",
        [chunk({"reasoning_content": "Clouds?"}), STOP, DONE],
        Expectation("", "stop", reasoning="Clouds?", failure="empty"),
    ),
    _case(
        "only-reasoning-in-tags",
        [*say("<think>", "Clouds?"), STOP, DONE],
        Expectation("", "stop", reasoning="Clouds?", failure="empty"),
    ),
    _case(
        "refusal",
        [chunk({"refusal": "I can't"}), chunk({"refusal": " do that."}), STOP, DONE],
        _broken("refusal", "can't do that", text="", finish="stop"),
    ),
)


def _call(index: int, arguments: str, name: str | None = None) -> dict[str, Any]:
    named = {"id": f"call_{index}", "type": "function"} if name else {}
    return {"index": index, **named, "function": {"arguments": arguments, **({"name": name} if name else {})}}


_TOOLS = (
    _case(
        "tool-call",
        [
            chunk({"content": None, "tool_calls": [_call(0, "", "umbrella")]}),
            chunk({"tool_calls": [_call(0, "{}")]}),
            chunk({}, "tool_calls"),
            DONE,
        ],
        Expectation("", "tool_calls", tool_calls=("umbrella",), failure="tool_calls"),
    ),
    _case(
        "two-tool-calls",
        [chunk({"tool_calls": [_call(0, "{}", "umbrella"), _call(1, "{}", "boots")]}), chunk({}, "tool_calls"), DONE],
        Expectation("", "tool_calls", tool_calls=("umbrella", "boots"), failure="tool_calls"),
    ),
    _case(
        "tool-call-that-ends-with-stop",
        [chunk({"tool_calls": [_call(0, "{}", "umbrella")]}), STOP, DONE],
        Expectation("", "stop", tool_calls=("umbrella",), failure="tool_calls"),
        "several servers do not change the finish reason",
    ),
    _case(
        "function-call-of-old",
        [chunk({"function_call": {"name": "umbrella", "arguments": "{}"}}), chunk({}, "function_call"), DONE],
        Expectation("", "function_call", tool_calls=("umbrella",), failure="tool_calls"),
    ),
)
_ERRORS = (
    _case(
        "error-in-mid-stream",
        [*RAIN, {"error": {"message": "the worker died", "code": 502}}, DONE],
        _broken("upstream", "worker died"),
    ),
    _case(
        "error-first",
        [{"error": {"object": "error", "message": "no images here", "type": "BadRequestError", "code": 400}}, DONE],
        _broken("bad_request", "no images here", text=""),
    ),
    _case(
        "error-beside-a-choice",
        [*RAIN, chunk({"content": ""}, "error", error={"code": "server_error", "message": "provider disconnected"})],
        _broken("upstream", "provider disconnected", finish="error"),
        "OpenRouter",
    ),
    _case(
        "error-then-stop",
        [*RAIN, {"error": {"message": "the worker died"}}, STOP, DONE],
        _broken("upstream", "worker died"),
        "what comes after an error mends nothing",
    ),
    _case("error-as-text", [*RAIN, {"error": "the worker died"}], _broken("upstream", "worker died")),
    _case(
        "error-type-and-message",
        [*RAIN, {"error_type": "EngineDead", "error_message": "the worker died"}],
        _broken("upstream", "worker died"),
        "Venice",
    ),
    _case("error-in-detail", [*RAIN, {"detail": "the worker died"}], _broken("upstream", "worker died"), "FastAPI"),
    _case(
        "error-as-object",
        [*RAIN, {"object": "error", "message": "the worker died", "code": 500}],
        _broken("upstream", "worker died"),
        "old vLLM",
    ),
    _case(
        "error-in-a-list",
        [*RAIN, [{"error": {"code": 500, "message": "the worker died"}}]],
        _broken("upstream", "worker died"),
        "Gemini",
    ),
    _case(
        "error-and-message",
        [*RAIN, {"error": {"message": "the worker died"}, "message": "the worker died"}],
        _broken("upstream", "worker died"),
        "LM Studio",
    ),
    _case("error-without-a-message", [*RAIN, {"error": {"code": 500}}], _broken("upstream", "500")),
    _case(
        "error-rate-limit",
        [*RAIN, {"error": {"message": "slow down", "code": 429}}],
        _broken("rate_limit", "slow down"),
    ),
    _case(
        "error-rate-limit-code-as-text",
        [{"error": {"message": "slow down", "code": "429"}}],
        _broken("rate_limit", "slow down", text=""),
    ),
    _case(
        "error-quota",
        [
            {
                "error": {
                    "message": "You exceeded your current quota",
                    "type": "insufficient_quota",
                    "code": "insufficient_quota",
                }
            }
        ],
        _broken("quota", text=""),
        "waiting does not help",
    ),
    _case(
        "error-overloaded",
        [*RAIN, {"error": {"message": "Provider is overloaded", "code": 503}}],
        _broken("overloaded"),
    ),
    _case(
        "error-context",
        [{"error": {"message": "too long", "code": "context_length_exceeded"}}],
        _broken("context", text=""),
    ),
    _case("error-key", [{"error": {"message": "No auth credentials found", "code": 401}}], _broken("auth", text="")),
    _case(
        "error-after-usage",
        [*RAIN, {"choices": [], "usage": counts(12, 2)}, {"error": {"message": "the worker died"}}],
        Expectation("It rains.", None, 12, 2, failure="upstream", words=("worker died",)),
    ),
)

CHAT_FAULT_CASES: tuple[WireCase, ...] = (*_CUT, *_ENDS, *_TOOLS, *_ERRORS)
