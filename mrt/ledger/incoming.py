"""Files of calls: which kind each is, and its calls as rows of ours, one at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from mrt.errors import UsageError
from mrt.ledger.foreign import exactly, litellm_calls, llm_calls
from mrt.ledger.transfer import FORMAT, checked

Kind = Literal["auto", "mrt", "llm", "litellm"]
_SQLITE = b"SQLite format 3\x00"
_HINT = "`mrt spend import --help` says what can be imported"


def read_calls(path: Path, kind: Kind, host: str) -> Iterator[dict[str, Any]]:
    """The calls of a file, checked; `host` stands for the machine where the file does not say. Raises UsageError."""
    found = _kind_of(path) if kind == "auto" else kind
    if found == "llm":
        yield from llm_calls(path, host)
    elif found == "litellm":
        yield from litellm_calls(_documents(path), host)
    else:
        yield from (_own(document, where) for where, document in _documents(path))


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


def _kind_of(path: Path) -> Kind:
    if path.exists() and not path.is_file():
        raise UsageError(f"{path} is no regular file", "write it to a file first: the import reads it twice")
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", _HINT) from None
    if head.startswith(_SQLITE):
        return "llm"
    return "litellm" if b'"request_id"' in head and FORMAT.encode() not in head else "mrt"


def _documents(path: Path) -> Iterator[tuple[str, Any]]:
    """Each JSON document with its place: one a line, or the items of one array."""
    try:
        with path.open(encoding="utf-8") as file:
            first = file.readline()
            file.seek(0)
            if first.lstrip().startswith("[") or first.strip() in ("{", ""):
                yield from _array(file.read(), path)
                return
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield f"{path}:{number}", _parsed(line, f"{path}:{number}")
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", _HINT) from None
    except UnicodeDecodeError:
        raise UsageError(f"{path} is no text in UTF-8", _HINT) from None


def _array(text: str, path: Path) -> Iterator[tuple[str, Any]]:
    if not text.strip():
        return
    found = _parsed(text, str(path))
    items = found if isinstance(found, list) else [found]
    yield from ((f"{path}: item {number}", item) for number, item in enumerate(items, 1))


def _parsed(text: str, where: str) -> Any:
    try:
        return exactly(text)
    except (ValueError, RecursionError):
        raise UsageError(f"{where}: this is no JSON", _HINT) from None
