"""A short visit to a server: a few small GETs over one client, all of them within one stretch of time."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import field
from typing import TYPE_CHECKING, Any

from mrt.domain import Target
from mrt.errors import TimedOut, UpstreamError
from mrt.frozen import frozen
from mrt.providers.address import origin, shown
from mrt.providers.http import MOST_REDIRECTS, Timers, Wire, connection_failures, import_httpx, read_at_most
from mrt.providers.jsontext import parse
from mrt.providers.watchdog import Socket, Watchdog

if TYPE_CHECKING:
    import httpx

LARGEST_ANSWER = 4 * 1024 * 1024
_REDIRECTS = (301, 302, 303, 307, 308)
_ZLIB_OR_GZIP = 47


@frozen
class Answer:
    """What came back; more than anybody needs is not kept, and `whole` is false. `seconds` is the time to the first byte."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    whole: bool = True
    seconds: float = 0.0

    @property
    def text(self) -> str:
        """The body as text, whatever it is."""
        return self.body.decode("utf-8", "replace")

    @property
    def json(self) -> Any:
        """The document in the body; None when there is none, or not all of it."""
        try:
            return parse(self.body) if self.whole else None
        except ValueError:
            return None


class Visit:
    """One visit. Whatever the server does, everything ends `seconds` after `start`, a reading of the clock."""

    def __init__(self, target: Target, seconds: float, wire: Wire, start: float) -> None:
        self._target = target
        self._seconds = seconds
        self._end = start + seconds
        self._wire = wire
        self._socket = Socket()
        self._begun = False
        self._open = ExitStack()

    def __enter__(self) -> Visit:
        self._watchdog = Watchdog(self._wire.clock, self._end, self._socket.close)
        self._client = self._open.enter_context(self._wire.client(self._target.url))
        self._open.enter_context(self._watchdog)
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def get(self, url: str, headers: Mapping[str, str], limit: int = LARGEST_ANSWER) -> Answer:
        """The answer to a GET; it is not asked twice, and redirects are followed on the same server only.

        Raises Unreachable, TimedOut, NotAnApi, ConfigError or another UpstreamError.
        """
        for _ in range(MOST_REDIRECTS + 1):
            answer = self._get(url, headers, limit)
            if answer.status not in _REDIRECTS:
                return answer
            url = self._redirected(url, answer.headers.get("location", ""))
        raise UpstreamError(
            f"{shown(self._target.url)} redirects in a circle", f"check the url of endpoint {self._target.endpoint}"
        )

    def _get(self, url: str, headers: Mapping[str, str], limit: int) -> Answer:
        left = self._end - self._wire.clock()
        if left <= 0:
            raise self._too_late()
        with self._failures(left):
            request = self._client.build_request(
                "GET",
                url,
                # A fresh connection each time: one that is kept may be closed by the server just when it is used again.
                headers={**headers, "connection": "close"},
                timeout=import_httpx().Timeout(left),
                extensions={"trace": self._socket.watch},
            )
            answer = self._exchange(request, limit)
        if self._watchdog.expired:
            raise self._too_late()
        return answer

    @contextmanager
    def _failures(self, left: float) -> Iterator[None]:
        """Those of every connection, and in the words of a visit how far an answer came that took too long."""
        timers = Timers(connect=self._seconds, first_token=left, idle=left, retries=0)
        try:
            with connection_failures(self._target, timers, self._watchdog):
                yield
        except TimedOut:
            raise self._too_late() from None

    def _exchange(self, request: httpx.Request, limit: int) -> Answer:
        start = self._wire.clock()
        response = self._client.send(request, stream=True)
        try:
            self._begun = True
            seconds = self._wire.clock() - start
            body = read_at_most(self._pieces(response), limit + 1)
        finally:
            response.close()
        headers = {name.lower(): value for name, value in response.headers.items()}
        if headers.get("content-encoding", "identity") != "identity":
            body = _unpacked(body, limit + 1)
        whole = len(body) <= limit
        return Answer(response.status_code, headers, body if whole else b"", whole, seconds)

    def _pieces(self, response: httpx.Response) -> Iterator[bytes]:
        for piece in response.iter_raw():
            yield piece
            if self._watchdog.expired:
                raise self._too_late()

    def _redirected(self, url: str, location: str) -> str:
        httpx = import_httpx()
        try:
            target = str(httpx.URL(url).join(location))
            server = origin(target)
        except (httpx.InvalidURL, ValueError):
            raise UpstreamError(f"{shown(url)} redirects to an address that is none") from None
        if not location or not target.startswith(("http:", "https:")):
            raise UpstreamError(f"{shown(url)} redirects to an address that is none")
        if server != origin(url):
            raise UpstreamError(
                f"{shown(url)} redirects to {server}, another host: no key goes there",
                f"if that is right, set the url of endpoint {self._target.endpoint} to it",
            )
        return target

    def _too_late(self) -> TimedOut:
        came = "began to answer, but did not end" if self._begun else "takes connections, but gave no answer"
        return TimedOut(f"timeout: {shown(self._target.url)} {came} within {self._seconds:g} s")


def _unpacked(body: bytes, limit: int) -> bytes:
    """A body that was compressed although nobody asked for that; nothing when it cannot be read."""
    try:
        return zlib.decompressobj(_ZLIB_OR_GZIP).decompress(body, limit)
    except zlib.error:
        return b""
