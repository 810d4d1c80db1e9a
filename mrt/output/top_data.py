"""The live view as scripts read it: one object, or one line for each event."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from mrt.domain import usd
from mrt.live.snapshot import EndpointNow, Flight, Happening, Money, Snapshot
from mrt.output.spend_data import budget_data, burn_data, totals_data


def top_data(snapshot: Snapshot) -> dict[str, Any]:
    """The `data` of `mrt top --json`; what is not known is null."""
    return {
        "at": _moment(snapshot.at),
        "timezone": snapshot.timezone,
        "stuck_after_s": snapshot.stuck_after_s,
        "tokens_per_second": _rounded(snapshot.tokens_per_second),
        "requests": None if snapshot.flights is None else [_flight(flight) for flight in snapshot.flights],
        "endpoints": None if snapshot.endpoints is None else [_endpoint(one) for one in snapshot.endpoints],
        "events": [happening_data(one) for one in snapshot.last],
        **_money(snapshot.money),
        "notes": list(snapshot.notes),
    }


def happening_data(one: Happening) -> dict[str, Any]:
    """One event."""
    return {
        "event": one.kind,
        "at": _moment(one.at),
        "tier": one.tier or None,
        "model": one.name if one.kind != "endpoint" else None,
        "endpoint": one.name if one.kind == "endpoint" else None,
        "purpose": one.purpose,
        "check": one.check,
        "reason": one.reason,
        "seconds": _rounded(one.seconds),
        "output_tokens": one.tokens,
        "tokens_per_second": _rounded(one.tokens_per_second),
        "cost": None if one.cost_state is None else {"state": one.cost_state, "usd": _usd(one.cost_nano)},
        "operation": one.operation,
    }


def _flight(flight: Flight) -> dict[str, Any]:
    return {
        "id": flight.id,
        "operation": flight.operation,
        "attempt": flight.attempt,
        "purpose": flight.purpose,
        "tier": flight.tier,
        "model": flight.name,
        "local": flight.local,
        "state": flight.phase,
        "reason": flight.why,
        "started_at": _moment(flight.started_at),
        "age_s": _rounded(flight.age_s),
        "output_tokens_estimate": flight.tokens,
        "tokens_per_second": _rounded(flight.tokens_per_second),
        "quiet_s": _rounded(flight.quiet_s),
    }


def _endpoint(one: EndpointNow) -> dict[str, Any]:
    return {
        "name": one.name,
        "kind": one.kind,
        "url": one.url,
        "state": one.health,
        "requests": one.own,
        "busy": one.busy,
        "slots": one.slots,
        "queue": one.queue,
        "loaded": None if one.loaded is None else list(one.loaded),
        "latency_ms": one.latency_ms,
        "tokens_per_second": _rounded(one.tokens_per_second),
        "message": one.message,
        "checked_at": None if one.checked_at is None else _moment(one.checked_at),
    }


def _money(found: Money | None) -> dict[str, Any]:
    if found is None:
        return {"today": None, "month": None, "last_hour": None, **burn_data(None), "budgets": None}
    return {
        "today": totals_data(found.today),
        "month": totals_data(found.month),
        "last_hour": {
            "usd": None if found.hour_unpriced else usd(found.hour_nano),
            "at_least_usd": usd(found.hour_nano),
            "unpriced_calls": found.hour_unpriced,
        },
        **burn_data(found.burn),
        "budgets": None if found.budgets is None else [budget_data(line) for line in found.budgets],
    }


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def _usd(nano: int | None) -> str | None:
    return None if nano is None else usd(nano)
