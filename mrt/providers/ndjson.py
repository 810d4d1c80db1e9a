"""Split a stream of JSON lines from bytes in any pieces."""

from __future__ import annotations

import codecs

from mrt.providers.jsontext import is_json
from mrt.providers.sse import ServerEvent, UnfinishedLine


class NdjsonDecoder:
    """The same shape as the SSE decoder: bytes in, one event a line out; a last line without its end is not lost."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._line = UnfinishedLine()
        self.cut = False

    def feed(self, chunk: bytes) -> list[ServerEvent]:
        """The lines completed by these bytes."""
        first, *others = self._decoder.decode(chunk).split("\n")
        self._line.add(first)
        events: list[ServerEvent] = []
        for piece in others:
            events += _event(self._line.take())
            self._line.add(piece)
        return events

    def finish(self) -> list[ServerEvent]:
        """The unterminated last line when it is whole; sets `cut` when it is not."""
        self._line.add(self._decoder.decode(b"", final=True))
        events = _event(self._line.take())
        if all(is_json(event.data) for event in events):
            return events
        self.cut = True
        return []


def _event(line: str) -> list[ServerEvent]:
    data = line.strip("\r\ufeff\t ")
    return [ServerEvent(data)] if data else []
