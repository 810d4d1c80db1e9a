"""The zone in which days are counted: which one it is, and how to count all days in another, once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mrt.budget import local_day, periods, zone
from mrt.errors import ConfigError, StoreError
from mrt.ledger.rollup import next_start, rebuild, roll_between, set_zone_of_days, zone_of_days
from mrt.ledger.store import Store, reading, writing

if TYPE_CHECKING:
    import sqlite3

_MICROSECONDS = 1_000_000
_LOCALTIME = Path("/etc/localtime")


def timezone_name(configured: str | None, environment: Mapping[str, str]) -> str:
    """The IANA zone of days and months: as configured, else TZ, else where /etc/localtime points, else UTC."""
    if configured:
        return configured
    if environment.get("TZ") == "":  # POSIX: set, and empty
        return "UTC"
    place = str(_LOCALTIME.resolve()).partition("/zoneinfo/")[2]
    named = (_named(environment), place.removeprefix("posix/"))
    return next((name for name in named if name and _is_zone(name)), "UTC")


def unusable_zone(environment: Mapping[str, str]) -> str | None:
    """What TZ says, where that is no IANA name: a rule such as "CET-1CEST", or a slip; None where all is well."""
    named = _named(environment)
    return environment["TZ"] if named and not _is_zone(named) else None


def zone_of_store(store: Store, configured: str | None, environment: Mapping[str, str]) -> str:
    """The zone in which this store's days are to be counted: as configured, else as they are, else the machine's.

    Without a setting the store keeps the zone it has, whatever TZ a shell or a timer happens to run with.
    """
    if configured:
        return configured
    with suppress(StoreError), reading(store) as connection:
        kept = zone_of_days(connection)
        if kept and _is_zone(kept):
            return kept
    return timezone_name(None, environment)


def _named(environment: Mapping[str, str]) -> str:
    """What TZ names, in any of its spellings: Europe/Berlin, :Europe/Berlin, /usr/share/zoneinfo/Europe/Berlin."""
    name = environment.get("TZ", "").strip().removeprefix(":")
    return name.rpartition("zoneinfo/")[2].removeprefix("posix/")


def _is_zone(name: str) -> bool:
    try:
        zone(name)
    except ConfigError:
        return False
    return True


def count_days_in(store: Store, timezone: str) -> str | None:
    """Date every call by the calendar of `timezone` and keep the roll-up in step, unless that is how it is.

    Returns the zone that held before when something changed ("" when there were several). Raises ConfigError for an unknown
    zone, StoreError. Only calls that fall on another date are written; a signal ends it, and nothing has changed.
    """
    zone(timezone)
    with reading(store) as connection:
        if zone_of_days(connection) in (None, timezone):
            return None
    with writing(store) as connection:
        before = zone_of_days(connection)
        if before in (None, timezone):  # another process was faster
            return None
        if before and _is_zone(before):
            _move_between(connection, before, timezone)
        else:
            for start_us, end_us in _days(connection, (timezone,)):
                _date(connection, start_us, end_us, timezone)
            rebuild(connection)
        set_zone_of_days(connection, timezone)
    return before


def _move_between(connection: sqlite3.Connection, before: str, timezone: str) -> None:
    """The hours in which the two calendars show different dates, each out of its old day's sums and into its new one's."""
    for start_us, end_us in _days(connection, (before, timezone)):
        if local_day(start_us, before) != local_day(start_us, timezone):
            roll_between(connection, start_us, end_us, -1)
            _date(connection, start_us, end_us, timezone)
            roll_between(connection, start_us, end_us, 1)


def _date(connection: sqlite3.Connection, start_us: int, end_us: int, timezone: str) -> None:
    connection.execute(
        "UPDATE calls SET day = ?, timezone = ? WHERE started_us >= ? AND started_us < ?",
        (local_day(start_us, timezone), timezone, start_us, end_us),
    )


def _days(connection: sqlite3.Connection, zones: tuple[str, ...]) -> Iterator[tuple[int, int]]:
    """The stretches with calls in them during which no calendar of `zones` begins a new day."""
    start_us = next_start(connection, 0)
    while start_us is not None:
        moment = datetime.fromtimestamp(start_us // _MICROSECONDS, UTC)
        end_us = min(periods(moment, timezone)["daily"][1] for timezone in zones)
        yield start_us, end_us
        start_us = next_start(connection, end_us)
