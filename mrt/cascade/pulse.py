"""Let those who watch know how far a long answer has come: a note in the store now and then, never one that is waited for."""

from __future__ import annotations

from mrt.cascade.job import World
from mrt.ledger import Progress, note_progress
from mrt.providers import Delta

EVERY_S = 1.0
_BYTES_PER_TOKEN = 4


class Pulse:
    """Counts what comes of one answer, and notes it: its first token, then once a second while more come."""

    def __init__(self, world: World, reservation: str | None) -> None:
        self._world = world
        self._reservation = reservation
        self._characters = self._pieces = 0
        self._first_us: int | None = None
        self._due = world.wire.clock()

    def feel(self, delta: Delta) -> None:
        """One more piece of the answer or of its reasoning."""
        self._characters += len(delta.text)
        self._pieces += 1
        if self._first_us is None:
            self._first_us = self._now_us()
        now = self._world.wire.clock()
        if now >= self._due and self._reservation is not None:
            self._due = now + EVERY_S
            note_progress(
                self._world.store, self._reservation, Progress(self._tokens(), self._first_us, self._now_us())
            )

    def _tokens(self) -> int:
        """About how many: a piece is a token at most servers, and never less than one."""
        return max(self._pieces, -(-self._characters // _BYTES_PER_TOKEN))

    def _now_us(self) -> int:
        return round(self._world.wire.now() * 1_000_000)
