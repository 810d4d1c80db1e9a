"""YAML for people to read: tables with comments, every text quoted so that nothing in it can be taken for syntax.

What is written here means the same in YAML 1.1 and 1.2. Texts that need no quotes are few and plain; all others stand in double
quotes with every character escaped that is not plainly printable. Numbers are decimals without an exponent, which readers of 1.1
take for text: 1e-06 becomes 0.000001.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

# Words that YAML 1.1 takes for something else than text.
_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "y", "n", "null"})
_PLAIN = re.compile(r"[A-Za-z](?:[A-Za-z0-9_./-]*[A-Za-z0-9_])?")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


class Field(NamedTuple):
    """A key with its value; comments stand in lines above it, or behind it.

    The value is a scalar, a tuple of fields, a list of such tuples, or a list or mapping of plain values, which stay on one line.
    """

    key: str
    value: Any
    above: tuple[str, ...] = ()
    beside: str = ""


Table = tuple[Field, ...]


def document(head: tuple[str, ...], table: Table) -> str:
    """A whole file: a head of comments, then the fields."""
    return "\n".join([*_comments(head, ""), *_table(table, "")]) + "\n"


def scalar(value: str | bool | int | float | Decimal) -> str:
    """One value as YAML."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float | Decimal):
        return number(value)
    return value if _PLAIN.fullmatch(value) and value.lower() not in _WORDS else quoted(value)


def number(value: float | Decimal) -> str:
    """A finite number with all its digits, without an exponent, and with a point."""
    text = format(Decimal(str(value)), "f")
    return text if "." in text else f"{text}.0"


def quoted(text: str) -> str:
    """A text in double quotes."""
    return '"' + "".join(_ESCAPES.get(letter) or _printable(letter) for letter in text) + '"'


def one_line(text: str) -> str:
    """A text as a comment can hold it."""
    return "".join("\\n" if letter == "\n" else _printable(letter) for letter in text)


def _printable(letter: str) -> str:
    if letter.isprintable():
        return letter
    code = ord(letter)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _comments(lines: tuple[str, ...], indent: str) -> Iterator[str]:
    return (f"{indent}# {one_line(line)}".rstrip() for line in lines)


def _table(table: Table, indent: str) -> Iterator[str]:
    for field in table:
        yield from _comments(field.above, indent)
        yield from _field(field, indent)


def _field(field: Field, indent: str) -> Iterator[str]:
    key, beside = scalar(field.key), f"  # {one_line(field.beside)}" if field.beside else ""
    value = field.value
    if isinstance(value, tuple):
        yield f"{indent}{key}:{beside}" if value else f"{indent}{key}: {{}}{beside}"
        yield from _table(value, indent + "  ")
    elif isinstance(value, list) and value and isinstance(value[0], tuple):
        yield f"{indent}{key}:{beside}"
        for item in value:
            yield from _item(item, indent + "  ")
    else:
        yield f"{indent}{key}: {_flow(value)}{beside}"


def _item(item: Table, indent: str) -> Iterator[str]:
    """A table as an item of a list: its comments come first, and its first line has the dash."""
    yield from _comments(item[0].above, indent)
    first, *others = _table((item[0]._replace(above=()), *item[1:]), indent + "  ")
    yield f"{indent}- {first.lstrip()}"
    yield from others


def _flow(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar(str(key))}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return scalar(value)
