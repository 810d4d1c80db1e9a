"""A small side question to a server, answered by one JSON document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mrt.domain import Target
from mrt.errors import TimedOut
from mrt.providers.address import shown
from mrt.providers.http import (
    Timers,
    Wire,
    connection_failures,
    import_httpx,
    read_at_most,
    trace_request,
    trace_response,
)
from mrt.providers.jsontext import dump, parse
from mrt.providers.watchdog import Socket, Watchdog

if TYPE_CHECKING:
    import httpx

TIMEOUT_S = 5.0
LARGEST_ANSWER = 4 * 1024 * 1024


def fetch_json(
    target: Target,
    url: str,
    headers: Mapping[str, str],
    timers: Timers,
    wire: Wire,
    body: Mapping[str, Any] | None = None,
) -> tuple[int, Any]:
    """Status and JSON of a GET, or of a POST of `body`; the JSON is None when there is none. Never retried.

    Raises an MrtError when no whole answer came within a few seconds.
    """
    httpx = import_httpx()
    content = b"" if body is None else dump(body).encode("utf-8", "replace")
    seconds = min(timers.first_token, TIMEOUT_S)
    limits = httpx.Timeout(seconds, connect=min(timers.connect, seconds))
    connection = Socket()
    watchdog = Watchdog(wire.clock, timers.deadline, connection.close)
    with wire.client(target.url) as client, watchdog, connection_failures(target, timers, watchdog):
        watchdog.expect(seconds)
        request = client.build_request(
            "GET" if body is None else "POST",
            url,
            content=content,
            headers=dict(headers),
            timeout=limits,
            extensions={"trace": connection.watch},
        )
        if wire.trace:
            trace_request(wire.trace, request, content)
        status, answer = _exchange(client, request, wire)
        if watchdog.expired:
            raise TimedOut(f"timeout: {shown(url)} did not answer in time")
    try:
        return status, parse(answer)
    except ValueError:
        return status, None


def _exchange(client: httpx.Client, request: httpx.Request, wire: Wire) -> tuple[int, bytes]:
    response = client.send(request, stream=True)
    try:
        if wire.trace:
            trace_response(wire.trace, response)
        return response.status_code, read_at_most(response.iter_bytes(), LARGEST_ANSWER)
    finally:
        response.close()
