"""A command line up to the cursor, taken apart as a shell does: whole words, and what is typed of the last one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple


class Line(NamedTuple):
    """The whole words after the command's name, the typed part of the next, and how much of it the shell leaves alone.

    `kept` counts characters of `typed`: bash takes what follows a colon, an equals sign or an opening quote for the word.
    Behind < or > the word is the name of a file, and none of the command's: `redirected`.
    """

    words: list[str]
    typed: str
    kept: int = 0
    redirected: bool = False


class _Character(NamedTuple):
    """One character that the line means; `plain` when it is in no quotes and behind no escape."""

    text: str
    plain: bool


class _Word(NamedTuple):
    """A word as it stands; behind < or > it is the name of a file."""

    characters: list[_Character]
    redirected: bool = False


def take_apart(line: str, breaks: str = "", escape: str = "\\") -> Line:
    """The line; an open quote and a lone escape at its end are as good as closed. Assignments before the command are left out.

    `breaks` are the characters at which the shell begins a new word for its completion alone.
    """
    *whole, last = _split(line, escape)
    words = [_text(word.characters) for word in whole if word.characters and not word.redirected]
    while len(words) > 1 and words[0].partition("=")[0].isidentifier() and "=" in words[0]:
        words = words[1:]
    # A quote that stays open has no text, which is in all breaks.
    ends = [end for end, one in enumerate(last.characters, 1) if one.plain and one.text in breaks]
    kept = len(_text(last.characters[: ends[-1]])) if ends else 0
    return Line(words[1:], _text(last.characters), kept, last.redirected)


def _split(line: str, escape: str) -> list[_Word]:
    found = [_Word([])]
    for character in _characters(line, escape):
        last = found[-1]
        if character.plain and character.text in ("<", ">"):
            if not _text(last.characters).strip("&0123456789"):
                last.characters.clear()  # 2> and &> are one sign
            found.append(_Word([], redirected=True))
        elif character.plain and character.text.isspace():
            found += [_Word([])] if last.characters else []
        elif last.characters or not (last.redirected and character.plain and character.text in ("&", "|")):  # >& and >|
            last.characters.append(character)
    return found


def _text(characters: list[_Character]) -> str:
    return "".join(character.text for character in characters)


def _characters(line: str, escape: str) -> Iterator[_Character]:
    """Every character but quotes and escapes; an empty one where a quote opens, plain if nothing closes it."""
    quote = ""
    position = 0
    while position < len(line):
        character = line[position]
        if quote and character == quote:
            quote = ""
        elif not quote and character in "\"'":
            quote = character
            yield _Character("", character not in line[position + 1 :])
        elif character == escape and quote != "'":
            position += 1
            if position < len(line):
                yield _Character(line[position], False)
        else:
            yield _Character(character, not quote)
        position += 1
