"""From an open reservation to a request under way: how old it is, how far it has come, and whether it still moves."""

from __future__ import annotations

from mrt.ledger.watching import Call, owner
from mrt.live.snapshot import SILENT_AFTER_S, Flight, Phase

# Less tells nothing of a speed.
SHORTEST_S = 0.2
_MICROSECONDS = 1_000_000


def flight_of(call: Call, now: float, stuck_after_s: float) -> Flight:
    """The request as it stands at `now`, seconds since 1970."""
    age = max(0.0, now - call.started_us / _MICROSECONDS)
    quiet = None if call.heard_us is None else max(0.0, now - call.heard_us / _MICROSECONDS)
    phase: Phase = "waiting" if quiet is None else "silent" if quiet >= SILENT_AFTER_S else "writing"
    speed = _speed(call) if phase == "writing" else None
    lost = _why_lost(call, now)
    return Flight(
        id=call.id,
        operation=call.operation,
        attempt=call.attempt,
        purpose=call.purpose,
        tier=call.tier,
        endpoint=call.endpoint,
        model=call.model,
        local=call.local,
        phase="lost" if lost else "stuck" if age >= stuck_after_s else phase,
        age_s=age,
        started_at=call.started_us / _MICROSECONDS,
        tokens=call.heard_tokens,
        tokens_per_second=None if lost else speed,
        quiet_s=quiet,
        why=lost,
    )


def _why_lost(call: Call, now: float) -> str | None:
    """Why nobody will end this one; the next call that is booked closes it."""
    whose = owner(call)
    if whose == "gone":
        return f"its process {call.pid} is gone"
    if whose == "elsewhere" and call.expires_us <= now * _MICROSECONDS:
        return f"not heard of since, from {call.host or 'an unknown host'}"
    return None


def _speed(call: Call) -> float | None:
    """Tokens per second since the first one, as the bookings have it of answers that ended."""
    if call.heard_tokens is None or call.first_token_us is None or call.heard_us is None:
        return None
    seconds = (call.heard_us - call.first_token_us) / _MICROSECONDS
    return (call.heard_tokens - 1) / seconds if seconds >= SHORTEST_S and call.heard_tokens > 1 else None
