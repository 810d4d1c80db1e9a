"""From lines to what a terminal is sent to show them in place of the ones before."""

from __future__ import annotations

from collections.abc import Sequence

from mrt.output.columns import width
from mrt.output.top_table import Line, Span

# Terminals that know it show all of an update at once; others pass it over.
_BEGIN, _END = "\x1b[?2026h", "\x1b[?2026l"
_HOME, _REST_OF_LINE, _REST_OF_SCREEN = "\x1b[H", "\x1b[K", "\x1b[J"
_PLAIN = "\x1b[0m"
_STYLES = {"good": "32", "notice": "33", "bad": "31", "dim": "90", "strong": "1"}


def painted(lines: Sequence[Line], size: tuple[int, int], color: bool) -> str:
    """The whole picture, for a terminal of so many columns and lines. Nothing is cleared before it is written over."""
    columns, height = size
    rows = [_row(line, color) + _rest(line, columns) for line in lines[:height]]
    below = "" if len(rows) >= height else "\r\n" * bool(rows) + _REST_OF_SCREEN
    return _BEGIN + _HOME + "\r\n".join(rows) + below + _END


def _rest(line: Line, columns: int) -> str:
    """What clears the rest of a line; behind one that fills it, that would take the last character away."""
    return _REST_OF_LINE if sum(width(span.text) for span in line) < columns else ""


def _row(line: Line, color: bool) -> str:
    return "".join(_painted(span) if color else span.text for span in line)


def _painted(span: Span) -> str:
    code = _STYLES.get(span.style)
    return f"\x1b[{code}m{span.text}{_PLAIN}" if code and span.text.strip() else span.text
