"""Files of calls: which kind each is, and its calls as rows of ours, one at a time."""

from __future__ import annotations

import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, Literal

from mrt.errors import UsageError
from mrt.ledger.foreign import exactly, litellm_calls, llm_calls
from mrt.ledger.transfer import FORMAT, checked

Kind = Literal["auto", "mrt", "llm", "litellm"]
Calls = Callable[[], Iterator[dict[str, Any]]]
STDIN = Path("-")
_SQLITE = b"SQLite format 3\x00"
_HINT = "`mrt spend import --help` says what can be imported"


@contextmanager
def calls_of(path: Path, kind: Kind, host: str, stdin: BinaryIO | None) -> Iterator[Calls]:
    """How to read a file's calls, checked, from its beginning, as often as need be; "-" is standard input.

    `host` stands for the machine where the file does not say. What comes through a pipe is kept until the block ends. The
    reading raises UsageError for what is no call, and where there is nothing to read.
    """
    with _file(path, stdin) as file:
        name = "standard input" if path == STDIN else str(path)
        yield lambda: _calls(file, name, kind, host)


@contextmanager
def _file(path: Path, stdin: BinaryIO | None) -> Iterator[Path]:
    """A file that can be read twice: the one named, or a copy of what comes only once."""
    if path != STDIN and not _is_pipe(path):
        yield path
        return
    with tempfile.NamedTemporaryFile(prefix="mrt-", suffix=".import") as copy:
        try:
            if path == STDIN:
                if stdin is None:
                    raise UsageError("there is no standard input to import", _HINT)
                shutil.copyfileobj(stdin, copy)
            else:
                with path.open("rb") as source:
                    shutil.copyfileobj(source, copy)
            copy.flush()
        except OSError as error:
            raise UsageError(f"{path} cannot be read: {error.strerror}", _HINT) from None
        yield Path(copy.name)


def _is_pipe(path: Path) -> bool:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", _HINT) from None
    if stat.S_ISREG(mode) or stat.S_ISFIFO(mode):
        return stat.S_ISFIFO(mode)
    raise UsageError(f"{path} is neither a file nor a pipe", _HINT)


def _calls(file: Path, name: str, kind: Kind, host: str) -> Iterator[dict[str, Any]]:
    if kind == "llm" or (kind == "auto" and _is_database(file, name)):
        yield from llm_calls(file, name, host)
        return
    documents = _documents(file, name)
    first = next(documents, None)
    if first is None:
        return
    documents = chain([first], documents)
    if kind == "litellm" or (kind == "auto" and _is_litellm(first[1])):
        yield from litellm_calls(documents, host)
    else:
        yield from (_own(document, where) for where, document in documents)


def _is_database(file: Path, name: str) -> bool:
    with _opened(file, name) as opened:
        return opened.read(len(_SQLITE)) == _SQLITE


def _is_litellm(document: Any) -> bool:
    """One row of its table, or one page of them as its proxy answers."""
    return isinstance(document, dict) and "format" not in document and ("request_id" in document or "data" in document)


def _own(document: Any, where: str) -> dict[str, Any]:
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise UsageError(f"{where}: this is no call as `mrt spend export` writes it", _HINT)
    row = {name: value for name, value in document.items() if name != "format"}
    speed = row.get("tokens_per_second")
    return checked(row | {"tokens_per_second": None if speed is None else _float(speed)}, where)


def _float(number: Any) -> Any:
    try:
        return float(number)
    except (TypeError, ValueError, OverflowError):
        return number


def _documents(file: Path, name: str) -> Iterator[tuple[str, Any]]:
    """Each JSON document with its place: one a line, or the items of one array."""
    with _opened(file, name) as opened:
        number, first = _first_line(opened)
        if not first:
            return
        if not (first.startswith(b"{") and first.endswith(b"}")):
            opened.seek(0)
            yield from _whole(opened.read(), name)
            return
        yield f"{name}:{number}", _parsed(first, f"{name}:{number}", name)
        for later, line in enumerate(opened, number + 1):
            if line.strip():
                yield f"{name}:{later}", _parsed(line, f"{name}:{later}", name)


def _first_line(opened: BinaryIO) -> tuple[int, bytes]:
    """The first line that says anything, and its number."""
    for number, line in enumerate(opened, 1):
        text = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
        if text.strip():
            return number, text.strip()
    return 0, b""


def _whole(content: bytes, name: str) -> Iterator[tuple[str, Any]]:
    """One document over many lines."""
    found = _parsed(content, name, name)
    items = found if isinstance(found, list) else [found]
    yield from ((f"{name}: item {number}", item) for number, item in enumerate(items, 1))


def _parsed(content: bytes, where: str, name: str) -> Any:
    try:
        return exactly(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise UsageError(f"{name} is no text in UTF-8", _HINT) from None
    except (ValueError, RecursionError):
        raise UsageError(f"{where}: this is no JSON", _HINT) from None


@contextmanager
def _opened(file: Path, name: str) -> Iterator[BinaryIO]:
    try:
        with file.open("rb") as opened:
            yield opened
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror}", _HINT) from None
