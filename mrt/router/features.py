"""The structure of a text as figures: its kind of task, its length, its numbers, its code; thirty of them, in linear time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import log1p

from mrt.router.sample import Sample

# Patterns are compiled when a text needs them: a short prompt needs none, and a program that starts pays for each.
# Digits stay, the marks within numbers go, all else sets them apart.
_DIGITS = {code: chr(code) if chr(code).isdigit() else None if chr(code) in ",." else " " for code in range(128)}
_FOREIGN = r"[^\x00-\x7f]+"
_TEX = r"\\(?!boxed)[A-Za-z]{2,}"
# Dollars around a formula, not around a price: a formula touches both, and has a letter, an operator, or nothing but digits.
_TEX_DOLLARS = r"\$(?![\s\d])[^$\n]{0,80}(?<!\s)\$|\$\d[^$\n ]{0,30}[\\^_=!a-z][^$\n]{0,50}(?<!\s)\$|\$[\d.,]+\$"
# A line that offers a choice, `A. ...`, `B) ...`, `(C) ...`, and one that offers a figure.
_OPTION = r"\n[ \t]{0,8}\(?[A-J][.):]."
_FIGURE = _OPTION + r"{0,200}?\d"
_LITERAL = r"'[^'\n]{0,400}'|\"[^\"\n]{0,400}\""

_WORDS = {
    "spec": (
        "input output inputs outputs constraints stdin stdout print prints return returns testcase testcases sample example"
        " examples array string integer substring subarray"
    ),
    "program": "program function code algorithm implement class method script python java javascript rust sql regex api",
    "negation": "not except never least false incorrect without unless neither nor cannot",
    "condition": "if suppose assume given whether let such where provided",
    "relation": (
        "each every per twice more less than total remaining percent third quarter thrice triple double fewer rest average"
        " altogether combined"
    ),
    "number": "one two three four five six seven eight nine ten twelve dozen twenty thirty forty fifty hundred half",
    "formal": (
        "polynomial integers probability matrix prime primes equation equations angle triangle subset theorem vector"
        " derivative integral divisible modulo modulus coefficient coefficients exponent isomorphic variance logarithm"
        " quadratic vertex vertices perpendicular parabola hyperbola ellipse circumference hypotenuse tangent cosine sine"
        " permutation permutations factorial eigenvalue converges continuous differentiable gcd lcm rational irrational"
        " inequality asymptote polygon hexagon pentagon octagon prism tetrahedron inscribed circumscribed congruent"
        " bisector homomorphism abelian cyclic bijection surjective injective arrangements distinct rotation rotations"
        " reflections consecutive digit digits divisor divisors multiples palindrome probabilities geometric arithmetic"
    ),
    "explain": "why explain prove show derive justify compare evaluate analyze analyse",
    "loop": "for while",
}
_KIND_OF = {word: kind for kind, words in _WORDS.items() for word in words.split()}
_PASSAGES = (
    "following passage",
    "following information",
    "following text",
    "excerpt",
    "according to the passage",
    "according to the text",
    "based on the text",
    "context:",
    "passage:",
    "article:",
)
_PASSAGE_WORDS = ("passage", "information", "text", "excerpt", "context", "article")
_STATEMENTS = ("statement", "scenario")
# Features on a logarithmic scale, log(1 + count) less what is usual, so that 0 says nothing: 270 characters, 3.5 sentences
# of 19 words, 3.5 numbers.
CENTRES = {
    "length": 5.6,
    "sentences": 1.5,
    "words_per_sentence": 3.0,
    "numbers": 1.5,
    "long_numbers": 0.0,
    "operators": 1.0,
    "longest_word": 2.3,
    "conditions": 0.0,
    "relations": 0.0,
    "literals": 0.0,
    "loops": 0.0,
    "calls": 0.0,
    "nesting": 0.0,
}
_OPERATORS, _CLOSERS = "=<>+*/", ("))", "])", "]]", "})", ")]")
_SURE_CODE_MARKS = ("def ", "```")
_CODE_MARKS = (*_SURE_CODE_MARKS, "):\n", ";\n", "{\n")
_ENDS = (". ", "? ", "! ", ".\n", "?\n", "。", "？")
_SHORT = bytes(range(9))
_LONG_PASSAGE, _LONG_NUMBER, _LONGEST, _FEW = 700, 4, 40, 3


def features(sample: Sample) -> dict[str, float]:
    """Every feature with its figure: counts on a logarithmic scale, kinds of task and shares from 0 to 1."""
    kinds = list(filter(None, map(_KIND_OF.get, sample.words)))
    figures = _task(sample, kinds) | _language(sample, kinds)
    length = _log("length", sample.length)
    figures["length"] = length
    for kind in ("word_problem", "code", "choices"):
        figures[f"{kind}_length"] = figures[kind] * length
    return figures | (_code(sample, kinds) if figures["code"] else {})


def _log(name: str, count: float) -> float:
    return log1p(count) - CENTRES[name]


def _task(sample: Sample, kinds: Sequence[str]) -> dict[str, float]:
    """What kind of task it is: choices, a formula, a story with numbers, a program to write, code to read."""
    text, count = sample.text, sample.text.count
    options = _lines(_OPTION, text)
    tex = _tex(text)
    choices, code = float(options >= _FEW), float(_is_code(text, tex))
    once = list(filter(None, map(_KIND_OF.get, sample.distinct)))
    program = 0.0 if choices else _program(once) * (1 - code / 2)
    # The bounds in a program's specification, as 10^5, are no mathematics to do.
    formula = _formula(tex + (0 if code else count("^")), once.count("formal")) * (1 - program)
    numbers = _numbers(sample.lower)
    quantities = len(numbers) + kinds.count("number")
    story = min(1.0, quantities / 2) if "?" in text or "？" in text else 0.0
    return {
        "program": program,
        "code": code,
        "formula": formula * (1 - choices / 2),
        "word_problem": story * (1 - code) * (1 - choices) * (1 - formula) * (1 - program),
        "choices": choices,
        "calculated_choices": _lines(_FIGURE, text) / options if choices else 0.0,
        "passage": float(_passage(sample)),
        "statements": min(1.0, _statements(sample) / 2),
        "numbers": _log("numbers", quantities),
        "long_numbers": _log("long_numbers", sum(map(_LONG_NUMBER.__le__, map(len, numbers)))),
        "operators": _log("operators", sum(map(count, _OPERATORS))),
        "percent": float("%" in text or "percent" in sample.lower),
    }


def _numbers(text: str) -> list[str]:
    """The numbers, by their digits alone: `1,000.5` is 10005."""
    return (text if text.isascii() else re.sub(_FOREIGN, " ", text)).translate(_DIGITS).split()


def _lines(pattern: str, text: str) -> int:
    return len(re.findall(pattern, f"\n{text}")) if "\n" in text else 0


def _statements(sample: Sample) -> int:
    """Statements or scenarios to judge, by their names or their numbering."""
    named = sum(sample.lower.count(f"{word} ") for word in _STATEMENTS if word in sample.distinct)
    return named + (sample.text.count(" | ") if "|" in sample.text else 0) + sample.text.count(" II")


def _passage(sample: Sample) -> bool:
    """True where the text says that it brings a passage to read."""
    return (
        len(sample.text) > _LONG_PASSAGE
        and any(word in sample.distinct for word in _PASSAGE_WORDS)
        and any(mark in sample.lower for mark in _PASSAGES)
    )


def _is_code(text: str, tex: int) -> bool:
    """Brackets and a mark of code; beside TeX, where drawings are code too, a mark that cannot be part of it."""
    brackets = text.count("(") + text.count("[") + text.count("{")
    marks = _CODE_MARKS if tex < _FEW else _SURE_CODE_MARKS
    return brackets >= _FEW and any(mark in text for mark in marks)


def _program(once: Sequence[str]) -> float:
    """How much it reads as the specification of a program, from 0 to 1, by the kinds of its distinct words."""
    spec = once.count("spec")
    return min(1.0, max(0, spec - 1) / 4) if "program" in once or spec > _FEW else 0.0


def _tex(text: str) -> int:
    """Commands of TeX and formulas between dollars."""
    found = len(re.findall(_TEX, text)) if "\\" in text else 0
    return found + len(re.findall(_TEX_DOLLARS, text)) if text.count("$") > 1 else found


def _formula(marks: int, formal: int) -> float:
    """How much it is formal mathematics, from 0 to 1: its marks, and the words of the field from the second on."""
    return min(1.0, marks / 2 + max(0, formal - 1) / 2)


def _language(sample: Sample, kinds: Sequence[str]) -> dict[str, float]:
    total = len(sample.words) or 1
    sentences = sum(map(sample.text.count, _ENDS)) + 1
    lengths = _lengths(sample.words)
    return {
        "sentences": _log("sentences", sentences),
        "words_per_sentence": _log("words_per_sentence", total / sentences),
        "variety": len(sample.distinct) / total - 0.75,
        "long_words": len(lengths.translate(None, _SHORT)) / total - 0.12,
        "single_letters": lengths.count(1) / total - 0.05,
        "longest_word": _log("longest_word", min(max(lengths, default=0), _LONGEST)),
        "negations": min(1.0, kinds.count("negation") / 2),
        "conditions": _log("conditions", kinds.count("condition")),
        "relations": _log("relations", kinds.count("relation")),
        "explanation": float("explain" in kinds),
    }


def _lengths(words: Sequence[str]) -> bytes:
    """The words' lengths as bytes, which count and delete faster than a list does; longer words are 255."""
    try:
        return bytes(map(len, words))
    except ValueError:
        return bytes(min(len(word), 255) for word in words)


def _code(sample: Sample, kinds: Sequence[str]) -> dict[str, float]:
    """What there is to follow in code: literals, loops, attribute calls, brackets within brackets."""
    text = sample.text
    literals = re.findall(_LITERAL, text) if "'" in text or '"' in text else []
    return {
        "literals": _log("literals", sum(map(len, literals))),
        "loops": _log("loops", kinds.count("loop")),
        "calls": _log("calls", text.count(".")),
        "nesting": _log("nesting", sum(map(text.count, _CLOSERS))),
    }
