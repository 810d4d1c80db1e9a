"""End a read that waits too long: two timers over one connection, the next token's and the whole run's."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Any


class Watchdog:
    """Calls `abort` once the time of `expect` or the deadline has passed. Times are readings of `clock`, in seconds.

    A thread is needed because a blocked read cannot look at a clock; `expired` serves readers that wake up in time.
    """

    def __init__(self, clock: Callable[[], float], deadline: float | None, abort: Callable[[], None]) -> None:
        self._clock = clock
        self._deadline = deadline
        self._abort = abort
        self._limit: float | None = None
        self._changed = threading.Condition()
        self._stopped = False
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Watchdog:
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify()

    def expect(self, seconds: float) -> None:
        """The next sign of life is due within `seconds`. Later limits cost nothing: only an earlier one wakes the thread."""
        limit = self._clock() + seconds
        if self._limit is None or limit < self._limit:
            with self._changed:
                self._limit = limit
                self._changed.notify()
        else:
            self._limit = limit

    @property
    def out_of_time(self) -> bool:
        """The whole run's deadline has passed."""
        return self._deadline is not None and self._clock() >= self._deadline

    @property
    def expired(self) -> bool:
        """Either timer has run out."""
        return self.out_of_time or (self._limit is not None and self._clock() >= self._limit)

    def _watch(self) -> None:
        with self._changed:
            while not self._stopped:
                if self.expired:
                    self._abort()
                    return
                due = [limit for limit in (self._limit, self._deadline) if limit is not None]
                self._changed.wait(max(0.0, min(due) - self._clock()) if due else None)


def closer(response: Any) -> Callable[[], None]:
    """A function that ends this response's connection from another thread; a blocked read then returns."""
    stream = response.extensions.get("network_stream")
    connection = stream.get_extra_info("socket") if stream is not None else None

    def close() -> None:
        import socket

        if connection is not None:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    return close
