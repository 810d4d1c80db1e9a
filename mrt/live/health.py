"""How the endpoints are: by what they told last, and by what is under way there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mrt.endpoints.report import EndpointReport
from mrt.live.snapshot import EndpointNow, Flight, Health


def endpoints_now(
    reports: Sequence[EndpointReport], named: Iterable[str], flights: Sequence[Flight] | None
) -> tuple[EndpointNow, ...]:
    """Every endpoint that answers, that the user `named`, or where something is under way; None where nobody knows what is."""
    wanted = set(named)
    busy = dict.fromkeys(flight.endpoint for flight in flights or ())
    shown = [one for one in reports if one.name in wanted or one.name in busy or one.state != "down"]
    seen = {report.name for report in shown}
    return (
        *(_reported(report, _at(report.name, flights)) for report in shown),
        *(_unreported(name, _at(name, flights) or ()) for name in busy if name not in seen),
    )


def _at(name: str, flights: Sequence[Flight] | None) -> list[Flight] | None:
    """What really is under way there; a lost one is nobody's work any more."""
    if flights is None:
        return None
    return [flight for flight in flights if flight.endpoint == name and flight.phase != "lost"]


def _reported(report: EndpointReport, own: Sequence[Flight] | None) -> EndpointNow:
    loaded = tuple(model.id for model in report.models if model.loaded)
    told = any(model.loaded is not None for model in report.models)
    return EndpointNow(
        name=report.name,
        health=_health(report, own or ()),
        kind=report.kind,
        url=report.url,
        own=None if own is None else len(own),
        busy=report.busy,
        slots=report.slots,
        queue=report.queue,
        loaded=loaded if told else None,
        latency_ms=report.latency_ms,
        tokens_per_second=_speed(own or ()),
        message=report.message if report.state != "ready" else None,
        checked_at=report.checked_at,
    )


def _health(report: EndpointReport, own: Sequence[Flight]) -> Health:
    if any(flight.phase == "stuck" for flight in own):
        return "stuck"
    if any(flight.phase == "writing" for flight in own):
        return "working"  # it may be too busy to say so
    if report.state != "ready":
        return report.state
    return "working" if own or report.busy or report.queue else "idle"


def _unreported(name: str, own: Sequence[Flight]) -> EndpointNow:
    """One that was not looked at yet, or that the configuration does not name any more."""
    stuck = any(flight.phase == "stuck" for flight in own)
    health: Health = "stuck" if stuck else "working" if own else "unseen"
    return EndpointNow(name, health, own=len(own), tokens_per_second=_speed(own))


def _speed(own: Sequence[Flight]) -> float | None:
    known = [flight.tokens_per_second for flight in own if flight.tokens_per_second is not None]
    return sum(known) if known else None
