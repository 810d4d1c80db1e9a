"""Around every attempt: reserve the most it can cost before, settle what it did cost after."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mrt.budget import Allowance, limits, soft_warnings, zone
from mrt.cascade.job import Job, World
from mrt.domain import Attempt, Cost, Reply, Request, Target
from mrt.errors import (
    AuthError,
    BadRequest,
    ConfigError,
    ContextOverflow,
    ModelNotFound,
    MrtError,
    Overloaded,
    RateLimited,
    StoreError,
    UnpricedError,
    Unreachable,
)
from mrt.ledger import Booking, Settlement, load_snapshot, reserve, settle, used
from mrt.pricing import Rates, bound_nano, cost_nano, find_rates, near_names, rates_record
from mrt.providers import estimate_tokens

# A request that a server turned down, or that never left, is not billed by any provider on record.
_NOT_BILLED = (AuthError, BadRequest, ContextOverflow, ModelNotFound, Overloaded, RateLimited, Unreachable)


@dataclass(frozen=True)
class Price:
    """What is known of a target's price before it is asked."""

    rates: Rates | None
    bound: int | None
    input_tokens: int


def price_of(request: Request, target: Target, world: World) -> Price:
    """The rates and the upper bound of one request: every token of the limit, and the prompt by estimate, doubled."""
    tokens = sum(estimate_tokens(message.content) for message in request.messages)
    if target.local:
        return Price(None, 0, tokens)
    rates = rates_of(target.endpoint, target.model, world)
    # Real tokenizers give up to about twice the estimate; a bound has to hold.
    return Price(rates, None if rates is None else bound_nano(2 * tokens + 64, request.max_tokens, rates), tokens)


def rates_of(endpoint: str, model: str, world: World) -> Rates | None:
    """User prices first, then the snapshot."""
    return find_rates(endpoint, model, world.config.prices, load_snapshot())


def open_booking(job: Job, target: Target, tier: str, price: Price, world: World, number: int) -> str | None:
    """Reserve; raises a BudgetError when a budget stands in the way, before a byte is sent.

    None when the store does not work and the call goes on all the same: a local one always does, a paid one if allowed.
    """
    allowed = target.local or world.config.budget.on_store_failure == "allow"
    if not (allowed or world.store.durable):
        raise StoreError(
            f"{target.name} costs money and the spend store does not work",
            "repair the store, or allow it: mrt config set budget.on_store_failure allow",
        )
    allowance = None if target.local else _allowance(job, world)
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
        decision=_decision(job),
        timezone=timezone_of(world),
    )
    try:
        reservation = reserve(world.store, booking, allowance)
    except UnpricedError as error:
        near = near_names(target.endpoint, target.model, world.config.prices, load_snapshot())
        raise UnpricedError(error.message + (f"; near it: {', '.join(near)}" if near else ""), error.hint) from None
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
    sums = [(limit, used(world.store, limit.start_us, limit.end_us)) for limit in limits_held]
    uses = [(limit, total.settled_nano + total.reserved_nano) for limit, total in sums]
    for warning in soft_warnings(uses, world.config.budget.soft_pct):
        world.warn(warning)


def _decision(job: Job) -> Mapping[str, Any]:
    return {"complexity": job.decision.complexity, "order": list(job.decision.order), "reason": job.decision.reason}


def _allowance(job: Job, world: World) -> Allowance:
    from datetime import UTC, datetime

    budget = world.config.budget
    now = datetime.fromtimestamp(world.wire.now(), UTC)
    return Allowance(limits(budget.daily_usd, budget.monthly_usd, timezone_of(world), now), job.wish.allow_unpriced)


def timezone_of(world: World) -> str:
    """The IANA zone in which budgets count days: as configured, else TZ, else where /etc/localtime points, else UTC."""
    configured = world.config.budget.timezone
    if configured:
        return configured
    named = world.environment.get("TZ", "").removeprefix(":").rpartition("zoneinfo/")[2]
    place = str(Path("/etc/localtime").resolve()).partition("/zoneinfo/")[2]
    return next((name for name in (named, place) if name and _is_zone(name)), "UTC")


def _is_zone(name: str) -> bool:
    try:
        zone(name)
    except ConfigError:
        return False
    return True


def cost_of(target: Target, price: Price, reply: Reply | None, error: MrtError | None, world: World) -> Cost:
    """What an attempt cost, and how that is known."""
    if target.local:
        return Cost("free", 0)
    if reply is None:
        if isinstance(error, _NOT_BILLED):
            return Cost("priced", 0)
        return Cost("unknown") if price.bound is None else Cost("estimated", price.bound)
    if reply.reported_nano is not None:
        return Cost("reported", reply.reported_nano)
    if reply.usage.source != "reported" and not (reply.text or reply.reasoning or reply.tool_calls):
        # Nothing came and nothing was counted: the bound is all that is known.
        return Cost("unknown") if price.bound is None else Cost("estimated", price.bound)
    rates = _served_rates(target, reply, price, world)
    nano = None if rates is None else cost_nano(reply.usage, rates)
    if nano is None:
        return Cost("unknown")
    return Cost("priced" if reply.usage.source == "reported" else "estimated", nano)


def _served_rates(target: Target, reply: Reply, price: Price, world: World) -> Rates | None:
    """A fallback's answer is priced by the model that served it; a served name without a price of its own is an alias."""
    if reply.served_model and reply.served_model != target.model:
        return rates_of(target.endpoint, reply.served_model, world) or price.rates
    return price.rates


def close_booking(world: World, reservation: str | None, attempt: Attempt, reply: Reply | None, price: Price) -> None:
    """Settle; the row then says everything that is known of the attempt.

    A store that stopped working meanwhile does not take the answer away: the reservation stays, and the next run closes it at
    its upper bound.
    """
    if reservation is None:
        return
    rates = price.rates
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
    )
    try:
        settle(world.store, reservation, settlement)
    except StoreError as error:
        world.warn(f"this call is not settled in the spend store: {error.message}")
