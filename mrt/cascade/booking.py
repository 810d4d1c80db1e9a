"""Around every attempt: reserve the most it can cost before, settle what it did cost after."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from mrt.budget import Allowance, limits_on, soft_warnings
from mrt.cascade.baseline import baseline_of
from mrt.cascade.job import Job, World
from mrt.cascade.prices import Asked, asked, explained, rates_for
from mrt.domain import Attempt, Cost, Reply, Request, Target
from mrt.errors import (
    AuthError,
    BadRequest,
    ContextOverflow,
    ModelNotFound,
    MrtError,
    Overloaded,
    RateLimited,
    StoreError,
    UnpricedError,
    Unreachable,
)
from mrt.ledger import Booking, Settlement, reserve, settle, taken, timezone_name
from mrt.pricing import Rates, bound_nano, cost_nano, rates_record
from mrt.providers import estimate_prompt

# A request that a server turned down, or that never left, is not billed by any provider on record.
_NOT_BILLED = (AuthError, BadRequest, ContextOverflow, ModelNotFound, Overloaded, RateLimited, Unreachable)


@dataclass(frozen=True)
class Price:
    """What is known of a target's price before it is asked."""

    rates: Rates | None
    bound: int | None
    input_tokens: int
    asked: Asked | None = None


def price_of(request: Request, target: Target, world: World) -> Price:
    """The rates and the upper bound of one request: every token of the limit, and all that is sent by estimate, doubled."""
    tokens = estimate_prompt(request)
    if target.local:
        return Price(None, 0, tokens)
    request_asked = asked(target, world, request)
    rates = rates_for(request_asked, world)
    # Real tokenizers give up to about twice the estimate; a bound has to hold.
    bound = None if rates is None else bound_nano(2 * tokens + 64, request.max_tokens, rates)
    return Price(rates, bound, tokens, request_asked)


def open_booking(job: Job, target: Target, tier: str, price: Price, world: World, number: int) -> str | None:
    """Reserve; raises a BudgetError when a budget stands in the way, before a byte is sent.

    None when the store does not work and the call goes on all the same: a local one always does, a paid one if allowed.
    """
    allowed = target.local or world.config.budget.on_store_failure == "allow"
    if not (allowed or world.store.durable):
        raise StoreError(
            f"{target.name} costs money and the spend store does not work",
            "see what is wrong: mrt spend doctor; or allow it: mrt config set budget.on_store_failure allow",
        )
    allowance = None if target.local else _allowance(job, target, tier, world)
    booking = Booking(
        operation_id=world.operation,
        attempt=number,
        purpose=job.purpose,
        tier=tier,
        endpoint=target.endpoint,
        model=target.model,
        local=target.local,
        bound_nano=price.bound,
        input_tokens_estimate=price.input_tokens,
        session=job.conversation,
        tag=job.tag,
        project=job.project,
        decision=_decision(job),
        timezone=timezone_of(world),
    )
    try:
        reservation = reserve(world.store, booking, allowance)
    except UnpricedError as error:
        raise explained(error, target, world) from None
    except StoreError as error:
        if not allowed:
            raise
        world.warn(f"{error.message}; {target.name} is asked all the same, and its call is not booked")
        return None
    with suppress(StoreError):  # a warning less
        _warn_softly(allowance, world)
    return reservation


def _warn_softly(allowance: Allowance | None, world: World) -> None:
    """Say so while a budget is nearly used up, not only once it is."""
    limits_held = allowance.limits if allowance else ()
    sums = [(limit, taken(world.store, limit)) for limit in limits_held if limit.scope != "per_call"]
    uses = [(limit, total.settled_nano + total.reserved_nano) for limit, total in sums]
    for warning in soft_warnings(uses, world.config.budget.soft_pct):
        world.warn(warning)


def _decision(job: Job) -> Mapping[str, Any]:
    return {"complexity": job.decision.complexity, "order": list(job.decision.order), "reason": job.decision.reason}


def _allowance(job: Job, target: Target, tier: str, world: World) -> Allowance:
    from datetime import UTC, datetime

    config = world.config
    call = {"tier": tier, "model": target.name, "tag": job.tag, "project": job.project, "session": job.conversation}
    now = datetime.fromtimestamp(world.wire.now(), UTC)
    held = limits_on(call, config.budget, config.limits, timezone_of(world), now)
    return Allowance(held, job.wish.allow_unpriced)


def timezone_of(world: World) -> str:
    """The IANA zone in which budgets count days."""
    return timezone_name(world.config.budget.timezone, world.environment)


def cost_of(target: Target, price: Price, reply: Reply | None, error: MrtError | None, world: World) -> Cost:
    """What an attempt cost, and how that is known."""
    if target.local:
        return Cost("free", 0)
    if reply is None:
        if isinstance(error, _NOT_BILLED):
            return Cost("priced", 0)
        return Cost("unknown") if price.bound is None else Cost("estimated", price.bound)
    if reply.reported_nano:
        return Cost("reported", reply.reported_nano)
    if reply.usage.source != "reported" and not (reply.text or reply.reasoning or reply.tool_calls):
        # Nothing came and nothing was counted: the bound is all that is known.
        return Cost("unknown") if price.bound is None else Cost("estimated", price.bound)
    rates = _served_rates(reply, price, world)
    nano = None if rates is None else cost_nano(reply.usage, rates)
    if nano is None:
        # Gateways report 0 for what they cannot price, so a zero counts only where nothing else is known of the price.
        return Cost("unknown") if reply.reported_nano is None or rates is not None else Cost("reported", 0)
    return Cost("priced" if reply.usage.source == "reported" else "estimated", nano)


def _served_rates(reply: Reply | None, price: Price, world: World) -> Rates | None:
    """A fallback's answer is priced by the model that served it; a served name without a price of its own is an alias."""
    served = reply.served_model if reply else None
    if served is None or price.asked is None or served == price.asked.target.model:
        return price.rates
    return rates_for(price.asked, world, served) or price.rates


def close_booking(world: World, reservation: str | None, attempt: Attempt, reply: Reply | None, price: Price) -> None:
    """Settle; the row then says everything that is known of the attempt.

    A store that stopped working meanwhile does not take the answer away: the reservation stays, and the next run closes it at
    its upper bound.
    """
    if reservation is None:
        return
    rates = _served_rates(reply, price, world)
    settlement = Settlement(
        outcome=attempt.outcome,
        check=attempt.check,
        reason=attempt.reason,
        served_model=reply.served_model if reply else None,
        usage=attempt.usage,
        cost=attempt.cost,
        timing=attempt.timing,
        finish_reason=reply.finish_reason if reply else None,
        rates=None if rates is None else rates_record(rates, attempt.usage.input_tokens or 0),
        price_reference=None if rates is None else f"{rates.source}: {rates.matched_id}",
        partial=reply is not None and (attempt.outcome == "interrupted" or not reply.complete),
        baseline=baseline_of(attempt, world),
    )
    try:
        settle(world.store, reservation, settlement)
    except (StoreError, ValueError) as error:  # ValueError: someone took the row away meanwhile
        world.warn(f"this call is not settled in the spend store: {error}")
