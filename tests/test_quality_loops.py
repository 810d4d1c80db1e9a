"""Endless repetition is caught early, whatever the pieces; honest repetition passes."""

from __future__ import annotations

import base64
import random
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrt.quality import LoopWatch, looped

SENTENCE = "I will now check the result once more and then I will report what I have found. "
OPENING = "The quick answer is that it depends; here is why, with the figures that matter. "
WORDS = [f"{first}{last}" for first in ("ba", "du", "ki", "lo", "mer") for last in ("fen", "gor", "han", "jil", "nup")]


def caught_after(loop: str, opening: str = OPENING) -> int:
    """How many characters into the loop the watch speaks up."""
    watch = LoopWatch()
    for read, sign in enumerate(opening + loop, start=1):
        if watch.feed(sign) is not None:
            return read - len(opening)
    raise AssertionError("not caught")


LOOPS = {
    "word": ("ha", 900),
    "two words": ("tick tock ", 900),
    "sentence": (SENTENCE, 900),
    "line": ("- I checked the result.\n", 900),
    "line of symbols": ("} else {\n", 1300),
    "paragraph": (SENTENCE * 2 + "Then again, let us look at it from the other side, where nothing holds.\n\n", 900),
    "400 characters": ("".join(f"step {word} comes before step {word[::-1]}, " for word in WORDS)[:400], 1300),
    "1000 characters": ("".join(f"{word} meets {other}. " for word in WORDS for other in WORDS[:4])[:1000], 3100),
    "digit": ("0", 1300),
    "array": ("0, ", 1300),
    "line ends": ("\n", 1300),
    "spaces": (" ", 1300),
    "dashes": ("-", 1300),
    "emoji": ("🙂", 1300),
    "Chinese": ("我再检查一遍。", 900),
    "64 characters": ("a" * 20 + "-" * 43 + "\n", 1300),
    "mostly one sign": ("b" + "a" * 300 + "c" * 90, 1300),
    "quoted": ('He said "no" to it. ', 1300),
}


@pytest.mark.parametrize(("piece", "limit"), LOOPS.values(), ids=LOOPS)
@pytest.mark.parametrize("opening", ["", OPENING, "x"], ids=["bare", "opening", "shifted"])
def test_a_loop_is_caught_in_time(piece: str, limit: int, opening: str) -> None:
    assert caught_after(piece * (8000 // len(piece)), opening) <= limit


def test_the_reason_has_the_figures() -> None:
    assert looped("tick tock " * 200) == "the last 10 characters came 64 times"
    assert looped("0" * 2000) == "the last character came 1216 times"
    assert looped((SENTENCE + "\n") * 3 + "".join(f"{SENTENCE}\n{word}\n" for word in WORDS)) == (
        "a line of 79 characters came 16 times in the last 28 lines"
    )


LINE_LOOPS = {
    "other line between": "".join(
        f"Wait, let me reconsider this from the start.\nSo it is {n} then.\n" for n in range(60)
    ),
    "other indentation": "".join(
        " " * (n * n % 7) + f"Let me think about it once more, with care.\n{n}\n" for n in range(60)
    ),
    "long paragraph": "".join(f"{n}.\n{' '.join(random.Random(6).choices(WORDS, k=300))}\n\n" for n in range(12)),
}


@pytest.mark.parametrize("text", LINE_LOOPS.values(), ids=LINE_LOOPS)
def test_repeated_lines_with_others_between(text: str) -> None:
    reason = looped(text)
    assert reason is not None
    assert reason.startswith("a line of ")


def refrain_poem() -> str:
    verses = [
        f"The {word} went down to the river of {word[::-1]}\nAnd sang of the {word} in the rain\n"
        for word in WORDS[:10]
    ]
    return "\n".join(
        verse + "Oh carry me home to the valley, my love,\nOh carry me home once again.\n" for verse in verses
    )


def similar_code() -> str:
    fields = "\n".join(f"        self.{word} = config.get({word!r}, None)" for word in WORDS)
    tests = "\n\n\n".join(
        f"def test_{word}(client):\n    response = client.get('/{word}')\n    assert response.status_code == 200\n"
        "    assert response.json() == {}"
        for word in WORDS
    )
    return f"class Config:\n    def __init__(self, config):\n{fields}\n\n\n{tests}\n"


def schema() -> str:
    return "".join(
        f'    "{word}": {{\n      "type": "string",\n      "additionalProperties": false\n    }},\n'
        for word in WORDS * 2
    )


def ends_ever_more_alike() -> str:
    """Its end came before, many times, each time with one sign more in front, at no fixed distance."""
    end = "".join(random.Random(7).sample("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", 52))
    text = "".join(f"{number}{end[-length:]}" for number, length in enumerate(range(51, 31, -1), start=10)) + "*" + end
    return text.rjust(-(-len(text) // 64) * 64, "=")


HONEST = {
    "ends ever more alike": ends_ever_more_alike(),
    "empty": "",
    "short echo": "no no no no no",
    "rule": "-" * 200,
    "rules": "\n".join(f"{'=' * 78}\n{word}\n{'=' * 78}" for word in WORDS),
    "counting": " ".join(str(n) for n in range(1, 201)),
    "numbered list": "\n".join(f"{n}. The item with the number {n}" for n in range(1, 200)),
    "same start": "\n".join(f"The capital of {word} is {word[::-1]}." for word in WORDS * 3),
    "table": "| name | value | note |\n|---|---|---|\n"
    + "".join(f"| {w} | {n} | none |\n" for n, w in enumerate(WORDS * 4)),
    "wide table rule": "|" + "---|" * 60 + "\n" + "| x |" * 60,
    "zeros": "[" + ", ".join(["0"] * 256) + "]",
    "zero matrix": "\n".join("[" + ", ".join(["0"] * 9) + "]," for _ in range(9)),
    "map": "\n".join("#" + "." * 58 + "#" for _ in range(18)),
    "base64 of zeros": base64.b64encode(bytes(800)).decode(),
    "base64 of noise": base64.b64encode(random.Random(1).randbytes(5000)).decode(),
    "hex dump": " ".join(f"{byte:02x}" for byte in random.Random(2).randbytes(2000)),
    "indentation": "\n".join(" " * 40 + word for word in WORDS * 8),
    "blank lines": "a" + "\n" * 300 + "b",
    "poem with a refrain": refrain_poem(),
    "chorus three times": (
        "Row, row, row your boat gently down the stream,\nMerrily, merrily, life is but a dream.\n\n" * 3
    ),
    "litany": "".join(f"{word.title()} of the {word[::-1]}, pray for us.\n" for word in WORDS * 2),
    "bottles": "".join(
        f"{n} bottles of beer on the wall, {n} bottles of beer.\nTake one down and pass it around, {n - 1} to go.\n\n"
        for n in range(99, 0, -1)
    ),
    "similar code": similar_code(),
    "schema": schema(),
    "closing tags": "\n".join(" " * n + "</div>" for n in range(40, 0, -2)),
    "cells": '<div class="cell"></div>\n' * 36,
    "fizzbuzz": "\n".join("Fizz" * (n % 3 == 0) + "Buzz" * (n % 5 == 0) or str(n) for n in range(1, 300)),
    "truth table": "\n".join(f"{a:d} {b:d} {c:d} | {(a and b) or c:d}" for a in (0, 1) for b in (0, 1) for c in (0, 1)),
    "long prose": " ".join(random.Random(3).choices(WORDS, k=20_000)),
}


@pytest.mark.parametrize("text", HONEST.values(), ids=HONEST)
def test_honest_repetition_passes(text: str) -> None:
    assert looped(text) is None


def fed(text: str, cuts: list[int]) -> str | None:
    watch, start = LoopWatch(), 0
    for cut in sorted({min(cut, len(text)) for cut in cuts}):
        watch.feed(text[start:cut])
        start = cut
    watch.feed("")
    return watch.feed(text[start:])


PIECES = st.sampled_from(["0", "ha ", "\n", SENTENCE, SENTENCE + "\n", "} else {\n", *WORDS])
TEXTS = st.lists(
    st.tuples(PIECES, st.sampled_from([1, 2, 30, 400])).map(lambda pair: pair[0] * pair[1]), max_size=5
).map("".join)


@settings(deadline=None)
@given(TEXTS, st.lists(st.integers(0, 3000), max_size=40))
def test_the_cutting_does_not_matter(text: str, cuts: list[int]) -> None:
    assert fed(text, cuts) == looped(text) == fed(text, list(range(len(text))))


@settings(deadline=None)
@given(st.text(max_size=200), st.text(min_size=1, max_size=400), st.text(max_size=200))
def test_every_short_period_is_caught_at_last(opening: str, piece: str, ending: str) -> None:
    assert looped(opening + piece * (2000 // len(piece) + 3) + ending) is not None


def test_the_reason_stays() -> None:
    watch = LoopWatch()
    reason = watch.feed("ha " * 500)
    assert reason is not None
    assert watch.feed("Something else entirely.") == reason
    assert watch.feed("") == reason


def calls(text: str) -> int:
    """How many calls, of Python and of C functions, watching the text token by token takes."""
    count = 0

    def note(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    watch = LoopWatch()
    tokens = [text[start : start + 4] for start in range(0, len(text), 4)]
    sys.setprofile(note)
    try:
        for token in tokens:
            watch.feed(token)
    finally:
        sys.setprofile(None)
    return count


GROWING = {
    "words": " ".join(random.Random(4).choices(WORDS, k=4000)),
    "lines": "\n".join(random.Random(5).choices(WORDS, k=4000)),
    "one long line": "".join(f"{n}," for n in range(6000)),
    "long runs of one sign": "".join("a" * 600 + str(n) for n in range(40)),
    "blank lines": "".join("\n" * 500 + str(n) for n in range(50)),
}


@pytest.mark.parametrize("text", GROWING.values(), ids=GROWING)
def test_the_work_per_character_is_bounded(text: str) -> None:
    assert calls(text) < 12 * len(text)
    assert calls(text) < 2.2 * calls(text[: len(text) // 2]) + 200


def test_the_memory_is_bounded() -> None:
    import tracemalloc

    def held(characters: int) -> int:
        watch = LoopWatch()
        tracemalloc.start()
        for number in range(characters // 8):
            watch.feed(f"{number:07d} ")
        size = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        return size

    assert held(400_000) < held(40_000) + 5_000 < 60_000
