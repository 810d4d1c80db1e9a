"""The probability that a tier fails a prompt, with an interval and the number of outcomes behind it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import log
from typing import NamedTuple

from mrt.router.beta import beta_interval
from mrt.router.calibration import Curve, Scaling, chance_and_weight, scaled
from mrt.router.drift import Judged, tallies, unbroken

# The shipped curves: logistic fits of failing by complexity over public outcomes, every set weighing the same. Weak: models of
# 7 to 8 billion parameters and one mixture (Qwen2.5-7B on CRUXEval, Llama-3.1-8B on GSM8K, Mixtral-8x7B on MMLU). Strong: Claude
# 3.5 Sonnet and GPT-4-1106 on the same 4,119 prompts. Made by tests/tools/fit_failure.py.
WEAK, STRONG = Curve(-0.87, 0.549), Curve(-2.04, 0.389)
# In between no outcomes were at hand, so places on the way from weak (0) to strong (1) are assumed: a local model by the
# logarithm of its size, 8 billion parameters at 0 and 70 at a half; any paid model in the last quarter.
_WEAK_SIZE, _HEAVY_SIZE, _HEAVY, _SMALLEST, _PAID = 8.0, 70.0, 0.5, -0.5, 0.75
# Own outcomes below this number say too little: until then the shipped curve speaks alone.
ENOUGH = 25
# The interval leaves out so much at either end: it holds the truth in nine of ten cases.
_TAIL = 0.05
# An interval is never drawn narrower than so many outcomes would have it, nor wider than one would.
_LEAST_WEIGHT, _MOST_WEIGHT = 1.0, 1000.0


class Risk(NamedTuple):
    """A probability from 0 to 1, its 90 % interval, and how many of the user's own outcomes are in it: 0 is the prior alone."""

    mean: float
    low: float
    high: float
    n: int


class Learned(NamedTuple):
    """A model's curve, what the user's own outcomes did to it, and how many they are."""

    curve: Curve
    scaling: Scaling = Scaling()
    n: int = 0


def prior_curve(strength: float) -> Curve:
    """The shipped curve of a model between the weak ones (0) and the strong ones (1); small ones lie below 0."""
    return Curve(*(weak + strength * (strong - weak) for weak, strong in zip(WEAK, STRONG, strict=True)))


def strength_of(model: str, local: bool, place: float = 0.0) -> float:
    """How strong a model is taken to be before it was ever seen: by its kind and size, else by its place on the ladder."""
    if not local:
        return max(_PAID, min(1.0, place))
    size = _billions(model)
    if size is None:
        return min(_HEAVY, max(0.0, place))
    return min(_PAID, max(_SMALLEST, _HEAVY * log(size / _WEAK_SIZE) / log(_HEAVY_SIZE / _WEAK_SIZE)))


def learned(strength: float, outcomes: Sequence[Judged] = ()) -> Learned:
    """The curve for a model of that strength by its own outcomes, newest first; the prior where they are too few."""
    curve = prior_curve(strength)
    if len(outcomes) < ENOUGH:
        return Learned(curve)
    counted = unbroken(curve, outcomes)
    return Learned(curve, scaled(curve, tallies(counted)), len(counted))


def failure_risk(complexity: float, strength: float, outcomes: Sequence[Judged] = ()) -> Risk:
    """How likely a tier fails a prompt of that complexity; `strength` is from 0 (weak) to 1 (strong).

    `outcomes` are the user's own with this model, newest first.
    """
    return risk_by(learned(strength, outcomes), complexity)


def risk_by(known: Learned, complexity: float) -> Risk:
    """The same by a curve at hand: the mean is the curve's, the interval that of a Beta distribution as sure as the curve is."""
    mean, weight = chance_and_weight(known.curve, known.scaling, complexity)
    low, high = beta_interval(mean, min(_MOST_WEIGHT, max(_LEAST_WEIGHT, weight)), _TAIL)
    return Risk(mean, min(low, mean), max(high, mean), known.n)


def _billions(model: str) -> float | None:
    """The parameters that a name tells, in billions; of a mixture such as 8x7b those of two experts, as many as answer."""
    found = re.search(r"(?<![a-z0-9.])(?:(\d{1,3})x)?(\d{1,4}(?:\.\d{1,3})?)b(?![a-z0-9])", model, re.IGNORECASE)
    if found is None or not float(found[2]):
        return None
    return float(found[2]) * (2 if found[1] else 1)
