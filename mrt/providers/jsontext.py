"""JSON from strangers: too deep is as broken as not closed."""

from __future__ import annotations

import json
from typing import Any

TOO_DEEP = '"…"'


def parse(text: str | bytes) -> Any:
    """The document of a JSON text. Raises a ValueError for text that is broken, or nested too deeply to be read."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("JSON is nested too deeply") from None


def is_json(text: str) -> bool:
    """Whether the text is one whole JSON document."""
    try:
        parse(text)
    except ValueError:
        return False
    return True


def dump(value: Any) -> str:
    """A document as JSON text; one that could just be read may be too deep to be written, which is no reason to fail."""
    try:
        return json.dumps(value, ensure_ascii=False)
    except RecursionError:
        return TOO_DEEP
