"""GGUF files behind a URL: their headers by ranged requests, never their bodies."""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mrt.domain import Target
from mrt.errors import AuthError, ModelNotFound, TimedOut, Unreachable, UpstreamError, UsageError
from mrt.memory.shape import ModelShape
from mrt.models.gguf.cursor import FIRST_WINDOW, HeaderError
from mrt.models.gguf.header import read_header
from mrt.models.gguf.parts import Part, part_names, shape_of_parts
from mrt.providers import Timers, Wire, shown
from mrt.providers.http import connection_failures, import_httpx
from mrt.providers.watchdog import Socket, Watchdog

if TYPE_CHECKING:
    import httpx

MOST_REDIRECTS = 5
# For one window of a header; also what a server that drips bytes can hold the command up.
SECONDS = 30.0
TIMERS = Timers(connect=10.0, first_token=SECONDS, idle=SECONDS)
_ELSE = "download the file, and name it on this machine"
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")


def read_url(url: str, wire: Wire) -> ModelShape:
    """The model in the file at a URL, or in the set it is a part of. Raises an MrtError.

    No key is ever sent: a file that wants one is refused with a hint.
    """
    address, question, query = plain_address(url).partition("?")
    folder, _, name = address.rpartition("/")
    parts = [_read_part(f"{folder}/{part}{question}{query}", wire) for part in part_names(name)]
    return shape_of_parts(parts, f"GGUF header at {shown(url)}")


def plain_address(url: str) -> str:
    """The file's own address where a page about it was copied: Hugging Face shows files under /blob/."""
    host = (urlsplit(url).hostname or "").lower()
    return url.replace("/blob/", "/resolve/", 1) if host in ("huggingface.co", "hf.co") else url


def _read_part(url: str, wire: Wire) -> Part:
    with RemoteFile(url, wire) as file:
        try:
            first = file.fetch(0, FIRST_WINDOW)  # tells the size, which bounds everything else

            def fetch(offset: int, length: int) -> bytes:
                return first[:length] if offset == 0 and length <= FIRST_WINDOW else file.fetch(offset, length)

            return Part(shown(url), read_header(fetch, file.size), file.size)
        except HeaderError as reason:
            raise UsageError(f"{shown(url)} {reason}", "name the address of a .gguf file itself") from None


class RemoteFile:
    """A file read in windows that go forward only. `size` is known once something was fetched, if the server tells."""

    def __init__(self, url: str, wire: Wire) -> None:
        self._url = url
        self._wire = wire
        self._client: httpx.Client | None = None
        self._origin = ""
        # A server that ignores ranges sends everything from the start: its answer stays open and is read as far as needed.
        self._stream: tuple[httpx.Response, Iterator[bytes]] | None = None
        self._ahead = b""
        self._ahead_at = 0
        self.size: int | None = None

    def __enter__(self) -> RemoteFile:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        if self._stream is not None:
            self._stream[0].close()
        if self._client is not None:
            self._client.close()

    def fetch(self, offset: int, length: int) -> bytes:
        """Bytes from an offset, fewer at the file's end."""
        connection = Socket()
        watchdog = Watchdog(self._wire.clock, None, connection.close)
        try:
            with watchdog, connection_failures(_target(self._url), TIMERS, watchdog):
                watchdog.expect(SECONDS)
                window = self._window(offset, length, connection)
        except (TimedOut, Unreachable) as failure:
            # There is no timer of this command to raise, and no server of the user's to start.
            failure.hint = _ELSE
            raise
        except UpstreamError as failure:
            failure.hint = failure.hint or _ELSE
            raise
        if watchdog.expired:
            raise TimedOut(f"timeout: {shown(self._url)} sent nothing in time", _ELSE)
        return window

    def _window(self, offset: int, length: int, connection: Socket) -> bytes:
        if self._stream is None:
            response = self._open(offset, length, connection)
            if response.status_code == 206:
                return self._ranged(response, offset, length)
            length_told = response.headers.get("content-length", "")
            self.size = int(length_told) if length_told.isascii() and length_told.isdecimal() else None
            self._stream = (response, response.iter_bytes())
        return self._forward(offset, length)

    def _open(self, offset: int, length: int, connection: Socket) -> httpx.Response:
        """The response to one ranged request, after redirects."""
        for _ in range(MOST_REDIRECTS + 1):
            response = self._request(offset, length, connection)
            if response.status_code not in (301, 302, 303, 307, 308):
                break
            location = str(response.url.join(response.headers.get("location", "")))
            response.close()
            if not location.startswith(("https:",) if self._url.startswith("https:") else ("http:", "https:")):
                scheme = "https" if self._url.startswith("https:") else "http"
                raise UpstreamError(f"{shown(self._url)} redirects to an address that is not {scheme}", _ELSE)
            self._url = location
        else:
            raise UpstreamError(f"{shown(self._url)} redirects in a circle", _ELSE)
        if response.status_code not in (200, 206):
            response.close()
            raise _refusal(self._url, response.status_code)
        return response

    def _request(self, offset: int, length: int, connection: Socket) -> httpx.Response:
        httpx = import_httpx()
        parts = urlsplit(self._url)
        if self._client is None or self._origin != parts.netloc:
            if self._client is not None:
                self._client.close()
            self._client, self._origin = self._wire.client(self._url), parts.netloc
        request = self._client.build_request(
            "GET",
            self._url,
            headers={"range": f"bytes={offset}-{offset + length - 1}"},
            timeout=httpx.Timeout(SECONDS, connect=TIMERS.connect),
            extensions={"trace": connection.watch},
        )
        return self._client.send(request, stream=True)

    def _ranged(self, response: httpx.Response, offset: int, length: int) -> bytes:
        match = _RANGE.fullmatch(response.headers.get("content-range", "").strip())
        if match is None or int(match[1]) != offset:
            response.close()
            raise UpstreamError(f"{shown(self._url)} answers with another part than was asked for", _ELSE)
        if match[3] != "*":
            self.size = int(match[3])
        try:
            body = bytearray()
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) >= length:
                    break
            return bytes(body[:length])
        finally:
            response.close()

    def _forward(self, offset: int, length: int) -> bytes:
        """From the one open answer: what lies between is read and dropped, which the largest header bounds.

        Gives fewer bytes than a whole window, so that little more is read than the header.
        """
        least = offset + min(length, FIRST_WINDOW)
        chunks = self._stream[1] if self._stream is not None else iter(())
        while self._ahead_at + len(self._ahead) < least:
            if self._ahead_at < offset:
                dropped = min(len(self._ahead), offset - self._ahead_at)
                self._ahead, self._ahead_at = self._ahead[dropped:], self._ahead_at + dropped
            chunk = next(chunks, b"")
            if not chunk:
                break
            self._ahead += chunk
        start = offset - self._ahead_at
        return self._ahead[start : start + length] if start >= 0 else b""


def _target(url: str) -> Target:
    return Target(urlsplit(url).hostname or "", "", "llamacpp", "chat", url, local=True)


def _refusal(url: str, status: int) -> Exception:
    if status in (401, 403):
        return AuthError(
            f"{shown(url)} asks for a login (HTTP {status})", "download the file, and name it on this machine"
        )
    if status in (404, 410):
        return ModelNotFound(f"{shown(url)} is not there (HTTP {status})", "check the address in a browser")
    return UpstreamError(f"{shown(url)} cannot be read (HTTP {status})", _ELSE)
