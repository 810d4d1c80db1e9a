"""Whether an ask only speaks of wide work: a definition, a question of fact, a letter, a text to translate or to sum up."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mrt.router import lexicon
from mrt.router.lexicon import word_set
from mrt.router.sample import Sample

# How many words may follow "what is a", how many a general question and how many characters a dense one has at most.
_DEFINED, _GENERAL_MOST, _DEFINED_DENSE = 5, 12, 24
# "The root cause of this crash" is a task, whatever the question looks like.
_POINTING = word_set("the this our my that these those your its")
_OWN = word_set("this our my these those we i us file files module repo codebase project code service system")
_FACT_OPENINGS = word_set(
    "who whose when where wer wann wo qui quand où quién cuándo dónde quem quando onde кто когда где"
)
_GENERAL_OPENINGS = word_set("what which explain describe list name is are does why how was welche que quels qué quais")
_GENERAL = word_set(
    "advantage advantages disadvantages benefit benefits drawbacks downsides upsides difference differences meaning purpose"
    " definition pros cons types kinds examples worth important useful term mean called concept"
    " unterschied vorteile nachteile bedeutung différence avantages diferencia ventajas diferença vantagens"
)
_WRITING = word_set(
    "write draft compose send schreib schreibe verfasse écris rédige escribe redacta escreva redija напиши"
)
_LETTERS = word_set(
    "email mail letter message tweet poem haiku song limerick joke story invitation announcement greeting toast slack"
    " brief nachricht gedicht lettre courriel poème carta correo poema mensaje mensagem письмо стих"
)
_EARLY, _OPENING = 8, 4
# A deliberate "think hard" counts in any question.
_THINKS = ("think", "ultrathink")

# What is done to a text that comes with it, where the text itself asks for nothing.
_TEXT_WORK = word_set(
    "translate summarize summarise proofread paraphrase rephrase reword spellcheck tldr übersetze übersetz zusammenfassen"
    " zusammen traduis traduisez traduire résume résumez traduce traducir traduzca resumir resumen traduza traduz resuma"
    " переведи переведите резюмируй перескажи"
)
_TEXT_FAULTS = word_set(
    "grammar spelling typos wording punctuation rechtschreibung grammatik orthographe gramática ortografía"
)
_TEXT_WORK_DENSE = ("翻译", "翻譯", "总结", "概括", "翻訳", "要約", "번역", "요약")
_PROGRAM = word_set(
    "code python java javascript typescript rust go c sql script program function class module query app"
)
_CODE_MARKS = ("```", "def ", ";\n", "{\n", "):\n")
_HEAD, _FIRST_WORDS = 200, 8
_SEPARATOR = r"：|:(?=[\s\"'“”„«「])|\n[ \t]*\n"
# Without one of these there is nothing to tell apart.
_MARKS = (":", "\n\n", '"', "'", "：", "“", "„", "«", "「")
_QUOTED = r"\"[^\"\n]{3,}\"|“[^”]{3,}”|„[^“”]{3,}[“”]|«[^»]{3,}»|「[^」]{3,}」|(?<!\w)'[^'\n]{3,}'(?!\w)"


def without_topic(words: Sequence[str], sample: Sample) -> list[str]:
    """The strong words of an ask that are its task; of one that only speaks of such work, none but "think hard"."""
    if not words or not speaks_of(sample):
        return list(words)
    return [word for word in words if word.startswith(_THINKS)]


def speaks_of(sample: Sample) -> bool:
    """True for an ask whose strong words are what it is about: "what is refactoring?", "write Bob that the migration is off"."""
    return _defines(sample) or _general(sample) or _writes(sample)


def _defines(sample: Sample) -> bool:
    """True for a short question for a definition: "What is refactoring?", not "what is the root cause of this crash?"."""
    if sample.dense:
        return len(sample.lower) <= _DEFINED_DENSE and any(mark in sample.lower for mark in lexicon.DEFINING_DENSE)
    for opening in lexicon.DEFINING:
        if sample.joined.startswith(f" {opening} "):
            rest = sample.joined[len(opening) + 2 :].split()
            return len(rest) <= _DEFINED and not _POINTING & set(rest)
    return False


def _general(sample: Sample) -> bool:
    """A short question of fact or of general knowledge that points to nothing of the asker's own."""
    words = sample.words
    if not words or len(words) > _GENERAL_MOST or any(word in sample.distinct for word in _OWN):
        return False
    if words[0] in _FACT_OPENINGS:
        return "should" not in sample.distinct
    return words[0] in _GENERAL_OPENINGS and any(word in sample.distinct for word in _GENERAL)


def _writes(sample: Sample) -> bool:
    """A letter, a message or a poem is to be written."""
    early = sample.words[:_EARLY]
    return any(word in _WRITING for word in early[:_OPENING]) and any(word in _LETTERS for word in early)


def text_to_work_on(ask: str) -> tuple[str, str]:
    """The instruction and the text that it is about, where that is to be translated, corrected or summed up; else all of it."""
    if not any(mark in ask for mark in _MARKS):
        return ask, ""
    found = re.search(_SEPARATOR, ask[: _HEAD + 2])
    if found is not None and _works_on_text(head := ask[: found.end()], rest := ask[found.end() :]):
        return head, rest
    before, _, tail = ask.rpartition("\n\n")
    if before and len(tail) <= _HEAD and _works_on_text(tail, before):
        return tail, before
    if len(ask) > 2 * _HEAD or not (quotes := re.findall(_QUOTED, ask)):
        return ask, ""
    head, rest = re.sub(_QUOTED, " ", ask), "\n".join(quotes)
    return (head, rest) if _works_on_text(head, rest) else (ask, "")


def _works_on_text(head: str, rest: str) -> bool:
    if not rest.strip() or any(mark in rest for mark in _CODE_MARKS):
        return False
    words = re.findall(r"[^\W\d_]+", head.lower())
    if _PROGRAM & set(words):
        return False
    first = words[:_FIRST_WORDS]
    return any(word in _TEXT_WORK or word in _TEXT_FAULTS for word in first) or (
        not head.isascii() and any(mark in head for mark in _TEXT_WORK_DENSE)
    )
