"""What a short ask is usually worth, by its words: learned from authors' labels, for outcomes say nothing of such text."""

from __future__ import annotations

from itertools import pairwise
from math import log1p

from mrt.router.rules import Contribution
from mrt.router.sample import Sample
from mrt.router.signals import is_signal
from mrt.router.weights import Prior

STEM = 6
LEAST, MOST = 1.2, 6.5
_SHOWN, _WORTH, _SHORT = 6, 0.2, 3
_MOST_TOKENS = 160


def tokens(sample: Sample) -> list[str]:
    """The distinct marks of a short ask: word stems, its opening words (`^what`, `^what is`), pairs of dense characters.

    Words that the rules weigh are none of them, so that the prior cannot take back what a rule gave.
    """
    words = sample.words[:_MOST_TOKENS]
    found = [word[:STEM] for word in words if not is_signal(word)]
    if words and not is_signal(words[0]):
        found += [f"^{words[0][:STEM]}", f"^{' '.join(words[:2])}"]
    if dense := sample.dense[:_MOST_TOKENS]:
        found += [*map("".join, pairwise(dense)), f"^{dense[:2]}"]
    return list(dict.fromkeys(found))


def structure(sample: Sample) -> dict[str, float]:
    """Figures of a short ask beside its words."""
    text = sample.text
    commas = text.count(",") + text.count("，") + text.count("、") + text.count(";")
    return {
        "words": log1p(sample.word_count) - 2,
        "commas": log1p(commas),
        "question": float(text.rstrip().endswith(("?", "？"))),
        "sentences": log1p(text.count(". ") + text.count("。") + text.count("! ")),
    }


def points(sample: Sample, prior: Prior) -> float:
    """The points of a short ask before the rules speak, within the range of what labels say."""
    figures = structure(sample)
    said = sum(weight * figures[name] for name, weight in prior.structure.items())
    said += sum(prior.words.get(token, 0.0) for token in tokens(sample))
    return min(MOST, max(LEAST, prior.base + said))


def because(sample: Sample, prior: Prior, share: float, base: float) -> list[Contribution]:
    """The prior's `share` of the points away from `base`: one contribution for its shape, one for each telling word."""
    weighed = [(token, prior.words[token]) for token in tokens(sample) if token in prior.words and _tells(token)]
    telling = sorted((pair for pair in weighed if abs(pair[1]) >= _WORTH), key=lambda pair: -abs(pair[1]))[:_SHOWN]
    rest = points(sample, prior) - base - sum(weight for _, weight in telling)
    shape = Contribution("a short ask", f"{sample.word_count} words", share * rest)
    return [
        shape,
        *(Contribution(_named(token), _word(token, sample), share * weight, "dynamic") for token, weight in telling),
    ]


def _tells(token: str) -> bool:
    """False for "to", "the", "is": short words of Latin script count, but explain nothing."""
    return len(token) > _SHORT or not token.isascii()


def _named(token: str) -> str:
    return "opens with" if token.startswith("^") else "the word"


def _word(token: str, sample: Sample) -> str:
    """The token as the ask wrote it: a stem is shown as its whole word."""
    bare = token.removeprefix("^")
    return next((word for word in sample.words if word[:STEM] == bare), bare)
