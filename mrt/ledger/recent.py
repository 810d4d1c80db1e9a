"""What the last calls tell of a model and of a conversation: speed, length of answers, difficulty."""

from __future__ import annotations

import json
from typing import NamedTuple

from mrt.ledger.outcomes import AFTER
from mrt.ledger.store import Store, reading, storable

# The newest rows to look through, whatever they are: a bound on the time that a store of any size takes.
_LOOKED_AT = 2000
_ENOUGH = 50


class Recent(NamedTuple):
    """Means over the last accepted answers of one model, at most 50: milliseconds to the first token, tokens/s, tokens.

    `calls` is how many there were; the speeds are None where no server and no clock told them.
    """

    calls: int
    output_tokens: float | None
    ttft_ms: float | None
    tokens_per_second: float | None


def recent(store: Store, endpoint: str, model: str) -> Recent:
    """The last accepted answers of a model, none from before learning was rolled back. Raises StoreError."""
    with reading(store) as connection:
        row = connection.execute(
            f"""
            SELECT count(*), avg(output_tokens), avg(ttft_ms), avg(tokens_per_second) FROM (
                SELECT output_tokens, ttft_ms, tokens_per_second
                FROM (SELECT * FROM calls ORDER BY started_us DESC LIMIT ?)
                WHERE endpoint = ? AND model = ? AND outcome = 'accepted' AND purpose = 'ask'
                    AND started_us > {AFTER}
                LIMIT ?
            )
            """,  # noqa: S608 - a constant
            (_LOOKED_AT, storable(endpoint), storable(model), _ENOUGH),
        ).fetchone()
    return Recent(*row)


def session_difficulty(store: Store, session: str) -> float | None:
    """The complexity that the last prompt of a conversation was given; None when there is none. Raises StoreError."""
    with reading(store) as connection:
        row = connection.execute(
            "SELECT decision FROM calls WHERE session = ? AND purpose = 'ask' ORDER BY started_us DESC, id DESC LIMIT 1",
            (storable(session),),
        ).fetchone()
    try:
        decision = json.loads(row[0]) if row and row[0] else {}
    except ValueError:
        return None
    value = decision.get("complexity") if isinstance(decision, dict) else None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
