"""How models did: asks that were accepted or turned down, what the user said of them, and graded tasks of the bench."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from mrt.ledger.schema import JUDGED
from mrt.ledger.store import Store, reading, storable, writing
from mrt.router.drift import NEWEST, Judged

LOWEST, HIGHEST = 1.0, 10.0
# The complexities that a band of the bench's tasks is made for, in the middle.
BAND_COMPLEXITY: Mapping[int, float] = {1: 1.5, 2: 3.5, 3: 5.5, 4: 7.5, 5: 9.0, 6: 10.0}
# The name under which the store keeps the moment before which outcomes no longer count.
MARKER = "outcomes_after_us"
# In SQL: the moment that outcomes must be younger than.
AFTER = f"coalesce((SELECT CAST(value AS INTEGER) FROM meta WHERE name = '{MARKER}'), -1)"  # noqa: S608 - a constant
# An answer that was accepted since nothing was asked of it tells nothing, unless the user says so.
_UNCHECKED = "(outcome = 'accepted' AND json_valid(decision) AND coalesce(json_extract(decision, '$.checked') = 0, 0))"
# `said` is the user's word about a call, which takes the place of how it ended.
_ASKS = f"""
    SELECT coalesce(said.at_us, calls.started_us) AS at_us, calls.id AS id, coalesce(said.kind, 'ask') AS kind,
        CASE WHEN json_valid(decision) THEN json_extract(decision, '$.complexity') END AS complexity,
        coalesce(said.failed, outcome != 'accepted') AS failed
    FROM calls LEFT JOIN outcomes AS said ON said.call_id = calls.id
    WHERE {JUDGED} AND calls.endpoint = :endpoint AND calls.model = :model
        AND decision IS NOT NULL AND (said.failed IS NOT NULL OR NOT {_UNCHECKED})
        AND coalesce(said.at_us, calls.started_us) > {AFTER}
    ORDER BY calls.started_us DESC, calls.id DESC LIMIT :most
"""  # noqa: S608 - put together from constants
# A long run of the bench must not drive out what is asked every day. Asks keep no quantization; one that is not known now is
# taken to be the one that was measured last.
_GRADED = f"""
    SELECT at_us, printf('%020d', id) AS id, kind, complexity, failed FROM outcomes
    WHERE call_id IS NULL AND endpoint = :endpoint AND model = :model AND at_us > {AFTER}
        AND (quantization IS NULL OR quantization COLLATE NOCASE = coalesce(:quantization, (
            SELECT quantization FROM outcomes
            WHERE call_id IS NULL AND endpoint = :endpoint AND model = :model AND quantization IS NOT NULL
            ORDER BY at_us DESC, id DESC LIMIT 1)))
    ORDER BY at_us DESC, id DESC LIMIT :most / 2
"""  # noqa: S608
_ALL = f"SELECT * FROM ({_ASKS}) UNION ALL SELECT * FROM ({_GRADED}) ORDER BY at_us DESC, id DESC LIMIT :most"  # noqa: S608
# In SQL: keep an outcome; a word about a call takes the place of an earlier one.
REPLACE = """
    INSERT INTO outcomes (kind, at_us, endpoint, model, quantization, complexity, failed, run, call_id)
    VALUES (:kind, :at_us, :endpoint, :model, :quantization, :complexity, :failed, :run, :call_id)
    ON CONFLICT (call_id) DO UPDATE SET at_us = excluded.at_us, failed = excluded.failed
"""


class Graded(NamedTuple):
    """One graded task of the bench: its band, from 1 to 6, and whether the model failed it; `run` names the bench run."""

    endpoint: str
    model: str
    band: int
    failed: bool
    quantization: str | None = None
    run: str | None = None


class Seen(NamedTuple):
    """One outcome as it counts: `kind` is "ask", "feedback" or "bench"."""

    kind: str
    at_us: int
    judged: Judged


def record_outcomes(store: Store, graded: Iterable[Graded]) -> None:
    """Keep all of them or, when it raises, none. A task that could not be graded is no outcome, and must not be among them."""
    now = store.now_us()
    rows = [_row(one, now) for one in graded]
    with writing(store) as connection:
        connection.executemany(REPLACE, rows)


def outcomes_of(store: Store, endpoint: str, model: str, quantization: str | None = None) -> list[Seen]:
    """The newest outcomes that count for a model, at most 400, of the bench at most 200, newest first. Raises StoreError."""
    given = {
        "endpoint": storable(endpoint),
        "model": storable(model),
        "quantization": storable(quantization),
        "most": NEWEST,
    }
    with reading(store) as connection:
        rows = connection.execute(_ALL, given).fetchall()
    return [
        Seen(kind, at_us, Judged(float(complexity), bool(failed), kind == "bench"))
        for at_us, _, kind, complexity, failed in rows
        if is_complexity(complexity)
    ]


def is_complexity(value: object) -> bool:
    """Whether a stored value is one; what was imported may be anything."""
    return isinstance(value, int | float) and LOWEST <= value <= HIGHEST


def judged_models(store: Store) -> list[tuple[str, str, bool]]:
    """The endpoint and model of everything that has outcomes, and whether it is local; those without asks are taken to be."""
    with reading(store) as connection:
        rows = connection.execute(
            f"SELECT endpoint, model, min(local) FROM ("  # noqa: S608
            f"SELECT endpoint, model, local FROM calls WHERE {JUDGED}"
            f" UNION ALL SELECT endpoint, model, 1 FROM outcomes) GROUP BY endpoint, model ORDER BY endpoint, model"
        ).fetchall()
    return [(endpoint, model, bool(local)) for endpoint, model, local in rows]


def roll_back(store: Store) -> int:
    """Let no outcome up to now count, and give the moment in microseconds since 1970. Raises StoreError."""
    with writing(store) as connection:
        newest = connection.execute(
            f"SELECT max((SELECT coalesce(max(started_us), 0) FROM calls WHERE {JUDGED}),"  # noqa: S608
            " (SELECT coalesce(max(at_us), 0) FROM outcomes))"
        ).fetchone()[0]
        # A clock that was ahead for a while must not leave outcomes behind that still count.
        moment = max(store.now_us(), newest)
        connection.execute(
            "INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", (MARKER, str(moment))
        )
    return int(moment)


def resume(store: Store) -> bool:
    """Let all outcomes count again; False when they did. Raises StoreError."""
    with writing(store) as connection:
        return bool(connection.execute("DELETE FROM meta WHERE name = ?", (MARKER,)).rowcount)


def rolled_back_at(store: Store) -> int | None:
    """Before which moment outcomes do not count, in microseconds since 1970; None when all do. Raises StoreError."""
    with reading(store) as connection:
        row = connection.execute("SELECT CAST(value AS INTEGER) FROM meta WHERE name = ?", (MARKER,)).fetchone()
    return int(row[0]) if row else None


def _row(graded: Graded, now_us: int) -> dict[str, Any]:
    if graded.band not in BAND_COMPLEXITY:
        raise ValueError(f"there is no band {graded.band}")
    return {
        "kind": "bench",
        "at_us": now_us,
        "endpoint": storable(graded.endpoint),
        "model": storable(graded.model),
        "quantization": storable(graded.quantization),
        "complexity": BAND_COMPLEXITY[graded.band],
        "failed": graded.failed,
        "run": storable(graded.run),
        "call_id": None,
    }
