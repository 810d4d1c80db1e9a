"""Tables that fit: columns give way by their rank, then texts are cut, and no line is ever wider than the screen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from unicodedata import category

from mrt.output.columns import width
from mrt.output.terminal import one_line, within

_GAP = 2
_ELLIPSIS = "…"
# The least that is left of a text that is cut, once no column is left to give way.
_LEAST = 6
_LONGEST = 2000
_HIDDEN = frozenset({"Cc", "Cf", "Cs"})


class Span(NamedTuple):
    """A piece of a line and what it means: a name of the colour table, "" for plain text."""

    text: str
    style: str = ""


Line = tuple[Span, ...]


class Column(NamedTuple):
    """`rank` is the order in which columns give way, the highest first, 0 never. Texts are cut down to `soft` cells before any
    column gives way, and further only when none is left to do so; 0: never cut."""

    header: str
    right: bool = False
    rank: int = 0
    soft: int = 0


def plain(line: Line) -> str:
    """The text of a line."""
    return "".join(span.text for span in line).rstrip()


def cut(text: str, size: int | None) -> str:
    """The text in at most so many cells of a terminal."""
    if size is None or width(text) <= size:
        return text
    if size <= 0:
        return ""
    return within(text, size - 1).rstrip() + _ELLIPSIS


def cut_line(line: Line, size: int | None) -> Line:
    """The line in at most so many cells."""
    if size is None or width(plain(line)) <= size:
        return line
    kept: list[Span] = []
    left = size
    for span in line:
        text = cut(span.text, left)
        kept.append(Span(text, span.style))
        left -= width(text)
        if text != span.text:
            break
    return tuple(kept)


def clean(text: str) -> str:
    """Foreign text as one line without anything that moves the cursor, hides, or joins characters to others of their width."""
    return "".join(mark for mark in one_line(text, _LONGEST) if category(mark) not in _HIDDEN)


def table(columns: Sequence[Column], rows: Sequence[Sequence[Span | str]], size: int | None) -> list[Line]:
    """A header and the rows; columns without any text are left out."""
    cells = [[_span(cell) for cell in row] for row in rows]
    used = [number for number in range(len(columns)) if any(row[number].text for row in cells)]
    widths = {number: _widest(columns[number], [row[number] for row in cells]) for number in used}
    while size is not None and _total(widths) > size:
        if not _give_way(columns, widths, size):
            break
    header: list[Span] = [Span(column.header, "dim") for column in columns]
    lines = (_line([row[number] for number in widths], columns, widths) for row in (header, *cells))
    return [cut_line(line, size) for line in lines]


def _span(cell: Span | str) -> Span:
    return Span(clean(cell.text), cell.style) if isinstance(cell, Span) else Span(clean(cell))


def _widest(column: Column, cells: Sequence[Span]) -> int:
    return max(width(column.header), *(width(cell.text) for cell in cells))


def _total(widths: dict[int, int]) -> int:
    return sum(widths.values()) + _GAP * (len(widths) - 1)


def _give_way(columns: Sequence[Column], widths: dict[int, int], size: int) -> bool:
    """Make the table narrower by one step: cut the widest text, drop the column that matters least, or else cut harder."""
    soft = [number for number in widths if columns[number].soft]
    room = sum(max(0, widths[number] - columns[number].soft) for number in soft)
    droppable = [number for number in widths if columns[number].rank]
    if droppable and room < _total(widths) - size:
        del widths[max(droppable, key=lambda number: columns[number].rank)]
        return True
    floors = {number: columns[number].soft if room else _LEAST for number in soft}
    wide = [number for number in soft if widths[number] > floors[number]]
    if not wide:
        return False
    widths[max(wide, key=lambda number: widths[number] - floors[number])] -= 1
    return True


def _line(cells: Sequence[Span], columns: Sequence[Column], widths: dict[int, int]) -> Line:
    spans: list[Span] = []
    for position, (cell, number) in enumerate(zip(cells, widths, strict=True)):
        text = cut(cell.text, widths[number])
        blank = Span(" " * (widths[number] - width(text)))
        gap = [Span(" " * _GAP)] if position else []
        spans += (
            [*gap, blank, Span(text, cell.style)] if columns[number].right else [*gap, Span(text, cell.style), blank]
        )
    return tuple(spans)
