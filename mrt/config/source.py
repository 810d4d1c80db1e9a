"""A TOML file with the line of each of its keys."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from mrt.errors import ConfigError

_PART = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*')"""
_DOTTED = rf"({_PART}(?:[ \t]*\.[ \t]*{_PART})*)"
_HEADER = rf"[ \t]*\[\[?[ \t]*{_DOTTED}[ \t]*\]"
_PAIR = rf"[ \t]*{_DOTTED}[ \t]*=(.*)"
_DELIMITER = r"\"\"\"|'''"
_PLACE = r"(.*?) \(at (?:line (\d+), column (\d+)|end of document)\)"


class FileProblem(ConfigError):
    """A file that cannot be read: `where` is FILE, FILE:LINE or FILE:LINE:COLUMN, `what` the message without it."""

    def __init__(self, where: str, what: str, hint: str) -> None:
        super().__init__(f"{where}: {what}", hint)
        self.where = where
        self.what = what


class Source(NamedTuple):
    """A file that was read: its text, its content with numbers as Decimal, and the lines of its keys."""

    path: Path
    text: str
    document: Mapping[str, Any]
    lines: Mapping[tuple[str, ...], int]

    def where(self, key: tuple[str, ...]) -> str:
        """FILE:LINE of the key, or of the nearest table around it."""
        while key and key not in self.lines:
            key = key[:-1]
        return f"{self.path}:{self.lines[key]}" if key else str(self.path)


def read(path: Path) -> Source | None:
    """The file's content, None when there is no such file. Raises FileProblem with file, line and column."""
    text = read_text(path)
    return None if text is None else parse(path, text)


def parse(path: Path, text: str) -> Source:
    """The text as if the file held it. Raises FileProblem with line and column."""
    import tomllib

    try:
        document = tomllib.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        where, what = _syntax_place(path, text, str(error))
        raise FileProblem(where, f"not valid TOML: {what}", "mend it, then run `mrt config check`") from None
    return Source(path, text, document, line_numbers(text))


def read_text(path: Path) -> str | None:
    """The file as text, None when there is no such file. Raises FileProblem."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return None
    except IsADirectoryError:
        raise FileProblem(str(path), "this is a directory, not a config file", "name the file in it") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise FileProblem(str(path), f"cannot be read: {reason}", "check the path and its permissions") from None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise FileProblem(f"{path}:{line}", "this is not UTF-8 text", "save the file as UTF-8") from None


def line_numbers(text: str) -> dict[tuple[str, ...], int]:
    """The line on which each key and table first stands; good enough for messages, and never fails."""
    lines: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    for number, line in _lines_outside_strings(text):
        if header := re.match(_HEADER, line):
            table = _parts(header[1])
            _note(lines, table, number)
        elif pair := re.match(_PAIR, line):
            _note(lines, table + _parts(pair[1]), number)
    return lines


def _note(lines: dict[tuple[str, ...], int], key: tuple[str, ...], number: int) -> None:
    """The key stands on this line, and so do the tables that it is the first to name."""
    for length in range(1, len(key) + 1):
        lines.setdefault(key[:length], number)


def _lines_outside_strings(text: str) -> Iterator[tuple[int, str]]:
    """Numbered lines, without those that begin inside a multi-line string."""
    open_with: str | None = None
    for number, line in enumerate(text.split("\n"), 1):
        if open_with is None:
            yield number, line
        open_with = _open_after(line, open_with)


def _open_after(line: str, open_with: str | None) -> str | None:
    """The delimiter of the string that is still open at the end of the line, if any."""
    if open_with is None and line.lstrip().startswith("#"):
        return None
    for delimiter in re.findall(_DELIMITER, line):
        if open_with is None:
            open_with = delimiter
        elif delimiter == open_with:
            open_with = None
    return open_with


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(_unquoted(part) for part in re.findall(_PART, dotted))


def _unquoted(part: str) -> str:
    if part.startswith("'"):
        return part[1:-1]
    if not part.startswith('"'):
        return part
    try:
        return str(json.loads(part))
    except ValueError:
        return part[1:-1]


def _syntax_place(path: Path, text: str, complaint: str) -> tuple[str, str]:
    """The parser's complaint as FILE:LINE:COLUMN and the rest of it."""
    place = re.fullmatch(_PLACE, complaint, re.DOTALL)
    if place is None:
        return str(path), complaint
    line = place[2] or text.rstrip().count("\n") + 1
    return f"{path}:{line}" + (f":{place[3]}" if place[3] else ""), place[1]
