"""Two answers agree by what they come to, by their code, or by their words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrt.quality import agreement, agrees

ADD = "def add(a, b):\n    return a + b"
LOOP = """
import math

def roots(numbers):
    \"\"\"Square roots.\"\"\"
    result = []
    for number in numbers:
        if number >= 0:
            result.append(math.sqrt(number))
    return result
"""
LOOP_RENAMED = """
import math

def square_roots(values):  # of those that have one
    out = []
    for value in values:
        if value >= 0:
            out.append(math.sqrt(value))
    return out
"""


def fenced(code: str, language: str = "python") -> str:
    return f"Here it is:\n\n```{language}\n{code}\n```\n\nIt does what you asked for."


SAME = {
    "words": ("Paris", "Paris"),
    "spacing": ("a  b\n", "a b"),
    "numbers": ("5", "It takes 5 hours."),
    "thousands": ("1,234", "1234"),
    "decimals": ("4.50", "$4.5"),
    "minus sign": ("−3", "-3"),
    "fraction": ("1/2", "0.5"),
    "exponent": ("1e3", "1000"),
    "boxed": ("Thus $\\boxed{42}$.", "The total is 42."),
    "boxed fraction": ("\\boxed{\\frac{1}{2}}", "\\boxed{0.5}"),
    "boxed term": ("So \\boxed{x^{2} + 1}", "we get \\boxed{x^{2}+1}"),
    "marked": ("3 + 4 = 7\n#### 7", "She has seven, that is 7."),
    "announced": ("First 2, then 3. The answer is **6**. Check: 2 * 3.", "Answer: 6"),
    "announced in German": ("Die Antwort ist 6.", "Antwort: 6"),
    "long working": ("He buys 3 and then 4. " * 10 + "So he has 7 apples.", "7"),
    "last number after units": ("x" * 90 + "\nthe sum is 18 dollars per day", "18"),
    "announced with its working": ("The answer is 2 * 3 = 6", "The answer is 6 out of 10."),
    "announced in vain": ("Answer:\n6", "6"),
    "box left open": ("\\boxed{6", "6"),
    "choice": ("B", "(b)"),
    "choice with its text": ("B. Lyon", "The answer is (B)."),
    "choice at length": ("Paris is the capital, which rules out the others. The answer is C.", "C)"),
    "yes": ("Yes", "yes, it does."),
    "yes in two languages": ("Ja.", "Oui, bien sûr."),
    "yes, then reasons": ("Yes. " + "It is known for long. " * 9, "Yes, because of the theorem. " * 6),
    "true": ("True", "`true`"),
    "value": ("It prints the pairs in order, so the output of the whole program will be:\n[1, 2]", "[1, 2]"),
    "quoted value": ("When the string is cut at the second blank and then turned round, it gives\n`'ba'`", "'ba'"),
    "code": (fenced(ADD), fenced(ADD)),
    "renamed code": (fenced(LOOP), fenced(LOOP_RENAMED)),
    "raw and fenced code": (ADD, fenced(ADD)),
    "code with other words": (fenced(ADD), "Sure.\n```\n" + ADD + "\n```"),
    "other language, other layout": (fenced("f(a);  // go\ng(b);", "js"), fenced("f(a);\ng(b);", "js")),
    "nothing": ("", " \n"),
}


def share(first: str, second: str) -> float:
    """How far they agree, without the ground for it."""
    return agreement(first, second)[0]


@pytest.mark.parametrize(("first", "second"), SAME.values(), ids=SAME)
def test_same(first: str, second: str) -> None:
    assert share(first, second) == 1.0


DIFFERENT = {
    "numbers": ("5", "6"),
    "numbers in like sentences": ("So she earns 18 dollars every day.", "So she earns 24 dollars every day."),
    "sign": ("-3", "3"),
    "long workings": ("He buys 3 and then 4. " * 10 + "So he has 7.", "He buys 3 and then 4. " * 10 + "So he has 8."),
    "boxed": ("\\boxed{41}", "\\boxed{42}"),
    "announced": ("The answer is 6, not 7.", "The answer is 7."),
    "choices": ("B", "C"),
    "yes and no": ("Yes", "No"),
    "yes and no at length": ("Yes. " + "It is known for long. " * 9, "No. " + "It is known for long. " * 9),
    "values": ("[1, 2]", "[1, 3]"),
    "words": ("Paris", "Lyon"),
    "answer and nothing": ("Paris", ""),
    "signs": ("=", "!="),
    "division by zero stays a figure": ("1/0", "2/0"),
}


@pytest.mark.parametrize(("first", "second"), DIFFERENT.values(), ids=DIFFERENT)
def test_different(first: str, second: str) -> None:
    assert share(first, second) == 0.0


AGREE = {
    "answer in a sentence": ("Paris", "The capital of France is Paris, which lies on the Seine.", True),
    "announced words": ("The answer is Paris.", "Answer: Paris, France", True),
    "other announced words": ("The answer is Paris.", "The answer is Lyon.", False),
    "negated": ("The bridge is safe", "The bridge is not safe", False),
    "both negated": ("The bridge is not safe", "No, as it is not a safe bridge", True),
    "like prose": (
        "Photosynthesis turns light, water and carbon dioxide into sugar and oxygen in the chloroplasts of plants.",
        "Plants use light to make sugar from water and carbon dioxide; oxygen is released by photosynthesis.",
        True,
    ),
    "unlike prose": (
        "Photosynthesis turns light, water and carbon dioxide into sugar and oxygen in the chloroplasts of plants.",
        "The stock market fell sharply after the central bank had raised its rates for the third time in a row.",
        False,
    ),
    "Chinese": ("法国的首都是巴黎", "巴黎是法国的首都，也是最大的城市", True),
    "builtin swapped": (fenced("def f(x):\n    return min(x)"), fenced("def f(x):\n    return max(x)"), True),
    "unlike code": (fenced(LOOP), fenced("print('hello')"), False),
    "unlike code that does not parse": (fenced("f(a b c"), fenced("while (x) { y(); }", "c"), False),
    "code and prose": (fenced(ADD), "Take the first number and add the second one to it, with care.", False),
    "year inside prose": ("Waterloo", "It was at Waterloo in 1815 that he lost for good.", True),
}


@pytest.mark.parametrize(("first", "second", "agree"), AGREE.values(), ids=AGREE)
def test_agrees(first: str, second: str, agree: bool) -> None:
    assert agrees(first, second)[0] is agree
    assert share(first, second) < 1.0


def test_code_of_builtins_is_not_the_same() -> None:
    first, second = fenced("def f(x):\n    return min(x)"), fenced("def f(x):\n    return max(x)")
    assert 0.5 < share(first, second) < 1.0


GROUNDS = {
    "same": ("a b", "a  b", "the same answer: agreement 1.00, at least 0.50"),
    "numbers": ("41", "It is 42.", "the answers come to 41 and 42: agreement 0.00, below 0.50"),
    "equal numbers": ("42", "It is 42.", "both answers come to 42: agreement 1.00, at least 0.50"),
    "empty": ("", "x", "one answer is empty: agreement 0.00, below 0.50"),
    "prose": ("red apples", "green pears", "the words of the answers: agreement 0.00, below 0.50"),
    "code": (fenced(ADD), fenced(LOOP), "the code of the answers: agreement 0."),
    "control signs": (
        "answer: red\x1b[K wine",
        "answer: beer",
        "the answers come to red[k wine and beer: agreement 0.00",
    ),
}


@pytest.mark.parametrize(("first", "second", "ground"), GROUNDS.values(), ids=GROUNDS)
def test_the_ground_has_the_figure(first: str, second: str, ground: str) -> None:
    assert agrees(first, second)[1].startswith(ground)


PARTS = st.sampled_from(
    [
        "Yes, ",
        "no",
        "42",
        " 1/0 ",
        "\\boxed{",
        "}",
        "answer: ",
        "\n",
        "(B)",
        "```\n",
        ADD,
        "x = ",
        "not ",
        "巴黎",
        "****",
        "[1]",
    ]
)
ANSWERS = st.text(max_size=60) | st.lists(PARTS, max_size=8).map("".join)


@given(ANSWERS, ANSWERS)
def test_agreement_is_a_symmetric_share(first: str, second: str) -> None:
    score = share(first, second)
    assert 0.0 <= score <= 1.0
    assert share(second, first) == score
    assert agrees(first, second)[0] == (score >= 0.5)


@given(ANSWERS)
def test_every_answer_agrees_with_itself(answer: str) -> None:
    assert share(answer, answer) == 1.0


@given(st.integers(-(10**9), 10**9), st.integers(-(10**9), 10**9))
def test_numbers_agree_just_when_they_are_equal(first: int, second: int) -> None:
    assert share(f"The total is {first:,}.", f"= **{second}**") == float(first == second)
