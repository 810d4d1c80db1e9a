"""Builders of HTTP responses, as the steps that `loopback.ScriptedServer` sends.

Every builder returns a list, so that a test can put actions between its pieces, or leave pieces out.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

Headers = Mapping[str, str]
# One event of a stream: an object to send as JSON, the text of a `data:` field, or bytes exactly as they go over the wire.
Event = Mapping[str, Any] | Sequence[Any] | str | bytes | int | None
LAST_CHUNK = b"0\r\n\r\n"


def head(status: int, headers: Headers) -> bytes:
    """The status line and the headers, up to the blank line."""
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Unknown"
    lines = [
        f"HTTP/1.1 {status} {phrase}",
        *(f"{name}: {value}" for name, value in headers.items()),
        "connection: close",
    ]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def chunk(data: bytes) -> bytes:
    """One chunk of a chunked body."""
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def body_response(status: int, body: bytes, content_type: str, headers: Headers | None = None) -> list[bytes]:
    """A whole answer of known length."""
    fields = {"content-type": content_type, "content-length": str(len(body)), **(headers or {})}
    return [head(status, fields) + body]


def json_response(status: int, document: Any, headers: Headers | None = None) -> list[bytes]:
    """A JSON answer."""
    return body_response(status, _json(document), "application/json", headers)


def html(text: str = "<html><body>Please sign in.</body></html>", status: int = 200) -> list[bytes]:
    """A page for people, as captive portals and wrong ports send it."""
    return body_response(status, text.encode(), "text/html; charset=utf-8")


def redirect(url: str, status: int = 307) -> list[bytes]:
    """A redirect to `url`, which may be another host or port."""
    return body_response(status, b"", "text/plain", {"location": url})


def stream(
    parts: Iterable[bytes],
    content_type: str,
    *,
    chunked: bool = True,
    finish: bool = True,
    headers: Headers | None = None,
) -> list[bytes]:
    """A streamed 200 whose `parts` arrive one by one.

    Not `chunked` means that closing the connection ends the body; without `finish` a chunked body has no end: a cut transfer.
    """
    fields = {"content-type": content_type, **({"transfer-encoding": "chunked"} if chunked else {}), **(headers or {})}
    pieces = [chunk(part) if chunked else part for part in parts if part]
    return [head(200, fields), *pieces, *([LAST_CHUNK] if chunked and finish else [])]


def sse(
    events: Iterable[Event], *, chunked: bool = True, finish: bool = True, headers: Headers | None = None
) -> list[bytes]:
    """A stream of server-sent events, one part per event."""
    return stream(map(sse_event, events), "text/event-stream", chunked=chunked, finish=finish, headers=headers)


def anthropic_sse(events: Iterable[Event], *, finish: bool = True) -> list[bytes]:
    """A stream in which each event carries its own `type` as its name, as the Messages API does."""
    return sse(map(_named, events), finish=finish)


def _named(event: Event) -> Event:
    if isinstance(event, Mapping) and "type" in event:
        return f"event: {event['type']}\n".encode() + sse_event(event)
    return event


def ndjson(documents: Iterable[Event], *, finish: bool = True, headers: Headers | None = None) -> list[bytes]:
    """A stream of JSON lines, one part per line."""
    lines = (line if isinstance(line, bytes) else _json(line) + b"\n" for line in documents)
    return stream(lines, "application/x-ndjson", finish=finish, headers=headers)


def gzip_sse(events: Iterable[Event]) -> list[bytes]:
    """A compressed stream: every event is flushed, so that each part can be read as it comes."""
    compressor = zlib.compressobj(wbits=31)
    parts = [compressor.compress(sse_event(event)) + compressor.flush(zlib.Z_SYNC_FLUSH) for event in events]
    return stream([*parts, compressor.flush()], "text/event-stream", headers={"content-encoding": "gzip"})


def sse_event(event: Event) -> bytes:
    """The bytes of one event with its blank line."""
    if isinstance(event, bytes):
        return event
    data = event.encode() if isinstance(event, str) else _json(event)
    return b"data: " + data + b"\n\n"


def pieces(data: bytes, size: int) -> list[bytes]:
    """`data` cut into pieces of `size` bytes, wherever that cuts."""
    return [data[start : start + size] for start in range(0, len(data), size)]


def _json(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()
