"""One case of the wire tables, and what stands in it for each layer."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from rig.expectation import Expectation

Layer = Literal["sse", "chat", "anthropic", "ollama", "think", "http", "connection", "retry_after", "heal"]
NEVER = math.inf


@dataclass(frozen=True)
class WireCase:
    """`given` and `expect` belong to the layer; `why` says who sends such a thing, or what goes wrong with it elsewhere.

    layer         given                                        expect
    sse           the chunks, as bytes                         SseExpectation
    chat          the events: objects, or raw `data:` text     Expectation
    anthropic     the events: objects, or bytes as sent        Expectation
    ollama        the chunks, as bytes                         Expectation
    think         ThinkInput                                   ThinkExpectation
    http          HttpAnswer                                   Expectation
    connection    the steps of a response                      Expectation, in the chat protocol
    retry_after   RetryInput                                   seconds; None: not said; NEVER: do not ask again
    heal          HealInput                                    facts to remember, or None
    """

    id: str
    layer: Layer
    given: Any
    expect: Any
    why: str = ""


class SseEvent(NamedTuple):
    """One event, with the fields of `mrt.providers.sse.ServerEvent`."""

    data: str
    event: str | None = None
    id: str | None = None


@dataclass(frozen=True)
class SseExpectation:
    """All events, those that the end of the stream completes included; `cut` when the end broke one off."""

    events: tuple[SseEvent, ...] = ()
    cut: bool = False
    retry_ms: int | None = None


@dataclass(frozen=True)
class ThinkInput:
    """Pieces of content as they stream; `hold` is how many characters of the head may be held back for the decision."""

    parts: Sequence[str]
    mode: Literal["auto", "implicit", "off"] = "auto"
    hold: int = 4000


class ThinkExpectation(NamedTuple):
    """White space around either does not count."""

    text: str
    reasoning: str = ""


@dataclass(frozen=True)
class HttpAnswer:
    """A whole answer to one chat request that asked for a stream."""

    body: bytes
    status: int = 200
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    protocol: Literal["chat", "anthropic", "ollama"] = "chat"


class RetryInput(NamedTuple):
    """Headers by their lower-case names, and the time in seconds since the epoch."""

    headers: Mapping[str, str]
    now: float


@dataclass(frozen=True)
class HealInput:
    """A rejected request: status and body of the answer, and the fields that were sent beside model and messages."""

    status: int
    evidence: str
    sent: Mapping[str, Any]


def answered(case_id: str, layer: Layer, given: Sequence[Any], expect: Expectation, why: str = "") -> WireCase:
    """A case of one of the three protocols."""
    return WireCase(f"{layer}/{case_id}", layer, tuple(given), expect, why)
