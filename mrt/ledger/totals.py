"""Sums over the rows, and the roll-up that keeps those by day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mrt.ledger.records import Sums
from mrt.ledger.store import Store, reading

if TYPE_CHECKING:
    import sqlite3

_ENDED = "state IN ('settled', 'partial', 'failed')"
_ROLLED = f"""
    day, tier, model, sum(:sign), sum(:sign * coalesce(input_tokens, 0)), sum(:sign * coalesce(output_tokens, 0)),
    sum(:sign * (input_tokens IS NULL OR output_tokens IS NULL)), sum(:sign * coalesce(cost_nano, 0)),
    sum(:sign * (cost_nano IS NULL)) FROM calls WHERE {_ENDED}
"""


def used(store: Store, start_us: int, end_us: int) -> Sums:
    """What the calls that started in [start_us, end_us) cost; a call belongs to the period in which it was reserved."""
    with reading(store) as connection:
        return sums(connection, start_us, end_us)


def sums(connection: sqlite3.Connection, start_us: int, end_us: int) -> Sums:
    """`used`, inside a transaction."""
    row = connection.execute(
        f"""
        SELECT coalesce(sum(cost_nano), 0),
               coalesce(sum(reserved_nano) FILTER (WHERE cost_nano IS NULL), 0),
               count(*) FILTER (WHERE {_ENDED} AND cost_nano IS NULL),
               count(*) FILTER (WHERE {_ENDED})
        FROM calls WHERE started_us >= ? AND started_us < ?
        """,  # noqa: S608
        (start_us, end_us),
    ).fetchone()
    return Sums(*row)


def roll(connection: sqlite3.Connection, identifier: str, sign: int) -> None:
    """Add an ended call to the roll-up (`sign` 1) or take it out (-1); one that has not ended changes nothing."""
    connection.execute(
        f"""
        INSERT INTO rollup SELECT {_ROLLED} AND id = :id GROUP BY day, tier, model
        ON CONFLICT (day, tier, model) DO UPDATE SET
            calls = calls + excluded.calls,
            input_tokens = input_tokens + excluded.input_tokens,
            output_tokens = output_tokens + excluded.output_tokens,
            uncounted_calls = uncounted_calls + excluded.uncounted_calls,
            cost_nano = cost_nano + excluded.cost_nano,
            unpriced_calls = unpriced_calls + excluded.unpriced_calls
        """,
        {"id": identifier, "sign": sign},
    )
