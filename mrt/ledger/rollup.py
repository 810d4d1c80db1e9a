"""The roll-up: sums of the ended calls by day and dimension, changed with every row in the same transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mrt.budget import local_day

if TYPE_CHECKING:
    import sqlite3

ENDED = "state IN ('settled', 'partial', 'failed')"
# An answer is what a person asked for; a second opinion or a helper's call is none.
ANSWER = "outcome = 'accepted' AND purpose = 'ask'"

DIMENSIONS: dict[str, str] = {
    "day": "day",
    "tier": "tier",
    "endpoint": "endpoint",
    "model": "model",
    "purpose": "purpose",
    "tag": "coalesce(tag, '')",
    "project": "coalesce(project, '')",
    "host": "host",
    "baseline_model": "coalesce(baseline_model, '')",
    "imported": "imported_us IS NOT NULL",
}
_UNCOUNTED = "input_tokens IS NULL OR output_tokens IS NULL"
# Each is a sum over rows; a truth value counts the rows for which it holds.
METRICS: dict[str, str] = {
    "calls": "1",
    "answers": f"coalesce({ANSWER}, 0)",
    "local_answers": f"coalesce({ANSWER}, 0) AND local",
    "escalations": "attempt > 0 AND purpose = 'ask'",
    "input_tokens": "coalesce(input_tokens, 0)",
    "output_tokens": "coalesce(output_tokens, 0)",
    "cached_tokens": "coalesce(cached_tokens, 0)",
    "reasoning_tokens": "coalesce(reasoning_tokens, 0)",
    "uncounted_calls": _UNCOUNTED,
    "cost_nano": "coalesce(cost_nano, 0)",
    "unpriced_calls": "cost_nano IS NULL",
    "reported_calls": "cost_state = 'reported'",
    "priced_calls": "cost_state = 'priced'",
    "estimated_calls": "cost_state = 'estimated'",
    "held_nano": "CASE WHEN cost_nano IS NULL THEN coalesce(reserved_nano, 0) ELSE 0 END",
    "unbounded_calls": "cost_nano IS NULL AND reserved_nano IS NULL",
    "lost_nano": "CASE WHEN outcome IS NOT 'accepted' THEN coalesce(cost_nano, 0) ELSE 0 END",
    "baseline_calls": f"coalesce({ANSWER}, 0) AND baseline_low_nano IS NOT NULL",
    "baseline_low_nano": f"CASE WHEN {ANSWER} THEN coalesce(baseline_low_nano, 0) ELSE 0 END",
    "baseline_high_nano": f"CASE WHEN {ANSWER} THEN coalesce(baseline_high_nano, 0) ELSE 0 END",
}

_NAMES = ", ".join((*DIMENSIONS, *METRICS))
_KEY = ", ".join(DIMENSIONS)
_VALUES = ", ".join(DIMENSIONS.values())
GROUPED = f"""
SELECT {_VALUES}, {", ".join(f"sum({metric})" for metric in METRICS.values())}
FROM calls WHERE {ENDED} GROUP BY {", ".join(map(str, range(1, len(DIMENSIONS) + 1)))}
"""  # noqa: S608 - made of the constants above
_TYPES = ", ".join(
    [f"{name} {'INTEGER' if name == 'imported' else 'TEXT'} NOT NULL" for name in DIMENSIONS]
    + [f"{name} INTEGER NOT NULL" for name in METRICS]
)
FILL = f"INSERT INTO rollup ({_NAMES}) {GROUPED}"
# Drops and makes the table anew, so that it also serves as the step from an older roll-up.
REBUILD = (
    "DROP TABLE IF EXISTS rollup",
    f"CREATE TABLE rollup ({_TYPES}, PRIMARY KEY ({_KEY})) STRICT, WITHOUT ROWID",
    FILL,
)
_ADDED = ", ".join(f"{name} = {name} + excluded.{name}" for name in METRICS)
_ROLL = f"""
INSERT INTO rollup ({_NAMES})
SELECT {_VALUES}, {", ".join(f":sign * ({metric})" for metric in METRICS.values())}
FROM calls WHERE id = :id AND {ENDED}
ON CONFLICT ({_KEY}) DO UPDATE SET {_ADDED}
"""  # noqa: S608 - made of the constants above
_ROLL_BETWEEN = f"""
INSERT INTO rollup ({_NAMES})
SELECT {_VALUES}, {", ".join(f":sign * sum({metric})" for metric in METRICS.values())}
FROM calls WHERE {ENDED} AND started_us >= :start AND started_us < :end
GROUP BY {", ".join(map(str, range(1, len(DIMENSIONS) + 1)))}
ON CONFLICT ({_KEY}) DO UPDATE SET {_ADDED}
"""  # noqa: S608 - made of the constants above
# Thirty days: parts that take a second or so of a store of millions.
_PART_US = 30 * 86_400_000_000


def roll(connection: sqlite3.Connection, identifier: str, sign: int) -> None:
    """Add an ended call to the roll-up (`sign` 1) or take it out (-1); one that has not ended changes nothing."""
    if sign > 0:
        _date_in_common_zone(connection, identifier)
    connection.execute(_ROLL, {"id": identifier, "sign": sign})


def zone_of_days(connection: sqlite3.Connection) -> str | None:
    """The IANA zone in which the store counts days; "" after a change that no rebuild has followed, None without calls."""
    row = connection.execute("SELECT value FROM meta WHERE name = 'timezone'").fetchone()
    return None if row is None else str(row[0])


def set_zone_of_days(connection: sqlite3.Connection, timezone: str) -> None:
    """Note the zone; the days of the rows have to agree with it."""
    connection.execute(
        "INSERT INTO meta VALUES ('timezone', ?) ON CONFLICT DO UPDATE SET value = excluded.value", (timezone,)
    )


def rebuild(connection: sqlite3.Connection) -> None:
    """Sum all rows up anew, inside a transaction; a part at a time, so that a signal can end it."""
    connection.execute("DELETE FROM rollup")
    first, last = connection.execute("SELECT min(started_us), max(started_us) FROM calls").fetchone()
    start_us = first
    while start_us is not None and start_us <= last:
        roll_between(connection, start_us, start_us + _PART_US, 1)
        start_us = next_start(connection, start_us + _PART_US)


def roll_between(connection: sqlite3.Connection, start_us: int, end_us: int, sign: int) -> None:
    """Add the ended calls that began in [start_us, end_us) to the roll-up, by the days they have (1), or take them out (-1)."""
    connection.execute(_ROLL_BETWEEN, {"start": start_us, "end": end_us, "sign": sign})


def next_start(connection: sqlite3.Connection, start_us: int) -> int | None:
    """When the first call from `start_us` on began."""
    row = connection.execute("SELECT min(started_us) FROM calls WHERE started_us >= ?", (start_us,)).fetchone()
    found: int | None = row[0]
    return found


def _date_in_common_zone(connection: sqlite3.Connection, identifier: str) -> None:
    """A call is booked in the zone of its moment; its day goes by the one zone of all days."""
    own, started_us, zone = connection.execute(
        "SELECT timezone, started_us, (SELECT value FROM meta WHERE name = 'timezone') FROM calls WHERE id = ?",
        (identifier,),
    ).fetchone()
    if zone is None:
        set_zone_of_days(connection, own)
    elif zone and zone != own:
        connection.execute(
            "UPDATE calls SET day = ?, timezone = ? WHERE id = ?", (local_day(started_us, zone), zone, identifier)
        )
