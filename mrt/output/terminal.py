"""Make foreign text safe for a terminal: control sequences out, everything a reader sees stays."""

from __future__ import annotations

import re

ESCAPE = "\x1b"
# CSI, OSC / DCS / APC / PM / SOS strings up to their terminator, charset switches, and every other two-character escape. The
# eight-bit forms (C1) start the same sequences on some terminals.
_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]+[0-~]"
    r"|\x1b[0-Z\\`-~]"
)
# What is left of C0 and C1 (tab and newline stay), delete, and the marks that reorder text on the screen.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_UNFINISHED = re.compile(
    r"(?:\x1b(?:\[[0-?]*[ -/]*|[\]PX^_][^\x07\x1b\x9c]*\x1b?|[ -/]*)?|\x9b[0-?]*[ -/]*|[\x9d\x90\x98\x9e\x9f][^\x07\x1b\x9c]*)\Z"
)
_LONGEST_SEQUENCE = 4096


class TerminalFilter:
    """Removes control sequences from text that arrives in pieces of any size."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, text: str) -> str:
        """The part of the text so far that is safe to print now; an unfinished sequence waits for its end."""
        text = self._held + text
        self._held = ""
        if ESCAPE in text or any(mark in text for mark in "\x9b\x9d\x90\x98\x9e\x9f"):
            text = _SEQUENCE.sub("", text)
            unfinished = _UNFINISHED.search(text)
            if unfinished and len(text) - unfinished.start() <= _LONGEST_SEQUENCE:
                self._held = text[unfinished.start() :]
                text = text[: unfinished.start()]
        return _CONTROL.sub("", text.replace("\r\n", "\n"))

    def finish(self) -> str:
        """What is left of an unfinished sequence, as harmless text."""
        held, self._held = self._held, ""
        return _CONTROL.sub("", held)


def safe(text: str) -> str:
    """The whole text without control sequences."""
    terminal_filter = TerminalFilter()
    return terminal_filter.feed(text) + terminal_filter.finish()


def one_line(text: str, limit: int = 300) -> str:
    """Foreign text as one safe line of at most `limit` characters."""
    line = " ".join(safe(text).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def within(text: str, cells: int) -> str:
    """As much of one line as so many cells of a terminal show; some characters take two of them."""
    if text.isascii():
        return text[:cells]
    from unicodedata import east_asian_width

    for place, character in enumerate(text):
        cells -= 2 if east_asian_width(character) in "WF" else 1
        if cells < 0:
            return text[:place]
    return text
