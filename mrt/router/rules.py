"""What in an instruction speaks for work that a small model does badly: rules over words, files and steps."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from mrt.router import lexicon
from mrt.router.sample import Sample
from mrt.router.signals import negated, signals
from mrt.router.topic import without_topic

Part = Literal["component", "coordinative", "dynamic"]
MANY_FILES, MANY_STEPS = 3, 3
# How far "across" looks for its place.
_ACROSS_REACH = 5
_SHOWN = 5
_STEP = r"\n[ \t]{0,8}(?:[-*•]|\d{1,2}[.)])[ \t]+\S"
_ENDING = r"\.([A-Za-z][A-Za-z0-9]{0,7})"
_APART = dict.fromkeys(map(ord, ",;:#()[]{}<>\"'`|=、，。；：？！“”‘’（）"), " ")


class Contribution(NamedTuple):
    """One thing that was found in a prompt, in words, and the points it adds to (or takes from) the complexity."""

    feature: str
    value: str
    weight: float
    part: Part = "component"


def rules(sample: Sample) -> tuple[Contribution, ...]:
    """Every rule that holds for an instruction, with its points."""
    found = signals(sample)
    strong = without_topic([*found.get("strong", ()), *_across(sample)], sample)
    planning = without_topic([*found.get("planning", ()), *_plans(sample)], sample)
    parts = (
        _strong(strong),
        _ambiguous(found, bool(strong)),
        _planning(planning),
        _judgement(found.get("judgement", ())),
        _proof(found.get("proof", ())),
        _files(files(sample)),
        _coding(found),
        _steps(sample, found),
    )
    return tuple(part for part in parts if part is not None)


def _shown(words: Sequence[str]) -> str:
    return ", ".join(words[:_SHOWN]) + (", …" if len(words) > _SHOWN else "")


def _strong(words: Sequence[str]) -> Contribution | None:
    if not words:
        return None
    return Contribution(
        "a strong signal of wide work", _shown(words), 4.0 + 0.9 * min(len(words) - 1, 2), "coordinative"
    )


def _ambiguous(found: Mapping[str, Sequence[str]], strong: bool) -> Contribution | None:
    """A scope beside a strong signal says the same thing again, and counts half."""
    verbs, scope = found.get("ambiguous", ()), found.get("scope", ())
    if verbs and scope:
        weight = (3.0 + 0.5 * min(len(scope) - 1, 2)) * (0.5 if strong else 1.0)
        return Contribution("a verb with a wide scope", f"{_shown(verbs)} + {_shown(scope)}", weight, "coordinative")
    if scope:
        return Contribution("a wide scope", _shown(scope), 0.5, "coordinative")
    return Contribution("a verb without a wide scope", _shown(verbs), 0.3) if verbs else None


def _planning(words: Sequence[str]) -> Contribution | None:
    if not words:
        return None
    return Contribution("planning and decisions", _shown(words), 1.6 + 1.2 * min(len(words) - 1, 2), "dynamic")


def _judgement(words: Sequence[str]) -> Contribution | None:
    return Contribution("a judgement", _shown(words), 0.8, "dynamic") if words else None


def _proof(words: Sequence[str]) -> Contribution | None:
    return Contribution("a proof or derivation", _shown(words), 2.2, "dynamic") if words else None


def _files(names: Sequence[str]) -> Contribution | None:
    if len(names) >= MANY_FILES:
        return Contribution(
            f"{len(names)} files", _shown(names), 3.2 + 0.1 * min(len(names) - MANY_FILES, 10), "coordinative"
        )
    return Contribution("files named", _shown(names), 0.2 * len(names)) if names else None


def _coding(found: Mapping[str, Sequence[str]]) -> Contribution | None:
    verbs, things = found.get("code", ()), found.get("structure", ())
    if verbs and things:
        value = f"{_shown(verbs)} + {_shown(things)}"
        return Contribution(
            "asks to implement a data structure or algorithm", value, 0.8 + 0.2 * min(len(things) - 1, 2)
        )
    return None


def _steps(sample: Sample, found: Mapping[str, Sequence[str]]) -> Contribution | None:
    listed, words = len(re.findall(_STEP, f"\n{sample.text}")) if "\n" in sample.text else 0, found.get("step", ())
    if listed < MANY_STEPS and len(words) < MANY_STEPS:
        return None
    value = f"{listed} listed" if listed >= MANY_STEPS else _shown(words)
    return Contribution("several steps", value, min(1.5, 0.2 * max(listed, len(words))))


def files(sample: Sample) -> list[str]:
    """The distinct file names in a text, in order: `a.ts`, `src/b.py`; last those without a dot, as `makefile`."""
    found: dict[str, None] = {}
    named = any(end.lower() in lexicon.EXTENSIONS for end in set(re.findall(_ENDING, sample.text)))
    # A chunk whose only dot ends it is the end of a sentence.
    for chunk in [chunk for chunk in sample.text.split() if "." in chunk[:-1]] if named else ():
        for word in chunk.translate(_APART).split():
            if _is_file(name := word.strip(".:!?*_~")):
                found[name] = None
    return [*found, *(word for word in lexicon.EXTENSIONLESS if word in sample.distinct)]


def _is_file(word: str) -> bool:
    if word.startswith("//") or "@" in word:
        return False
    name = word.rpartition("/")[2].lower()
    stem, _, extension = name.rpartition(".")
    return bool(stem) and extension in lexicon.EXTENSIONS and not stem.isdecimal()


def _across(sample: Sample) -> Iterator[str]:
    """ "Across" with a place of more than one part within reach."""
    if not any(word in sample.distinct for word in lexicon.ACROSS):
        return
    for place, word in enumerate(sample.words):
        if word in lexicon.ACROSS and not negated(sample.lower, word):
            ahead = sample.words[place + 1 : place + 1 + _ACROSS_REACH]
            reached = next((index for index, near in enumerate(ahead) if near in lexicon.ACROSS_WHAT), None)
            if reached is not None:
                yield " ".join((word, *ahead[: reached + 1]))
                return


def _plans(sample: Sample) -> Iterator[str]:
    """ "Plan" as a verb: it opens the text, or an article follows it."""
    if not any(word in sample.distinct for word in lexicon.PLAN_VERBS):
        return
    for place, word in enumerate(sample.words):
        if word in lexicon.PLAN_VERBS:
            following = sample.words[place + 1 : place + 2]
            if place == 0 or (following and following[0] in lexicon.ARTICLES):
                yield word
                return
