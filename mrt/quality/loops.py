"""Notices, while an answer streams in, that it goes round in circles."""

from __future__ import annotations

import re
from collections import Counter, deque

_STEP = 64  # looks happen at multiples of this offset, so that the cutting of the stream cannot change the verdict
_NEEDLE = 32
_LONGEST_PERIOD = 1000
_PROSE_RUN = 640
_DATA_RUN = 1200
_DATA_CHARACTERS = r"[\d_<>\[\]{}()|=;\"\\/#*&$%@^~`+]"
_WINDOW = 3 * _LONGEST_PERIOD + _STEP
_CANDIDATES = 16
_RECENT_LINES = 32
_LINE_KEPT = 1024
_SHORTEST_LINE = 20

_Line = tuple[str, int]  # how a line starts, and its length in characters


class LoopWatch:
    """Watches a streamed text. The cost per character and the memory are bounded, however long the stream is."""

    __slots__ = ("_lines", "_pending", "_reason", "_tail", "_waiting")

    def __init__(self) -> None:
        self._pending: list[str] = []
        self._waiting = 0
        self._tail = ""
        self._lines = _LineCounts()
        self._reason: str | None = None

    def feed(self, piece: str) -> str | None:
        """Takes the next piece; the reason once the text loops, and from then on. Any cutting gives the same verdict."""
        if self._reason is None and piece:
            self._pending.append(piece)
            self._waiting += len(piece)
            if self._waiting >= _STEP:
                self._look()
        return self._reason

    def _look(self) -> None:
        text = "".join(self._pending)
        whole = len(text) - len(text) % _STEP
        for start in range(0, whole, _STEP):
            chunk = text[start : start + _STEP]
            self._tail = (self._tail + chunk)[-_WINDOW:]
            self._reason = _periodic(self._tail) or self._lines.feed(chunk)
            if self._reason is not None:
                break
        self._pending = [text[whole:]]
        self._waiting = len(text) - whole


def looped(text: str) -> str | None:
    """Why the text counts as a loop, or None."""
    return LoopWatch().feed(text)


def _least_run(sample: str) -> int:
    """How many characters of repetition make a loop. Grids, arrays, rules and zeros in base64 repeat for good reason."""
    letters = {character for character in sample if character.isalpha()}
    return _PROSE_RUN if len(letters) > 1 and not re.search(_DATA_CHARACTERS, sample) else _DATA_RUN


def _periodic(tail: str) -> str | None:
    """Whether the tail is one piece over and over. A period can only start where the end of the tail came before.

    What breaks a period that is too short must recur with the true one, so the search goes on with the break included.
    """
    needle, here = _NEEDLE, len(tail)
    for _ in range(_CANDIDATES):
        at = tail.rfind(tail[-needle:], max(here - needle - _LONGEST_PERIOD, 0), here - 1)
        if at < 0:
            return None
        period = here - needle - at
        run = _run_length(tail, period)
        if run >= max(3 * period, _PROSE_RUN):
            return _period_reason(period, run) if run >= _least_run(tail[-period:]) else None
        needle = run - period + 1
    return None


def _period_reason(period: int, run: int) -> str:
    unit = "character" if period == 1 else f"{period} characters"
    return f"the last {unit} came {run // period} times"


def _run_length(tail: str, period: int) -> int:
    """How far back from its end the tail has the period, by bisection."""
    least, most = period, len(tail)
    while least < most:
        middle = (least + most + 1) // 2
        if tail[-middle:-period] == tail[period - middle :]:
            least = middle
        else:
            most = middle - 1
    return least


def _trivial(line: str) -> bool:
    """Short lines, rules and rows of a table come back in honest text."""
    return len(line) < _SHORTEST_LINE or 2 * sum(map(str.isalpha, line)) < len(line)


class _LineCounts:
    """How often each of the last lines came, blank ones left out."""

    __slots__ = ("_counts", "_length", "_recent", "_start")

    def __init__(self) -> None:
        self._start = ""
        self._length = 0
        self._recent: deque[_Line] = deque()
        self._counts: Counter[_Line] = Counter()

    def feed(self, chunk: str) -> str | None:
        ended, *others = chunk.split("\n")
        self._extend(ended)
        reason = None
        for part in others:
            reason = reason or self._end_line()
            self._extend(part)
        return reason

    def _extend(self, part: str) -> None:
        self._start += part[: _LINE_KEPT - len(self._start)]
        self._length += len(part)

    def _end_line(self) -> str | None:
        text = self._start.strip()
        line = (text, self._length if self._length > _LINE_KEPT else len(text))
        self._start, self._length = "", 0
        if not text:
            return None
        self._recent.append(line)
        self._counts[line] += 1
        if len(self._recent) > _RECENT_LINES:
            oldest = self._recent.popleft()
            self._counts[oldest] -= 1
            if not self._counts[oldest]:
                del self._counts[oldest]
        return self._verdict(line, self._counts[line])

    def _verdict(self, line: _Line, count: int) -> str | None:
        text, length = line
        few = min(_RECENT_LINES // 2, max(4, 6400 // length))  # a long paragraph needs fewer copies than a short line
        if count < few or _trivial(text) or count * length < _least_run(text):
            return None
        return f"a line of {length} characters came {count} times in the last {len(self._recent)} lines"
