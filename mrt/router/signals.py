"""Which words of the lexicon a text uses, by kind of signal; a negated use ("no refactoring needed") does not count."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from mrt.router import lexicon
from mrt.router.sample import Sample

# A stem is found by its first letters; no stem is shorter.
_KEY = 4
# How far back a negation reaches, and how many uses of a word are looked at before it counts.
_REACH, _USES = 40, 8
# What a prompt may say that it does not want; the rest is what it is about.
_NEGATABLE = frozenset(("strong", "ambiguous", "planning", "judgement", "proof"))
_CLAUSE_ENDS, _APOSTROPHES = r"[.,;:!?\n()\[\]]", r"[\s'’]+"
# Of the words before, so many may be the negation.
_NEAR = 3
# So near before a word "instead of" is about it.
_INSTEAD = 22


class _Index(NamedTuple):
    words: dict[str, tuple[str, ...]]
    stems: dict[str, tuple[tuple[str, str], ...]]
    phrases: dict[str, tuple[tuple[str, str], ...]]
    dense: tuple[tuple[str, str], ...]


@lru_cache(maxsize=1)
def _index() -> _Index:
    words: dict[str, tuple[str, ...]] = {}
    stems: dict[str, tuple[tuple[str, str], ...]] = {}
    for kind, text in lexicon.WORDS.items():
        for entry in text.split():
            stem = entry.removesuffix("*")
            if stem == entry:
                words[entry] = (*words.get(entry, ()), kind)
            else:
                stems[stem[:_KEY]] = (*stems.get(stem[:_KEY], ()), (stem, kind))
    phrases: dict[str, tuple[tuple[str, str], ...]] = {}
    for kind, text in lexicon.PHRASES.items():
        for phrase in text.split("|"):
            first = phrase.partition(" ")[0]
            phrases[first] = (*phrases.get(first, ()), (f" {phrase} ", kind))
    dense = [(word, kind) for kind, text in lexicon.DENSE.items() for word in text.split()]
    return _Index(words, stems, phrases, tuple(dense))


def signals(sample: Sample) -> dict[str, list[str]]:
    """The words found for each kind of signal, in order; kinds that have none are absent. Linear in the sample."""
    found: dict[str, list[str]] = {}
    index = _index()
    words, stems = index.words, index.stems
    # A quick look at every word, a slow one at the few that may be in the lexicon.
    for word in [word for word in sample.distinct if word in words or word[:_KEY] in stems]:
        for kind in _kinds(word):
            _add(found, kind, word, sample)
    for first in [first for first in index.phrases if first in sample.distinct]:
        for phrase, kind in index.phrases[first]:
            if phrase in sample.joined:
                _add(found, kind, phrase.strip(), sample)
    if sample.dense:
        characters = set(sample.dense)
        for word, kind in index.dense:
            if word[0] in characters and word in sample.lower:
                _add(found, kind, word, sample)
    return found


def _kinds(word: str) -> tuple[str, ...]:
    """The kinds of signal that a word is; most words are none."""
    index = _index()
    stems = (kind for stem, kind in index.stems.get(word[:_KEY], ()) if word.startswith(stem))
    return (*index.words.get(word, ()), *stems)


def is_signal(word: str) -> bool:
    """True for a word that the lexicon has, whatever its kind."""
    return bool(_kinds(word)) or word in lexicon.ACROSS or word in lexicon.PLAN_VERBS


def _add(found: dict[str, list[str]], kind: str, word: str, sample: Sample) -> None:
    words = found.setdefault(kind, [])
    if word not in words and not (kind in _NEGATABLE and negated(sample.lower, word)):
        words.append(word)
    if not words:
        del found[kind]


def negated(text: str, word: str) -> bool:
    """True when every one of the word's first uses follows a negation within its clause."""
    start, uses = text.find(word), 0
    while start >= 0 and uses < _USES:
        if not _denied(text[max(0, start - _REACH) : start]):
            return False
        start, uses = text.find(word, start + len(word)), uses + 1
    return uses > 0


def _denied(before: str) -> bool:
    clause = re.split(_CLAUSE_ENDS, before)[-1]
    words = [word for word in re.split(_APOSTROPHES, clause) if word not in lexicon.WISHING]
    if any(word in lexicon.NEGATORS for word in words[-_NEAR - 1 :]):
        return not clause.strip().startswith("why")  # "why do we not ...?" suggests it
    if any(f"{phrase} " in clause[-_INSTEAD:] for phrase in lexicon.INSTEAD):
        return True
    return not clause.isascii() and any(word in clause for word in lexicon.NEGATORS_DENSE)
