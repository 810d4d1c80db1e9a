"""Faults that servers are known for, as routes of a loopback server: the commonest ones, and what makes others."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from rig.home_setup import beginning, ladder, says
from rig.loopback import Action, Route, ScriptedServer, Wait
from rig.responses import chunk as http_chunk
from rig.responses import html, json_response, sse
from rig.wire_chat import DONE, RAIN, STOP, chunk

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
