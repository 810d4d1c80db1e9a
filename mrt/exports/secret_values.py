"""Whether a value of the configuration holds a key, wherever in it that stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mrt.config.secrets import looks_secret, names_secret


def holds_secret(value: Any) -> bool:
    """Whether any text in it looks like a key, or stands under a name that says it is one, as in {api_key = "..."}.

    A table of that name may describe one, as a JSON schema does; it is none.
    """
    return any(looks_secret(text) or names_secret(name) for name, text in _named(value, ""))


def texts(value: Any) -> Iterator[str]:
    """Every text in a value, names in tables included."""
    return (text for _, text in _named(value, ""))


def _named(value: Any, name: str) -> Iterator[tuple[str, str]]:
    """Every text with the name that it, or the list it is in, has in its table."""
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield "", str(key)
            yield from _named(item, str(key))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _named(item, name)
