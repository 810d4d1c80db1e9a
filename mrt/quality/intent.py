"""Reads from a prompt whether code or JSON is what it asks for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from mrt.frozen import frozen
from mrt.quality import vocabulary
from mrt.quality.extract import without_blocks

_REACH = 2000  # an order stands at one end of a long prompt; between them lies the material
_OBJECT_WORDS = 16
_SENTENCE_END = r"[.!?。！？](?:\s|$)|[。！？]|[;:]\s|\n\s*(?:[-*•]|\d+[.)])\s|\n\s*\n"
_WORD = r"\w[\w+#]*(?:\.\w+)*(?:\(\))?|[,\n]"


@frozen
class Intent:
    """`strong_code`: the prompt plainly orders code; `code`: it mentions code in some way; `json`: it wants JSON back."""

    code: bool
    strong_code: bool
    json: bool


class _Order(NamedTuple):
    """An imperative: its verb, and the words of its object."""

    verb: str
    words: str


def intent(prompt: str) -> Intent:
    """What kind of answer the prompt asks for; in doubt, nothing special."""
    text = without_blocks(prompt).lower()
    fenced = text != prompt.lower().replace("\r\n", "\n")
    text = text.replace("’", "'") if len(text) <= 2 * _REACH else f"{text[:_REACH]}\n\n{text[-_REACH:]}"
    orders = list(_orders(text))
    strong = any(_orders_code(order, fenced) for order in orders) or _orders_code_tersely(text)
    mentioned = strong or fenced or re.search(vocabulary.CODE_MENTION, text) is not None
    return Intent(mentioned, strong, _wants_json(text, orders, strong))


def _orders(text: str) -> Iterator[_Order]:
    for sentence in re.split(_SENTENCE_END, text):
        words: list[str] = re.findall(_WORD, sentence)
        for index, word in enumerate(words):
            if _leads(words[:index]):
                yield _Order(word, _phrase(words[index + 1 :]))
            elif word in vocabulary.GERMAN_INFINITIVES and words[0] in vocabulary.LEAD_IN:
                yield _Order(
                    word, _phrase(words[:index])
                )  # "Kannst du eine Funktion schreiben": the object comes first


def _phrase(words: list[str]) -> str:
    return " ".join(word for word in words[:_OBJECT_WORDS] if word != "\n")


def _leads(before: list[str]) -> bool:
    """Whether a verb after these words of its sentence is an imperative."""
    start = max((index + 1 for index, word in enumerate(before) if word in ",\n"), default=0)
    clause = before[start:]
    if all(word in vocabulary.LEAD_IN or re.fullmatch(vocabulary.LANGUAGE, word) for word in clause):
        return not vocabulary.QUESTION.intersection(before[:1])
    return clause[-1] in vocabulary.JOINTS and not vocabulary.QUESTION.intersection(clause)


def _orders_code(order: _Order, fenced: bool) -> bool:
    if order.verb in vocabulary.FIX_VERBS and (fenced or _comes_first(vocabulary.BROKEN, order.words)):
        return not re.search(vocabulary.PROSE_OBJECT, order.words)
    if order.verb in vocabulary.CONVERT_VERBS:
        return re.search(vocabulary.CONVERTED_CODE, order.words) is not None
    pointed = order.verb in vocabulary.FIX_VERBS and re.match(vocabulary.POINTED_AT, order.words)
    return bool(pointed or order.verb in vocabulary.WRITE_VERBS) and _comes_first(_objects(order.verb), order.words)


def _objects(verb: str) -> str:
    patterns = [vocabulary.CODE_OBJECT]
    if verb in vocabulary.PLAIN_WRITE_VERBS:
        patterns.append(vocabulary.WRITTEN_OBJECT)
    if verb in vocabulary.STRUCTURE_VERBS:
        patterns.append(vocabulary.STRUCTURE)
    return "|".join(patterns)


def _comes_first(pattern: str, words: str) -> bool:
    """Whether a code word stands in the object, and none before it makes the object prose."""
    code = re.search(pattern, words)
    prose = re.search(vocabulary.PROSE_BUT_NOT_COMPOUND, words)
    return code is not None and (prose is None or code.start() < prose.start())


def _orders_code_tersely(text: str) -> bool:
    """Orders that name the thing alone ("bash one-liner to ..."), and Chinese ones, which have no word boundaries."""
    if re.match(vocabulary.TERSE_ORDER, text.strip().replace("-", " ")):
        return True
    match = re.search(vocabulary.CHINESE_ORDER, text)
    return match is not None and not re.search(vocabulary.CHINESE_QUESTION, text[: match.start()])


def _wants_json(text: str, orders: list[_Order], strong: bool) -> bool:
    if "json" not in text:
        return False
    verbs = vocabulary.REPLY_VERBS if strong else vocabulary.JSON_VERBS
    if any(order.verb in verbs and _is_json(order) for order in orders):
        return True
    return not strong and any(_mentions_json_answer(sentence) for sentence in re.split(_SENTENCE_END, text))


def _is_json(order: _Order) -> bool:
    """Whether JSON is what comes out, not what goes in or what the text is about."""
    converts = order.verb in vocabulary.CONVERSION_VERBS
    match = re.search(vocabulary.JSON_MANNER if converts else vocabulary.JSON_OBJECT, order.words)
    return match is not None and not re.search(vocabulary.JSON_BYSTANDER, order.words[: match.start()])


def _mentions_json_answer(sentence: str) -> bool:
    match = re.search(vocabulary.JSON_ANSWER, sentence)
    if match is None:
        return False
    before = sentence[: match.start()]
    asks = vocabulary.QUESTION.intersection(re.findall(r"\w+", before)) and match[0][0] not in ",("
    return not asks and not re.search(f"{vocabulary.JSON_BYSTANDER}|{vocabulary.CHINESE_QUESTION}", before)


def names_only_python(prompt: str) -> bool:
    """Whether Python is the one language a prompt names, so that code without a label must be Python."""
    named = set(re.findall(vocabulary.NAMED_LANGUAGE, prompt.lower()))
    return bool(named) and all(name.startswith("python") for name in named)
