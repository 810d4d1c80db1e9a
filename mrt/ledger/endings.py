"""How the calls of a period ended: accepted, or not, and what spoke against them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mrt.ledger.rollup import ENDED

if TYPE_CHECKING:
    from mrt.ledger.queries import Span
    from mrt.ledger.store import Store

# The condition of the index that makes this cheap; a query has to repeat it word by word to be served by it.
NOT_ACCEPTED = f"outcome IS NOT 'accepted' AND {ENDED}"


class Ending(NamedTuple):
    """Calls that ended alike: their outcome, the check that turned them down ("" for none), known cost in nano-dollars.

    `reason` is what the last of them said, which was written without any of the prompt; None where it said nothing.
    """

    outcome: str
    check: str
    calls: int
    cost_nano: int
    unpriced_calls: int
    reason: str | None


def endings(store: Store, span: Span) -> tuple[Ending, ...]:
    """The calls of the span that were not accepted, by outcome and check, the most frequent first. Raises StoreError."""
    from mrt.ledger.store import reading

    first = "" if span.first is None else span.first.isoformat()
    with reading(store) as connection:
        rows = connection.execute(
            f"""
            SELECT coalesce(outcome, 'unknown'), coalesce(check_name, ''), calls, cost_nano, unpriced_calls,
                (SELECT reason FROM calls WHERE calls.rowid = last) FROM (
                    SELECT outcome, check_name, count(*) AS calls, coalesce(sum(cost_nano), 0) AS cost_nano,
                        count(*) - count(cost_nano) AS unpriced_calls, max(rowid) AS last
                    FROM calls WHERE {NOT_ACCEPTED} AND day >= ? AND day <= ? GROUP BY outcome, check_name
                )
            ORDER BY calls DESC, 1, 2
            """,  # noqa: S608 - constants
            (first, span.last.isoformat()),
        ).fetchall()
    return tuple(Ending(*row) for row in rows)
