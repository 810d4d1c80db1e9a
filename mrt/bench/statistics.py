"""What a handful of tasks can tell: intervals, comparisons and rates, without more certainty than there is."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from typing import NamedTuple

# The normal deviate of a two-sided 95 % interval.
Z95 = 1.959963984540054
RESAMPLES = 2000


class Rate(NamedTuple):
    """A rate with its 95 % interval; `value` None where nothing was counted."""

    value: float | None
    low: float
    high: float
    graded: int


def wilson(passed: float, count: int) -> Rate:
    """Wilson's score interval of `passed` out of `count` (Wilson 1927): honest for few tasks, and for none or all passed."""
    if count == 0:
        return Rate(None, 0.0, 1.0, 0)
    share, z2 = passed / count, Z95 * Z95
    centre = (share + z2 / (2 * count)) / (1 + z2 / count)
    half = Z95 * math.sqrt(share * (1 - share) / count + z2 / (4 * count * count)) / (1 + z2 / count)
    return Rate(share, max(0.0, centre - half), min(1.0, centre + half), count)


def all_pass(k: int, samples: int, passed: int) -> float | None:
    """The chance that all of `k` samples pass: what counts where nobody checks the answer. None for more than were drawn."""
    if k > samples or k < 1:
        return None
    return math.comb(passed, k) / math.comb(samples, k)


def bootstrap(by_task: Sequence[float], seed: int, resamples: int = RESAMPLES) -> Rate:
    """The mean over tasks with a percentile interval. Tasks are drawn anew, never samples: those of a task are alike."""
    if not by_task:
        return Rate(None, 0.0, 1.0, 0)
    generator = random.Random(seed)  # noqa: S311 - reproducible, guards nothing
    count = len(by_task)
    means = sorted(math.fsum(generator.choices(by_task, k=count)) / count for _ in range(resamples))
    low, high = means[int(0.025 * resamples)], means[min(resamples - 1, int(0.975 * resamples))]
    return Rate(math.fsum(by_task) / count, low, high, count)


class Comparison(NamedTuple):
    """Two models over the same tasks: what only one of them solved, and how surprising that would be by chance.

    `p` is McNemar's exact two-sided probability, `mid_p` its less cautious form.
    """

    only_first: tuple[str, ...]
    only_second: tuple[str, ...]
    both: int
    neither: int
    p: float
    mid_p: float

    @property
    def verdict(self) -> str:
        """In words, and never more than the tasks can carry."""
        if self.p < 0.05:
            better = "the first" if len(self.only_first) > len(self.only_second) else "the second"
            return f"{better} is better ({p_text(self.p)})"
        return f"no evidence of a difference (p = {self.p:.2f}); {_more_tasks(self)}"


def p_text(p: float) -> str:
    """A probability as it is quoted; never zero."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def compare(first: Mapping[str, bool], second: Mapping[str, bool]) -> Comparison:
    """McNemar's exact test over the tasks that both were graded on."""
    shared = [task for task in first if task in second]
    only_first = tuple(task for task in shared if first[task] and not second[task])
    only_second = tuple(task for task in shared if second[task] and not first[task])
    both = sum(first[task] and second[task] for task in shared)
    neither = len(shared) - both - len(only_first) - len(only_second)
    p, mid_p = _mcnemar(len(only_first), len(only_second))
    return Comparison(only_first, only_second, both, neither, p, mid_p)


def _mcnemar(first: int, second: int) -> tuple[float, float]:
    count, fewer = first + second, min(first, second)
    if count == 0:
        return 1.0, 1.0
    tail = sum(math.comb(count, k) for k in range(fewer + 1)) / 2**count
    here = math.comb(count, fewer) / 2**count
    return min(1.0, 2 * tail), min(1.0, 2 * tail - here)


def _more_tasks(found: Comparison) -> str:
    """How many more tasks it would take if the difference went on as it is."""
    first, second = len(found.only_first), len(found.only_second)
    tasks = found.both + found.neither + first + second
    if first == second:
        return "neither is ahead"
    times = next((k for k in range(2, 51) if _mcnemar(k * first, k * second)[0] < 0.05), None)
    return (
        "even 50 times as many tasks might not tell"
        if times is None
        else f"about {(times - 1) * tasks} more tasks could tell"
    )


def holm(probabilities: Mapping[str, float]) -> dict[str, float]:
    """Holm's correction for looking at several comparisons at once, in the order given."""
    corrected: dict[str, float] = {}
    highest = 0.0
    for rank, (name, p) in enumerate(sorted(probabilities.items(), key=lambda item: item[1])):
        highest = max(highest, min(1.0, (len(probabilities) - rank) * p))
        corrected[name] = highest
    return {name: corrected[name] for name in probabilities}


def median_of(values: Sequence[float]) -> float | None:
    """The median; None of nothing."""
    if not values:
        return None
    ordered, half = sorted(values), len(values) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def percentile(values: Sequence[float], share: float) -> float | None:
    """The value below which `share` of them lie, interpolated; None of fewer than 20, of which percentiles say nothing."""
    if len(values) < 20:
        return None
    ordered = sorted(values)
    at = share * (len(ordered) - 1)
    low = math.floor(at)
    return ordered[low] + (at - low) * (ordered[min(low + 1, len(ordered) - 1)] - ordered[low])
