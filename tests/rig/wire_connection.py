"""Wire cases: what the connection itself does around an answer of the chat-completions protocol."""

from __future__ import annotations

from rig.expectation import Expectation
from rig.loopback import Action, Response
from rig.responses import LAST_CHUNK, chunk, head, pieces, sse, sse_event
from rig.wire_case import WireCase
from rig.wire_chat import DONE, RAIN, STOP, USAGE

WHOLE = [*RAIN, STOP, USAGE, DONE]
STREAM = b"".join(map(sse_event, WHOLE))
TOLD, COUNTED = Expectation("It rains.", "stop"), Expectation("It rains.", "stop", 12, 3)
CUT = Expectation("It rains.", failure="truncated")
BODY = b'{"choices":[{"message":{"content":"It rains."},"finish_reason":"stop"}]}'


def _case(name: str, response: Response, expect: Expectation, why: str = "") -> WireCase:
    return WireCase(f"connection/{name}", "connection", response, expect, why)


def _announced(length: int) -> bytes:
    return head(200, {"content-type": "application/json", "content-length": str(length)})


CONNECTION_CASES: tuple[WireCase, ...] = (
    _case("closing-ends-the-body", sse(WHOLE, chunked=False), COUNTED),
    _case(
        "closing-in-mid-answer",
        sse(RAIN, chunked=False),
        CUT,
        "an orderly end of the connection, but not of the answer",
    ),
    _case("transfer-broken-off", sse(RAIN, finish=False), CUT, "a killed server: the last chunk never comes"),
    _case("transfer-broken-off-in-an-event", [*sse(RAIN, finish=False), chunk(b'data: {"choices"')], CUT),
    _case("transfer-broken-off-in-a-chunk", [*sse(RAIN, finish=False), b"40\r\ndata: {"], CUT),
    _case(
        "transfer-broken-off-after-the-finish",
        sse([*RAIN, STOP], finish=False),
        TOLD,
        "the answer is whole, the connection is not",
    ),
    _case("kept-open-after-done", [*sse(WHOLE, finish=False), Action.HOLD], COUNTED),
    _case(
        "kept-open-after-the-finish",
        [*sse([*RAIN, STOP], finish=False), Action.HOLD],
        TOLD,
        "vllm-mlx: nobody waits for good",
    ),
    _case("kept-open-after-the-usage", [*sse([*RAIN, STOP, USAGE], finish=False), Action.HOLD], COUNTED),
    _case("events-split-over-chunks", [*sse([], finish=False), *map(chunk, pieces(STREAM, 7)), LAST_CHUNK], COUNTED),
    _case("json-as-announced", [_announced(len(BODY)), BODY], TOLD),
    _case("json-shorter-than-announced", [_announced(len(BODY) + 50), BODY[:40]], Expectation(failure="truncated")),
)
