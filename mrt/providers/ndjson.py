"""Split a stream of JSON lines from bytes in any pieces."""

from __future__ import annotations

import codecs

from mrt.errors import ProtocolFailure
from mrt.providers.sse import LONGEST_LINE, ServerEvent, is_json


class NdjsonDecoder:
    """The same shape as the SSE decoder: bytes in, one event a line out; a last line without its end is not lost."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._line = ""
        self.cut = False

    def feed(self, chunk: bytes) -> list[ServerEvent]:
        """The lines completed by these bytes."""
        *lines, self._line = (self._line + self._decoder.decode(chunk)).split("\n")
        if len(self._line) > LONGEST_LINE:
            raise ProtocolFailure(f"the server sent a line longer than {LONGEST_LINE // 2**20} MiB")
        return [ServerEvent(line.strip("\r\ufeff ")) for line in lines if line.strip()]

    def finish(self) -> list[ServerEvent]:
        """The unterminated last line when it is whole; sets `cut` when it is not."""
        line, self._line = self._line + self._decoder.decode(b"", final=True), ""
        if not line.strip():
            return []
        if is_json(line):
            return [ServerEvent(line.strip())]
        self.cut = True
        return []
