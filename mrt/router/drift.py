"""A user's own outcomes as far as they speak of today: the older the lighter, and none from before a break."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import sqrt
from typing import NamedTuple

from mrt.router.calibration import Curve, Scaling, Tally, chance_and_weight, scaled

# So many of a model's newest outcomes count, each half as much as one that is HALF younger: models, servers and habits change.
NEWEST, HALF = 400, 200
# When this many newest ones contradict all older ones by so many standard deviations, something has changed.
_RECENT, _BREAK, _SUSPICIOUS = (25, 50, 100, 200), 3.0, 1.2
# Outcomes are summed up by half a point of complexity: finer, they would only take longer.
_PER_POINT = 2


class Judged(NamedTuple):
    """One outcome: the complexity of the prompt, and whether the model failed it. `graded` ones are tasks with a known answer."""

    complexity: float
    failed: bool
    graded: bool = False


def tallies(outcomes: Iterable[Judged]) -> tuple[Tally, ...]:
    """Outcomes, newest first, summed up by complexity; the older the lighter."""
    sums: dict[int, list[float]] = {}
    for age, outcome in enumerate(outcomes):
        sums.setdefault(round(outcome.complexity * _PER_POINT), [0.0, 0.0])[outcome.failed] += 0.5 ** (age / HALF)
    return tuple(Tally(step / _PER_POINT, *sums[step]) for step in sorted(sums))


def unbroken(curve: Curve, outcomes: Sequence[Judged]) -> Sequence[Judged]:
    """Those that count, newest first: not the ones from before a break, so that a model that was replaced is learned anew.

    Graded tasks and asks are judged by different means, so a break is looked for in each of them alone.
    """
    newest = outcomes[:NEWEST]
    left = [_since_break(curve, [one for one in newest if one.graded is graded]) for graded in (False, True)]
    kept = []
    for outcome in newest:
        if left[outcome.graded]:
            left[outcome.graded] -= 1
            kept.append(outcome)
    return kept


def _since_break(curve: Curve, newest: Sequence[Judged]) -> int:
    """How many of the newest outcomes there are since a break, all of them where there was none."""
    cuts = [recent for recent in _RECENT if recent + _RECENT[0] <= len(newest)]
    # Seldom is there a reason to look closer: the curve of all of them tells, since they pull it only so far.
    together = scaled(curve, tallies(newest)) if cuts else Scaling()
    cuts = [recent for recent in cuts if _contradiction(curve, together, newest[:recent]) > _SUSPICIOUS]
    breaks = [(_contradiction(curve, _before(curve, newest, recent), newest[:recent]), recent) for recent in cuts]
    worst, recent = max(breaks, default=(0.0, 0))
    return recent if worst > _BREAK else len(newest)


def _before(curve: Curve, newest: Sequence[Judged], recent: int) -> Scaling:
    return scaled(curve, tallies(newest[recent:]))


def _contradiction(curve: Curve, scaling: Scaling, recent: Sequence[Judged]) -> float:
    """How far the recent outcomes are from a curve, in standard deviations."""
    sums = tallies(recent)
    expected = spread = 0.0
    for tally in sums:
        count = tally.passed + tally.failed
        chance, weight = chance_and_weight(curve, scaling, tally.complexity)
        expected += count * chance
        # The luck of the recent ones, and how unsure the curve is, which errs for all of them in the same direction.
        spread += count * chance * (1 - chance) * (1 + len(recent) / (1 + weight))
    return abs(sum(tally.failed for tally in sums) - expected) / sqrt(spread)
