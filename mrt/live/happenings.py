"""From rows to lines of the log."""

from __future__ import annotations

from mrt.ledger.watching import Call, Refusal
from mrt.live.snapshot import Flight, Happening, Kind

_MICROSECONDS = 1_000_000


def begun(call: Call) -> Happening:
    """A call that was booked: the first of its operation, or the step up from one that did not do."""
    kind: Kind = "escalated" if call.attempt and call.purpose == "ask" else "started"
    at = call.started_us / _MICROSECONDS
    return Happening(at, kind, call.tier, call.name, call.purpose, operation=call.operation)


def under_way(flight: Flight) -> Happening:
    """A request that had begun before anybody watched."""
    return Happening(flight.started_at, "started", flight.tier, flight.name, flight.purpose, operation=flight.operation)


def ended(call: Call) -> Happening:
    """A call that has ended."""
    kind: Kind = call.outcome if call.outcome else "failed"  # type: ignore[assignment]  # the store's own words
    at = call.started_us if call.ended_us is None else call.ended_us
    return Happening(
        at=at / _MICROSECONDS,
        kind=kind,
        tier=call.tier,
        name=call.name,
        purpose=call.purpose,
        check=call.check,
        reason=call.reason,
        seconds=None if call.total_ms is None else call.total_ms / 1000,
        tokens=call.output_tokens,
        estimated=call.usage_source != "reported",
        tokens_per_second=call.tokens_per_second,
        cost_state=call.cost_state,
        cost_nano=call.cost_nano,
        operation=call.operation,
    )


def refused(refusal: Refusal) -> Happening:
    """A call that a budget stopped."""
    return Happening(
        at=refusal.at_us / _MICROSECONDS,
        kind="refused",
        tier=refusal.tier,
        name=f"{refusal.endpoint}/{refusal.model}",
        purpose=refusal.purpose,
        check=refusal.check,
        reason=refusal.reason,
        operation=refusal.operation,
    )


def hangs(flight: Flight, at: float) -> Happening:
    """A request that became stuck, or was lost."""
    kind: Kind = "lost" if flight.phase == "lost" else "stuck"
    return Happening(
        at=at,
        kind=kind,
        tier=flight.tier,
        name=flight.name,
        purpose=flight.purpose,
        reason=flight.why or flight.course,
        seconds=flight.age_s,
        tokens=flight.tokens,
        estimated=True,
        operation=flight.operation,
    )


def changed(name: str, before: str, now: str, message: str | None, at: float) -> Happening:
    """An endpoint that came or went."""
    what = f"{before}, now {now}"
    return Happening(at=at, kind="endpoint", name=name, check=now, reason=f"{what}: {message}" if message else what)
