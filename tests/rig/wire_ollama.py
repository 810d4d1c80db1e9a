"""Wire cases: Ollama's native stream of JSON lines."""

from __future__ import annotations

import json
from typing import Any

from rig.expectation import Expectation
from rig.wire_case import WireCase, answered


def line(content: str = "", **fields: Any) -> bytes:
    """One line of the stream in mid-answer."""
    message = {"role": "assistant", "content": content, **fields}
    return json.dumps({"model": "m", "message": message, "done": False}, ensure_ascii=False).encode() + b"\n"


def last(reason: str | None = "stop", content: str = "", **fields: Any) -> bytes:
    """The last line, with its counts."""
    told = {
        "model": "m",
        "message": {"role": "assistant", "content": content},
        "done": True,
        "prompt_eval_count": 16,
        "eval_count": 4,
    }
    told |= {"done_reason": reason} if reason is not None else {}
    return json.dumps({**told, **fields}).encode() + b"\n"


def _case(name: str, chunks: list[bytes], expect: Expectation, why: str = "") -> WireCase:
    return answered(name, "ollama", chunks, expect, why)


WIND = [line("Wind"), line(" blows.")]
TOLD = Expectation("Wind blows.", "stop", 16, 4)
STREAM = b"".join([*WIND, last()])

_WHOLE = (
    _case("plain", [*WIND, last()], TOLD),
    _case("one-chunk", [STREAM], TOLD),
    _case("one-byte-per-chunk", [STREAM[place : place + 1] for place in range(len(STREAM))], TOLD),
    _case("crlf", [STREAM.replace(b"\n", b"\r\n")], TOLD),
    _case("blank-lines", [b"\n", *WIND, b"\n\n", last(), b"\n"], TOLD),
    _case("last-line-without-its-end", [*WIND, last().rstrip()], TOLD, "text and counts would be lost"),
    _case("text-on-the-last-line", [line("Wind"), last(content=" blows.")], TOLD),
    _case("character-cut-in-two", [line("Böen")[:60], line("Böen")[60:], last()], Expectation("Böen", "stop", 16, 4)),
    _case("odd-separators-are-text", [line("Wind\u2028\x85"), last()], Expectation("Wind\u2028\x85", "stop", 16, 4)),
    _case(
        "prompt-not-counted",
        [*WIND, last().replace(b'"prompt_eval_count": 16, ', b"")],
        Expectation("Wind blows.", "stop", None, 4),
        "a cached prompt is not counted: unknown, not zero",
    ),
    _case(
        "nothing-counted",
        [*WIND, b'{"message":{"content":""},"done":true,"done_reason":"stop"}\n'],
        Expectation("Wind blows.", "stop"),
    ),
    _case(
        "no-reason-for-the-end",
        [*WIND, last(None)],
        Expectation("Wind blows.", None, 16, 4),
        "servers before done_reason existed",
    ),
    _case(
        "thinking",
        [line(thinking="Gus"), line(thinking="ts?"), *WIND, last()],
        Expectation("Wind blows.", "stop", 16, 4, reasoning="Gusts?"),
    ),
    _case(
        "thinking-in-tags",
        [line("<think>"), line("Gusts?"), line("</think>\n\n"), *WIND, last()],
        Expectation("Wind blows.", "stop", 16, 4, reasoning="Gusts?"),
        "templates that Ollama does not parse",
    ),
    _case(
        "served-model",
        [*WIND, last(model="storm:7b")],
        Expectation("Wind blows.", "stop", 16, 4, served_model="storm:7b"),
    ),
    _case("after-the-end-nothing-counts", [*WIND, last(), line(" Not!"), b'{"error":"late"}\n'], TOLD),
    _case(
        "log-probabilities",
        [
            b'{"message":{"content":"Wind blows."},"done":false,"logprobs":[{"logprob":-0.5},{"logprob":-0.25}]}\n',
            last(),
        ],
        Expectation("Wind blows.", "stop", 16, 4, mean_logprob=-0.375),
    ),
)
_FAULTS = (
    _case("cut", WIND, Expectation("Wind blows.", failure="truncated")),
    _case("cut-in-a-line", [*WIND, line(" Har")[:40]], Expectation("Wind blows.", failure="truncated")),
    _case("nothing-at-all", [], Expectation(failure="truncated")),
    _case(
        "runner-died",
        [*WIND, b'{"error":"an error was encountered while running the model: unexpected EOF"}\n'],
        Expectation("Wind blows.", failure="upstream", words=("unexpected EOF",)),
    ),
    _case(
        "error-first",
        [b'{"error":"model runner has unexpectedly stopped"}\n'],
        Expectation(failure="upstream", words=("unexpectedly stopped",)),
    ),
    _case(
        "error-without-a-line-end",
        [*WIND, b'{"error":"the runner is gone"}'],
        Expectation("Wind blows.", failure="upstream", words=("the runner is gone",)),
    ),
    _case(
        "error-inside-an-error",
        [
            json.dumps(
                {
                    "error": json.dumps(
                        {
                            "error": {
                                "code": 400,
                                "message": "request (900 tokens) exceeds the available context size (512 tokens)",
                                "type": "exceed_context_size_error",
                            }
                        }
                    )
                }
            ).encode()
            + b"\n"
        ],
        Expectation(failure="context", words=("900 tokens", "512 tokens")),
        "llama.cpp's body as a string",
    ),
    _case("token-limit", [*WIND, last("length")], Expectation("Wind blows.", "length", 16, 4, failure="max_tokens")),
    _case(
        "token-limit-while-thinking",
        [line(thinking="Gusts?"), last("length")],
        Expectation("", "length", 16, 4, reasoning="Gusts?", failure="max_tokens"),
    ),
    _case("empty", [line(), last()], Expectation("", "stop", 16, 4, failure="empty")),
    _case(
        "only-thinking",
        [line(thinking="Gusts?"), last()],
        Expectation("", "stop", 16, 4, reasoning="Gusts?", failure="empty"),
    ),
    _case(
        "loaded-only",
        [b'{"model":"m","message":{"role":"assistant","content":""},"done":true,"done_reason":"load"}\n'],
        Expectation(failure="empty"),
        "the answer to a request without messages",
    ),
    _case(
        "unloaded-only",
        [b'{"model":"m","message":{"role":"assistant","content":""},"done":true,"done_reason":"unload"}\n'],
        Expectation(failure="empty"),
    ),
    _case(
        "tool-call",
        [
            line(tool_calls=[{"id": "x", "function": {"index": 0, "name": "shelter", "arguments": {"near": True}}}]),
            last(),
        ],
        Expectation("", "stop", 16, 4, tool_calls=("shelter",), failure="tool_calls"),
    ),
    _case(
        "broken-line", [*WIND, b'{"message":{"content":" Ha\n', last()], Expectation("Wind blows.", failure="protocol")
    ),
)

OLLAMA_CASES: tuple[WireCase, ...] = (*_WHOLE, *_FAULTS)
