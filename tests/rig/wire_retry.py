"""Wire cases: what a server says about trying again, and which rejected requests can be mended."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rig.wire_case import NEVER, HealInput, RetryInput, WireCase

# Sunday, 4 October 2026, 12:00:00 GMT.
NOON = 1791115200.0


def _asked(name: str, headers: Mapping[str, str], expect: float | None, why: str = "") -> WireCase:
    return WireCase(f"retry_after/{name}", "retry_after", RetryInput(headers, NOON), expect, why)


RETRY_CASES: tuple[WireCase, ...] = (
    _asked("not-said", {}, None),
    _asked("seconds", {"retry-after": "7"}, 7.0),
    _asked("fraction", {"retry-after": "0.25"}, 0.25),
    _asked("white-space", {"retry-after": " 7 "}, 7.0),
    _asked("longest", {"retry-after": "120"}, 120.0),
    _asked("too-long", {"retry-after": "120.5"}, NEVER, "nobody waits for that in a shell"),
    _asked("hours", {"retry-after": "86400"}, NEVER),
    _asked("astronomical", {"retry-after": "9" * 40}, NEVER),
    _asked("zero", {"retry-after": "0"}, None, "at once would hammer a busy server: the client's own back-off holds"),
    _asked("negative", {"retry-after": "-3"}, None),
    _asked("empty", {"retry-after": ""}, None),
    _asked("words", {"retry-after": "soon"}, None),
    _asked("with-a-unit", {"retry-after": "20s"}, None),
    _asked("not-a-number", {"retry-after": "NaN"}, None),
    _asked("infinite", {"retry-after": "Infinity"}, None),
    _asked("date", {"retry-after": "Sun, 04 Oct 2026 12:00:30 GMT"}, 30.0),
    _asked("date-now", {"retry-after": "Sun, 04 Oct 2026 12:00:00 GMT"}, None),
    _asked("date-past", {"retry-after": "Sun, 04 Oct 2026 11:59:00 GMT"}, None),
    _asked("date-too-far", {"retry-after": "Sun, 04 Oct 2026 12:02:01 GMT"}, NEVER),
    _asked("date-of-no-day", {"retry-after": "Xyz, 04 Oct 2026 12:00:30 GMT"}, None),
    _asked("date-of-no-month", {"retry-after": "Sun, 04 Foo 2026 12:00:30 GMT"}, None),
    _asked("milliseconds", {"retry-after-ms": "1500"}, 1.5),
    _asked("milliseconds-first", {"retry-after-ms": "250", "retry-after": "9"}, 0.25),
    _asked("milliseconds-unreadable", {"retry-after-ms": "x", "retry-after": "9"}, 9.0),
    _asked(
        "through-litellm", {"llm_provider-retry-after": "60"}, 60.0, "LiteLLM passes the header on under its own name"
    ),
    _asked("litellm-own-first", {"retry-after": "2", "llm_provider-retry-after": "60"}, 2.0),
    _asked("should-not", {"x-should-retry": "false", "retry-after": "1"}, NEVER),
    _asked("should", {"x-should-retry": "true", "retry-after": "1"}, 1.0),
)

LIMIT = {"max_tokens": 100}


def _rejected(
    name: str, status: int, error: Any, sent: Mapping[str, Any], expect: dict[str, str] | None, why: str = ""
) -> WireCase:
    evidence = error if isinstance(error, str) else json.dumps(error)
    return WireCase(
        f"heal/{name}",
        "heal",
        HealInput(status, evidence, {"model": "m", "messages": [], "stream": True, **sent}),
        expect,
        why,
    )


USAGE = {"stream_options": {"include_usage": True}, **LIMIT}

HEAL_CASES: tuple[WireCase, ...] = (
    _rejected(
        "stream-options-unknown",
        400,
        {"error": {"message": "Unknown parameter: 'stream_options'."}},
        USAGE,
        {"drop:stream_options": "1"},
    ),
    _rejected(
        "stream-options-gemini",
        400,
        [
            {
                "error": {
                    "code": 400,
                    "message": 'Invalid JSON payload received. Unknown name "stream_options": Cannot find field.',
                    "status": "INVALID_ARGUMENT",
                }
            }
        ],
        USAGE,
        {"drop:stream_options": "1"},
    ),
    _rejected(
        "stream-options-pydantic",
        422,
        {
            "detail": [
                {"loc": ["body", "stream_options"], "msg": "Extra inputs are not permitted", "type": "extra_forbidden"}
            ]
        },
        USAGE,
        {"drop:stream_options": "1"},
    ),
    _rejected(
        "limit-renamed",
        400,
        {
            "error": {
                "message": "Unsupported parameter: 'max_tokens' is not supported with this model. "
                "Use 'max_completion_tokens' instead.",
                "param": "max_tokens",
                "code": "unsupported_parameter",
            }
        },
        LIMIT,
        {"rename:max_tokens": "max_completion_tokens"},
    ),
    _rejected(
        "limit-renamed-back",
        400,
        {"error": {"message": "Unrecognized request argument supplied: max_completion_tokens"}},
        {"max_completion_tokens": 100},
        {"rename:max_tokens": "max_tokens"},
    ),
    _rejected(
        "temperature-fixed",
        400,
        {
            "error": {
                "message": "Unsupported value: 'temperature' does not support 0.2 with this model. "
                "Only the default (1) value is supported.",
                "param": "temperature",
                "code": "unsupported_value",
            }
        },
        {"temperature": 0.2, **LIMIT},
        {"drop:temperature": "1"},
    ),
    _rejected(
        "tools-need-a-flag",
        400,
        {
            "error": {
                "message": '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'
            }
        },
        {"tools": [{}], **LIMIT},
        {"drop:tools": "1"},
    ),
    _rejected(
        "tools-of-a-model-without",
        400,
        {"error": "library/tiny:latest does not support tools"},
        {"tools": [{}]},
        {"drop:tools": "1"},
    ),
    _rejected(
        "thinking-of-a-model-without",
        400,
        {"error": '"tiny" does not support thinking'},
        {"tools": [{}]},
        None,
        "nothing that was sent is named",
    ),
    _rejected(
        "field-that-was-not-sent", 400, {"error": {"message": "Unknown parameter: 'stream_options'."}}, LIMIT, None
    ),
    _rejected(
        "messages-are-never-dropped",
        400,
        {"error": {"message": "messages: at least one message is required"}},
        LIMIT,
        None,
    ),
    _rejected(
        "another-cause", 400, {"error": {"message": "This model's maximum context length is 4096 tokens"}}, USAGE, None
    ),
    _rejected("another-status", 429, {"error": {"message": "Unknown parameter: 'stream_options'."}}, USAGE, None),
)
