"""What the router is worth on outcomes: its ranking beside length, chance and the best fixed model, whole and per set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from mrt.router.complexity import assess_prompt
from mrt.router.ranking import RESAMPLES, SEED, Figure, Outcome, Ranking, rank
from mrt.router.weights import Weights, shipped

_HALF = 0.5
UNKNOWN = Figure(None)


class Tried(NamedTuple):
    """A prompt with the quality from 0 to 1 of a weak and of a strong model's answer, and the set that it is from."""

    prompt: str
    weak: float
    strong: float
    group: str = ""


class Fixed(NamedTuple):
    """The better of "always weak" and "always strong": its mean quality, and the share of strong calls that it makes."""

    model: str
    quality: float
    strong_share: float


class Evaluation(NamedTuple):
    """One set, or all of them under the name "": how it was answered, and how the router, length and chance rank it.

    `random` is what chance gives in the long run; it has no interval. ECE is known for the router alone, for only it says a
    probability.
    """

    group: str
    prompts: int
    weak: float
    strong: float
    router: Ranking
    length: Ranking
    random: Ranking
    best_fixed: Fixed


def tried(row: Any) -> Tried:
    """A line of an evaluation file, `{"prompt", "weak_ok", "strong_ok", "set"?}`; ValueError says what is wrong with it."""
    if not isinstance(row, Mapping):
        raise ValueError("is no JSON object")  # noqa: TRY004  the line is at fault, not its type alone
    prompt = row.get("prompt")
    if not isinstance(prompt, str):
        raise ValueError("has no text under prompt")  # noqa: TRY004  as above
    return Tried(prompt, _quality(row, "weak_ok"), _quality(row, "strong_ok"), str(row.get("set") or ""))


def _quality(row: Mapping[str, Any], name: str) -> float:
    try:
        quality = float(row[name])
    except (KeyError, TypeError, ValueError, OverflowError):
        raise ValueError(f"has no number from 0 to 1 under {name}") from None
    if not 0 <= quality <= 1:
        raise ValueError(f"has {row[name]} under {name}, which is not from 0 to 1")
    return quality


def evaluate(
    rows: Iterable[Tried], resamples: int = RESAMPLES, seed: int = SEED, weights: Weights | None = None
) -> list[Evaluation]:
    """All rows together first, then each set where there are several. No rows give no evaluation."""
    used = weights or shipped()
    measured = [(row, *_outcomes(row, used)) for row in rows]
    groups = sorted({row.group for row, _, _ in measured})
    found = [_evaluated("", measured, resamples, seed)] if measured else []
    if len(groups) > 1:
        parts = ([one for one in measured if one[0].group == group] for group in groups)
        found += [_evaluated(group, part, resamples, seed) for group, part in zip(groups, parts, strict=True)]
    return found


def _outcomes(row: Tried, weights: Weights) -> tuple[Outcome, Outcome]:
    score = assess_prompt(row.prompt, weights=weights).score
    ranked = Outcome(score, row.weak, row.strong, weights.probability(score))
    return ranked, Outcome(len(row.prompt), row.weak, row.strong)


def _evaluated(group: str, measured: Sequence[tuple[Tried, Outcome, Outcome]], resamples: int, seed: int) -> Evaluation:
    count = len(measured)
    weak, strong = sum(row.weak for row, _, _ in measured) / count, sum(row.strong for row, _, _ in measured) / count
    router = rank([outcome for _, outcome, _ in measured], resamples, seed)
    length = rank([outcome for _, _, outcome in measured], resamples, seed)
    fixed = Fixed("strong", strong, 1.0) if strong > weak else Fixed("weak", weak, 0.0)
    return Evaluation(group, count, weak, strong, router, length, _chance(router), fixed)


def _chance(router: Ranking) -> Ranking:
    """Chance recovers of the gap what it spends, and ranks half of the pairs rightly, where the outcomes tell at all."""
    gap = router.apgr.value is not None
    return Ranking(
        Figure(_HALF) if gap else UNKNOWN,
        Figure(0.5) if gap else UNKNOWN,
        Figure(0.8) if gap else UNKNOWN,
        Figure(_HALF) if router.auroc.value is not None else UNKNOWN,
        UNKNOWN,
    )
