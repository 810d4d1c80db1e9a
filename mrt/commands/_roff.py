"""Text as roff: what `man` and `mandoc` format, with nothing in it that they take for a command of theirs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from textwrap import dedent, wrap

# A hyphen that is to be typed or copied is \-, and quotes stay the ones of the keyboard.
_SPECIAL = {"\\": r"\e", "-": r"\-", "'": r"\(aq", "`": r"\(ga", "^": r"\(ha", "~": r"\(ti", '"': r"\(dq"}
# Lines of a topic that are shorter were not broken for their length.
_FULL_LINE = 90
_WIDTH = 78
# "ask: answer, reasoning ...": what is said of one thing at a time.
_LABEL = r"([a-z][a-z -]*): (?=\S)"


def escaped(text: str) -> str:
    """The text as one line of roff that shows exactly it, spaces aside."""
    line = "".join(_SPECIAL.get(character) or _ascii(character) for character in " ".join(text.split()))
    return rf"\&{line}" if line.startswith((".", "'")) else line


def _ascii(character: str) -> str:
    return character if character.isascii() else rf"\[u{ord(character):04X}]"


def marked(text: str) -> str:
    """The same, with what stands between backticks in bold."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return escaped(text)
    # A space at an edge separates the part from the next one.
    return "".join(_part(part, bold=bool(index % 2)) for index, part in enumerate(parts))


def _part(text: str, *, bold: bool) -> str:
    shown = escaped(f"x{text}x")[1:-1]
    if bold:
        return rf"\fB{shown}\fR"
    return rf"\&{shown}" if shown.startswith((".", "'")) else shown


def flags(record: str) -> str:
    """An option as help shows it, "-m, --model MODEL": what is typed as it stands in bold."""
    words = (rf"\fB{escaped(word)}\fR" if word.startswith("-") else escaped(word) for word in record.split())
    return " ".join(words)


def example(text: str) -> Iterator[str]:
    """Commands, each on its own line."""
    lines = [line.strip() for line in text.strip().splitlines()]
    if lines:
        yield from (".PP", ".RS 4", ".nf", *map(_kept, lines), ".fi", ".RE")


def _kept(line: str) -> str:
    """A line whose spaces count."""
    return " ".join(escaped(word) if word else "" for word in line.split(" ")) or r"\&"


def prose(text: str) -> Iterator[str]:
    """Paragraphs with blank lines between them."""
    paragraphs = [part for part in dedent(text).split("\n\n") if part.strip()]
    for index, paragraph in enumerate(paragraphs):
        if index:
            yield ".PP"
        yield marked(" ".join(paragraph.split()))


def structured(text: str) -> Iterator[str]:
    """A topic: paragraphs, and lists whose items are `NAME  what it is` or `name: what it is`, going on on lines further in."""
    for block in _blocks(text):
        columns = re.split(r"\s{2,}", block[0].strip())
        more = " ".join(line.strip() for line in block[1:])
        label = re.match(_LABEL, block[0])
        if label:
            yield from (".TP", marked(label[1]), marked(f"{block[0][label.end() :].strip()} {more}".strip()))
        elif len(columns) == 1:
            yield from (".PP", marked(f"{columns[0]} {more}".strip()))
        elif len(columns) % 2:
            yield from (".TP", marked(columns[0]), marked(" ".join([*columns[1:], more]).strip()))
        else:
            for name, about in zip(columns[::2], columns[1::2], strict=True):
                yield from (".TP", marked(name), marked(f"{about} {more}".strip()))


def _blocks(text: str) -> Iterator[list[str]]:
    """Lines that belong together: those further in than the first, and those after a line that is full."""
    block: list[str] = []
    for line in text.splitlines():
        if block and not (line.strip() and _goes_on(block, line)):
            yield block
            block = []
        if line.strip():
            block.append(line)
    if block:
        yield block


def _goes_on(block: list[str], line: str) -> bool:
    first, here = _indent(block[0]), _indent(line)
    item = re.search(r"\S\s{2,}\S", line)
    if here > first:
        return not item or bool(re.search(r"\S\s{2,}\S", block[0]))
    return here == first == 0 and not item and len(block[-1]) >= _FULL_LINE and not re.match(_LABEL, line)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def filled(lines: Iterable[str]) -> Iterator[str]:
    """Lines of roff, none longer than is usual in its sources, but for those that must stay whole: tags and examples."""
    before, kept = "", False
    for line in lines:
        kept = line == ".nf" or (kept and line != ".fi")
        if line == ".PP" and before.startswith((".SH", ".SS")):
            continue  # a heading begins a paragraph by itself
        if kept or line.startswith(".") or before == ".TP" or not line:
            yield line
        else:
            for part in wrap(line, _WIDTH, break_long_words=False, break_on_hyphens=False):
                yield rf"\&{part}" if part.startswith((".", "'")) else part
        before = line
