"""From complexity to the order in which tiers are tried."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mrt.router.rules import BASE, Contribution, contributions

LOWEST, HIGHEST = 1.0, 10.0


@dataclass(frozen=True)
class Rung:
    """A tier as the router sees it: its name and the highest complexity that may start on it (None: any)."""

    name: str
    max_complexity: float | None = None


@dataclass(frozen=True)
class Decision:
    """Which tier starts, which follow when it fails, and why."""

    complexity: float
    order: tuple[str, ...]
    contributions: tuple[Contribution, ...]
    reason: str

    @property
    def tier(self) -> str:
        """The tier that starts."""
        return self.order[0]


def decide(prompt: str, rungs: Sequence[Rung], start: str | None = None, why: str = "") -> Decision:
    """The decision for a prompt over tiers in rising order; `start` overrides where to begin, for the reason `why`.

    The same inputs give the same decision. At least one rung is needed.
    """
    found = contributions(prompt)
    complexity = round(min(HIGHEST, max(LOWEST, BASE + sum(part.weight for part in found))), 1)
    chosen = start if start is not None else _first_able(complexity, rungs).name
    names = [rung.name for rung in rungs]
    reason = why if start is not None else _explain(complexity, found)
    return Decision(complexity, tuple(names[names.index(chosen) :]), found, reason)


def _first_able(complexity: float, rungs: Sequence[Rung]) -> Rung:
    return next((rung for rung in rungs if rung.max_complexity is None or complexity <= rung.max_complexity), rungs[-1])


def _explain(complexity: float, found: Sequence[Contribution]) -> str:
    parts = "; ".join(f"{part.feature}: {part.value}" for part in sorted(found, key=lambda part: -part.weight))
    return f"complexity {complexity:g}" + (f" ({parts})" if parts else "")
