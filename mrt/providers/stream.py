"""Read an answer as it comes: bytes to deltas, and at the end one whole reply."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import replace
from importlib import import_module
from typing import Any, Protocol

from mrt.domain import Reply, Request, Target, Timing, Usage
from mrt.errors import NotAnApi, ProtocolFailure, Truncated
from mrt.providers.assembly import LARGEST_ANSWER, Assembly, Delta
from mrt.providers.chunks import Chunks
from mrt.providers.estimate import estimate_prompt, estimate_tokens
from mrt.providers.http import Exchange, Opener, Timers, Wire, error_message
from mrt.providers.jsontext import parse
from mrt.providers.ndjson import NdjsonDecoder
from mrt.providers.sse import ServerEvent, SseDecoder
from mrt.providers.think import EVERYTHING, ThinkSplitter
from mrt.providers.watchdog import Watchdog

# A local server without a reasoning parser may start in the middle of its thoughts. So much of the head, or so long, is held
# back to tell; short enough that nobody waits.
HOLD_CHARACTERS = 4000
HOLD_S = 0.2
# After the finish reason only usage can still come; some servers then keep the connection open for good.
GRACE_S = 2.0
SHORT_GRACE_S = 0.5
# Estimates are good to a factor of two; a count that lies further below was made before the text came.
SLACK_TOKENS = 16


class WireProtocol(Protocol):
    """What a protocol module provides."""

    FRAMES: str

    def url(self, target: Target) -> str:
        """Where the request goes."""
        ...

    def headers(self, target: Target) -> dict[str, str]:
        """Its headers, the key among them."""
        ...

    def body(self, request: Request, target: Target) -> dict[str, Any]:
        """Its JSON body."""
        ...

    def read_event(self, assembly: Assembly, event: ServerEvent) -> None:
        """Take one event of a stream."""
        ...

    def read_chunk(self, assembly: Assembly, payload: Any) -> None:
        """Take a whole answer that was not streamed."""
        ...


def protocol(target: Target) -> WireProtocol:
    """The module that speaks this target's protocol."""
    module: Any = import_module(f"mrt.providers.{target.protocol}")
    wire_protocol: WireProtocol = module
    return wire_protocol


class Call:
    """One request and its answer: iterate over `deltas`, then take the `reply`.

    The reply can be taken at any time, also after an interruption: it holds what came until then.
    """

    def __init__(self, exchange: Exchange, timers: Timers, wire: Wire) -> None:
        self._exchange = exchange
        self._timers = timers
        self._wire = wire
        self._started = wire.clock()
        self._first: float | None = None
        self._last = self._started
        self._assembly = Assembly(ThinkSplitter("off"))
        self._headers: dict[str, str] = {}
        self._grace: float | None = None

    def deltas(self) -> Generator[Delta, None, None]:
        """Ask, and yield the deltas as they come.

        Raises an MrtError when no answer began. Once something came, a failure is part of the reply. Closing the generator
        closes the connection, which is what tells a server to stop.
        """
        target = self._exchange.target
        speaker = protocol(target)
        with self._wire.client(target.url) as client:
            opener = Opener(client, speaker, self._timers, self._wire)
            response = opener.open(self._exchange)
            self._headers = {name.lower(): value for name, value in response.headers.items()}
            try:
                yield from self._read(Chunks(response, opener.connection, self._timers, self._wire), speaker)
            finally:
                response.close()
        self._learn_thinking()

    @property
    def began(self) -> bool:
        """Whether any part of an answer came."""
        return self._assembly.tokens_seen > 0

    def _read(self, chunks: Chunks, speaker: WireProtocol) -> Iterator[Delta]:
        """The deltas of the response."""
        with chunks.watchdog:
            chunks.watchdog.expect(self._timers.first_token)
            kind, head = self._sniff(chunks)
            whole = kind == "json" and not (speaker.FRAMES == "ndjson" and b"\n{" in head)
            self._assembly = Assembly(self._splitter(whole))
            if whole:
                self._read_whole(head, chunks, speaker)
                yield from self._assembly.take()
            else:
                yield from self._read_stream(head, chunks, speaker)

    def _splitter(self, whole: bool) -> ThinkSplitter:
        target, quirks = self._exchange.target, self._exchange.quirks
        mode = "implicit" if target.think == "auto" and quirks.get("think") == "implicit" else target.think
        return ThinkSplitter(mode, EVERYTHING if whole else HOLD_CHARACTERS if target.local else 0)

    def _sniff(self, chunks: Chunks) -> tuple[str, bytes]:
        """What the body is, by its content type or else by its first byte; and the bytes read to find out."""
        kind = self._headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind in ("text/html", "application/xhtml+xml"):
            raise NotAnApi(
                "a web page, not an API response", f"check the url of endpoint {self._exchange.target.endpoint}"
            )
        if kind == "text/event-stream":
            return "stream", b""
        head = b""
        for chunk in chunks:
            # Some servers send white space to keep the connection alive.
            head = (head + chunk).lstrip(b"\xef\xbb\xbf \t\r\n")
            if head:
                break
        first = head[:1]
        if first == b"<":
            raise NotAnApi("markup, not an API response", f"check the url of endpoint {self._exchange.target.endpoint}")
        if kind == "application/x-ndjson":
            return "stream", head
        return ("json" if first in (b"{", b"[") or kind == "application/json" else "stream"), head

    def _read_whole(self, head: bytes, chunks: Chunks, speaker: WireProtocol) -> None:
        body = bytearray(head)
        for chunk in chunks:
            body += chunk
            if len(body) > LARGEST_ANSWER:
                raise ProtocolFailure(f"protocol: the answer is larger than {LARGEST_ANSWER // 2**20} MiB")
        text = body.decode("utf-8", "replace")
        assembly = self._assembly
        try:
            payload = parse(text.removeprefix("\ufeff"))
        except ValueError:
            self._read_lines(bytes(body), chunks, speaker)
            return
        speaker.read_chunk(assembly, payload)
        assembly.ended = True
        assembly.close()
        self._stamp()
        if not (assembly.tokens_seen or assembly.finish_reason or assembly.failure):
            assembly.failure = ProtocolFailure(f"the answer is JSON but no chat answer: {error_message(text)[:200]}")

    def _read_lines(self, body: bytes, chunks: Chunks, speaker: WireProtocol) -> None:
        """A body that says JSON and is a stream all the same, or is broken off."""
        decoder = _decoder(speaker)
        for event in decoder.feed(body) + decoder.finish():
            speaker.read_event(self._assembly, event)
        self._finish(decoder.cut or not self._assembly.tokens_seen, chunks)

    def _read_stream(self, head: bytes, chunks: Chunks, speaker: WireProtocol) -> Iterator[Delta]:
        assembly, decoder = self._assembly, _decoder(speaker)
        for chunk in _chain(head, chunks):
            before = assembly.tokens_seen
            self._decode(decoder, chunk, speaker)
            self._progress(assembly.tokens_seen > before, chunks.watchdog)
            yield from assembly.take()
            if assembly.settled:
                break
        if not assembly.settled:
            for event in decoder.finish():
                speaker.read_event(assembly, event)
        self._finish(decoder.cut, chunks)
        yield from assembly.take()

    def _decode(self, decoder: SseDecoder | NdjsonDecoder, chunk: bytes, speaker: WireProtocol) -> None:
        try:
            for event in decoder.feed(chunk):
                speaker.read_event(self._assembly, event)
        except ProtocolFailure as failure:
            # What came before counts, so the failure is part of the reply.
            self._assembly.failure = failure

    def _progress(self, moved: bool, watchdog: Watchdog) -> None:
        if self._assembly.finish_reason and not self._assembly.settled:
            grace = SHORT_GRACE_S if self._assembly.usage else GRACE_S
            if grace != self._grace:
                # Once only: what still comes, keep-alives say, must not prolong it.
                self._grace = grace
                watchdog.expect(grace)
        elif moved:
            # Keep-alives do not get here: only tokens are progress.
            watchdog.expect(self._timers.idle)
        if moved:
            self._stamp()
            if self._first is not None and self._last - self._first > HOLD_S:
                self._assembly.release()

    def _stamp(self) -> None:
        self._last = self._wire.clock()
        if self._first is None:
            self._first = self._last

    def _finish(self, cut: bool, chunks: Chunks) -> None:
        assembly = self._assembly
        assembly.close()
        done = assembly.ended or assembly.finish_reason is not None
        if assembly.failure is None and not done:
            if chunks.failure is not None:
                assembly.failure = chunks.failure
            elif cut:
                assembly.failure = Truncated("truncated: the stream broke off in the middle of an event")

    def reply(self) -> Reply:
        """What came, with times, and with estimates where the server counted nothing."""
        assembly = self._assembly
        if assembly.reported_nano is None:
            assembly.read_cost(self._headers.get("x-litellm-response-cost"))
        reply = assembly.reply()
        usage = self._usage(reply)
        return replace(
            reply,
            usage=usage,
            served_model=self._served(reply),
            timing=self._timing(usage),
        )

    def _learn_thinking(self) -> None:
        if self._assembly.implicit_thinking and self._exchange.target.think == "auto":
            self._exchange.quirks["think"] = "implicit"
            self._exchange.learn("think", "implicit")

    def _usage(self, reply: Reply) -> Usage:
        known = reply.usage
        output = estimate_tokens(reply.text) + estimate_tokens(reply.reasoning)
        # Counts that came before a stream broke off are a beginning, not the whole.
        stale = (
            reply.failure is not None
            and reply.finish_reason is None
            and output > 2 * (known.output_tokens or 0) + SLACK_TOKENS
        )
        if known.source == "reported" and (known.output_tokens or not (reply.text or reply.reasoning)) and not stale:
            return known
        prompt = estimate_prompt(self._exchange.request)
        return replace(
            known,
            input_tokens=prompt if known.input_tokens is None else known.input_tokens,
            output_tokens=output,
            source="estimated",
        )

    def _served(self, reply: Reply) -> str | None:
        # LiteLLM names the group that answered in a header; the body may still carry the name that was asked.
        if self._headers.get("x-litellm-attempted-fallbacks", "0") not in ("", "0"):
            return self._headers.get("x-litellm-model-group") or reply.served_model
        return reply.served_model

    def _timing(self, usage: Usage) -> Timing:
        total = self._wire.clock() - self._started
        first = None if self._first is None else round((self._first - self._started) * 1000)
        seconds = 0.0 if self._first is None else self._last - self._first
        speed = None
        if seconds > 0 and usage.output_tokens and usage.output_tokens > 1:
            speed = round((usage.output_tokens - 1) / seconds, 2)
        return Timing(first, round(total * 1000), speed)


def _decoder(speaker: WireProtocol) -> SseDecoder | NdjsonDecoder:
    return SseDecoder() if speaker.FRAMES == "sse" else NdjsonDecoder()


def _chain(head: bytes, chunks: Chunks) -> Iterator[bytes]:
    if head:
        yield head
    yield from chunks
