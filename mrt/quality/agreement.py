"""How far two answers to one prompt agree."""

from __future__ import annotations

import re
from collections.abc import Set

from mrt.quality.answers import Final, ending_answer, stated_answer
from mrt.quality.extract import code_blocks
from mrt.quality.python_code import looks_like_python
from mrt.quality.same_code import code_likeness
from mrt.quality.vocabulary import words

THRESHOLD = 0.5
_SHOWN = 40
_SHORT_WORDS = 5  # content words; such an answer counts as contained in a longer one
_CONTAINED = 0.7
_CONTRADICTS = 0.4
_FUNCTION_WORDS = words(
    """a an the of to in on at by for from with and or is are was were be been it its this that these those as you your
    i we they he she his her their there here so then than which who what can will would has have had do does just
    der die das den dem des ein eine einen einem und oder ist sind war in im an am auf zu von mit für es sie er man
    le la les l un une des de du et ou est sont dans à au aux en ce cette il elle on qui que pour par
    el los las una y o es son del al se su lo answer sure"""
)
_NEGATIONS = words("no not never none nor cannot t nicht kein keine nie pas ne jamais nunca jamás 不 没")


def agrees(first: str, second: str) -> tuple[bool, str]:
    """Whether two answers agree well enough, and the ground for it with its figure."""
    score, ground = agreement(first, second)
    relation = "at least" if score >= THRESHOLD else "below"
    return score >= THRESHOLD, f"{ground}: agreement {score:.2f}, {relation} {THRESHOLD:.2f}"


def agreement(first: str, second: str) -> tuple[float, str]:
    """0.0 to 1.0, symmetric, and 1.0 for equal answers; and the ground for it.

    Final answers decide, then code, then the words in common.
    """
    if first.split() == second.split():
        return 1.0, "the same answer"
    if not first.strip() or not second.strip():
        return 0.0, "one answer is empty"
    codes = _code(first), _code(second)
    stated = stated_answer(first), stated_answer(second)
    if all(codes) and not all(stated):
        return code_likeness(*codes), "the code of the answers"
    finals = stated[0] or ending_answer(first), stated[1] or ending_answer(second)
    if finals[0] is not None and finals[1] is not None and finals[0].kind == finals[1].kind:
        return _finals_compared(finals[0], finals[1])
    return _prose_likeness(first, second), "the words of the answers"


def _finals_compared(first: Final, second: Final) -> tuple[float, str]:
    if first.value == second.value:
        return 1.0, f"both answers come to {_shown(first)}"
    score = _prose_likeness(first.value, second.value) if first.kind == "words" else 0.0
    return score, f"the answers come to {_shown(first)} and {_shown(second)}"


def _shown(final: Final) -> str:
    return "".join(sign for sign in final.value if sign.isprintable())[:_SHOWN]


def _code(answer: str) -> str:
    """The longest block, or the whole answer if that is Python; else nothing."""
    blocks = [block.code for block in code_blocks(answer) if block.code.strip()]
    return max(blocks, key=len, default=answer if looks_like_python(answer) else "")


def _prose_likeness(first: str, second: str) -> float:
    """F1 of the sets of content words. A short answer found whole in a longer one agrees, unless only one is negated."""
    one, other = _content(first), _content(second)
    shared = len(one & other)
    if not shared:
        return float(one == other and first.split() == second.split())
    score = 2 * shared / (len(one) + len(other))
    short = min(len(one), len(other))
    if short <= _SHORT_WORDS:
        if bool(_NEGATIONS & one) != bool(_NEGATIONS & other):
            return min(score, _CONTRADICTS)
        return max(score, _CONTAINED) if shared == short else score
    return score


def _content(text: str) -> Set[str]:
    found: list[str] = re.findall(r"[\u3040-\u30ff\u4e00-\u9fff]|[^\W\u3040-\u30ff\u4e00-\u9fff]+", text.lower())
    return {_stem(word) for word in found} - _FUNCTION_WORDS


def _stem(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
