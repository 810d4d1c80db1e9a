"""Make times and counts of what was received: when the first token came, how many there were, and who counted them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import pairwise
from typing import Any, Literal

from mrt.bench.speed_trace import Trace
from mrt.domain import Target
from mrt.errors import EmptyAnswer, LengthLimit, MrtError, ProtocolFailure
from mrt.frozen import frozen
from mrt.providers.assembly import Assembly, count
from mrt.providers.jsontext import parse
from mrt.providers.ndjson import NdjsonDecoder
from mrt.providers.sse import ServerEvent, SseDecoder
from mrt.providers.stream import protocol
from mrt.providers.think import ThinkSplitter

Source = Literal["native", "usage", "chunks~"]
# The best first: what the engine timed itself, what the API states, what can be seen.
SOURCES: tuple[Source, ...] = ("native", "usage", "chunks~")
# A rate over fewer tokens says more of the start than of the speed.
FEWEST_TOKENS = 32
_MS, _NS = 1e-3, 1e-9


@frozen
class Native:
    """What the engine says of itself, in tokens and seconds; None where it does not. `prompt_tokens` leaves cached ones out."""

    output_tokens: int | None = None
    output_seconds: float | None = None
    prompt_tokens: int | None = None
    prompt_seconds: float | None = None
    load_seconds: float | None = None
    cached_tokens: int | None = None

    @property
    def decode_tps(self) -> float | None:
        """Output tokens per second by the engine's own clock."""
        return _rate(self.output_tokens, self.output_seconds)

    @property
    def prompt_tps(self) -> float | None:
        """Prompt tokens per second by the engine's own clock."""
        return _rate(self.prompt_tokens, self.prompt_seconds)


@frozen
class Timed:
    """One answer in times and counts. Times are seconds from when the request began to leave; None is unknown.

    `first` is the first chunk with content, reasoning or a tool call, `answer` the first that is no reasoning, `last` the last.
    `gaps` are the seconds between chunks, `tokens` the counts by who counted, `lag` the median time the client took for a chunk.
    `hidden` tokens were reasoning that was not sent: they lie before the first chunk.
    """

    sent: float = 0.0
    first: float | None = None
    answer: float | None = None
    last: float | None = None
    chunks: int = 0
    gaps: tuple[float, ...] = ()
    tokens: Mapping[Source, int] | None = None
    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    native: Native = Native()
    lag: float | None = None
    reasoned: bool = False
    hidden: int = 0
    streamed: bool = True
    error: MrtError | None = None

    @property
    def output_tokens(self) -> int | None:
        """By the best count there is."""
        return next((self.tokens[source] for source in SOURCES if source in self.tokens), None) if self.tokens else None

    @property
    def long_enough(self) -> bool:
        """Whether a rate can be made of it."""
        return (self.output_tokens or 0) >= FEWEST_TOKENS

    def decode_tps(self, source: Source) -> float | None:
        """(tokens - 1) / (last - first): the time of the first token belongs to the prompt. None where it cannot be told."""
        tokens = (self.tokens or {}).get(source)
        if tokens is None or self.first is None or self.last is None or self.last <= self.first:
            return None
        return (tokens - 1) / (self.last - self.first)

    @property
    def prompt_tps_seen(self) -> float | None:
        """Fresh prompt tokens over the time to the first token: network and queue are in it."""
        if self.prompt_tokens is None or self.first is None or self.hidden:
            return None
        return _rate(self.prompt_tokens - (self.cached_tokens or 0), self.first)


def timed(trace: Trace, target: Target) -> Timed:
    """The times and counts of one request; one that was not answered has its error only.

    A token limit that was reached is no error here: the answer is as long as it was asked to be.
    """
    if trace.sent is None:
        return Timed(error=trace.error)
    reader = _Reader(target)
    events = list(reader.read(trace))
    at = [moment for moment, _ in events]
    busy = sorted(piece.busy for piece in trace.pieces)
    return Timed(
        sent=trace.sent,
        first=at[0] - trace.sent if at and reader.streamed else None,
        answer=reader.answer - trace.sent if reader.answer is not None and reader.streamed else None,
        last=at[-1] - trace.sent if at else None,
        chunks=len(at),
        gaps=tuple(later - earlier for earlier, later in pairwise(at)),
        tokens=reader.tokens(len(at)),
        prompt_tokens=reader.usage("input_tokens"),
        cached_tokens=reader.usage("cached_tokens") or reader.native.cached_tokens,
        native=reader.native,
        lag=busy[len(busy) // 2] if busy else None,
        reasoned=reader.reasoned,
        hidden=reader.hidden,
        streamed=reader.streamed,
        error=_failure(trace, bool(at)),
    )


def _failure(trace: Trace, came: bool) -> MrtError | None:
    if not isinstance(trace.error, LengthLimit):
        return trace.error
    return None if came else EmptyAnswer("the server counts up to the token limit and sends no token")


class _Reader:
    """Reads the pieces once more, as the protocol has it, without the haste of a stream."""

    def __init__(self, target: Target) -> None:
        self._speaker = protocol(target)
        self._assembly = Assembly(ThinkSplitter(target.think))
        self.native = Native()
        self.answer: float | None = None
        self.reasoned = False
        self.streamed = True

    def read(self, trace: Trace) -> Iterator[tuple[float, int]]:
        """The moments at which something of the answer came, each with how much."""
        whole = self._whole(trace)
        if whole is not None:
            self.streamed = False
            yield from self._take(trace.pieces[-1].at, partial(self._speaker.read_chunk, self._assembly, whole))
            self._learn(whole)
            return
        decoder = SseDecoder() if self._speaker.FRAMES == "sse" else NdjsonDecoder()
        for piece in trace.pieces:
            yield from self._events(piece.at, decoder.feed(piece.data))
        if trace.pieces:
            yield from self._events(trace.pieces[-1].at, decoder.finish())
        self._assembly.close()
        self._note_answer(trace.pieces[-1].at if trace.pieces else 0.0)

    def _whole(self, trace: Trace) -> Any:
        """The document of an answer that was not streamed, else None."""
        if not trace.pieces or trace.content_type.startswith("text/event-stream"):
            return None
        try:
            document = parse(b"".join(piece.data for piece in trace.pieces))
        except ValueError:
            return None
        return document if isinstance(document, dict) else None

    def _events(self, at: float, events: list[ServerEvent]) -> Iterator[tuple[float, int]]:
        for event in events:
            try:
                yield from self._take(at, partial(self._speaker.read_event, self._assembly, event))
            except ProtocolFailure:
                return
            if '"timings"' in event.data or '"done"' in event.data:
                self._learn(_document(event.data))

    def _take(self, at: float, read: Callable[[], None]) -> Iterator[tuple[float, int]]:
        before = self._assembly.tokens_seen
        read()
        self._note_answer(at)
        if self._assembly.tokens_seen > before:
            yield at, self._assembly.tokens_seen - before

    def _note_answer(self, at: float) -> None:
        for delta in self._assembly.take():
            if delta.kind == "retract":
                self.answer = None  # what looked like the answer was reasoning
            elif delta.kind == "reasoning":
                self.reasoned = True
            elif delta.text.strip() and self.answer is None:
                self.answer = at

    def _learn(self, document: Any) -> None:
        if isinstance(document, dict):
            self.native = native_of(document) or self.native

    def usage(self, name: str) -> int | None:
        """A count as the server stated it, None where it did not."""
        found = None if self._assembly.usage is None else getattr(self._assembly.usage, name)
        return found if isinstance(found, int) else None

    @property
    def hidden(self) -> int:
        """Tokens of reasoning that were counted and not sent."""
        return 0 if self.reasoned else self.usage("reasoning_tokens") or 0

    def tokens(self, chunks: int) -> dict[Source, int]:
        """Output tokens by each who counted them. Reasoning that was not sent lies before the first chunk and is left out."""
        found: dict[Source, int] = {}
        if self.native.output_tokens:
            found["native"] = self.native.output_tokens
        stated = self.usage("output_tokens")
        # In the protocols of engines their own count is the only one there is.
        if stated is not None and stated - self.hidden > 0 and chunks and self._speaker.FRAMES == "sse":
            found["usage"] = stated - self.hidden
        if chunks and self.streamed:
            found["chunks~"] = chunks
        return found


def native_of(document: Mapping[str, Any]) -> Native | None:
    """The engine's own timings in the last message of an answer: llama.cpp's `timings`, or Ollama's durations."""
    timings = document.get("timings")
    if isinstance(timings, dict):
        return Native(
            output_tokens=count(timings.get("predicted_n")),
            output_seconds=_seconds(timings.get("predicted_ms"), _MS),
            prompt_tokens=count(timings.get("prompt_n")),
            prompt_seconds=_seconds(timings.get("prompt_ms"), _MS),
            cached_tokens=count(timings.get("cache_n")),
        )
    if "eval_count" not in document and "total_duration" not in document:
        return None
    prompt, cached = (count(document.get(f"prompt_eval_{what}")) for what in ("count", "cached_count"))
    return Native(
        output_tokens=count(document.get("eval_count")),
        output_seconds=_seconds(document.get("eval_duration"), _NS),
        prompt_tokens=max(0, prompt - (cached or 0)) or None if prompt else None,
        prompt_seconds=_seconds(document.get("prompt_eval_duration"), _NS),
        load_seconds=_seconds(document.get("load_duration"), _NS),
        cached_tokens=cached,
    )


def _seconds(value: Any, unit: float) -> float | None:
    known = isinstance(value, int | float) and not isinstance(value, bool) and value > 0
    return float(value) * unit if known else None


def _rate(tokens: int | None, seconds: float | None) -> float | None:
    return tokens / seconds if tokens and tokens > 0 and seconds else None


def _document(text: str) -> Any:
    try:
        return parse(text)
    except ValueError:
        return None
