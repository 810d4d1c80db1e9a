"""What one request would cost and which budget stands in its way, by the same prices and sums as when it is sent."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from mrt.budget import Limit, limits_on
from mrt.cascade.prices import asked_at, rates_for
from mrt.domain import Cost, Request, Target, Usage, usd
from mrt.pricing import Rates, bound_nano, cost_nano
from mrt.providers import most_prompt_tokens
from mrt.router.facts import Money

if TYPE_CHECKING:
    from mrt.cascade.facts import Circumstances
    from mrt.ledger import Store


class Bill(NamedTuple):
    """A request at one tier, its input tokens by estimate, and how many its answer is taken to have."""

    tier: str
    target: Target
    request: Request
    input_tokens: int
    expected_tokens: int


def money_of(bill: Bill, around: Circumstances) -> Money:
    """Price and budget of a request to a paid tier."""
    rates = rates_for(asked_at(bill.target, around.now, bill.request), around.config, around.environment)
    expected, bound = _costs(bill, rates)
    limits = _limits(bill, around)
    if bound is None:
        refusal = "the price is not known, so no budget can be held" if limits and not around.allow_unpriced else ""
        return Money(Cost("unknown"), Cost("unknown"), bill.expected_tokens, None, refusal)
    left, refusal = _room(limits, bound, around)
    return Money(Cost("estimated", expected), Cost("estimated", bound), bill.expected_tokens, left, refusal)


def _costs(bill: Bill, rates: Rates | None) -> tuple[int | None, int | None]:
    if rates is None:
        return None, None
    usage = Usage(bill.input_tokens, bill.expected_tokens, source="estimated")
    return cost_nano(usage, rates), bound_nano(most_prompt_tokens(bill.request), bill.request.max_tokens, rates)


def _limits(bill: Bill, around: Circumstances) -> tuple[Limit, ...]:
    from mrt.ledger import timezone_name, zone_of_store

    config = around.config
    call = {
        "tier": bill.tier,
        "model": bill.target.name,
        "tag": around.tag,
        "project": around.project,
        "session": around.session,
    }
    store, _ = around.store()
    zone = (
        timezone_name(config.budget.timezone, around.environment)
        if store is None
        else zone_of_store(store, config.budget.timezone, around.environment)
    )
    return limits_on(call, config.budget, config.limits, zone, datetime.fromtimestamp(around.now, UTC))


def _room(limits: tuple[Limit, ...], bound: int, around: Circumstances) -> tuple[int | None, str]:
    """What the tightest limit has left in nano-dollars, and what the first one in the way says."""
    store, trouble = around.store()
    if trouble and around.config.budget.on_store_failure == "refuse":
        return None, f"the spend store does not work: {trouble}"
    left: list[int] = []
    refusal = ""
    for limit in limits:
        room = limit.limit_nano - _taken(store, limit)
        left.append(room)
        if bound > room and not refusal:
            refusal = f"{limit.title} has ${usd(max(room, 0))} left, this may cost ${usd(bound)}"
    return min(left, default=None), refusal


def _taken(store: Store | None, limit: Limit) -> int:
    if store is None or limit.scope == "per_call":
        return 0
    from mrt.ledger import taken

    sums = taken(store, limit)
    return sums.settled_nano + sums.reserved_nano
