"""End a call from outside, in the middle of an answer: its connection is shut, so that the engine stops and the books say so."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mrt.providers.watchdog import Socket

if TYPE_CHECKING:
    import httpx

    from mrt.providers import Wire


Check = Callable[[str, str, float], str | None]


class Stopped(BaseException):
    """Nobody waits for this answer any more. No failure of a tier: like Ctrl-C, it passes everything that handles those."""


class Stop:
    """Whether a call is to end, and the connections to shut then. One thread works on the call, another may stop it."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._connections: list[Socket] = []

    def set(self) -> None:
        """Stop: what is being listened to ends now."""
        self._event.set()
        for connection in list(self._connections):
            connection.close()

    def check(self) -> None:
        """Raises Stopped when it is time to end."""
        if self._event.is_set():
            raise Stopped

    def on(self, wire: Wire) -> Wire:
        """The same wire, whose requests and pauses end when this is set."""
        opened = wire.client

        def client(url: str) -> httpx.Client:
            made = opened(url)
            made.event_hooks = {"request": [self._follow], "response": []}
            return made

        return replace(wire, client=client, sleep=self._sleep)

    def during(self, run: Callable[[str, str, float, Callable[[], bool]], str | None]) -> Check:
        """The same way to run a command that judges an answer, which ends with its children when this is set."""

        def check(command: str, answer: str, seconds: float) -> str | None:
            objection = run(command, answer, seconds, self._event.is_set)
            self.check()
            return objection

        return check

    def _sleep(self, seconds: float) -> None:
        self._event.wait(seconds)
        self.check()

    def _follow(self, request: httpx.Request) -> None:
        """Learn of the request's connection, and turn what the shut one gives into Stopped: it says nothing of the server."""
        others: Callable[[str, Mapping[str, Any]], None] | None = request.extensions.get("trace")
        connection = Socket()
        self._connections.append(connection)

        def trace(event: str, details: Mapping[str, Any]) -> None:
            if others is not None:
                others(event, details)
            connection.watch(event, details)
            if self._event.is_set():
                connection.close()
                if _may_raise(event, details):
                    raise Stopped

        request.extensions["trace"] = trace


def _may_raise(event: str, details: Mapping[str, Any]) -> bool:
    """Not while a connection is made or closed: then it would be left half open."""
    if isinstance(details.get("exception"), GeneratorExit | Stopped):
        return False
    return event.startswith(("http11.send", "http11.receive", "http2.send", "http2.receive"))
