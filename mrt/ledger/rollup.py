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
_ROLL = f"""
INSERT INTO rollup ({_NAMES})
SELECT {_VALUES}, {", ".join(f":sign * ({metric})" for metric in METRICS.values())}
FROM calls WHERE id = :id AND {ENDED}
ON CONFLICT ({_KEY}) DO UPDATE SET {", ".join(f"{name} = {name} + excluded.{name}" for name in METRICS)}
"""  # noqa: S608 - made of the constants above


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
    """Sum all rows up anew, inside a transaction."""
    for statement in REBUILD:
        connection.execute(statement)


def _date_in_common_zone(connection: sqlite3.Connection, identifier: str) -> None:
    """A call is booked in the zone of its moment; its day goes by the one zone of all days."""
    zone = zone_of_days(connection)
    row = connection.execute("SELECT timezone, started_us FROM calls WHERE id = ?", (identifier,)).fetchone()
    if zone is None:
        set_zone_of_days(connection, row[0])
    elif zone and zone != row[0]:
        connection.execute(
            "UPDATE calls SET day = ?, timezone = ? WHERE id = ?", (local_day(row[1], zone), zone, identifier)
        )
