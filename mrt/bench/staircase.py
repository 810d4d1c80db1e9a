"""A short run that looks for the edge: up a band after a pass, down after a failure, until it has seen enough of both sides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mrt.bench.answers import Graded
from mrt.bench.grading import NOT_SCORED
from mrt.bench.tasks import Task

FEWEST, MOST = 8, 12


class Staircase:
    """Which task comes next, by how those before went. It starts in the middle band, where one answer tells most."""

    def __init__(self, tasks: Sequence[Task], most: int = MOST) -> None:
        self._left = {
            band: [task for task in tasks if task.band == band] for band in sorted({one.band for one in tasks})
        }
        self._bands = list(self._left)
        self._at = (len(self._bands) - 1) // 2
        self._most = most
        self._turns: list[bool] = []

    def learn(self, graded: Graded) -> None:
        """Take one verdict: the next task comes from the band above or below it."""
        self._left[graded.answer.band] = [
            task for task in self._left[graded.answer.band] if task.id != graded.answer.task
        ]
        if graded.status in NOT_SCORED:
            return
        self._turns.append(graded.passed)
        at = self._bands.index(graded.answer.band) + (1 if graded.passed else -1)
        self._at = min(len(self._bands) - 1, max(0, at))

    def __iter__(self) -> Iterator[Task]:
        while len(self._turns) < self._most and not self._settled():
            task = self._next()
            if task is None:
                return
            yield task

    def _next(self) -> Task | None:
        """From the wanted band, or from the nearest that has tasks left."""
        nearest = sorted(range(len(self._bands)), key=lambda at: (abs(at - self._at), at))
        return next((self._left[self._bands[at]][0] for at in nearest if self._left[self._bands[at]]), None)

    def _settled(self) -> bool:
        """All of the last ones alike: at the top with nothing but passes, or at the bottom with nothing but failures."""
        return len(self._turns) >= FEWEST and len(set(self._turns[-(FEWEST - 2) :])) == 1
