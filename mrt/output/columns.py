"""Plain columns of text, never cut; lighter to load than a table library, for what people run every day."""

from __future__ import annotations

from collections.abc import Sequence
from unicodedata import east_asian_width

from mrt.output.terminal import one_line


def columns(headers: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[bool]) -> list[str]:
    """Lines of a header, a rule and the rows; `right` says which columns are aligned to the right."""
    cells = [list(headers), *([one_line(cell, 10_000) for cell in row] for row in rows)]
    widths = [max(map(width, column)) for column in zip(*cells, strict=True)]
    rule = ["-" * size for size in widths]
    return ["  ".join(map(_padded, line, widths, right)).rstrip() for line in (cells[0], rule, *cells[1:])]


def width(text: str) -> int:
    """How many cells of a terminal the text takes."""
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)


def _padded(text: str, size: int, right: bool) -> str:
    blank = " " * (size - width(text))
    return blank + text if right else text + blank
