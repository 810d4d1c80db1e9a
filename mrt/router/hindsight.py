"""How well failures were foretold: each outcome by those before it, beside what the prior said of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from mrt.router.drift import Judged
from mrt.router.ranking import Outcome, calibration_error
from mrt.router.risk import ENOUGH, learned, risk_by

# The curve is drawn anew after so many outcomes: every single one would change little, and take long.
_STEP = 10


class Hindsight(NamedTuple):
    """Expected calibration errors (ten bins) of the prior and of the learned curve, over the outcomes that were foretold."""

    prior: float
    learned: float
    over: int


def hindsight(strength: float, outcomes: Sequence[Judged]) -> Hindsight | None:
    """By outcomes of one model, newest first; None before one could be foretold by 25 others."""
    ordered = outcomes[::-1]
    before: list[Outcome] = []
    after: list[Outcome] = []
    prior = learned(strength)
    for start in range(ENOUGH, len(ordered), _STEP):
        curve = learned(strength, ordered[:start][::-1])
        for outcome in ordered[start : start + _STEP]:
            before.append(_said(risk_by(prior, outcome.complexity).mean, outcome))
            after.append(_said(risk_by(curve, outcome.complexity).mean, outcome))
    prior_error, learned_error = calibration_error(before), calibration_error(after)
    if prior_error is None or learned_error is None:
        return None
    return Hindsight(prior_error, learned_error, len(after))


def _said(chance: float, outcome: Judged) -> Outcome:
    return Outcome(outcome.complexity, float(not outcome.failed), 1.0, chance)
