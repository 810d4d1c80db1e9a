"""End a read that waits too long, or that a signal came too early for: two timers over one connection, and an ear for signals."""

from __future__ import annotations

import contextlib
import select
import signal
import socket
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

_CHANGED = b"\0"
_SIGNAL_S = 1.0  # longest wait for what a signal raises, once it has ended a read


class Watchdog:
    """Calls `abort` once the time of `expect` or the deadline has passed. Times are readings of `clock`, in seconds.

    A thread is needed because a blocked read cannot look at a clock; `expired` serves readers that wake up in time. Nor does a
    read end when a signal arrives just before it begins: Python only notes such a signal, and would wait for the server to
    speak. So the thread listens for signals too, and aborts.
    """

    def __init__(self, clock: Callable[[], float], deadline: float | None, abort: Callable[[], None]) -> None:
        self._clock = clock
        self._deadline = deadline
        self._abort = abort
        self._limit: float | None = None
        self.allowed = 0.0
        self._stopped = False
        self._signalled = False
        self._undo = contextlib.ExitStack()
        self._bell: socket.socket | None = None

    def __enter__(self) -> Watchdog:
        ear, self._bell = (self._undo.enter_context(end) for end in socket.socketpair())
        self._bell.setblocking(False)
        thread = threading.Thread(target=self._watch, args=(ear,), daemon=True)
        thread.start()
        self._undo.callback(thread.join)
        if threading.current_thread() is threading.main_thread():
            before = signal.set_wakeup_fd(self._bell.fileno(), warn_on_full_buffer=False)
            self._undo.callback(signal.set_wakeup_fd, before)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._stopped = True
        self._ring()
        self._undo.close()
        self._bell = None
        if self._signalled and (kind is None or issubclass(kind, Exception)):
            # The read ended because of the signal, not of the server. What it raises may come a moment later: it was lost in a
            # finalizer, and is sent once more. This sleep ends with it.
            time.sleep(_SIGNAL_S)

    def expect(self, seconds: float) -> None:
        """The next sign of life is due within `seconds`. Later limits cost nothing: only an earlier one wakes the thread."""
        self.allowed = seconds
        limit = self._clock() + seconds
        earlier = self._limit is None or limit < self._limit
        self._limit = limit
        if earlier:
            self._ring()

    def _ring(self) -> None:
        if self._bell is not None:
            with contextlib.suppress(BlockingIOError):  # it rings already
                self._bell.send(_CHANGED)

    @property
    def out_of_time(self) -> bool:
        """The whole run's deadline has passed."""
        return self._deadline is not None and self._clock() >= self._deadline

    @property
    def expired(self) -> bool:
        """Either timer has run out."""
        return self.out_of_time or (self._limit is not None and self._clock() >= self._limit)

    def _watch(self, ear: socket.socket) -> None:
        while not self._stopped:
            if self._signalled or self.expired:
                self._abort()
                return
            due = [limit for limit in (self._limit, self._deadline) if limit is not None]
            patience = max(0.0, min(due) - self._clock()) if due else None
            if select.select([ear], [], [], patience)[0]:
                # A signal writes its number, which is never zero.
                self._signalled = any(ear.recv(64))


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
        connection = self._stream.get_extra_info("socket") if self._stream is not None else None
        if connection is not None:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
