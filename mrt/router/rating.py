"""Two assessors, one complexity: the rules, and a model that was asked for a rating."""

from __future__ import annotations

import re
from dataclasses import replace

from mrt.router.complexity import HIGHEST, LOWEST, Complexity
from mrt.router.facts import Rating, Rung
from mrt.router.rules import Contribution

# From this far apart on the two do not simply meet in the middle.
_APART = 2.0
_RULES_SHARE = 0.6
# A prompt this near a threshold may as well lie on its other side.
NEAR = 1.0


def combined(rules: float, model: float) -> float:
    """A model that rates 2 or more higher is trusted, 2 or more lower it counts 40 %; else the mean."""
    if model >= rules + _APART:
        value = model
    elif model <= rules - _APART:
        value = _RULES_SHARE * rules + (1 - _RULES_SHARE) * model
    else:
        value = (rules + model) / 2
    return round(min(HIGHEST, max(LOWEST, value)), 1)


def rated(assessed: Complexity, rating: Rating | None, text: str) -> Complexity:
    """The complexity with the rating weighed in. A prompt that speaks of its own rating cannot lower it."""
    if rating is None or rating.value is None:
        return assessed
    value = combined(assessed.value, rating.value)
    if value < assessed.value and speaks_of_rating(text):
        value = assessed.value
    shift = round(value - assessed.value, 1)
    note = Contribution("assessor", f"{rating.model} rates it {rating.value:g}", shift)
    found = (*assessed.contributions, note)
    return replace(assessed, value=value, score=assessed.score + shift, contributions=found)


def worth_asking(assessed: Complexity, rungs: tuple[Rung, ...]) -> bool:
    """Whether a second opinion could change the tier: near a threshold, or where the prompt itself carries no signal."""
    limits = [rung.max_complexity for rung in rungs[:-1] if rung.max_complexity is not None]
    return assessed.prior_only or any(abs(assessed.value - limit) <= NEAR for limit in limits)


def speaks_of_rating(text: str) -> bool:
    """Whether the text tries to rate itself, as in "rate this 1"; then a low rating may be its own words."""
    return (
        re.search(
            r"\b(?:rate|rating|score|complexity|difficulty)\b[^\n]{0,40}\b(?:10|[1-9]|one|low(?:est)?|trivial|easy|simple)\b"
            r"|ignore (?:all |the |any )?(?:previous|above|prior|earlier|other)",
            text[:200_000],
            re.IGNORECASE,
        )
        is not None
    )
