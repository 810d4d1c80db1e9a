"""End a read that waits too long: two timers over one connection, the next token's and the whole run's."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Mapping
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
        self.allowed = 0.0
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
        self.allowed = seconds
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


class Socket:
    """The socket below a request, to be closed from another thread: a blocked read then returns.

    A request in flight has no response to ask for it, so it is taken from what httpcore tells through its `trace` extension.
    """

    def __init__(self) -> None:
        self._stream: Any = None

    def watch(self, event: str, details: Mapping[str, Any]) -> None:
        """The `trace` extension: called at every step of a request."""
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            self._stream = details["return_value"]

    def close(self) -> None:
        """End the connection, if there is one."""
        import socket

        connection = self._stream.get_extra_info("socket") if self._stream is not None else None
        if connection is not None:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
