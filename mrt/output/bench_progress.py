"""How far a run is, in one line on a terminal's stderr that is written over and gone in the end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from mrt.output.console import Console

if TYPE_CHECKING:
    from mrt.bench.answers import Graded

_CELLS = 20


class Progress:
    """Counts answers; `planned` None where nobody knows how many there will be. Nothing is written but to a terminal."""

    def __init__(
        self, console: Console, planned: int | None, done: int = 0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._console = console
        self._planned, self._done, self._before = planned, done, done
        self._passed = 0
        self._clock, self._began = clock, clock()
        self._lock = threading.Lock()
        self._draw("asking")

    def advance(self, graded: Graded) -> None:
        """One more answer."""
        with self._lock:
            self._done += 1
            self._passed += graded.passed
            self._draw(f"{graded.answer.task}: {graded.status}")

    def close(self) -> None:
        """Take the line away."""
        self._console.progress("")

    def line(self, last: str) -> str:
        """What is shown, within 79 cells."""
        if self._planned is None:
            return f"{self._done} answered  {last}"[:79]
        full = _CELLS * self._done // max(1, self._planned)
        return f"{'█' * full}{'░' * (_CELLS - full)} {self._done} of {self._planned}{self._left()}  {last}"[:79]

    def _left(self) -> str:
        """The time it takes at the pace so far."""
        answered = self._done - self._before
        if not answered or self._planned is None:
            return ""
        seconds = (self._clock() - self._began) / answered * (self._planned - self._done)
        return f"  {seconds / 60:.0f} min left" if seconds >= 90 else f"  {seconds:.0f} s left"

    def _draw(self, last: str) -> None:
        self._console.progress(self.line(last))
