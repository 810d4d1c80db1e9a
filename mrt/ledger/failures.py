"""SQLite's failures in the user's words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mrt.errors import StoreError

if TYPE_CHECKING:
    import sqlite3

ELSEWHERE = "choose another file with the environment variable MRT_DB"

# Primary result codes (https://www.sqlite.org/rescode.html) that a person can do something about.
_LOCKED = (5, 6)
_UNWRITABLE = (3, 8, 14)
_FAILING = (10,)
_FULL = (13,)
_DAMAGED = (11, 26)


@contextmanager
def translated(path: Path | None) -> Iterator[None]:
    """Raise StoreError for what goes wrong with the file; broken constraints and misuse stay the defects they are."""
    import sqlite3

    try:
        yield
    except (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.InterfaceError):
        raise
    except sqlite3.Error as error:
        raise store_error(error, path) from error


def store_error(error: sqlite3.Error, path: Path | None) -> StoreError:
    """What happened to the store at `path` (None: in memory), in one line, and what to do about it."""
    store = f"the spend store {path}" if path else "the spend store in memory"
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in _LOCKED:
        return StoreError(f"{store} is locked by another program", "try again, or close the program that uses the file")
    if code in _FULL:
        return StoreError(f"{store} cannot grow: the disk is full", f"free some space, or {ELSEWHERE}")
    if code in _FAILING:
        return StoreError(
            f"{store} cannot be written: {_line(error)}", f"see whether the disk is full or failing, or {ELSEWHERE}"
        )
    if code in _UNWRITABLE:
        return StoreError(f"{store} cannot be written: {_line(error)}", f"check its permissions, or {ELSEWHERE}")
    if code in _DAMAGED:
        return StoreError(
            f"{store} is damaged or no database: {_line(error)}",
            f"move it away, and mrt begins a new one; or {ELSEWHERE}",
        )
    return StoreError(f"{store} failed: {_line(error)}", ELSEWHERE)


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
