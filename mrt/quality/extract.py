"""Finds the fenced code blocks of an answer, as CommonMark delimits them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from mrt.frozen import frozen

_OPENER = r"([ \t]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)?)(`{3,}|~{3,})[ \t]*(.*)"
_LANGUAGE = r"[\s{.]*([\w+#./-]+)(=?)"
_DOCUMENT_LANGUAGES = ("markdown", "md", "mdx")


@frozen
class CodeBlock:
    """One fenced block. `language` is the info string's first word in lower case; `code` has LF line ends, no fence
    lines, and no newline after its last line; `closed` is False when the text ends before the fence does."""

    language: str
    code: str
    closed: bool


_Opener = tuple[int, str, str]  # width of what stands before the fence, the fence, the language
_Span = tuple[int, int | None, _Opener]  # line of the opening fence, line of the closing one, the opening


def code_blocks(text: str) -> tuple[CodeBlock, ...]:
    """All fenced blocks in order."""
    lines = _lines(text)
    return tuple(_block(lines, span) for span in _spans(lines))


def extract_code(text: str, last: bool = False) -> str:
    """The code of the first block that holds any, or of the last one; the whole text, unchanged, where there is none."""
    codes = [block.code for block in code_blocks(text) if block.code.strip()]
    if not codes:
        return text
    return codes[-1 if last else 0]


def without_blocks(text: str) -> str:
    """What stands outside the fenced blocks."""
    lines = _lines(text)
    kept, after = [], 0
    for start, end, _ in _spans(lines):
        kept += lines[after:start]
        after = len(lines) if end is None else end + 1
    return "\n".join(kept + lines[after:])


def _lines(text: str) -> list[str]:
    # Not splitlines(): a form feed or U+2028 is part of the code.
    return text.replace("\r\n", "\n").split("\n")


def _spans(lines: Sequence[str]) -> Iterator[_Span]:
    at, nesting = 0, True
    while at < len(lines):
        opener = _opener(lines[at])
        if opener is None:
            at += 1
            continue
        end = None
        if nesting and opener[2] in _DOCUMENT_LANGUAGES:
            end = _nested_end(lines, at + 1, opener)
            nesting = end is not None  # looked to the end in vain once: not again, so that the time stays linear
        if end is None:
            end = next((i for i in range(at + 1, len(lines)) if _closes(lines[i], opener)), None)
        yield at, end, opener
        at = len(lines) if end is None else end + 1


def _opener(line: str) -> _Opener | None:
    match = re.match(_OPENER, line)
    if match is None or (match[2][0] == "`" and "`" in match[3]):
        return None
    language = re.match(_LANGUAGE, match[3])
    return len(match[1]), match[2], "" if language is None or language[2] else language[1].lower()


def _closes(line: str, opener: _Opener) -> bool:
    width, fence, _ = opener
    mark = line.strip(" \t\r")
    indent = len(line) - len(line.lstrip(" \t"))
    return len(mark) >= len(fence) and not mark.strip(fence[0]) and indent <= width + 3


def _nested_end(lines: Sequence[str], start: int, opener: _Opener) -> int | None:
    """Models write a Markdown document into a fence as long as the ones inside: there a fence with a language opens."""
    depth = 1
    for index in range(start, len(lines)):
        if _closes(lines[index], opener):
            depth -= 1
        elif (inner := _opener(lines[index])) is not None and inner[2] and inner[1].startswith(opener[1]):
            depth += 1
        if depth == 0:
            return index
    return None


def _block(lines: Sequence[str], span: _Span) -> CodeBlock:
    start, end, (width, _, language) = span
    body = lines[start + 1 : end]
    if end is None and body and not body[-1]:
        body = body[:-1]  # the newline that ends the text
    return CodeBlock(language, "\n".join(_outdented(line, width) for line in body), end is not None)


def _outdented(line: str, width: int) -> str:
    indent = len(line) - len(line.lstrip(" \t"))
    return line[min(indent, width) :]
