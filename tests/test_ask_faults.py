"""Every way a server is known to fail, told to the real `mrt ask`: the exit code, the one line, and what reaches stdout."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from fault_kit import CUT, EXIT_CODES, TOLD, TOP_LIST, Fault, error, expected_stdout, only, unless
from rig.command import Command, Home
from rig.expectation import Expectation
from rig.home_setup import beginning, calls, configure, run_here, says
from rig.loopback import Action, ScriptedServer, Wait, in_turn
from rig.responses import anthropic_sse, body_response, json_response, ndjson, redirect, sse
from rig.responses import chunk as http_chunk
from rig.wire_anthropic import end, start
from rig.wire_anthropic import say as blocks
from rig.wire_case import WireCase
from rig.wire_cases import ANSWER_CASES, protocol, response
from rig.wire_chat import DONE, RAIN, STOP, USAGE, chunk, say


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
