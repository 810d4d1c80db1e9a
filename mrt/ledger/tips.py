"""Tips that cut cost, each following from the numbers of the period."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mrt.domain import usd
from mrt.ledger.queries import Group, Totals

# Below so many calls a share says nothing.
_ENOUGH = 20
_LOST_PERCENT = 10
_ANSWERED_PERCENT = 60
_INPUT_TO_OUTPUT = 20
# What mrt asks for itself is booked under these names, which are no tiers.
_OWN = frozenset({"assessor", "planner", "bench"})


def tips(total: Totals, tiers: Sequence[Group], models: Sequence[Group]) -> tuple[str, ...]:
    """What to do about what costs most, from the sums in all, by tier and by model; nothing where nothing stands out."""
    return (*_unpriced(models), *_lost(total), *_escalating(tiers), *_all_paid(total), *_uncached(models))


def _unpriced(models: Sequence[Group]) -> Iterator[str]:
    for group in models:
        count = group.totals.unpriced_calls
        if count:
            yield (
                f"{_count(count, 'call')} to {group.keys[0]} could not be priced: "
                f"`mrt spend prices {group.keys[0]}` shows what is known"
            )


def _lost(total: Totals) -> Iterator[str]:
    if total.lost_nano * 100 >= total.cost_nano * _LOST_PERCENT and total.lost_nano:
        yield (
            f"${usd(total.lost_nano)} of ${usd(total.cost_nano)} went to attempts whose answer was not used: "
            "`mrt spend log` shows why"
        )


def _escalating(tiers: Sequence[Group]) -> Iterator[str]:
    for group in tiers:
        totals = group.totals
        local = totals.state == "free" and totals.local_answers == totals.answers and group.keys[0] not in _OWN
        if local and totals.calls >= _ENOUGH and totals.answers * 100 < totals.calls * _ANSWERED_PERCENT:
            yield (
                f"{group.keys[0]} answered {totals.answers} of {totals.calls} prompts: "
                f"a lower tiers.{group.keys[0]}.max_complexity sends the hard ones straight up"
            )


def _all_paid(total: Totals) -> Iterator[str]:
    if total.answers >= _ENOUGH and total.local_answers == 0 and total.state != "free":
        yield f"none of {total.answers} answers came from a local model: a local first tier costs nothing"


def _uncached(models: Sequence[Group]) -> Iterator[str]:
    for group in models:
        totals = group.totals
        wordy = totals.input_tokens > _INPUT_TO_OUTPUT * totals.output_tokens
        if wordy and totals.state != "free" and totals.calls >= _ENOUGH and not totals.cached_tokens:
            yield (
                f"{group.keys[0]} read {totals.input_tokens:,} tokens to write {totals.output_tokens:,}, none of them cached: "
                "send less context, or keep its long part first and unchanged"
            )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
