"""What is booked: a call before it is sent, how it ended, and sums."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, NamedTuple

from mrt.domain import Cost, Outcome, Timing, Usage
from mrt.frozen import frozen


@frozen
class Booking:
    """A call about to be sent.

    `operation_id` is shared by all attempts at one prompt. `bound_nano` is the most the call can cost: 0 when it is free,
    None when that is not known. `timezone` is the IANA zone in whose days the call is summed up.
    """

    operation_id: str
    attempt: int
    purpose: str
    tier: str
    endpoint: str
    model: str
    local: bool
    bound_nano: int | None
    input_tokens_estimate: int = 0
    session: str | None = None
    tag: str | None = None
    project: str | None = None
    decision: Mapping[str, Any] | None = None
    timezone: str = "UTC"


class Baseline(NamedTuple):
    """What the answer would have cost from one paid model, as a range in nano-dollars, and the rates of that time."""

    model: str
    low_nano: int
    high_nano: int
    rates: Mapping[str, Any]


@frozen
class Settlement:
    """How a call ended. `reason` is a short text without any of the prompt; `partial` says that the answer was cut off.

    `baseline` is for the report of what the cascade saved; only accepted answers have one.
    """

    outcome: Outcome
    usage: Usage = field(default_factory=Usage)
    cost: Cost = field(default_factory=lambda: Cost("unknown"))
    timing: Timing = field(default_factory=Timing)
    check: str | None = None
    reason: str | None = None
    served_model: str | None = None
    finish_reason: str | None = None
    rates: Mapping[str, Any] | None = None
    price_reference: str | None = None
    partial: bool = False
    baseline: Baseline | None = None


@frozen
class Sums:
    """A period in nano-dollars: what ended calls cost, and what the others may cost at most.

    `reserved_nano` holds the bounds of calls under way and of the `unpriced_calls`, which ended at an unknown cost: a budget
    keeps their bound, since letting go of it would take the unknown for zero. `unbounded_calls` counts
    those of both kinds that have no bound either, and `calls` the ended ones.
    """

    settled_nano: int
    reserved_nano: int
    unpriced_calls: int
    calls: int
    unbounded_calls: int = 0
