"""Single calls: by the beginning of their id, or the last ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mrt.errors import UsageError
from mrt.ledger.store import Store, reading, storable

Row = Mapping[str, Any]

LEAST_DIGITS = 4
_END = "\U0010ffff"


def operation(store: Store, beginning: str) -> list[Row]:
    """All calls of one operation, oldest first, named by the beginning of its id or of one call's.

    Raises UsageError when there is none, or more than one.
    """
    wanted = storable(beginning.strip().lower()) or ""
    if len(wanted) < LEAST_DIGITS:
        raise UsageError(f"{beginning!r} is too short for an id", f"give at least {LEAST_DIGITS} characters of it")
    bounds = (wanted, wanted + _END)
    with reading(store) as connection:
        found = connection.execute(
            """
            SELECT operation_id FROM calls WHERE id >= ? AND id < ?
            UNION SELECT operation_id FROM calls WHERE operation_id >= ? AND operation_id < ? LIMIT 4
            """,
            (*bounds, *bounds),
        ).fetchall()
    if not found:
        raise UsageError(f"no call has an id that begins with {wanted}", "`mrt spend log` lists the last ones")
    if len(found) > 1:
        some = ", ".join(row[0] for row in found[:3])
        raise UsageError(
            f"several calls begin with {wanted}: {some}{' ...' if len(found) > 3 else ''}", "give more of it"
        )
    return _rows(store, "WHERE operation_id = ? ORDER BY rowid", (found[0][0],))


def last_calls(store: Store, number: int, since_us: int | None = None) -> list[Row]:
    """The calls booked last by this store itself, newest first, whatever the clock did in between."""
    since = "" if since_us is None else "AND started_us >= ?"
    values = (number,) if since_us is None else (since_us, number)
    return _rows(store, f"WHERE imported_us IS NULL {since} ORDER BY rowid DESC LIMIT ?", values)


def _rows(store: Store, where: str, values: tuple[Any, ...]) -> list[Row]:
    with reading(store) as connection:
        cursor = connection.execute(f"SELECT * FROM calls {where}", values)  # noqa: S608
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]
