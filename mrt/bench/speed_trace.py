"""Note when each piece of an answer arrived, as close to the socket as an HTTP client lets one."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from mrt.errors import MrtError
from mrt.frozen import frozen
from mrt.providers.http import import_httpx

if TYPE_CHECKING:
    import httpx

# The step at which a request begins to leave over a connection that is open by then.
_SENDING = "send_request_headers.started"
_CONNECTED = "connection.connect_tcp.complete"
_HELLO_SECONDS = 5.0
_ANY_ZLIB = 47


class Piece(NamedTuple):
    """Bytes as one read gave them, the reading of the clock then, and the seconds until the client was ready for more."""

    at: float
    data: bytes
    busy: float = 0.0


@frozen
class Trace:
    """One request and all that came back. `sent` is when it began to leave, None when it never did; times are in seconds.

    `error` is what stood in the way of a whole answer, `cost_nano` None is unknown.
    """

    sent: float | None = None
    pieces: tuple[Piece, ...] = ()
    content_type: str = ""
    error: MrtError | None = None
    cost_state: str = "unknown"
    cost_nano: int | None = None


@dataclass
class Recorder:
    """One client, kept for all requests of one stream, that notes the times of the last POST.

    The clock starts once the connection is open, so that neither the client's own start nor a handshake is measured.
    """

    open_client: Callable[[str], httpx.Client]
    clock: Callable[[], float]
    sent: float | None = None
    pieces: list[Piece] = field(default_factory=list)
    content_type: str = ""
    _client: httpx.Client | None = None
    _stream: Any = None

    def client(self, url: str) -> httpx.Client:
        """A `client` for a wire: the same each time, and left open by those who close theirs."""
        if self._client is None:
            self._client = self.open_client(url)
            self._client.event_hooks = {"request": [self._begin], "response": [self._listen]}
        return cast("httpx.Client", nullcontext(self._client))

    def hello(self, url: str, headers: Mapping[str, str]) -> None:
        """Connect by a GET that does nothing; one that fails says nothing of the request to come."""
        self.client(url)
        if self._client is not None:
            with suppress(import_httpx().HTTPError):
                self._client.get(url, headers=dict(headers), timeout=_HELLO_SECONDS)

    def close(self) -> None:
        """Close the connection."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def trace(self, error: MrtError | None, cost_state: str, cost_nano: int | None) -> Trace:
        """What was noted of the last request."""
        return Trace(self.sent, tuple(self.pieces), self.content_type, error, cost_state, cost_nano)

    def forget(self) -> None:
        """Forget the last request, lest a next one that never leaves is taken for it."""
        self.sent, self.pieces, self.content_type = None, [], ""

    def _begin(self, request: httpx.Request) -> None:
        if request.method != "POST":
            return
        self.forget()
        told = request.extensions.get("trace")

        def steps(event: str, details: Mapping[str, Any]) -> None:
            if event.endswith(_SENDING):
                self.sent = self.clock()
            if told is not None:
                told(event, details)

        if told is not None and self._stream is not None:
            # A connection that is used again is not opened again; those who may have to close it learn of it here.
            told(_CONNECTED, {"return_value": self._stream})
        request.extensions["trace"] = steps

    def _listen(self, response: httpx.Response) -> None:
        self._stream = response.extensions.get("network_stream", self._stream)
        if response.request.method != "POST":
            return
        self.content_type = response.headers.get("content-type", "")
        unpack = unpacker(response.headers.get("content-encoding", "identity"))
        body = cast("httpx.SyncByteStream", response.stream)
        response.stream = _recording(body, self.clock, self._note(unpack), self._ready)

    def _note(self, unpack: Callable[[bytes], bytes]) -> Callable[[float, bytes], None]:
        pieces = self.pieces
        return lambda at, data: pieces.append(Piece(at, unpack(data)))

    def _ready(self, at: float) -> None:
        if self.pieces:
            self.pieces[-1] = self.pieces[-1]._replace(busy=at - self.pieces[-1].at)


def unpacker(encoding: str) -> Callable[[bytes], bytes]:
    """Makes plain bytes of a compressed body, piece by piece; a body that nobody here can read becomes nothing."""
    if encoding in ("", "identity"):
        return lambda data: data
    if encoding not in ("gzip", "deflate", "x-gzip"):
        return lambda _: b""
    unpack = zlib.decompressobj(_ANY_ZLIB)

    def plain(data: bytes) -> bytes:
        with suppress(zlib.error):
            return unpack.decompress(data)
        return b""

    return plain


def _recording(
    body: httpx.SyncByteStream,
    clock: Callable[[], float],
    note: Callable[[float, bytes], None],
    ready: Callable[[float], None],
) -> httpx.SyncByteStream:
    """The body as it is; each of its pieces is noted before it is handed on, and when the reader comes back for the next."""
    package = import_httpx()

    class Recording(package.SyncByteStream):  # type: ignore[misc,name-defined]
        def __iter__(self) -> Iterator[bytes]:
            for data in body:
                note(clock(), data)
                yield data
                ready(clock())

        def close(self) -> None:
            body.close()

    return Recording()
