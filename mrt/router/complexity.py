"""How hard a prompt is: its complexity from 1 to 10 with parts, its raw score for ranking, and the reasons."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import exp, log

from mrt.frozen import frozen
from mrt.router.clean import Cleaned, clean
from mrt.router.continuation import continues
from mrt.router.features import features
from mrt.router.model import structural, total
from mrt.router.prior import because
from mrt.router.rules import Contribution, Part, rules
from mrt.router.sample import Sample
from mrt.router.weights import Weights, shipped

LOWEST, HIGHEST = 1.0, 10.0
# Up to so many words nothing measured tells prompts apart: the prior speaks, and hands over to the model towards the end.
PRIOR_WORDS, _HAND_OVER = 60, 45
# Between these scores complexity is the score itself; outside it nears its ends.
_STRAIGHT_FROM, _STRAIGHT_TO = 2.0, 7.0
# Material that came with the instruction counts by this share of what it would count as a prompt.
_MATERIAL = 0.4
# What words of an instruction are worth within a question that already has its shape (choices, formulas, a long specification).
_WITHIN = 0.15
_SPECIFIED = 120
# An answer to a choice, as a figure or an emoji, has no more characters.
_CHOICE = 2


@frozen
class Complexity:
    """What the prompt alone says of its difficulty.

    `value` and the three parts are 1.0 to 10.0 with one decimal. `score` ranks prompts, higher = harder, unbounded and not
    rounded: `base`, where every prompt starts, plus the weights of all contributions. `prior_only` says that the prompt is
    too short (60 words) to carry any measured signal. `cleaned` names what was left out. `words` counts the ask's own words.
    """

    value: float
    score: float
    component: float
    coordinative: float
    dynamic: float
    prior_only: bool
    contributions: tuple[Contribution, ...]
    cleaned: tuple[str, ...]
    words: int
    base: float = LOWEST


def assess_prompt(
    ask: str, pasted: str = "", inherited: float | None = None, weights: Weights | None = None
) -> Complexity:
    """The complexity of `ask` over `pasted` text; `inherited` is the session's so far, taken by asks like "continue".

    Deterministic, no I/O but the first reading of the shipped coefficients, linear in the text (long ones are sampled).
    """
    cleaned = clean(ask, pasted)
    sample = Sample(cleaned.ask)
    if inherited is not None and _carries_on(cleaned.ask, sample):
        return _carried(inherited, sample, cleaned)
    weights = weights or shipped()
    if not cleaned.ask:
        return _assembled(LOWEST, (), sample, cleaned)
    return _assembled(weights.base, _contributions(sample, cleaned, weights), sample, cleaned)


def _carries_on(ask: str, sample: Sample) -> bool:
    """Nothing at all, "1", a thumb up, "continue"."""
    return continues(sample.words, sample.dense) or (not sample.words and len(ask) <= _CHOICE)


def value_of(score: float) -> float:
    """Complexity from 1.0 to 10.0 for a score, rising with it: the score itself from 2 to 7, and ever slower outside."""
    if score < _STRAIGHT_FROM:
        return LOWEST + exp(max(-700.0, score - _STRAIGHT_FROM))
    if score > _STRAIGHT_TO:
        return HIGHEST - (HIGHEST - _STRAIGHT_TO) * exp((_STRAIGHT_TO - score) / (HIGHEST - _STRAIGHT_TO))
    return score


def score_of(value: float) -> float:
    """The score whose complexity is `value`."""
    if value < _STRAIGHT_FROM:
        return _STRAIGHT_FROM + log(max(0.01, value - LOWEST))
    if value > _STRAIGHT_TO:
        rest = max(0.01, HIGHEST - value)
        return _STRAIGHT_TO - (HIGHEST - _STRAIGHT_TO) * log(rest / (HIGHEST - _STRAIGHT_TO))
    return value


def _contributions(sample: Sample, cleaned: Cleaned, weights: Weights) -> tuple[Contribution, ...]:
    figures = features(sample)
    share = _prior_share(sample, figures)
    found = structural(figures, weights, 1 - share) if share < 1 else []
    if share > 0:
        found += because(sample, weights.prior, share, weights.base)
    found += _instruction(sample, figures)
    if cleaned.pasted:
        found.append(_material(cleaned.pasted, weights))
    return tuple(sorted(found, key=lambda part: -abs(part.weight)))


def _prior_share(sample: Sample, figures: Mapping[str, float]) -> float:
    """How far the prior speaks, from 0 to 1: for short asks, the less the more they have the shape of a set problem."""
    short = min(1.0, max(0.0, (PRIOR_WORDS - sample.word_count) / (PRIOR_WORDS - _HAND_OVER)))
    shaped = max(figures[kind] for kind in ("program", "code", "formula", "word_problem", "choices"))
    return short * (1 - shaped)


def _instruction(sample: Sample, figures: Mapping[str, float]) -> Iterable[Contribution]:
    """The rules over the instruction: code between fences is what it is about, not what it asks."""
    asked = Sample("\n".join(sample.text.split("```")[::2])) if "```" in sample.text else sample
    within = max(figures["choices"], figures["formula"], figures["word_problem"])
    if sample.word_count > _SPECIFIED:
        within = max(within, figures["program"])
    for rule in rules(asked):
        set_apart = figures["choices"] if rule.feature.startswith("a strong signal") else within
        yield rule._replace(weight=rule.weight * (1 - (1 - _WITHIN) * set_apart))


def _material(pasted: str, weights: Weights) -> Contribution:
    points = max(0.0, total(features(Sample(pasted)), weights) - weights.base)
    return Contribution("material to read", f"{len(pasted):,} characters", _MATERIAL * points)


def _carried(inherited: float, sample: Sample, cleaned: Cleaned) -> Complexity:
    score = score_of(min(HIGHEST, max(LOWEST, inherited)))
    reason = Contribution("carries on with the session", cleaned.ask[:40], score - LOWEST)
    return _assembled(LOWEST, (reason,), sample, cleaned)


def _assembled(base: float, found: tuple[Contribution, ...], sample: Sample, cleaned: Cleaned) -> Complexity:
    score = base + sum(part.weight for part in found)
    value = round(value_of(score), 1)
    component, coordinative, dynamic = (_part(name, value, found) for name in ("component", "coordinative", "dynamic"))
    words = sample.word_count
    short = words <= PRIOR_WORDS and len(cleaned.pasted.split()) <= PRIOR_WORDS
    return Complexity(value, score, component, coordinative, dynamic, short, found, cleaned.stripped, words, base)


def _part(name: Part, value: float, found: Iterable[Contribution]) -> float:
    """One part: half of the whole, and what speaks for this part itself."""
    own = sum(part.weight for part in found if part.part == name and part.weight > 0)
    return round(min(HIGHEST, max(LOWEST, 1 + (value - 1) / 2 + own / 2)), 1)
