"""One look at everything, and what happened since the look before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

from mrt.config import Config
from mrt.endpoints.report import EndpointReport
from mrt.errors import MrtError, StoreError
from mrt.frozen import frozen
from mrt.ledger.readonly import open_untouched
from mrt.ledger.store import Store
from mrt.ledger.watching import (
    Call,
    booked_after,
    calls_named,
    last_number,
    newest,
    one_moment,
    refused_after,
    under_way,
)
from mrt.live.flights import flight_of
from mrt.live.happenings import begun, changed, ended, hangs, refused
from mrt.live.health import endpoints_now
from mrt.live.money import money_now, zone_now
from mrt.live.snapshot import Flight, Happening, Money, Snapshot

HISTORY = 200
_RESERVED = "reserved"


@frozen
class World:
    """What a look goes by. `reports` is None until the endpoints were first looked at; `now` gives seconds since 1970."""

    path: Path
    environment: Mapping[str, str]
    config: Config | None
    now: float
    stuck_after_s: float
    reports: tuple[EndpointReport, ...] | None = None
    named: frozenset[str] = frozenset()
    errors: tuple[MrtError, ...] = ()


@frozen
class Seen:
    """What the look before saw: the last row and refusal, the calls that were open, who was alarming, and the endpoints."""

    number: int = 0
    refusal: int = 0
    open: frozenset[str] = frozenset()
    alarmed: frozenset[str] = frozenset()
    endpoints: Mapping[str, str] | None = None


@frozen
class Look:
    """What one look gives: the moment, what happened before the first look, what happened since the last one."""

    snapshot: Snapshot
    seen: Seen
    before: tuple[Happening, ...] = ()
    fresh: tuple[Happening, ...] = ()
    errors: tuple[MrtError, ...] = ()


@frozen
class _InStore:
    """What the store told; `flights` is None where it could not be read."""

    timezone: str
    seen: Seen
    flights: tuple[Flight, ...] | None = ()
    money: Money | None = None
    before: tuple[Happening, ...] = ()
    fresh: tuple[Happening, ...] = ()
    notes: tuple[str, ...] = ()


def look(world: World, seen: Seen | None) -> Look:
    """Look once; `seen` is what the last look gave, None at first. Never raises for a store that cannot be read: it says so."""
    errors = world.errors
    try:
        told = _read(world, seen)
    except StoreError as error:
        told = _InStore(zone_now(None, world.config, world.environment), seen=seen or Seen(), flights=None)
        errors = (*errors, error)
    states, moved = _endpoint_changes(world, seen)
    snapshot = Snapshot(
        at=world.now,
        timezone=told.timezone,
        flights=told.flights,
        endpoints=endpoints_now(world.reports or (), world.named, told.flights) if world.config else None,
        money=told.money,
        surveyed=world.reports is not None,
        stuck_after_s=world.stuck_after_s,
        notes=(*(error.message for error in errors), *told.notes),
    )
    alarms, alarmed = _alarms(told.flights, told.seen.alarmed, world.now)
    kept = Seen(told.seen.number, told.seen.refusal, told.seen.open, alarmed, states)
    fresh = sorted((*told.fresh, *moved, *alarms), key=lambda one: one.at)
    return Look(snapshot, kept, told.before, tuple(fresh), errors)


def _read(world: World, seen: Seen | None) -> _InStore:
    store = open_untouched(world.path, lambda: world.now)
    if store is None:
        # One that was moved away may come back, with nothing new in it.
        zone = zone_now(None, world.config, world.environment)
        return _InStore(zone, seen=seen or Seen(), notes=("nothing is recorded yet",))
    with closing(store), one_moment(store):
        timezone = zone_now(store, world.config, world.environment)
        calls = under_way(store)
        number = last_number(store)
        # Another store may have taken the place of the one that was seen.
        known = seen if seen is not None and number >= seen.number else None
        refusals = refused_after(store, known.refusal if known else 0, HISTORY)
        found = Seen(
            number,
            refusals[-1].number if refusals else known.refusal if known else 0,
            frozenset(call.id for call in calls),
            known.alarmed if known else frozenset(),
        )
        said = [refused(one) for one in refusals]
        before = _in_order([*_history(store), *said]) if known is None else ()
        since = _in_order([*_since(store, known, found), *said]) if known else ()
        return _InStore(
            timezone=timezone,
            flights=tuple(flight_of(call, world.now, world.stuck_after_s) for call in calls),
            money=money_now(store, world.config, timezone),
            seen=found,
            before=before,
            fresh=since,
        )


def _history(store: Store) -> list[Happening]:
    lines = []
    for call in newest(store, HISTORY):
        lines += _lines(call, is_new=call.attempt > 0)
    return lines


def _since(store: Store, seen: Seen, found: Seen) -> list[Happening]:
    """What was booked since, and what was open then and is not any more."""
    lines = []
    for call in booked_after(store, seen.number):
        lines += _lines(call, is_new=True)
    for call in calls_named(store, sorted(seen.open - found.open)):
        lines += _lines(call, is_new=False)
    return lines


def _lines(call: Call, *, is_new: bool) -> list[Happening]:
    lines = [begun(call)] if is_new else []
    return lines if call.state == _RESERVED else [*lines, ended(call)]


def _in_order(lines: Sequence[Happening]) -> tuple[Happening, ...]:
    return tuple(sorted(lines, key=lambda line: line.at))


def _alarms(
    flights: Sequence[Flight] | None, known: frozenset[str], now: float
) -> tuple[list[Happening], frozenset[str]]:
    """Whoever became stuck or was lost, each once."""
    if flights is None:
        return [], known
    alarming = {flight.id: flight for flight in flights if flight.phase in ("stuck", "lost")}
    fresh = [
        hangs(flight, now) for identifier, flight in alarming.items() if f"{identifier} {flight.phase}" not in known
    ]
    return fresh, frozenset(f"{identifier} {flight.phase}" for identifier, flight in alarming.items())


def _endpoint_changes(world: World, seen: Seen | None) -> tuple[Mapping[str, str] | None, list[Happening]]:
    before = seen.endpoints if seen else None
    if world.reports is None:
        return before, []
    states = {report.url: report.state for report in world.reports}
    moved = [
        changed(report.name, before[report.url], report.state, report.message, report.checked_at)
        for report in world.reports
        if before is not None and before.get(report.url, report.state) != report.state
    ]
    return states, moved
