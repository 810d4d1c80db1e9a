"""The one tool mrt offers: a local model may hand a request up by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mrt.domain import ToolCall
from mrt.providers.jsontext import parse

ESCALATE = "escalate"
ESCALATE_TOOL: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": ESCALATE,
        "description": (
            "Hand this request to a stronger model. Call it instead of answering when you are not able to answer correctly "
            "and completely; otherwise answer directly and do not call it."
        ),
        "parameters": {
            "type": "object",
            "properties": {
                "reason": {"type": "string", "description": "Why the request is beyond you, in one sentence."}
            },
            "required": ["reason"],
        },
    },
}


def escalation(calls: Sequence[ToolCall]) -> str | None:
    """The reason a model gave for handing off, or None when it did not call the tool."""
    for call in calls:
        if call.name == ESCALATE:
            try:
                arguments = parse(call.arguments or "{}")
            except ValueError:
                arguments = {}
            reason = arguments.get("reason") if isinstance(arguments, dict) else None
            return reason if isinstance(reason, str) and reason.strip() else "the model gave no reason"
    return None
