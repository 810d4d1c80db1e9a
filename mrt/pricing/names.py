"""Names of models: what a date or a version adds to one, and whether two of them mean the same model."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

# -20251001, -2025-10-01, @20251001: a dated release of the model before it.
_DATE = re.compile(r"[-@](20[0-9]{2})(-?)([0-9]{2})\2([0-9]{2})\Z")
# The versions that Vertex AI writes behind an id: @default, @latest, @001.
_VERSION = re.compile(r"@(?:default|latest|[0-9]{3})\Z")
# A server that names what it served is freer: gpt-4-0613, gemini-2.0-flash-001, preview-05-06.
_SHORT_DATE = re.compile(r"-(?:[0-9]{3,4}|[0-9]{2}-[0-9]{2})\Z")


def candidates(model: str) -> Iterator[str]:
    """The id itself, then without its date or version."""
    yield model
    plain = _undated(model)
    if plain and plain != model:
        yield plain


def priced_names(asked: str, served: str | None) -> tuple[str, ...]:
    """The names whose price holds for an answer, the most exact first.

    It is the price of the model that served. That of the asked one holds only where the served name is the asked one in other
    words; any other is another model, whose price is its own or not known.
    """
    if served is None or served == asked:
        return (asked,)
    tail = served.rpartition("/")[2]
    names = [served, tail, asked] if _stem(served) == _stem(asked) else [served, tail]
    return tuple(dict.fromkeys(name for name in names if name))


def _undated(model: str) -> str:
    found = _DATE.search(model)
    if found is not None:
        return model[: found.start()] if _is_date(found[1], found[3], found[4]) else model
    return _VERSION.sub("", model)


def _is_date(year: str, month: str, day: str) -> bool:
    try:
        date(int(year), int(month), int(day))
    except ValueError:
        return False
    return True


def _stem(name: str) -> str:
    """A name without its maker or folder, its file type, its date or version."""
    stem = _undated(name.lower().rpartition("/")[2].removesuffix(".gguf"))
    return _SHORT_DATE.sub("", stem).removesuffix("-latest")
