"""Points of a text by its structure: the shipped coefficients applied, each feature explained in words."""

from __future__ import annotations

from collections.abc import Mapping
from math import expm1

from mrt.router.features import CENTRES
from mrt.router.rules import Contribution, Part
from mrt.router.weights import Weights

# Below this a feature is not worth a line of its own; what such features add together is one line.
_WORTH = 0.1
TELLS: Mapping[str, tuple[str, Part]] = {
    "length": ("length", "component"),
    "word_problem_length": ("a longer or shorter story", "component"),
    "code_length": ("longer or shorter code", "component"),
    "choices_length": ("longer or shorter choices", "component"),
    "program": ("specifies a program", "component"),
    "code": ("shows code to follow", "component"),
    "formula": ("formal mathematics", "dynamic"),
    "word_problem": ("an everyday question with numbers", "component"),
    "choices": ("offers choices", "dynamic"),
    "calculated_choices": ("choices that are calculated", "coordinative"),
    "passage": ("the answer stands in a passage", "component"),
    "statements": ("several statements to judge", "coordinative"),
    "numbers": ("numbers", "component"),
    "long_numbers": ("long numbers", "component"),
    "operators": ("operators", "coordinative"),
    "percent": ("percentages", "coordinative"),
    "sentences": ("sentences", "component"),
    "words_per_sentence": ("words per sentence", "coordinative"),
    "variety": ("variety of words", "dynamic"),
    "long_words": ("long words", "dynamic"),
    "single_letters": ("single letters", "coordinative"),
    "longest_word": ("the longest word", "component"),
    "negations": ("negations", "coordinative"),
    "conditions": ("conditions", "coordinative"),
    "relations": ("relations between quantities", "coordinative"),
    "explanation": ("asks for an explanation", "dynamic"),
    "literals": ("literals to follow", "component"),
    "loops": ("loops", "coordinative"),
    "calls": ("calls", "coordinative"),
    "nesting": ("brackets within brackets", "coordinative"),
}


def structural(figures: Mapping[str, float], weights: Weights, share: float) -> list[Contribution]:
    """The contributions of a text's features, each weighed by `share`; they add up to the model's points above its base."""
    found, rest = [], 0.0
    known = weights.features
    for name, figure in figures.items():
        points = share * known.get(name, 0.0) * figure
        if -_WORTH < points < _WORTH:
            rest += points
            continue
        words, part = TELLS[name]
        found.append(Contribution(words, _shown(name, figure), points, part))
    if rest:
        found.append(Contribution("the rest of its structure", "", rest))
    return found


def _shown(name: str, figure: float) -> str:
    """A count as a count, a kind or share as one of three words."""
    if name in CENTRES:
        return f"{round(expm1(figure + CENTRES[name])):,}"
    if name.endswith("_length"):
        return ""
    return "" if figure >= 1 else f"{figure:.2f}"


def total(figures: Mapping[str, float], weights: Weights) -> float:
    """The model's points."""
    return weights.base + sum(weights.features.get(name, 0.0) * figure for name, figure in figures.items())
