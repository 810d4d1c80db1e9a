"""What was probably meant by a name that does not exist."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def nearest(wrong: str, known: Iterable[str], most: int = 1, closeness: float = 0.6) -> list[str]:
    """Up to `most` of the known names that look like this one, the closest first; case does not matter.

    `closeness`, 0 to 1, is the share of characters that must match (2·matches/length of both, as difflib counts them).
    """
    from difflib import get_close_matches

    by_lower = {name.lower(): name for name in known}
    return [by_lower[name] for name in get_close_matches(wrong.lower(), by_lower, most, closeness)]


def did_you_mean(near: Sequence[str], otherwise: str) -> str:
    """A hint that names them, or another one where there are none."""
    return f"did you mean {_listed(near)}?" if near else otherwise


def guessed(near: Sequence[str]) -> str:
    """The same in brackets, to follow a message; nothing where there are none."""
    return f" (did you mean {_listed(near)}?)" if near else ""


def _listed(names: Sequence[str]) -> str:
    return " or ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)
