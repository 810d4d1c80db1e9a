"""The bytes of a response body, with every way it can break off."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mrt.errors import MrtError, ProtocolFailure, TimedOut, Truncated
from mrt.providers.http import Timers, Wire, import_httpx
from mrt.providers.watchdog import Socket, Watchdog

if TYPE_CHECKING:
    import httpx


class Chunks:
    """The body's bytes; iterating ends at a failure, which is kept, since what came before it still counts."""

    def __init__(self, response: httpx.Response, connection: Socket, timers: Timers, wire: Wire) -> None:
        self._iterator = response.iter_bytes()
        self.watchdog = Watchdog(wire.clock, timers.deadline, connection.close)
        self.failure: MrtError | None = None

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        httpx = import_httpx()
        try:
            chunk = next(self._iterator)
        except StopIteration:
            if self.watchdog.expired:
                self.failure = self._timeout()
            raise
        except httpx.TimeoutException:
            self.failure = self._timeout()
        except httpx.DecodingError:
            self.failure = ProtocolFailure("protocol: the compressed body is broken")
        except (httpx.HTTPError, httpx.StreamError) as error:
            self.failure = self._timeout() if self.watchdog.expired else _broken(error)
        else:
            if not self.watchdog.expired:
                return chunk
            self.failure = self._timeout()
        raise StopIteration

    def _timeout(self) -> TimedOut:
        if self.watchdog.out_of_time:
            return TimedOut("timeout: out of time (--timeout)")
        return TimedOut(
            f"timeout: no token for {self.watchdog.allowed:g} s", "raise --idle-timeout if the model is only slow"
        )


def _broken(error: Exception) -> Truncated:
    return Truncated(f"truncated: the connection broke in mid-answer ({str(error) or type(error).__name__})")
