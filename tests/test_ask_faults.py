"""Every way a server is known to fail, told to the real `mrt ask`: the exit code, the one line, and what reaches stdout."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest
from rig.command import Command, Home
from rig.expectation import Expectation
from rig.home_setup import beginning, calls, configure, ladder, run_here, says
from rig.loopback import Action, Route, ScriptedServer, Wait, in_turn
from rig.responses import anthropic_sse, body_response, html, json_response, ndjson, redirect, sse
from rig.responses import chunk as http_chunk
from rig.wire_anthropic import end, start
from rig.wire_anthropic import say as blocks
from rig.wire_case import WireCase
from rig.wire_cases import ANSWER_CASES, protocol, response
from rig.wire_chat import DONE, RAIN, STOP, USAGE, chunk, say

from mrt.errors import MrtError

KINDS = {"chat": "openai", "anthropic": "anthropic", "ollama": "ollama"}


def _failures(kind: type[MrtError]) -> Iterator[type[MrtError]]:
    yield kind
    for narrower in kind.__subclasses__():
        yield from _failures(narrower)


EXIT_CODES = {kind.code: int(kind.exit_code) for kind in _failures(MrtError)}


def only(server: ScriptedServer, wire: str = "chat", **settings: Any) -> dict[str, dict[str, Any]]:
    """One tier whose checks look at nothing but whether the answer is whole."""
    tables = ladder(KINDS[wire], only=server.url)
    tables["tiers.only"]["checks"] = []
    tables["ask"] |= settings
    return tables


def expected_stdout(text: str) -> str:
    """Text of an answer as it is printed: with one newline at the end, and not at all when there is none."""
    return text if text.endswith("\n") or not text else text + "\n"


@pytest.mark.parametrize("case", ANSWER_CASES, ids=lambda case: case.id)
def test_what_a_server_sends_decides_the_exit_code(store_home: Home, case: WireCase) -> None:
    expect: Expectation = case.expect
    with ScriptedServer({"*": response(case)}) as server:
        configure(store_home, only(server, protocol(case)))
        result = run_here(store_home, "ask", "hi")
    assert result.exit_code == (EXIT_CODES[expect.failure] if expect.failure else 0), result.stderr
    assert result.stdout == expected_stdout(expect.text)
    errors = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == (1 if expect.failure else 0)
    assert all(word.lower() in result.stderr.lower() for word in expect.words)
    (call,) = calls(store_home)
    assert (call["outcome"], call["check_name"]) == (
        ("failed", expect.failure) if expect.failure else ("accepted", None)
    )


class Fault(NamedTuple):
    """A fault on record. `line` is what the first line on stderr says of it; a fault that is overcome leaves none."""

    id: str
    route: Route
    exit_code: int
    line: str = ""
    stdout: str = ""
    wire: str = "chat"
    asked: int = 1
    settings: Mapping[str, Any] = MappingProxyType({})


TOLD = "It rains.\n"
CUT = "truncated: the stream ended without a finish reason"


def error(status: int, message: str, headers: dict[str, str] | None = None, **fields: Any) -> Any:
    """An error response in OpenAI's shape."""
    return json_response(status, {"error": {"message": message, **fields}}, headers)


def unless(field: str, refusal: Any, route: Any) -> Route:
    """Refuses every request that has this field."""
    return lambda request: refusal if field in request.json() else route


PING = {"type": "ping"}
TOP_LIST = (
    Fault("no-finish-and-no-done", sse(RAIN), 6, CUT, TOLD),
    Fault("error-swallowed-into-an-empty-chunk", sse([*RAIN, chunk({}, model="")]), 6, CUT, TOLD),
    Fault("error-field", sse([*RAIN, b'error: {"code":500,"message":"slot lost"}\n\n']), 3, "slot lost", TOLD),
    Fault("error-type-and-message", sse([{"error_type": "x", "error_message": "gpu fell off"}]), 3, "gpu fell off"),
    Fault("detail", json_response(200, {"detail": "gone fishing"}), 3, "gone fishing"),
    Fault("object-error", sse([{"object": "error", "message": "worker died"}]), 3, "worker died"),
    Fault("error-is-text", sse([*RAIN, {"error": "runner stopped"}]), 3, "runner stopped", TOLD),
    Fault("last-event-without-blank-line", sse([*RAIN, STOP, b"data: [DONE]"]), 0, "", TOLD),
    Fault(
        "events-one-newline-apart",
        sse(
            [
                b'data: {"choices":[{"delta":{"content":"It rains."}}]}\n',
                b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n',
                b"data: [DONE]\n",
            ]
        ),
        0,
        "",
        TOLD,
    ),
    Fault("page", html(), 3, "a web page, not an API response"),
    Fault(
        "json-though-a-stream-was-asked",
        json_response(200, {"choices": [{"message": {"content": "It rains."}, "finish_reason": "stop"}]}),
        0,
        "",
        TOLD,
    ),
    Fault("json-error-with-200", error(200, "no slot is left"), 3, "no slot is left"),
    Fault("length", says("It rains", finish="length"), 6, "cut at the token limit (max_tokens)", "It rains\n"),
    Fault("content-filter", says("It rains", finish="content_filter"), 6, "filter", "It rains\n"),
    Fault(
        "tool-calls",
        sse(
            [chunk({"tool_calls": [{"index": 0, "function": {"name": "dig", "arguments": "{}"}}]}, "tool_calls"), DONE]
        ),
        6,
        "tool_calls",
    ),
    Fault("empty", says(), 6, "empty"),
    Fault("white-space", says(" ", "\n"), 6, "empty", " \n"),
    Fault("choice-without-delta", sse([{"choices": [{"index": 0}]}, *RAIN, STOP, DONE]), 0, "", TOLD),
    Fault("chunk-without-choices", sse([{"id": "x"}, *RAIN, STOP, DONE]), 0, "", TOLD),
    Fault("ping", sse([PING, *RAIN, PING, STOP, DONE]), 0, "", TOLD),
    Fault("blank-data", sse([*RAIN, b"data:\n\n", STOP, DONE]), 0, "", TOLD),
    Fault(
        "broken-json",
        sse([*RAIN, b'data: {"choices":\n\n', STOP, DONE]),
        3,
        "protocol: broken JSON in the stream",
        TOLD,
    ),
    Fault(
        "stream-options-rejected",
        unless("stream_options", error(400, "Unknown name stream_options"), says("It rains.")),
        0,
        "",
        TOLD,
        asked=2,
    ),
    Fault(
        "quota",
        error(429, "You exceeded your current quota", code="insufficient_quota"),
        8,
        "exceeded your current quota",
    ),
    Fault("dropped", [*beginning("It rains."), Action.CLOSE], 6, "truncated", TOLD),
    Fault("reset", [*beginning("It rains."), Action.RESET], 6, "truncated", TOLD),
    Fault("reset-at-once", [Action.RESET], 3, "closed the connection without an answer"),
    Fault(
        "crlf-and-no-space",
        sse(
            [b'data:{"choices":[{"delta":{"content":"It rains."},"finish_reason":"stop"}]}\r\n\r\ndata:[DONE]\r\n\r\n']
        ),
        0,
        "",
        TOLD,
    ),
    Fault("line-separator", says("It\u2028rains."), 0, "", "It\u2028rains.\n"),
    Fault(
        "split-characters",
        [
            *sse([], finish=False),
            *(
                http_chunk(bytes([byte]))
                for byte in 'data: {"choices":[{"delta":{"content":"é"},"finish_reason":"stop"}]}\n\n'.encode()
            ),
            b"0\r\n\r\n",
        ],
        0,
        "",
        "é\n",
    ),
    Fault(
        "invalid-utf-8",
        sse([b'data: {"choices":[{"delta":{"content":"a\xffb"},"finish_reason":"stop"}]}\n\n']),
        0,
        "",
        "a\ufffdb\n",
    ),
    Fault(
        "keep-alives-hide-a-dead-upstream",
        [*beginning("It"), *[http_chunk(b": keep-alive\n\n"), Wait(threading.Event(), 0.1)] * 40],
        124,
        "no token",
        "It\n",
        settings={"idle_timeout": 0.4},
    ),
)
ON_RECORD = (
    Fault("1-comments", sse([b": OPENROUTER PROCESSING\n\n", *RAIN, b": keep-alive\n\n", STOP, DONE]), 0, "", TOLD),
    Fault(
        "2-pings-only",
        [*beginning(), *[http_chunk(b'data: {"type":"ping"}\n\n'), Wait(threading.Event(), 0.1)] * 40],
        124,
        "no token",
        settings={"first_token_timeout": 0.4},
    ),
    Fault("3-no-usage", sse([*RAIN, STOP, DONE]), 0, "", TOLD),
    Fault("4-usage-without-choices", sse([*RAIN, STOP, USAGE, DONE]), 0, "", TOLD),
    Fault("5-usage-on-every-chunk", sse([{**part, "usage": USAGE["usage"]} for part in (*RAIN, STOP)]), 0, "", TOLD),
    Fault(
        "6-unknown-name",
        unless(
            "stream_options",
            error(400, 'Invalid JSON payload received. Unknown name "stream_options"'),
            says("It rains."),
        ),
        0,
        "",
        TOLD,
        asked=2,
    ),
    Fault(
        "7-strict-server",
        unless(
            "stream_options",
            json_response(
                422,
                {
                    "detail": [
                        {
                            "type": "extra_forbidden",
                            "loc": ["body", "stream_options"],
                            "msg": "Extra inputs are not permitted",
                        }
                    ]
                },
            ),
            says("It rains."),
        ),
        0,
        "",
        TOLD,
        asked=2,
    ),
    Fault(
        "8-azure",
        sse(
            [
                {"choices": [], "prompt_filter_results": [{}]},
                *RAIN,
                {"choices": [{"index": 0, "finish_reason": "stop"}]},
                DONE,
            ]
        ),
        0,
        "",
        TOLD,
    ),
    Fault(
        "9-null-and-empty",
        sse(
            [
                chunk({"role": "assistant", "content": None}),
                *(chunk({"role": "assistant", "content": word}, "") for word in ("It", " rains.")),
                STOP,
                DONE,
            ]
        ),
        0,
        "",
        TOLD,
    ),
    Fault("10-text-beside-the-finish", sse([*say("It"), chunk({"content": " rains."}, "stop"), DONE]), 0, "", TOLD),
    Fault(
        "11-camel-case",
        sse([*RAIN, {"choices": [{"index": 0, "delta": {}, "finishReason": "stop"}]}, DONE]),
        0,
        "",
        TOLD,
    ),
    Fault("11-done-without-finish", sse([*RAIN, DONE]), 0, "", TOLD),
    Fault("12-kept-open", [*sse([*RAIN, STOP, USAGE], finish=False), Action.HOLD], 0, "", TOLD),
    Fault("13-silent-drop", sse(RAIN, chunked=False), 6, CUT, TOLD),
    Fault(
        "14-error-in-a-200-stream",
        sse(
            [
                *RAIN,
                {
                    "error": {"code": 502, "message": "provider went away"},
                    "choices": [{"delta": {}, "finish_reason": "error"}],
                },
            ]
        ),
        3,
        "provider went away",
        TOLD,
    ),
    Fault("14-finish-reason-error", sse([*RAIN, chunk({}, "error"), DONE]), 3, "error", TOLD),
    Fault(
        "14-lm-studio",
        sse([{"error": {"message": "model unloaded"}, "message": "model unloaded"}]),
        3,
        "model unloaded",
    ),
    Fault("15-error-field", sse([b'error: {"message":"kv cache full"}\n\n']), 3, "kv cache full"),
    Fault(
        "16-error-array",
        json_response(400, [{"error": {"message": "API key not valid. Please pass a valid API key."}}]),
        4,
        "API key not valid",
    ),
    Fault(
        "17-ollama-native",
        ndjson(
            [
                {"message": {"content": "It rains."}, "done": False},
                {"error": "an error was encountered while running the model: unexpected EOF"},
            ]
        ),
        3,
        "unexpected EOF",
        TOLD,
        "ollama",
    ),
    Fault("18-no-deltas", sse([STOP, DONE]), 6, "empty"),
    Fault(
        "19-reasoning-content",
        sse([chunk({"reasoning_content": "hm", "reasoning": "hm"}), *RAIN, STOP, DONE]),
        0,
        "",
        TOLD,
    ),
    Fault("20-think-tags", says("<think>hm</think>", "It rains."), 0, "", TOLD),
    Fault("20-think-without-opening", says("hm\n</think>\n\n", "It rains."), 0, "", TOLD),
    Fault(
        "21-max-completion-tokens",
        unless(
            "max_tokens",
            error(
                400,
                "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.",
                param="max_tokens",
                code="unsupported_parameter",
            ),
            says("It rains."),
        ),
        0,
        "",
        TOLD,
        asked=2,
    ),
    Fault(
        "22-context",
        error(400, "This model's maximum context length is 512 tokens", code="context_length_exceeded"),
        3,
        "maximum context length is 512 tokens (HTTP 400)",
        settings={"retries": 2},
    ),
    Fault(
        "23-quota-is-not-a-rate-limit",
        error(429, "insufficient_quota"),
        8,
        "insufficient_quota",
        settings={"retries": 2},
    ),
    Fault(
        "24-retry-after-ms",
        in_turn(error(429, "slow down", {"retry-after-ms": "5"}), says("It rains.")),
        0,
        "",
        TOLD,
        asked=2,
        settings={"retries": 1},
    ),
    Fault(
        "24-should-not-retry",
        error(503, "down", {"x-should-retry": "false"}),
        3,
        "down (HTTP 503)",
        settings={"retries": 2},
    ),
    Fault(
        "24-too-long-a-wait", error(429, "slow down", {"retry-after": "3600"}), 8, "slow down", settings={"retries": 2}
    ),
    Fault(
        "25-overloaded",
        json_response(529, {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}),
        3,
        "Overloaded (HTTP 529)",
        wire="anthropic",
    ),
    Fault(
        "25-overloaded-after-text",
        anthropic_sse(
            [
                start(),
                *blocks("It rains."),
                {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
            ]
        ),
        3,
        "Overloaded",
        TOLD,
        "anthropic",
    ),
    Fault(
        "26-timeout-is-not-tried-again",
        [*beginning(), Action.HOLD],
        124,
        "no token",
        settings={"retries": 2, "first_token_timeout": 0.3},
    ),
    Fault(
        "27-done-after-the-stop",
        anthropic_sse([start(), *blocks("It rains."), *end(), b"event: data\ndata: [DONE]\n\n"]),
        0,
        "",
        TOLD,
        "anthropic",
    ),
    Fault("28-events-after-done", sse([*RAIN, STOP, DONE, *say(" Not!")]), 0, "", TOLD),
    Fault("29-cut-by-the-provider", sse(RAIN, chunked=False), 6, CUT, TOLD),
    Fault("unknown-status", body_response(418, b"short and stout", "text/plain"), 3, "short and stout (HTTP 418)"),
    Fault("redirect-elsewhere", redirect("http://127.0.0.1:9/v1"), 3, "neither key nor prompt goes there"),
)


@pytest.mark.parametrize("fault", [*TOP_LIST, *ON_RECORD], ids=lambda fault: fault.id)
def test_no_fault_is_silent(store_home: Home, fault: Fault) -> None:
    with ScriptedServer({"*": fault.route}) as server:
        configure(store_home, only(server, fault.wire, **fault.settings))
        result = run_here(store_home, "ask", "hi")
        assert len(server.requests) == fault.asked
    assert (result.exit_code, result.stdout) == (fault.exit_code, fault.stdout), result.stderr
    first = (result.stderr.splitlines() or [""])[0]
    assert fault.line in first
    assert first.startswith("error: only/m: ") == bool(fault.exit_code)
    assert "internal error" not in first


REAL: dict[str, tuple[Any, int, str]] = {
    "whole": (says("It rains."), 0, TOLD),
    "incomplete": (sse(RAIN), 6, TOLD),
    "upstream": (error(500, "worker died"), 3, ""),
    "auth": (error(401, "who are you"), 4, ""),
    "rate-limit": (error(429, "slow down"), 8, ""),
    "timeout": ([*beginning("It rains."), Action.HOLD], 124, TOLD),
}


@pytest.mark.parametrize(("route", "exit_code", "stdout"), REAL.values(), ids=REAL)
def test_the_process_ends_with_the_code(
    mrt: Command, store_home: Home, route: Any, exit_code: int, stdout: str
) -> None:
    with ScriptedServer({"*": route}) as server:
        configure(store_home, only(server, idle_timeout=0.3))
        result = mrt("ask", "hi")
    assert (result.exit_code, result.stdout) == (exit_code, stdout)
    assert result.stderr.startswith("error: only/m: ") == bool(exit_code)
