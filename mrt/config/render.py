"""A value as TOML, as plain text and as JSON."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

from mrt.config.compound import Example
from mrt.config.values import NO_LIMIT

# Delete, C1, and the marks that reorder text.
_UNSEEN = re.compile(r"[\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def toml_text(value: object) -> str:
    """The value in TOML syntax, on one line. None is a limit that was taken away."""
    if isinstance(value, Example):
        value = {"user": value.user, "assistant": value.assistant}
    if isinstance(value, dict):
        return "{" + ", ".join(f"{bare_or_quoted(name)} = {toml_text(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(toml_text(item) for item in value) + "]"
    return _scalar(value)


def _scalar(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, int | float):
        return repr(value)
    return _quoted(NO_LIMIT if value is None else str(value))


def plain_text(value: object) -> str:
    """The value as a shell script wants it: text without quotes, lists of names with commas, the rest as TOML."""
    if value is None:
        return NO_LIMIT
    if isinstance(value, str | Path):
        return str(value)
    if isinstance(value, tuple) and all(isinstance(item, str) for item in value):
        return ",".join(value)
    return toml_text(value)


def json_value(value: object) -> Any:
    """The value as JSON carries it: amounts of money as decimal strings, so that none is rounded."""
    if value is None:
        return NO_LIMIT
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, Example):
        return {"user": value.user, "assistant": value.assistant}
    if isinstance(value, tuple):
        return [json_value(item) for item in value]
    return value


def bare_or_quoted(name: str) -> str:
    """A key as TOML writes it."""
    bare = bool(name) and all(letter.isascii() and (letter.isalnum() or letter in "_-") for letter in name)
    return name if bare else _quoted(name)


def _quoted(text: str) -> str:
    # JSON's escapes are TOML's. TOML wants the delete character escaped too; the others would act on a screen unseen.
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text, ensure_ascii=False))
