"""The live view as a screen of a given size, and as a text of any length."""

from __future__ import annotations

from collections.abc import Sequence

from mrt.live.snapshot import Snapshot
from mrt.output import top_blocks as blocks
from mrt.output.top_table import Line, Span, cut_line, plain

# From so many rows on, blank lines part the blocks.
_ROOMY = 18
# Who gets the next row when there are too few, in this order, a row each in turn.
_TURNS = ("head", "flights", "budgets", "endpoints", "log", "money")
_ORDER = ("head", "money", "budgets", "flights", "endpoints", "log")
_TABLES = ("flights", "endpoints", "log")


def top_text(snapshot: Snapshot) -> str:
    """All of it, never cut."""
    found = _blocks(snapshot, None)
    parts = [found["head"], [*found["money"], *found["budgets"]], *(found[name] for name in _TABLES)]
    return "\n\n".join("\n".join(map(plain, part)) for part in parts if part)


def screen(snapshot: Snapshot, width: int, height: int) -> list[Line]:
    """At most `height` lines of at most `width` cells each; what there is no room for is counted."""
    found = {name: lines for name, lines in _blocks(snapshot, width).items() if lines}
    blanks = _blanks(found) if height >= _ROOMY else frozenset()
    shares = _shares(found, height - len(blanks))
    shown: list[Line] = []
    for name in _ORDER:
        lines = _cropped(found.get(name, []), shares.get(name, 0), width)
        if lines and name in blanks:
            shown.append(())
        shown += lines
    return shown[:height]


def _blocks(snapshot: Snapshot, width: int | None) -> dict[str, list[Line]]:
    return {
        "head": blocks.head(snapshot, width),
        "money": blocks.money(snapshot.money, width),
        "budgets": blocks.budgets(snapshot.money, width),
        "flights": blocks.flights(snapshot, width),
        "endpoints": blocks.endpoints(snapshot, width),
        "log": blocks.log(snapshot, width),
    }


def _blanks(found: dict[str, list[Line]]) -> frozenset[str]:
    """The blocks with a blank line before them; money and budgets stay together."""
    return frozenset(name for name in found if name in (*_TABLES, "money"))


def _shares(found: dict[str, list[Line]], height: int) -> dict[str, int]:
    """How many lines each block gets: in turns, until the screen is full or everything is shown."""
    shares = dict.fromkeys(found, 0)
    left = max(0, height)
    while left and any(shares[name] < len(found[name]) for name in found):
        for name in _TURNS:
            # A table begins with a header, which says nothing alone.
            wanted = min(
                2 if name in _TABLES and not shares.get(name) else 1, len(found.get(name, [])) - shares.get(name, 0)
            )
            if 0 < wanted <= left:
                shares[name] += wanted
                left -= wanted
            elif wanted > left:
                left = 0
    return shares


def _cropped(lines: Sequence[Line], share: int, width: int) -> list[Line]:
    if share >= len(lines) or share < 3:
        return list(lines[:share])
    more = len(lines) - share + 1
    return [*lines[: share - 1], cut_line((Span(f"… {more} more", "dim"),), width)]
