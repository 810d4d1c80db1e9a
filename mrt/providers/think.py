"""Split reasoning that a server left in the text (`<think>` ... `</think>`) from the answer."""

from __future__ import annotations

import re
import sys
from typing import Literal, NamedTuple

from mrt.domain import Think

_OPEN = ("<think>", "<thinking>", "<thought>", "<reasoning>")
_CLOSE = re.compile(r"</(?:think|thinking|thought|reasoning)>")
# Once text has been shown, only a closing tag alone on its line says that all of it was reasoning: prose may quote the tag.
_CLOSE_ALONE = re.compile(r"\n[ \t]*</(?:think|thinking|thought|reasoning)>[ \t]*(\n|$)")
_LONGEST_CLOSE = len("</reasoning>")
_OVERLAP = 2 * _LONGEST_CLOSE
EVERYTHING = sys.maxsize


class Piece(NamedTuple):
    """A piece of text or reasoning; `retract` says that all text so far was reasoning."""

    kind: Literal["text", "reasoning", "retract"]
    text: str


class ThinkSplitter:
    """Feed it the content as it streams.

    An opening tag at the very start opens reasoning. A closing tag without an opening one turns all that came before into
    reasoning, since some chat templates put the opening tag into the prompt. To decide that before anything is shown, the
    head is held back for `hold` characters or until `release`; `implicit` holds until the tag comes, `off` never looks.
    """

    def __init__(self, mode: Think = "auto", hold: int = 0) -> None:
        self._state = "text" if mode == "off" else "head"
        self._fallback = "held"
        self._hold = EVERYTHING if mode == "implicit" else hold
        self._buffer = ""
        self._scanned = 0
        self._watching = mode != "off"
        self._strip = False
        self._shown_tail = "\n"  # the beginning begins a line
        self._fences = 0
        self.implicit = False

    def feed(self, text: str) -> list[Piece]:
        """The pieces that can be told apart so far."""
        self._buffer += text
        return self._advance(final=False)

    def finish(self) -> list[Piece]:
        """The rest, at the end of the stream."""
        return self._advance(final=True)

    def release(self) -> list[Piece]:
        """Stop holding the head back: the reader waits."""
        self._hold = min(self._hold, 0) if self._hold != EVERYTHING else EVERYTHING
        return self._advance(final=False)

    def _advance(self, final: bool) -> list[Piece]:
        pieces: list[Piece] = []
        state = ""
        while state != self._state:
            state = self._state
            pieces += getattr(self, f"_{state}")(final)
        return [piece for piece in pieces if piece.text or piece.kind == "retract"]

    def _head(self, final: bool) -> list[Piece]:
        start = self._buffer.lstrip()
        for tag in _OPEN:
            if start.startswith(tag):
                self._buffer = start[len(tag) :]
                self._state, self._watching = "reasoning", False
                return []
        if final or not any(tag.startswith(start) for tag in _OPEN):
            self._state = self._fallback
        return []

    def _held(self, final: bool) -> list[Piece]:
        tags = _CLOSE.finditer(self._buffer, max(0, self._scanned - _LONGEST_CLOSE))
        close = next((tag for tag in tags if not _quoted(self._buffer[: tag.start()])), None)
        self._scanned = len(self._buffer)
        if close:
            reasoning, self._buffer = self._buffer[: close.start()], self._buffer[close.end() :]
            self._after_implicit()
            return [Piece("reasoning", reasoning.strip())]
        if final or len(self._buffer) > self._hold:
            self._state = "text"
        return []

    def _after_implicit(self) -> None:
        self._state, self._watching, self._strip, self.implicit = "text", False, True, True

    def _reasoning(self, final: bool) -> list[Piece]:
        close = _CLOSE.search(self._buffer)
        if close:
            reasoning, self._buffer = self._buffer[: close.start()], self._buffer[close.end() :]
            self._state, self._fallback, self._strip = "head", "text", True
            return [Piece("reasoning", reasoning.rstrip())]
        reasoning, self._buffer = _cut(self._buffer, 0 if final else _tag_tail(self._buffer))
        return [Piece("reasoning", reasoning)]

    def _text(self, final: bool) -> list[Piece]:
        if self._strip:
            self._buffer = self._buffer.lstrip()
            self._strip = not self._buffer
        if self._watching:
            return self._watched_text(final)
        text, self._buffer = self._buffer, ""
        return [Piece("text", text)]

    def _watched_text(self, final: bool) -> list[Piece]:
        shown = len(self._shown_tail)
        for close in _CLOSE_ALONE.finditer(self._shown_tail + self._buffer) if "</" in self._buffer else ():
            start, end = max(0, close.start() - shown), close.end() - shown
            if end <= 0 or self._in_fence(self._buffer[:start]):
                continue
            if not (close[1] or final):
                return self._show(len(self._buffer) - start)  # what comes next on this line decides
            reasoning, self._buffer = self._buffer[:start], self._buffer[end:]
            self._after_implicit()
            return [Piece("retract", ""), Piece("reasoning", reasoning), *self._text(final)]
        return self._show(0 if final else _tag_tail(self._buffer))

    def _show(self, keep: int) -> list[Piece]:
        text, self._buffer = _cut(self._buffer, keep)
        self._remember(text)
        return [Piece("text", text)]

    def _in_fence(self, text: str) -> bool:
        return (self._fences + self._new_fences(text)) % 2 == 1

    def _new_fences(self, text: str) -> int:
        return (self._shown_tail + text).count("```") - self._shown_tail.count("```")

    def _remember(self, text: str) -> None:
        seen = self._shown_tail + text
        self._fences += self._new_fences(text)
        self._shown_tail = seen[-_OVERLAP:]
        if any(tag in seen for tag in _OPEN):
            self._watching = False


def _quoted(before: str) -> bool:
    """Whether a closing tag after this text belongs to the answer: opened before, or inside code."""
    return any(tag in before for tag in _OPEN) or before.endswith("`") or before.count("```") % 2 == 1


def _cut(text: str, keep: int) -> tuple[str, str]:
    return (text, "") if keep == 0 else (text[:-keep], text[-keep:])


def _tag_tail(text: str) -> int:
    """How many characters at the end may belong to a closing tag that is still coming, with the line break before it."""
    start = text.rfind("<", max(0, len(text) - _LONGEST_CLOSE))
    return len(text) - start if start >= 0 and ">" not in text[start:] else 0
