"""A loopback HTTP server on raw sockets, so that it can misbehave in every way a real one does.

A response is a sequence of steps: bytes to send, and actions between them. After the last step the connection is closed.
Nothing here sleeps: waiting is for events, for the client to leave, or for the server to stop.
"""

from __future__ import annotations

import contextlib
import json
import math
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from types import TracebackType
from typing import Any

from rig.responses import json_response

# How often a waiting connection looks whether the client left or the server stops.
TICK_SECONDS = 0.01
PATIENCE_SECONDS = 30.0


class Action(Enum):
    """What to do with the connection between two pieces of an answer."""

    CLOSE = "close"  # FIN: an orderly end
    RESET = "reset"  # RST: what a crash or a firewall leaves
    HOLD = "hold"  # keep it open, say nothing, until the client leaves or the server stops


@dataclass(frozen=True)
class Wait:
    """Send nothing until `event` is set, or for at most so many seconds."""

    event: threading.Event
    seconds: float = PATIENCE_SECONDS


Step = bytes | Action | Wait
Response = Sequence[Step]


@dataclass(frozen=True)
class Request:
    """One request as it arrived. Header names are lower case. `disconnected` is set when the client left before the end."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    disconnected: threading.Event = field(default_factory=threading.Event, compare=False)

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


Handler = Callable[[Request], Response]
Route = Response | Handler


def in_turn(*responses: Response) -> Handler:
    """A route that answers each request with the next response, and with a 500 when all are used up."""
    left = iter(responses)
    lock = threading.Lock()

    def handler(request: Request) -> Response:
        with lock:
            return next(left, json_response(500, {"error": f"no response left for {request.path}"}))

    return handler


class ScriptedServer:
    """Answers requests as `routes` say: from a path (without its query), or "*" for any other, to a response or a handler.

    A response answers every time; `in_turn` gives one after the other. What is not scripted gets a 404 as JSON.
    """

    def __init__(self, routes: Mapping[str, Route] | None = None) -> None:
        self.routes: dict[str, Route] = dict(routes or {})
        self._requests: list[Request] = []
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._connections: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._acceptor = threading.Thread(target=self._accept, name=f"loopback-{self.port}")

    def __enter__(self) -> ScriptedServer:
        self._acceptor.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._stopping.set()
        self._acceptor.join()
        for connection in self._connections:
            connection.join()

    @property
    def requests(self) -> list[Request]:
        """Every request so far, in the order of arrival."""
        with self._lock:
            return list(self._requests)

    def _accept(self) -> None:
        with self._listener:
            while not self._stopping.is_set():
                if not _readable(self._listener):
                    continue
                connection, _ = self._listener.accept()
                thread = threading.Thread(target=self._serve, args=(connection,), name=f"loopback-{self.port}-client")
                self._connections.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.settimeout(PATIENCE_SECONDS)
            request = self._read(connection)
            if request is None:
                return
            with self._lock:
                self._requests.append(request)
            self._answer(connection, request)

    def _read(self, connection: socket.socket) -> Request | None:
        """The request, or None when the client left (or the server stopped) before all of it was here."""
        received = b""
        while (request := parse_request(received)) is None:
            while not _readable(connection):
                if self._stopping.is_set():
                    return None
            data = connection.recv(65536)
            if not data:
                return None
            received += data
        return request

    def _response(self, request: Request) -> Response:
        path = request.path.partition("?")[0]
        route = self.routes.get(path, self.routes.get("*"))
        if route is None:
            return json_response(404, {"error": f"nothing scripted for {request.method} {path}"})
        return route(request) if callable(route) else route

    def _answer(self, connection: socket.socket, request: Request) -> None:
        response = self._response(request)
        try:
            for step in response:
                if _left(connection):
                    raise ConnectionAbortedError
                if not self._step(connection, step):
                    return
        except OSError:
            request.disconnected.set()

    def _step(self, connection: socket.socket, step: Step) -> bool:
        """Do one step; False when the answer ends with it."""
        if isinstance(step, bytes):
            connection.sendall(step)
        elif isinstance(step, Wait):
            self._wait(connection, step)
        elif step is Action.HOLD:
            self._wait(connection, Wait(self._stopping, math.inf))
        else:
            if step is Action.RESET:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return False
        return True

    def _wait(self, connection: socket.socket, wait: Wait) -> None:
        """Until the event, the time limit or the server's end; ConnectionAbortedError when the client leaves before that."""
        until = time.monotonic() + wait.seconds
        while not (wait.event.wait(TICK_SECONDS) or self._stopping.is_set() or time.monotonic() >= until):
            if _left(connection):
                raise ConnectionAbortedError


def parse_request(received: bytes) -> Request | None:
    """A whole HTTP/1.1 request from the bytes so far, or None while something is missing."""
    head, blank, body = received.partition(b"\r\n\r\n")
    if not blank:
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    method, path, _ = first.split(" ", 2)
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if headers.get("transfer-encoding", "").lower() == "chunked":
        whole = b"".join(_chunks(body)) if body.endswith(b"0\r\n\r\n") else None
    else:
        length = int(headers.get("content-length", 0))
        whole = body[:length] if len(body) >= length else None
    return None if whole is None else Request(method, path, headers, whole)


def _chunks(body: bytes) -> Iterator[bytes]:
    while body:
        size, _, rest = body.partition(b"\r\n")
        length = int(size.split(b";")[0], 16)
        yield rest[:length]
        body = rest[length + 2 :] if length else b""


def _readable(connection: socket.socket) -> bool:
    return bool(select.select([connection], [], [], TICK_SECONDS)[0])


def _left(connection: socket.socket) -> bool:
    """True when the client has closed or reset its side."""
    if not select.select([connection], [], [], 0)[0]:
        return False
    try:
        return connection.recv(1, socket.MSG_PEEK) == b""
    except OSError:
        return True
