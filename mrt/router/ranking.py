"""How well a score ranks prompts by who needs the strong model: APGR, CPT, AUROC, calibration error, bootstrap intervals.

APGR and CPT are RouteLLM's (arXiv 2406.18665): prompts go to the strong model from the highest score down; the gap recovered is
the quality won so far as a share of what the strong model wins over the weak one. Ties count as drawn in any order.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import NamedTuple

BINS = 10
RESAMPLES, SEED, _TAIL = 200, 20261121, 0.025


class Outcome(NamedTuple):
    """How one prompt went: quality of the weak and of the strong model's answer from 0 to 1, the score that ranks it (higher =
    harder), and the probability that the weak model fails, where there is one."""

    score: float
    weak: float
    strong: float
    probability: float | None = None


class Figure(NamedTuple):
    """A measure with its bootstrap interval of 95 %. None: the outcomes cannot tell, for nobody failed or nothing is won."""

    value: float | None
    low: float | None = None
    high: float | None = None


class Ranking(NamedTuple):
    """What one score achieves. `cpt50` and `cpt80` are shares of strong calls; `ece` is of the probabilities."""

    apgr: Figure
    cpt50: Figure
    cpt80: Figure
    auroc: Figure
    ece: Figure


class _Group(NamedTuple):
    """Outcomes of equal score, all together: how many, what the strong model wins, and how often the weak one fails."""

    prompts: float
    gain: float
    fails: float


def rank(outcomes: Sequence[Outcome], resamples: int = RESAMPLES, seed: int = SEED) -> Ranking:
    """Every measure over the outcomes. The same seed gives the same intervals."""
    ordered = sorted(outcomes, key=lambda outcome: -outcome.score)
    measured = _measures(ordered, [1] * len(ordered))
    draw = random.Random(seed)  # noqa: S311  an interval, no secret
    drawn = [_measures(ordered, _drawn(draw, len(ordered))) for _ in range(resamples if ordered else 0)]
    return Ranking(*(_figure(value, [row[place] for row in drawn]) for place, value in enumerate(measured)))


def _drawn(draw: random.Random, count: int) -> list[int]:
    times = [0] * count
    for place in draw.choices(range(count), k=count):
        times[place] += 1
    return times


def _figure(value: float | None, drawn: Sequence[float | None]) -> Figure:
    known = sorted(one for one in drawn if one is not None)
    if value is None or not known:
        return Figure(value)
    return Figure(value, known[int(_TAIL * (len(known) - 1))], known[round((1 - _TAIL) * (len(known) - 1))])


def _measures(ordered: Sequence[Outcome], times: Sequence[int]) -> tuple[float | None, ...]:
    groups = list(_groups(ordered, times))
    return (
        apgr_of(groups),
        cpt_of(groups, 0.5),
        cpt_of(groups, 0.8),
        auroc_of(groups),
        calibration_error(ordered, times),
    )


def _groups(ordered: Sequence[Outcome], times: Sequence[int]) -> Iterator[_Group]:
    following = [outcome.score for outcome in ordered[1:]]
    count = gain = fails = 0.0
    for (score, weak, strong, _), time, after in zip_longest(ordered, times, following):
        if time:
            count, gain, fails = count + time, gain + time * (strong - weak), fails + time * (1 - weak)
        if count and score != after:
            yield _Group(count, gain, fails)
            count = gain = fails = 0.0


def apgr_of(groups: Sequence[_Group]) -> float | None:
    """Area under the share of the gap recovered over the share of strong calls; None where the strong model wins nothing."""
    count, gain = sum(group.prompts for group in groups), sum(group.gain for group in groups)
    if gain <= 0:
        return None
    area = recovered = 0.0
    for group in groups:
        area += group.prompts * (recovered + group.gain / 2)
        recovered += group.gain
    return area / (count * gain)


def cpt_of(groups: Sequence[_Group], share: float) -> float | None:
    """Share of strong calls at which `share` of the gap is first recovered; None where the strong model wins nothing."""
    count, gain = sum(group.prompts for group in groups), sum(group.gain for group in groups)
    if gain <= 0:
        return None
    calls, missing = 0.0, share * gain
    for group in groups:
        if group.gain >= missing:
            return (calls + group.prompts * max(0.0, missing) / group.gain) / count if group.gain > 0 else calls / count
        calls, missing = calls + group.prompts, missing - group.gain
    return 1.0


def auroc_of(groups: Sequence[_Group]) -> float | None:
    """Probability that a prompt the weak model fails ranks above one it solves; part marks count in part."""
    fails = sum(group.fails for group in groups)
    solved = sum(group.prompts for group in groups) - fails
    if fails <= 0 or solved <= 0:
        return None
    above = pairs = 0.0
    for group in groups:
        pairs += (group.prompts - group.fails) * (above + group.fails / 2)
        above += group.fails
    return pairs / (fails * solved)


def calibration_error(outcomes: Sequence[Outcome], times: Sequence[int] | None = None) -> float | None:
    """Expected calibration error of P(weak fails) over ten equal bins; None when an outcome has no probability."""
    bins = [[0.0, 0.0] for _ in range(BINS)]
    total = 0.0
    for place, outcome in enumerate(outcomes):
        if outcome.probability is None:
            return None
        weight = 1 if times is None else times[place]
        sums = bins[min(BINS - 1, int(outcome.probability * BINS))]
        sums[0] += weight * outcome.probability
        sums[1] += weight * (1 - outcome.weak)
        total += weight
    return sum(abs(said - seen) for said, seen in bins) / total if total else None
