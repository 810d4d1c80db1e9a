"""What a cascade tells while it runs; it knows no terminal."""

from __future__ import annotations

from typing import NamedTuple

from mrt.domain import Attempt, Cost, Reply
from mrt.errors import MrtError
from mrt.frozen import frozen


class Started(NamedTuple):
    """A tier begins. `final` says that no tier stands behind it, so what it says is what there will be."""

    tier: str
    model: str
    reason: str
    final: bool


class Chunk(NamedTuple):
    """A piece of the answer."""

    text: str


class Reasoning(NamedTuple):
    """A piece of the model's reasoning."""

    text: str


class Retracted(NamedTuple):
    """The text so far was reasoning, not answer."""


class Escalated(NamedTuple):
    """The request moves up, for this reason."""

    tier: str
    to: str
    check: str
    reason: str


class Refused(NamedTuple):
    """A tier was not asked at all; `instead` is the tier below that is asked now, as a budget stands in the way."""

    tier: str
    model: str
    error: MrtError
    instead: str | None = None


@frozen
class Result:
    """The end of a cascade. `reply` is the accepted one, else the best there was; `error` is None when one was accepted."""

    reply: Reply | None
    tier: str | None
    model: str | None
    cost: Cost
    attempts: tuple[Attempt, ...]
    error: MrtError | None
    operation: str


class Finished(NamedTuple):
    """The last event."""

    result: Result


Event = Started | Chunk | Reasoning | Retracted | Escalated | Refused | Finished
