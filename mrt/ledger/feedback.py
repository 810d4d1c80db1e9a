"""What the user says of an answer, in place of what the checks said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mrt.errors import UsageError
from mrt.ledger.lookup import operation
from mrt.ledger.outcomes import REPLACE, is_complexity
from mrt.ledger.schema import JUDGED
from mrt.ledger.store import Store, reading, writing


def give_feedback(store: Store, beginning: str | None, *, failed: bool) -> Mapping[str, Any]:
    """Say of an answer whether it was good; it takes the place of what the checks said, or of an earlier word.

    `beginning` is that of the id of an answer or of one of its calls; None is the last answer of this store. Gives the call that
    is judged: of an answer the one that was accepted, else the last that was turned down. Raises UsageError, StoreError.
    """
    call = _call(store, beginning)
    with writing(store) as connection:
        connection.execute(
            REPLACE,
            {
                **{name: call[name] for name in ("endpoint", "model", "complexity")},
                "kind": "feedback",
                "at_us": store.now_us(),
                "quantization": None,
                "failed": failed,
                "run": None,
                "call_id": call["id"],
            },
        )
    return call


def _call(store: Store, beginning: str | None) -> Mapping[str, Any]:
    if beginning is None:
        rows = _last_answer(store)
    else:
        rows = operation(store, beginning)
        wanted = beginning.strip().lower()
        if not rows[0]["operation_id"].startswith(wanted):
            rows = [row for row in rows if row["id"].startswith(wanted)]
    judged = [found for row in rows if (found := _judged(store, row["id"]))]
    if not judged:
        raise UsageError(
            "no answer of that id can be judged: none came, or it was no ask", "`mrt spend log` lists the last calls"
        )
    accepted = [row for row in judged if row["outcome"] == "accepted"]
    return (accepted or judged)[-1]


def _last_answer(store: Store) -> list[Mapping[str, Any]]:
    with reading(store) as connection:
        row = connection.execute(
            f"SELECT operation_id FROM calls WHERE {JUDGED} AND imported_us IS NULL ORDER BY rowid DESC LIMIT 1"  # noqa: S608
        ).fetchone()
    if row is None:
        raise UsageError("there is no answer to judge yet", 'ask something first: mrt ask "your question"')
    return operation(store, row[0])


def _judged(store: Store, identifier: str) -> Mapping[str, Any] | None:
    """The call, where it has an answer that can be judged and a complexity that the judgement belongs to."""
    with reading(store) as connection:
        row = connection.execute(
            "SELECT id, operation_id, tier, endpoint, model, outcome, check_name,"  # noqa: S608
            " CASE WHEN json_valid(decision) THEN json_extract(decision, '$.complexity') END AS complexity"
            f" FROM calls WHERE id = ? AND {JUDGED}",
            (identifier,),
        ).fetchone()
    names = ("id", "operation_id", "tier", "endpoint", "model", "outcome", "check_name", "complexity")
    return dict(zip(names, row, strict=True)) if row and is_complexity(row[-1]) else None
