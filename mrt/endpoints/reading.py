"""Take what is wanted out of a stranger's JSON, and nothing that is not of the right kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

LONGEST_TEXT = 300
LARGEST_NUMBER = 2**53
MOST_ROWS = 5000


def at(document: Any, *names: str) -> Any:
    """What lies at a path of keys; None when the path breaks off."""
    for name in names:
        document = document.get(name) if isinstance(document, dict) else None
    return document


def text(value: Any) -> str | None:
    """A text that says something, not longer than anybody reads."""
    return value[:LONGEST_TEXT] if isinstance(value, str) and value.strip() else None


def number(value: Any) -> int | None:
    """A count of one or more; zero stands for unknown in every list of models on record."""
    return value if is_count(value) and value > 0 else None


def count(value: Any) -> int | None:
    """A count that may be zero."""
    return value if is_count(value) else None


def is_count(value: Any) -> bool:
    """Whether it is a whole number that can count something."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST_NUMBER


def flag(value: Any) -> bool | None:
    """True or false, and None for everything else."""
    return value if isinstance(value, bool) else None


def rows(document: Any, *names: str) -> list[dict[str, Any]] | None:
    """The objects of the first list found under one of these names; None when there is no such list."""
    found = next((found for name in names if isinstance(found := at(document, name), list)), None)
    return None if found is None else [row for row in found[:MOST_ROWS] if isinstance(row, dict)]


def rows_or_null(document: Any, name: str) -> list[dict[str, Any]] | None:
    """Like `rows`; servers in Go may write an empty list as null."""
    empty = isinstance(document, dict) and name in document and document[name] is None
    return [] if empty else rows(document, name)


def first_number(row: Mapping[str, Any], *names: str) -> int | None:
    """The first of these fields that holds a count."""
    return next((found for name in names if (found := number(row.get(name))) is not None), None)


def has(row: Mapping[str, Any], list_name: str, word: str) -> bool | None:
    """Whether a list of words names this one; None when there is no such list."""
    words = row.get(list_name)
    return word in words if isinstance(words, list) else None
