"""All wire cases, and how each is served over HTTP."""

from __future__ import annotations

from collections.abc import Callable

from rig.loopback import Response
from rig.responses import anthropic_sse, body_response, ndjson, sse
from rig.wire_anthropic import ANTHROPIC_CASES
from rig.wire_case import HttpAnswer, WireCase
from rig.wire_chat import CHAT_CASES
from rig.wire_chat_faults import CHAT_FAULT_CASES
from rig.wire_connection import CONNECTION_CASES
from rig.wire_http import HTTP_CASES
from rig.wire_ollama import OLLAMA_CASES
from rig.wire_retry import HEAL_CASES, RETRY_CASES
from rig.wire_sse import SSE_CASES
from rig.wire_think import THINK_CASES

# Whole conversations: what `response` can serve.
ANSWER_CASES: tuple[WireCase, ...] = (
    *CHAT_CASES,
    *CHAT_FAULT_CASES,
    *ANTHROPIC_CASES,
    *OLLAMA_CASES,
    *HTTP_CASES,
    *CONNECTION_CASES,
)
WIRE_CASES: tuple[WireCase, ...] = (*SSE_CASES, *THINK_CASES, *RETRY_CASES, *HEAL_CASES, *ANSWER_CASES)


_SERVED: dict[str, Callable[..., Response]] = {"chat": sse, "anthropic": anthropic_sse, "ollama": ndjson}


def response(case: WireCase) -> Response:
    """The response that `loopback.ScriptedServer` sends for a case of `ANSWER_CASES`."""
    if case.layer == "connection":
        steps: Response = case.given
        return steps
    if case.layer == "http":
        answer: HttpAnswer = case.given
        return body_response(answer.status, answer.body, answer.content_type, answer.headers)
    return _SERVED[case.layer](case.given)


def protocol(case: WireCase) -> str:
    """The protocol in which the request for a case of `ANSWER_CASES` is made."""
    if case.layer == "http":
        return str(case.given.protocol)
    return "chat" if case.layer == "connection" else case.layer
