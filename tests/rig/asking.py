"""Ask a server through `mrt.providers.Call`, in a world whose sleeps take no time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import httpx

from mrt.domain import Message, Reply, Request, Target
from mrt.errors import MrtError
from mrt.providers import Call, Delta, Exchange, Timers, Wire, open_client
from rig.wire_retry import NOON

PROMPT = Request("m", (Message("user", "What is the weather?"),), max_tokens=100)
KINDS = {"chat": "vllm", "anthropic": "anthropic", "ollama": "ollama"}
# Long enough for a busy machine; tests that wait for a timer set their own.
PATIENT = Timers(connect=20, first_token=20, idle=20, retries=0)


@dataclass
class World:
    """What a call did to the world. Sleeping moves the clock and takes no time."""

    client: Callable[[str], httpx.Client] = open_client
    slept: list[float] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    traced: list[str] = field(default_factory=list)
    learned: dict[str, str] = field(default_factory=dict)

    def clock(self) -> float:
        """Seconds, sleeps included."""
        return time.monotonic() + sum(self.slept)

    def wire(self) -> Wire:
        """The world as providers see it."""
        return Wire(
            client=self.client,
            clock=self.clock,
            now=lambda: NOON,
            sleep=self.slept.append,
            jitter=lambda: 0.0,
            note=self.notes.append,
            trace=self.traced.append,
        )

    def call(
        self,
        target: Target,
        request: Request = PROMPT,
        timers: Timers = PATIENT,
        quirks: dict[str, str] | None = None,
    ) -> Call:
        """A call that has not begun; `quirks` is what is known of the endpoint, and what it learns is in `learned`."""
        known = {} if quirks is None else quirks
        return Call(Exchange(target, request, known, self.learned.__setitem__), timers, self.wire())


def target(url: str, protocol: Any = "chat", **fields: Any) -> Target:
    """A local model that speaks `protocol` at `url`."""
    return replace(Target("near", "m", KINDS[protocol], protocol, url, local=True), **fields)


def finish(call: Call) -> Reply:
    """The whole reply, or a reply with nothing but the failure when no answer began."""
    try:
        shown = list(call.deltas())
    except MrtError as failure:
        assert not call.began, f"{failure!r} was raised although an answer had begun"
        return Reply(failure=failure)
    reply = call.reply()
    assert showing(shown) == reply.text
    return reply


def showing(deltas: Iterable[Delta]) -> str:
    """The text that a reader who follows the deltas has in the end."""
    text = ""
    for delta in deltas:
        if delta.kind == "retract":
            text = ""
        elif delta.kind == "text":
            text += delta.text
    return text


class _Body(httpx.SyncByteStream):
    def __init__(self, parts: Iterable[bytes], cut: bool) -> None:
        self._parts = parts
        self._cut = cut

    def __iter__(self) -> Iterator[bytes]:
        yield from self._parts
        if self._cut:
            raise httpx.RemoteProtocolError("peer closed connection without sending complete message body")


def canned(
    parts: Iterable[bytes], headers: Mapping[str, str], status: int = 200, *, cut: bool = False
) -> Callable[[str], httpx.Client]:
    """A `client` whose every response arrives in exactly these parts, without a socket; `cut` breaks off after them."""

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(status, headers=dict(headers), stream=_Body(parts, cut))

    return lambda _: httpx.Client(transport=httpx.MockTransport(answer))
