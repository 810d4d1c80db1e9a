"""Up to which complexity a model may be trusted: one curve through all tasks, and how sure it is, instead of one band's few.

The chance to pass falls with the complexity x as 1 / (1 + exp((x - middle) / width)). All pairs on a grid are weighed by the
tasks passed and failed, under a flat prior over middles and over widths in equal steps of their logarithm. A level is
recommended when the chance that its pass rate reaches the target is high enough: 90 % for the safe one, 75 % for the bold one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

TARGET, SAFE, BOLD = 0.8, 0.9, 0.75
LEVELS = range(1, 11)
# 57 middles from -2 to 12 in quarters, 8 widths from a sharp edge to a long slope.
_MIDDLES = tuple(-2 + number / 4 for number in range(57))
_WIDTHS = (0.2, 0.35, 0.6, 0.9, 1.3, 1.8, 2.5, 3.5)
_COMPLEXITY_OF_BAND = {1: 1.5, 2: 3.5, 3: 5.5, 4: 7.5, 5: 9.0, 6: 10.0}


class Trial(NamedTuple):
    """One graded answer: the complexity of its task, and whether it passed."""

    complexity: float
    passed: bool


class Level(NamedTuple):
    """A complexity with its estimated pass rate, a 95 % interval, and the chance that the rate reaches the target."""

    complexity: int
    mean: float
    low: float
    high: float
    chance: float


class Thresholds(NamedTuple):
    """The highest level that holds with each certainty; None where not even the lowest does. `trials` answers are behind it."""

    safe: int | None
    bold: int | None
    levels: tuple[Level, ...]
    trials: int


def complexity_of(band: int) -> float:
    """The middle of a band of tasks on the router's scale from 1 to 10."""
    return _COMPLEXITY_OF_BAND[band]


def thresholds(trials: Sequence[Trial], target: float = TARGET) -> Thresholds:
    """The levels at which a model that gave these answers reaches `target`."""
    weights = _posterior(trials)
    levels = tuple(_level(complexity, weights, target) for complexity in LEVELS)
    return Thresholds(_highest(levels, SAFE), _highest(levels, BOLD), levels, len(trials))


def _posterior(trials: Sequence[Trial]) -> list[tuple[float, float, float]]:
    """(weight, middle, width) of each point of the grid; the weights sum to 1."""
    counted: dict[tuple[float, bool], int] = {}
    for trial in trials:
        counted[trial] = counted.get(trial, 0) + 1
    points = [(middle, width) for middle in _MIDDLES for width in _WIDTHS]
    logs = [
        math.fsum(
            number * _log_chance(complexity, passed, middle, width) for (complexity, passed), number in counted.items()
        )
        for middle, width in points
    ]
    highest = max(logs)
    raw = [math.exp(value - highest) for value in logs]
    total = math.fsum(raw)
    return [(weight / total, middle, width) for weight, (middle, width) in zip(raw, points, strict=True)]


def _log_chance(complexity: float, passed: bool, middle: float, width: float) -> float:
    slope = (complexity - middle) / width
    return -_softplus(slope) if passed else -_softplus(-slope)


def _softplus(value: float) -> float:
    return value + math.log1p(math.exp(-value)) if value > 0 else math.log1p(math.exp(value))


def _level(complexity: int, weights: Sequence[tuple[float, float, float]], target: float) -> Level:
    rates = sorted(
        (math.exp(_log_chance(complexity, True, middle, width)), weight) for weight, middle, width in weights
    )
    mean = math.fsum(rate * weight for rate, weight in rates)
    chance = math.fsum(weight for rate, weight in rates if rate >= target)
    return Level(complexity, mean, _quantile(rates, 0.025), _quantile(rates, 0.975), chance)


def _quantile(rates: Sequence[tuple[float, float]], share: float) -> float:
    below = 0.0
    for rate, weight in rates:
        below += weight
        if below >= share:
            return rate
    return rates[-1][0]


def _highest(levels: Sequence[Level], certainty: float) -> int | None:
    """The last level before the first that does not hold."""
    found = None
    for level in levels:
        if level.chance < certainty:
            break
        found = level.complexity
    return found
