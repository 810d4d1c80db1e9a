"""Stop threads that wait for answers: their connections are shut, so that each books what it used and ends."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx


class Stop:
    """Whether to stop, and the connection on which each thread listens."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._listening: dict[int, Any] = {}

    def is_set(self) -> bool:
        """Whether it is time to end."""
        return self._event.is_set()

    def client(self, opened: Callable[[str], httpx.Client]) -> Callable[[str], httpx.Client]:
        """The same way to open a client, whose answers can be broken off from another thread."""

        def open_noted(url: str) -> httpx.Client:
            client = opened(url)
            client.event_hooks = {"request": [], "response": [self._note]}
            return client

        return open_noted

    def set(self) -> None:
        """Stop all: what is being listened to ends as if the server had hung up."""
        self._event.set()
        for stream in list(self._listening.values()):
            _shut(stream)

    def _note(self, response: httpx.Response) -> None:
        self._listening[threading.get_ident()] = response.extensions.get("network_stream")
        if self.is_set():  # it was stopped while this answer was still to begin
            _shut(self._listening[threading.get_ident()])


def _shut(stream: Any) -> None:
    connection = stream.get_extra_info("socket") if stream is not None else None
    if isinstance(connection, socket.socket):
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
