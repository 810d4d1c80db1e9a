"""Put a reply together from its pieces, whatever protocol they came in."""

from __future__ import annotations

from typing import Any, NamedTuple

from mrt.domain import Reply, ToolCall, Usage
from mrt.errors import (
    EmptyAnswer,
    Filtered,
    IncompleteError,
    LengthLimit,
    MrtError,
    ProtocolFailure,
    Refused,
    ToolCallOnly,
    Truncated,
    UpstreamError,
)
from mrt.providers.think import Piece, ThinkSplitter

_DONE = frozenset(
    {
        "stop",
        "eos",
        "eos_token",
        "end_turn",
        "stop_sequence",
        "stop_token",
        "complete",
        "completed",
        "finished",
        "end",
        "done",
    }
)
_LENGTH = frozenset({"length", "max_tokens", "model_length", "max_output_tokens", "model_context_window_exceeded"})
_FILTERED = frozenset(
    {"content_filter", "content-filter", "safety", "recitation", "blocklist", "prohibited_content", "spii", "guardrail"}
)
_TOOLS = frozenset({"tool_calls", "tool_use", "function_call"})
# What no honest server says: a context of a trillion tokens, or a probability of e to the minus a million.
LARGEST_COUNT = 10**12
_LOWEST_LOGPROB = -1e6
LARGEST_ANSWER = 64 * 1024 * 1024


class Delta(NamedTuple):
    """What just came: a piece of text or reasoning, or word that the text so far was reasoning."""

    kind: str
    text: str


class Text:
    """Text that grows piece by piece, held as UTF-8: a long answer takes little more memory than its own bytes."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def write(self, piece: str) -> None:
        """Add a piece."""
        self._bytes += piece.encode("utf-8", "surrogatepass")

    def getvalue(self) -> str:
        """All of it."""
        return self._bytes.decode("utf-8", "surrogatepass")


class Assembly:
    """The state of one reply. A protocol writes into it; `take` hands on what is new, `reply` closes it."""

    def __init__(self, splitter: ThinkSplitter) -> None:
        self._splitter = splitter
        self._text = Text()
        self._reasoning = Text()
        self._fresh: list[Delta] = []
        self._tool_calls: dict[int, list[str]] = {}
        self._logprob_sum = 0.0
        self._logprob_count = 0
        self.native_reasoning = False
        self.finish_reason: str | None = None
        self.refusal = ""
        self.usage: Usage | None = None
        self.usage_stated = False
        self.served_model: str | None = None
        self.reported_nano: int | None = None
        self.service_tier: str | None = None
        self.remote = False
        self.failure: MrtError | None = None
        self.ended = False
        self.tokens_seen = 0
        self._size = 0

    @property
    def settled(self) -> bool:
        """True when nothing that matters can still come."""
        return self.ended or self.failure is not None

    def add_text(self, text: str) -> None:
        """Content as the server sent it; `<think>` parts are sorted out here."""
        if text:
            self._grow(len(text))
            self._sort(self._splitter.feed(text))

    def add_reasoning(self, text: str) -> None:
        """Reasoning that came in a field of its own."""
        if text:
            self._grow(len(text))
            self.native_reasoning = True
            self._reasoning.write(text)
            self._fresh.append(Delta("reasoning", text))

    def add_tool_call(self, index: int, name: str, arguments: str) -> None:
        """A tool call or the next part of one."""
        call = self._tool_calls.setdefault(index, ["", ""])
        self._grow(len(name) + len(arguments) + 1)
        call[0] = call[0] or name
        call[1] += arguments

    def _grow(self, size: int) -> None:
        self.tokens_seen += 1
        self._size += size
        if self._size > LARGEST_ANSWER and self.failure is None:
            self.failure = ProtocolFailure(f"protocol: the answer is larger than {LARGEST_ANSWER // 2**20} MiB")

    def add_logprob(self, value: Any) -> None:
        """The natural logarithm of one chosen token's probability."""
        if isinstance(value, int | float) and _LOWEST_LOGPROB <= value <= 0:
            self._logprob_sum += value
            self._logprob_count += 1

    def read_cost(self, value: Any) -> None:
        """What the server says the call cost, in dollars."""
        if value is not None:
            from mrt.pricing import parse_reported

            nano = parse_reported(value)
            self.reported_nano = self.reported_nano if nano is None else nano

    def add_cost(self, value: Any) -> None:
        """A further part of the cost, in dollars; without it nothing is known of the whole."""
        from mrt.pricing import parse_reported

        part = parse_reported(value)
        known = self.reported_nano is not None and part is not None
        self.reported_nano = (self.reported_nano or 0) + (part or 0) if known else None

    def release(self) -> None:
        """Show what is held back for the decision whether it is reasoning."""
        self._sort(self._splitter.release())

    def take(self) -> list[Delta]:
        """What is new since the last call."""
        fresh, self._fresh = self._fresh, []
        return fresh

    def _sort(self, pieces: list[Piece]) -> None:
        for kind, text in pieces:
            if kind == "retract":
                self._reasoning.write(self._text.getvalue())
                self._text = Text()
            else:
                (self._text if kind == "text" else self._reasoning).write(text)
            self._fresh.append(Delta(kind, text))

    @property
    def implicit_thinking(self) -> bool:
        """Whether the model's template puts the opening tag into the prompt, as this reply showed."""
        return self._splitter.implicit

    def close(self) -> None:
        """The stream is over: flush what was held back."""
        self._sort(self._splitter.finish())

    def reply(self) -> Reply:
        """The reply as far as it came, with the reason why it is not whole."""
        text, reasoning = self._text.getvalue(), self._reasoning.getvalue()
        calls = tuple(ToolCall(name, arguments) for name, arguments in self._tool_calls.values())
        return Reply(
            text=text,
            reasoning=reasoning if self.native_reasoning else reasoning.strip(),
            finish_reason=self.finish_reason,
            usage=self.usage or Usage(),
            served_model=self.served_model,
            tool_calls=calls,
            mean_logprob=self._logprob_sum / self._logprob_count if self._logprob_count else None,
            reported_nano=self.reported_nano,
            service_tier=self.service_tier,
            remote=self.remote,
            failure=self.failure or self._verdict(text, reasoning, bool(calls)),
        )

    def _verdict(self, text: str, reasoning: str, called: bool) -> MrtError | None:
        if self.refusal:
            return Refused(f"the model refused: {self.refusal}")
        reason = (self.finish_reason or "").lower()
        if not reason and not self.ended:
            return Truncated(
                "truncated: the stream ended without a finish reason", "ask again; the server may have died mid-answer"
            )
        failure = _finish_failure(reason)
        if failure is None and called:
            failure = ToolCallOnly("the model made tool_calls where an answer was asked")
        if failure is None and not text.strip():
            failure = EmptyAnswer("empty answer: only reasoning came" if reasoning.strip() else "empty answer")
        return failure


def _finish_failure(reason: str) -> MrtError | None:
    if not reason or reason in _DONE:
        return None
    if reason in _LENGTH:
        context = "context" in reason
        return LengthLimit(
            "the context window is full" if context else "cut at the token limit (max_tokens)",
            None if context else "raise it with --max-tokens",
        )
    if reason in _FILTERED:
        return Filtered(f"the provider's filter cut the answer ({reason})")
    if reason in _TOOLS:
        return ToolCallOnly("the model made tool_calls where an answer was asked")
    if reason == "error":
        return UpstreamError("the provider reports an error without a message")
    if reason == "refusal":
        return Refused("the model refused (refusal)")
    return IncompleteError(f"the answer ended with {reason!r}, which does not mean done")


def count(value: Any) -> int | None:
    """A token count as a server wrote it, or None for anything that is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST_COUNT else None


def string(value: Any) -> str:
    """A text as a server wrote it, or nothing for anything that is none."""
    return value if isinstance(value, str) else ""
