"""Platt scaling: a shipped curve of failure, moved and stretched by a user's own outcomes as far as they speak."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import exp
from typing import NamedTuple

# The curve's middle: what is said of its height is said here, and stretching it turns it around here.
_MIDDLE = 5.0
# How far own models, prompts and checks lie from the shipped curve, as standard deviations: its height in logits, its slope as a
# share. Curves learned on one model and set missed the failures of others by 0.18 on average, which near 0.3 is about a logit.
HEIGHT_SPREAD, SLOPE_SPREAD = 1.0, 0.4
# Newton's method ends by itself long before; a logit beyond this is as good as certain.
_STEPS, _SMALL, _FLAT = 25, 1e-9, 30.0


class Curve(NamedTuple):
    """P(fail) by complexity: logits at complexity 5, and logits per point."""

    height: float
    slope: float

    def logit(self, complexity: float) -> float:
        """The logit of failing at that complexity."""
        return self.height + self.slope * (complexity - _MIDDLE)


class Tally(NamedTuple):
    """Outcomes at one complexity: how much weight passed and failed."""

    complexity: float
    passed: float
    failed: float


class Scaling(NamedTuple):
    """What outcomes did to a curve: it is raised by `shift` logits and its slope grew by the share `stretch`.

    The three others are the covariance of the two: of the shift, of both, of the stretch.
    """

    shift: float = 0.0
    stretch: float = 0.0
    shift_variance: float = HEIGHT_SPREAD**2
    covariance: float = 0.0
    stretch_variance: float = SLOPE_SPREAD**2


def scaled(curve: Curve, tallies: Sequence[Tally]) -> Scaling:
    """The most likely scaling by these outcomes, before which none at all is the likeliest (Platt's, with Gaussian priors).

    Deterministic, and finite for any outcomes: all passed, all failed, all at one complexity.
    """
    turns = [(curve.slope * (tally.complexity - _MIDDLE), tally) for tally in tallies]
    found = Scaling()
    for _ in range(_STEPS):
        found, step = _improved(curve, turns, found)
        if step < _SMALL:
            break
    return found


def _improved(curve: Curve, turns: Iterable[tuple[float, Tally]], at: Scaling) -> tuple[Scaling, float]:
    """One step of Newton's method, and how long it was."""
    pull_shift, pull_stretch = 1 / HEIGHT_SPREAD**2, 1 / SLOPE_SPREAD**2
    down, aslant = at.shift * pull_shift, at.stretch * pull_stretch
    shift_curve, mixed_curve, stretch_curve = pull_shift, 0.0, pull_stretch
    for turn, tally in turns:
        chance = sigmoid(curve.height + turn + at.shift + at.stretch * turn)
        weight = tally.passed + tally.failed
        error, spread = weight * chance - tally.failed, weight * chance * (1 - chance)
        down += error
        aslant += error * turn
        shift_curve += spread
        mixed_curve += spread * turn
        stretch_curve += spread * turn * turn
    area = shift_curve * stretch_curve - mixed_curve**2
    shift = (stretch_curve * down - mixed_curve * aslant) / area
    stretch = (shift_curve * aslant - mixed_curve * down) / area
    # A whole step can overshoot where the curve is nearly flat.
    damp = min(1.0, 2.0 / max(abs(shift), abs(stretch), _SMALL))
    found = Scaling(
        at.shift - damp * shift,
        at.stretch - damp * stretch,
        stretch_curve / area,
        -mixed_curve / area,
        shift_curve / area,
    )
    return found, abs(shift) + abs(stretch)


def chance_and_weight(curve: Curve, scaling: Scaling, complexity: float) -> tuple[float, float]:
    """P(fail) at a complexity, and as many outcomes at that one complexity as would make it as sure as it is."""
    turn = curve.slope * (complexity - _MIDDLE)
    chance = sigmoid(curve.height + turn + scaling.shift + scaling.stretch * turn)
    variance = scaling.shift_variance + 2 * turn * scaling.covariance + turn**2 * scaling.stretch_variance
    return chance, 1 / (variance * chance * (1 - chance))


def sigmoid(logit: float) -> float:
    """The probability of a logit, never quite 0 or 1."""
    return 1 / (1 + exp(-max(-_FLAT, min(_FLAT, logit))))
