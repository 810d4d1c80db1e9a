"""What the child says, line by line. Only its first line comes before foreign code: all that follows may be made up."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

# The one message about the walls, and those that come after it, each with the kind of its content.
_FIRST: dict[str, type] = {"walls": dict, "no_walls": str}
_LATER: dict[str, type] = {
    "case": int,
    "outcomes": list,
    "load_error": dict,
    "defines": list,
    "done": bool,
    "probe": str,
    "succeeded": bool,
}


def read_messages(data: bytes) -> Iterator[dict[str, Any]]:
    """The messages that have a known shape. A claim about the walls counts in the first line only: no program talks itself
    out of its verdict by saying that the sandbox failed."""
    for number, line in enumerate(data.split(b"\n")):
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            continue  # half a line of a child that was ended, or what a candidate wrote there itself
        if isinstance(message, dict) and message and _fits(message, _FIRST if number == 0 else _LATER):
            yield message


def _fits(message: dict[str, Any], kinds: dict[str, type]) -> bool:
    return all(type(content) is kinds.get(name) for name, content in message.items())


def results_of(messages: Sequence[dict[str, Any]], name: str) -> list[Any]:
    """The contents of all messages of one kind, in order."""
    return [message[name] for message in messages if name in message]
