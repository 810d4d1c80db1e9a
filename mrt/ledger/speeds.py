"""How fast a local model really was on this machine, by the calls that were booked."""

from __future__ import annotations

from typing import NamedTuple

from mrt.ledger.store import Store, reading, storable

# The newest rows to look through, whatever they are: a bound on the time that a store of any size takes.
_LOOKED_AT = 5000
_ENOUGH = 50


class Measured(NamedTuple):
    """Quartiles of the decoding speed in tokens per second, over so many answers; `purpose` is bench or ask."""

    low: float
    high: float
    answers: int
    purpose: str


def measured_speed(store: Store, model: str, host: str) -> Measured | None:
    """The last answers of a local model on this host, those of a benchmark before any others; None without any.

    Raises StoreError.
    """
    with reading(store) as connection:
        rows = connection.execute(
            """
            SELECT purpose, tokens_per_second FROM (SELECT * FROM calls ORDER BY started_us DESC LIMIT ?)
            WHERE model = ? AND host = ? AND local AND tokens_per_second > 0 AND purpose IN ('bench', 'ask')
            """,
            (_LOOKED_AT, storable(model), storable(host)),
        ).fetchall()
    for purpose in ("bench", "ask"):
        speeds = sorted([row[1] for row in rows if row[0] == purpose][:_ENOUGH])
        if speeds:
            return Measured(speeds[len(speeds) // 4], speeds[(3 * len(speeds)) // 4], len(speeds), purpose)
    return None
