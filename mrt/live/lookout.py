"""Look at the endpoints now and then, each by itself in the background, so that a slow one keeps nobody waiting."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import NamedTuple

from mrt.endpoints.place import Place
from mrt.endpoints.report import EndpointReport
from mrt.endpoints.survey import survey
from mrt.providers import Wire
from mrt.providers.http import import_httpx

# Often enough to see a server come and go. What is far away, or bills its requests, is asked less often.
NEAR_EVERY_S = 5.0
FAR_EVERY_S = 60.0
# A password manager may ask its owner each time.
KEY_COMMAND_EVERY_S = 600.0


class _Visit(NamedTuple):
    thread: threading.Thread
    began: float


class Lookout:
    """The last report of every place. Only what `probe` asks is asked: nothing is loaded, woken, run or paid."""

    def __init__(self, wire: Wire, least_s: float = 0.0) -> None:
        self._wire = wire
        self._least_s = least_s
        self._visits: dict[str, _Visit] = {}
        self._found: dict[str, EndpointReport] = {}

    def visit(self, places: Sequence[Place]) -> None:
        """Set out to every place whose turn it is. Returns at once."""
        keys = {_key(place) for place in places}
        for gone in (self._found.keys() | self._visits.keys()) - keys:
            self._found.pop(gone, None)
            self._visits.pop(gone, None)
        import_httpx()  # once, before the threads all want it
        for place in places:
            if self._is_due(place):
                thread = threading.Thread(target=self._go, args=(place,), daemon=True)
                self._visits[_key(place)] = _Visit(thread, self._wire.clock())
                thread.start()

    def wait(self) -> None:
        """Until every visit under way is over; each has its own limit."""
        for visit in list(self._visits.values()):
            visit.thread.join()

    def reports(self, places: Sequence[Place]) -> tuple[EndpointReport, ...] | None:
        """The last reports in the order of the places; None before the first one."""
        found = [self._found[_key(place)] for place in places if _key(place) in self._found]
        return tuple(found) if found or not places else None

    def _is_due(self, place: Place) -> bool:
        visit = self._visits.get(_key(place))
        if visit is None:
            return True
        every = FAR_EVERY_S if place.remote else NEAR_EVERY_S
        if place.runs_key_command:
            every = KEY_COMMAND_EVERY_S
        return not visit.thread.is_alive() and self._wire.clock() - visit.began >= max(every, self._least_s)

    def _go(self, place: Place) -> None:
        self._found[_key(place)] = survey((place,), self._wire)[0]


def _key(place: Place) -> str:
    return f"{place.name} {place.target.url}"
