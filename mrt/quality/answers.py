"""What an answer comes down to: a number, a choice, yes or no, a value, or a few words."""

from __future__ import annotations

import re
from typing import NamedTuple

_SHORT = 80  # characters
_UNIT = 24  # characters that may follow a last number: "42 apples per day."
_NUMBER = r"(?<![\w.])-?(?:\d{1,3}(?:,\d{3})+(?!\d)|\d{1,40})(?:\.\d{1,40})?(?:e[-+]?\d{1,2})?(?:/\d{1,40})?"
_STATED = (
    r"(?:####|\b(?:final )?answer(?: is\b|:)|\bthe (?:result|solution) is\b|\bantwort(?: ist| lautet)?:|\bantwort ist\b|"
    r"\blösung:|\bréponse(?: est\b| ?:)|\brespuesta(?: es\b|:)|答案(?:是|：|:))[ *_:]*([^\n]+)"
)
_CHOICE = r"\(?([a-j])(?:\)|[.:]?$|[.:]\s)"
_YES_NO = r"(yes|ja|oui|sí|true|да|是的?|no|nein|non|false|нет|否|不是)(?:[,.!:;—，。！]|\s*$)"
_YES = frozenset(("yes", "ja", "oui", "sí", "true", "да", "是", "是的"))
_VALUE = r"`[^`]+`|'[^']*'|\"[^\"]*\"|\[.*\]|\{.*\}|\(.*\)"


class Final(NamedTuple):
    """A final answer. `kind` is number, choice, yes/no, value (compared exactly) or words (compared by overlap)."""

    kind: str
    value: str


def stated_answer(text: str) -> Final | None:
    """The answer that a text boxes or announces ("the answer is ..."); the last one counts."""
    text = _plain(text)
    boxed = _boxed(text)
    if boxed is not None:
        return _final(boxed) or Final("value", "".join(boxed.split()))
    found = re.findall(_STATED, text)
    if not found:
        return None
    words = re.split(r"[.!?]\s", str(found[-1]))[0].strip(" .*_`\"'")
    number = re.match(rf"({_NUMBER})(?! ?[-+*/=^×·])", words)
    return (
        Final("number", _number(number[1])) if number else _final(words) or (Final("words", words) if words else None)
    )


def ending_answer(text: str) -> Final | None:
    """What a short text says, what a longer one opens with (yes, no) or ends in (a number, a value)."""
    text = _plain(text)
    last = text.rpartition("\n")[2].strip().rstrip(".")
    if re.fullmatch(_VALUE, last):
        return _final(last) or Final("value", last.strip("`'\"") or last)
    short = _final(text) if len(text) <= _SHORT else None
    return short or _yes_no(text) or _last_number(last, _UNIT)


def _plain(text: str) -> str:
    text = text.strip().lower().replace("−", "-").replace("’", "'")
    text = re.sub(r"\\[dt]?frac\{(\d{1,40})\}\{(\d{1,40})\}", r"\1/\2", text)
    text = re.sub(r"\\text\{([^{}\n]{0,80})\}", r"\1", text)
    return re.sub(r"\\[,;!() \[\]]|\*\*|__|\$", "", text)


def _boxed(text: str) -> str | None:
    start = text.rfind("\\boxed{")
    if start < 0:
        return None
    depth, begin = 0, start + len("\\boxed{")
    for index in range(begin, len(text)):
        if text[index] == "}" and depth == 0:
            return text[begin:index]
        depth += {"{": 1, "}": -1}.get(text[index], 0)
    return None


def _final(text: str) -> Final | None:
    text = text.strip().strip("*_`\"'. ")
    choice = re.match(_CHOICE, text)
    if choice is not None:
        return Final("choice", choice[1])
    if re.fullmatch(r"[\[{(].*[\]})]", text):
        return Final("value", text)
    return _yes_no(text) or _last_number(text, _SHORT)


def _yes_no(text: str) -> Final | None:
    match = re.match(_YES_NO, text)
    return None if match is None else Final("yes/no", "yes" if match[1] in _YES else "no")


def _last_number(text: str, reach: int) -> Final | None:
    """The last number, if the text goes on in the same sentence for at most `reach` characters."""
    matches = list(re.finditer(_NUMBER, text))
    if not matches or len(text) - matches[-1].end() > reach or re.search(r"[.!?]\s", text[matches[-1].end() :]):
        return None
    return Final("number", _number(matches[-1][0]))


def _number(figure: str) -> str:
    from fractions import Fraction

    whole, _, divisor = figure.replace(",", "").partition("/")
    value = Fraction(whole)
    value = value / int(divisor) if divisor and int(divisor) else value
    return f"{value.numerator / value.denominator:g}" if value.denominator > 10**6 else str(value)
