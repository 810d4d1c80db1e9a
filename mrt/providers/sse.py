"""Decode server-sent events from bytes in any pieces: the WHATWG rules, forgiving where real servers are careless.

Source of the rules: the HTML standard, section 9.2.6 "Interpreting an event stream". What is more lenient here is said beside it.
"""

from __future__ import annotations

import codecs
import re
from typing import NamedTuple

from mrt.errors import ProtocolFailure
from mrt.providers.jsontext import is_json

DONE = "[DONE]"
LONGEST_LINE = 16 * 1024 * 1024
_LONGEST_RETRY = 9  # digits
# Only these end a line. str.splitlines() would also split at U+2028, U+0085, VT and FF, which occur inside JSON strings.
_LINE_END = re.compile("\r\n|\n|\r")


class ServerEvent(NamedTuple):
    """One event: its data lines joined, its name, and the last event id seen."""

    data: str
    event: str | None = None
    id: str | None = None


class UnfinishedLine:
    """A line that still grows: its pieces are joined once, at its end, and it may not grow for ever."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._length = 0

    def add(self, piece: str) -> None:
        """The next piece. Raises a ProtocolFailure when the line has become too long."""
        self._pieces.append(piece)
        self._length += len(piece)
        if self._length > LONGEST_LINE:
            raise ProtocolFailure(f"protocol: the server sent a line longer than {LONGEST_LINE // 2**20} MiB")

    def take(self) -> str:
        """The whole line; the next one begins."""
        line = "".join(self._pieces)
        self._pieces, self._length = [], 0
        return line


class SseDecoder:
    """Feed it bytes, get events; `finish` gives what an end without a blank line left over."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._at_start = True
        self._after_carriage_return = False
        self._line = UnfinishedLine()
        self._data: list[str] = []
        self._data_length = 0
        self._event: str | None = None
        self._id: str | None = None
        self.retry_ms: int | None = None
        self.cut = False

    def feed(self, chunk: bytes) -> list[ServerEvent]:
        """The events completed by these bytes."""
        return self._read(self._decoder.decode(chunk))

    def finish(self) -> list[ServerEvent]:
        """The events an unterminated end still holds, if whole; sets `cut` when something was broken off."""
        events = self._read(self._decoder.decode(b"", final=True))
        line = self._line.take()
        if line:
            events += self._take_line(line)
        whole = self._dispatch()
        if all(event.data == DONE or is_json(event.data) for event in whole):
            return events + whole
        self.cut = True
        return events

    def _read(self, text: str) -> list[ServerEvent]:
        if not text:
            return []
        if self._at_start:
            self._at_start = False
            text = text.removeprefix("\ufeff")
        if self._after_carriage_return:
            # The other half of a CRLF that fell between two chunks.
            text = text.removeprefix("\n")
        self._after_carriage_return = text.endswith("\r") if text else False
        first, *others = _LINE_END.split(text)
        self._line.add(first)
        events: list[ServerEvent] = []
        for piece in others:
            events += self._take_line(self._line.take())
            self._line.add(piece)
        return events

    def _take_line(self, line: str) -> list[ServerEvent]:
        if not line:
            return self._dispatch()
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            return self._take_data(value)
        if field == "event":
            self._event = value or None
        elif field == "id" and "\0" not in value:
            self._id = value
        elif field == "retry" and value.isascii() and value.isdigit() and len(value) <= _LONGEST_RETRY:
            self.retry_ms = int(value)
        elif field == "error":
            # llama.cpp before September 2025 names the field itself `error`.
            return [*self._dispatch(), ServerEvent(value, "error", self._id)]
        elif line.startswith("{") and is_json(line):
            # A proxy that fails after its 200 writes its JSON error without any field name.
            return [*self._dispatch(), ServerEvent(line, "error", self._id)]
        return []

    def _take_data(self, value: str) -> list[ServerEvent]:
        # Some proxies collapse the blank lines between events. Two JSON documents are never one event, so the first is done.
        early = self._dispatch() if len(self._data) == 1 and self._separate(self._data[0], value) else []
        self._data.append(value)
        self._data_length += len(value) + 1
        if self._data_length > LONGEST_LINE:
            raise ProtocolFailure(f"protocol: the server sent an event longer than {LONGEST_LINE // 2**20} MiB")
        return early

    @staticmethod
    def _separate(first: str, second: str) -> bool:
        return first.startswith("{") and (second == DONE or second.startswith("{")) and is_json(first)

    def _dispatch(self) -> list[ServerEvent]:
        data, name = self._data, self._event
        self._data, self._data_length, self._event = [], 0, None
        return [ServerEvent("\n".join(data), name, self._id)] if data else []
