"""The zone in which days are counted: which one it is, and how to count all days in another, once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mrt.budget import local_day, periods, zone
from mrt.errors import ConfigError
from mrt.ledger.rollup import rebuild, set_zone_of_days, zone_of_days
from mrt.ledger.store import Store, reading, writing

if TYPE_CHECKING:
    import sqlite3

_MICROSECONDS = 1_000_000


def timezone_name(configured: str | None, environment: Mapping[str, str]) -> str:
    """The IANA zone of days and months: as configured, else TZ, else where /etc/localtime points, else UTC."""
    if configured:
        return configured
    named = environment.get("TZ", "").removeprefix(":").rpartition("zoneinfo/")[2]
    place = str(Path("/etc/localtime").resolve()).partition("/zoneinfo/")[2]
    return next((name for name in (named, place) if name and _is_zone(name)), "UTC")


def _is_zone(name: str) -> bool:
    try:
        zone(name)
    except ConfigError:
        return False
    return True


def count_days_in(store: Store, timezone: str) -> str | None:
    """Date every call by the calendar of `timezone` and rebuild the roll-up, unless that is how it is.

    Returns the zone that held before when something changed ("" when there were several). Raises ConfigError for an unknown
    zone, StoreError.
    """
    with reading(store) as connection:
        if zone_of_days(connection) in (None, timezone):
            return None
    with writing(store) as connection:
        before = zone_of_days(connection)
        if before in (None, timezone):  # another process was faster
            return None
        _date_rows(connection, timezone)
        set_zone_of_days(connection, timezone)
        rebuild(connection)
    return before


def _date_rows(connection: sqlite3.Connection, timezone: str) -> None:
    """Day by day, since one range of the index by time is one day."""
    start_us = _first_from(connection, None)
    while start_us is not None:
        moment = datetime.fromtimestamp(start_us // _MICROSECONDS, UTC)
        end_us = periods(moment, timezone)["daily"][1]
        connection.execute(
            "UPDATE calls SET day = ?, timezone = ? WHERE started_us >= ? AND started_us < ?",
            (local_day(start_us, timezone), timezone, start_us, end_us),
        )
        start_us = _first_from(connection, end_us)


def _first_from(connection: sqlite3.Connection, start_us: int | None) -> int | None:
    where, values = ("", ()) if start_us is None else ("WHERE started_us >= ?", (start_us,))
    found: int | None = connection.execute(f"SELECT min(started_us) FROM calls {where}", values).fetchone()[0]  # noqa: S608
    return found
