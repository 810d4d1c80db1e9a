"""What the bench measured of a model, run by run, as it was recorded for the router."""

from __future__ import annotations

from typing import NamedTuple

from mrt.ledger.outcomes import AFTER, BAND_COMPLEXITY
from mrt.ledger.store import Store, reading, storable


class Measured(NamedTuple):
    """The last run over a model: answers graded and passed, and the same of those nearest the complexity that was asked for."""

    run: str
    graded: int
    passed: int
    near: float
    near_graded: int
    near_passed: int


def recorded_runs(store: Store) -> frozenset[str]:
    """The runs that are recorded already. Raises StoreError."""
    with reading(store) as connection:
        return frozenset(
            run for (run,) in connection.execute("SELECT DISTINCT run FROM outcomes WHERE run IS NOT NULL")
        )


def measured(store: Store, endpoint: str, model: str, complexity: float) -> Measured | None:
    """The newest run over that model, None where there is none that counts. Raises StoreError."""
    given = {"endpoint": storable(endpoint), "model": storable(model)}
    with reading(store) as connection:
        rows = connection.execute(
            f"SELECT complexity, count(*), sum(1 - failed), run FROM outcomes"  # noqa: S608 - put together from constants
            f" WHERE kind = 'bench' AND at_us > {AFTER} AND endpoint = :endpoint AND model = :model AND run = ("
            "  SELECT run FROM outcomes WHERE kind = 'bench' AND endpoint = :endpoint AND model = :model AND run IS NOT NULL"
            "  ORDER BY at_us DESC, id DESC LIMIT 1) GROUP BY complexity",
            given,
        ).fetchall()
    if not rows:
        return None
    near = min(rows, key=lambda row: abs(row[0] - complexity))
    graded, passed = sum(row[1] for row in rows), sum(row[2] for row in rows)
    return Measured(str(rows[0][3]), graded, passed, float(near[0]), int(near[1]), int(near[2]))


def band_of(complexity: float) -> int:
    """The band that a recorded complexity stands for."""
    return min(BAND_COMPLEXITY, key=lambda band: abs(BAND_COMPLEXITY[band] - complexity))
