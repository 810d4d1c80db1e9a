"""Open a request and get to its first byte: clients, retries, redirects, self-healing."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any

from mrt.domain import Request, Target
from mrt.errors import AuthError, ConfigError, MrtError, NotAnApi, TimedOut, Unreachable, UpstreamError
from mrt.frozen import frozen
from mrt.providers import heal as healing
from mrt.providers.address import is_loopback, origin, shown
from mrt.providers.failure import LONGEST_EVIDENCE, classify, error_text
from mrt.providers.jsontext import dump, parse
from mrt.providers.retry import NEVER, RETRYABLE_STATUS, backoff, retry_after
from mrt.providers.watchdog import Socket, Watchdog

if TYPE_CHECKING:
    import httpx

LARGEST_ERROR_BODY = 1024 * 1024
MOST_REDIRECTS = 3
ERROR_BODY_TIMEOUT_S = 5.0


@frozen
class Timers:
    """Seconds to wait for a connection, the first token and each further token; `deadline` is a reading of the clock."""

    connect: float = 5.0
    first_token: float = 300.0
    idle: float = 120.0
    deadline: float | None = None
    retries: int = 2


@frozen
class Wire:
    """The world as the providers see it: how to open a client, the clocks, and whom to tell about retries."""

    client: Callable[[str], httpx.Client]
    clock: Callable[[], float]
    now: Callable[[], float]
    sleep: Callable[[float], None]
    jitter: Callable[[], float]
    note: Callable[[str], None] = lambda _: None
    trace: Callable[[str], None] | None = None


@frozen
class Exchange:
    """One request to one target. `quirks` is what is known of this endpoint and model; new facts are added to it.

    `may_repeat` is asked before a request that a server failed goes out once more, which may cost once more.
    """

    target: Target
    request: Request
    quirks: dict[str, str] = field(default_factory=dict)
    learn: Callable[[str, str], None] = lambda fact, value: None
    may_repeat: Callable[[MrtError], bool] = lambda failure: True


def import_httpx() -> Any:
    """httpx without its own command line, which it would import with all its needs."""
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
    import httpx

    return httpx


def open_client(url: str) -> httpx.Client:
    """A client for one base URL: no proxy on loopback, no TLS set-up for plain http, redirects only by hand.

    Raises a ConfigError when the environment names a proxy or certificates that cannot be used.
    """
    package = import_httpx()
    try:
        client: httpx.Client = package.Client(
            verify=url.startswith("https:"),
            trust_env=not is_loopback(url),
            follow_redirects=False,
            headers={"user-agent": "mrt", "accept-encoding": "identity"},
        )
    except (ImportError, OSError, ValueError, package.InvalidURL) as error:
        reason = str(error).partition(". ")[0]
        raise ConfigError(
            f"the environment's proxy or certificates cannot be used: {reason}",
            "check HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and SSL_CERT_FILE",
        ) from None
    return client


class Opener:
    """Gets one exchange to a 200 response, or to the failure that stands in the way."""

    def __init__(self, client: httpx.Client, protocol: Any, timers: Timers, wire: Wire) -> None:
        self._client = client
        self._protocol = protocol
        self._timers = timers
        self._wire = wire
        self.connection = Socket()

    def open(self, exchange: Exchange) -> httpx.Response:
        """The response whose body is the answer. Nothing of an answer has come before this returns, so trying again is safe."""
        tries = 0
        learned: dict[str, str] = {}
        while True:
            quirks = exchange.quirks | learned
            body = healing.apply(self._protocol.body(exchange.request, exchange.target), quirks)
            response = self._send(exchange.target, body)
            if response.status_code == 200:
                _remember(exchange, learned)
                return response
            status, headers, text = response.status_code, dict(response.headers), self._read_error(response)
            proposal = healing.heal(status, text[:LONGEST_EVIDENCE], body, quirks)
            if proposal:
                learned |= proposal
                self._wire.note(f"{exchange.target.name} rejects {_field_of(proposal)}: asking again without")
                continue
            failure = _failure(status, text, exchange.target)
            wait = None if _may_be_billed(status, exchange.target) else self._wait(status, headers, failure, tries)
            if wait is None or not exchange.may_repeat(failure):
                raise failure
            tries += 1
            self._wire.note(f"{exchange.target.name}: {failure.message}; trying again in {wait:.1f} s")
            self._wire.sleep(wait)

    def _wait(self, status: int, headers: Mapping[str, str], failure: MrtError, tries: int) -> float | None:
        """Seconds until the next try, or None when there is none."""
        if (
            tries >= self._timers.retries
            or status not in RETRYABLE_STATUS
            or failure.code in ("quota", "context", "model_not_found")
        ):
            return None
        asked = retry_after(headers, self._wire.now())
        wait = backoff(tries + 1, self._wire.jitter) if asked is None else asked
        return None if wait == NEVER or self._remaining() <= wait else wait

    def _remaining(self) -> float:
        deadline = self._timers.deadline
        return float("inf") if deadline is None else deadline - self._wire.clock()

    def _send(self, target: Target, body: Mapping[str, Any]) -> httpx.Response:
        url = self._protocol.url(target)
        content = dump(body).encode("utf-8", "replace")
        headers = {"content-type": "application/json", **self._protocol.headers(target)}
        for _ in range(MOST_REDIRECTS + 1):
            response = self._send_once(target, url, content, headers)
            if response.status_code not in (301, 302, 303, 307, 308):
                return response
            location, server = _location(response)
            response.close()
            if server != origin(url):
                raise UpstreamError(
                    f"{shown(url)} redirects to {server}, another host: neither key nor prompt goes there",
                    f"if that is right, set the url of endpoint {target.endpoint} to it",
                )
            url = location
        raise UpstreamError(
            f"{shown(target.url)} redirects in a circle", f"check the url of endpoint {target.endpoint}"
        )

    def _send_once(self, target: Target, url: str, content: bytes, headers: Mapping[str, str]) -> httpx.Response:
        tries = 0
        while True:
            try:
                watchdog = Watchdog(self._wire.clock, self._timers.deadline, self.connection.close)
                with watchdog, connection_failures(target, self._timers, watchdog):
                    watchdog.expect(self._timers.first_token)
                    return self._attempt(url, content, headers)
            except Unreachable:
                # Nothing was sent, so trying again costs nothing; a port that is closed on this machine stays closed.
                wait = backoff(tries + 1, self._wire.jitter)
                if tries >= self._timers.retries or is_loopback(url) or self._remaining() <= wait:
                    raise
                tries += 1
                self._wire.sleep(wait)

    def _attempt(self, url: str, content: bytes, headers: Mapping[str, str]) -> httpx.Response:
        package = import_httpx()
        remaining = self._remaining()
        if remaining <= 0:
            raise TimedOut("timeout: out of time (--timeout)")
        # The watchdogs tell the time to the first token from that between tokens; this only ends what they would miss.
        read = min(max(self._timers.first_token, self._timers.idle), remaining)
        request = self._client.build_request(
            "POST",
            url,
            content=content,
            headers=dict(headers),
            timeout=package.Timeout(read, connect=min(self._timers.connect, remaining)),
            extensions={"trace": self.connection.watch},
        )
        if self._wire.trace:
            trace_request(self._wire.trace, request, content)
        response: httpx.Response = self._client.send(request, stream=True)
        if self._wire.trace:
            trace_response(self._wire.trace, response)
        return response

    def _read_error(self, response: httpx.Response) -> str:
        """The body of a failure, as far as it comes in a few seconds; the status alone has to do when none comes."""
        package = import_httpx()
        body = bytearray()
        try:
            with Watchdog(self._wire.clock, self._timers.deadline, self.connection.close) as watchdog:
                watchdog.expect(ERROR_BODY_TIMEOUT_S)
                for chunk in response.iter_bytes():
                    body += chunk
                    if len(body) >= LARGEST_ERROR_BODY or watchdog.expired:
                        break
        except package.HTTPError:
            pass
        finally:
            response.close()
        return bytes(body[:LARGEST_ERROR_BODY]).decode("utf-8", "replace")


class connection_failures:
    """Turns httpx's exceptions on the way to a response into ours."""

    def __init__(self, target: Target, timers: Timers, watchdog: Watchdog) -> None:
        self._target = target
        self._timers = timers
        self._watchdog = watchdog

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        httpx = import_httpx()
        if isinstance(error, httpx.HTTPError | httpx.InvalidURL):
            raise self._translate(error, httpx) from None

    def _translate(self, error: Exception, httpx: Any) -> MrtError:
        url, endpoint = shown(self._target.url), self._target.endpoint
        if isinstance(error, httpx.ConnectTimeout):
            return Unreachable(f"no connection to {url} within {self._timers.connect:g} s")
        if isinstance(error, httpx.TimeoutException) or self._watchdog.expired:
            return TimedOut(
                f"timeout: {url} accepted the request and sent nothing in time", "raise --timeout or --idle-timeout"
            )
        if isinstance(error, httpx.UnsupportedProtocol | httpx.InvalidURL):
            return ConfigError(f"endpoint {endpoint} has no usable url: {url}", "a url starts with http:// or https://")
        if isinstance(error, httpx.ConnectError | httpx.ProxyError):
            return Unreachable(f"cannot connect to {url} ({_reason(error)})")
        if isinstance(error, httpx.LocalProtocolError):
            return ConfigError(
                f"the request to endpoint {endpoint} cannot be sent: {_reason(error)}", "check its key and url"
            )
        if isinstance(error, httpx.RemoteProtocolError) and not re.search("disconnected|peer closed", str(error)):
            return NotAnApi(f"{url} does not speak HTTP ({_reason(error)})", f"check the url of endpoint {endpoint}")
        return UpstreamError(f"{url} closed the connection without an answer")


def _reason(error: Exception) -> str:
    text = str(error) or type(error).__name__
    return text.split("] ", 1)[-1].lower() if text.startswith("[") else text


def _location(response: httpx.Response) -> tuple[str, str]:
    """Where a redirect leads, and on which server that is."""
    httpx = import_httpx()
    try:
        location = str(response.url.join(response.headers.get("location", "")))
        return location, origin(location)
    except (httpx.InvalidURL, ValueError):
        raise UpstreamError(f"{shown(str(response.url))} redirects to an address that is none") from None


def _may_be_billed(status: int, target: Target) -> bool:
    """A gateway that gave up waiting says nothing of the model behind it, which may work on, for money."""
    return not target.local and status in (504, 522, 524)


def _remember(exchange: Exchange, learned: Mapping[str, str]) -> None:
    for fact, value in learned.items():
        exchange.quirks[fact] = value
        if not fact.startswith("cap:") and value != healing.ONLY_NOW:  # a cap depends on this prompt's length
            exchange.learn(fact, value)


def _field_of(proposal: Mapping[str, str]) -> str:
    fact, value = next(iter(proposal.items()))
    return f"{fact.partition(':')[2]} (now {value})" if not fact.startswith("drop:") else fact.partition(":")[2]


def read_at_most(chunks: Iterator[bytes], limit: int) -> bytes:
    """The bytes of a body up to a limit; what comes after it is left unread."""
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) >= limit:
            break
    return bytes(body[:limit])


def _failure(status: int, text: str, target: Target) -> MrtError:
    message = error_message(text)
    failure = classify(status, f"{message} (HTTP {status})" if message else f"HTTP {status}", text)
    if isinstance(failure, AuthError):
        failure.hint = target.key_hint
    return failure


def error_message(text: str) -> str:
    """The message in an error body of any shape; HTML says nothing worth showing."""
    try:
        payload = parse(text)
    except ValueError:
        return "an HTML page, not an API response" if text.lstrip().startswith("<") else text.strip()[:500]
    found = error_text(payload)
    if found is None and isinstance(payload, dict) and isinstance(payload.get("message"), str):
        found = payload["message"]
    return found or text.strip()[:500]


SECRET_HEADERS = frozenset({"authorization", "x-api-key", "api-key", "cookie", "set-cookie", "proxy-authorization"})


def masked(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers fit to be shown."""
    return {name: "***" if name.lower() in SECRET_HEADERS else value for name, value in headers.items()}


def trace_request(trace: Callable[[str], None], request: httpx.Request, content: bytes) -> None:
    """The request as `--debug-http` shows it."""
    trace(f"> {request.method} {shown(str(request.url))}")
    for name, value in masked(request.headers).items():
        trace(f"> {name}: {value}")
    trace(f"> {content.decode('utf-8', 'replace')}")


def trace_response(trace: Callable[[str], None], response: httpx.Response) -> None:
    """The response's head as `--debug-http` shows it."""
    trace(f"< HTTP {response.status_code}")
    for name, value in masked(response.headers).items():
        trace(f"< {name}: {value}")
