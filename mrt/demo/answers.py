"""What a scripted model answers to a request, and how many tokens both are."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from mrt.demo.script import Line, ModelScript
from mrt.frozen import frozen

TOOL = "escalate"
# A word, or the next six letters of it, with the space before it; every character is in exactly one piece.
_PIECE = re.compile(r"\s*\w{1,6}|\s*[^\w\s]|\s+")
# What a chat template puts around each message.
_AROUND_MESSAGE = 4


@frozen
class Reply:
    """An answer in pieces, one a token, or a call of the tool `escalate` with a reason.

    `finish` is "stop", "length" when the token limit cut it, or "tool_calls"; `confidence` is the probability of every token.
    """

    pieces: tuple[str, ...]
    finish: str
    input_tokens: int
    output_tokens: int
    confidence: float
    reason: str = ""


def answer(model: ModelScript, messages: Sequence[Any], tools: Sequence[Any], max_tokens: Any) -> Reply:
    """What `model` says to these messages when it is offered these tools, which are told by their `function.name`.

    `max_tokens` is no limit where it is not a number of tokens.
    """
    limit = max_tokens if isinstance(max_tokens, int) and max_tokens >= 0 else None
    asked = [message for message in messages if isinstance(message, Mapping)]
    line = _line(model, next((_text(one) for one in reversed(asked) if one.get("role") == "user"), ""))
    offered = [json.dumps(tool) for tool in tools]
    counted = sum(len(pieces(_text(one))) + _AROUND_MESSAGE for one in asked)
    counted += sum(len(pieces(tool)) for tool in offered)
    if line.escalate and any(_is_escalate(tool) for tool in tools):
        return Reply((), "tool_calls", counted, len(pieces(line.escalate)), line.confidence, line.escalate)
    said = pieces(line.text)
    kept = said[:limit]
    return Reply(kept, "stop" if len(kept) == len(said) else "length", counted, len(kept), line.confidence)


def pieces(text: str) -> tuple[str, ...]:
    """The tokens that a scripted model counts; joined they are the text."""
    return tuple(_PIECE.findall(text))


def _line(model: ModelScript, prompt: str) -> Line:
    cued = (line for line in model.lines if line.cue and line.cue in prompt)
    return next(cued, None) or next(line for line in model.lines if not line.cue)


def _text(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "".join(str(part.get("text", "")) for part in parts if isinstance(part, Mapping))


def _is_escalate(tool: Any) -> bool:
    function = tool.get("function") if isinstance(tool, Mapping) else None
    return isinstance(function, Mapping) and function.get("name") == TOOL
