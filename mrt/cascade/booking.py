"""Around every attempt: reserve the most it can cost before, settle what it did cost after."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from mrt.budget import Allowance, limits_on, soft_warnings
from mrt.cascade.baseline import baseline_of
from mrt.cascade.cost import Price, cost_of, rates_kept, served_rates, why_unpriced
from mrt.cascade.job import Job, World
from mrt.cascade.prices import explained
from mrt.domain import Attempt, Reply, Target
from mrt.errors import BudgetError, MrtError, StoreError, UnpricedError
from mrt.frozen import frozen
from mrt.ledger import Booking, Settlement, note_refusal, reserve, settle, taken, zone_of_store


@frozen
class Plan:
    """One request that is to be booked: for which job, to whom, as which tier's which attempt, at what price."""

    job: Job
    target: Target
    tier: str
    number: int
    price: Price


def open_booking(plan: Plan, world: World) -> str | None:
    """Reserve; raises a BudgetError when a budget stands in the way, before a byte is sent.

    None when the store does not work and the call goes on all the same: a local one always does, a paid one if allowed.
    """
    job, target, price = plan.job, plan.target, plan.price
    allowed = target.local or world.config.budget.on_store_failure == "allow"
    if not (allowed or world.store.durable):
        raise StoreError(
            f"{target.name} costs money and the spend store does not work",
            "see what is wrong: mrt spend doctor; or allow it: mrt config set budget.on_store_failure allow",
        )
    allowance = None if target.local else _allowance(plan, world)
    booking = Booking(
        operation_id=world.operation,
        attempt=plan.number,
        purpose=job.purpose,
        tier=plan.tier,
        endpoint=target.endpoint,
        model=target.model,
        local=target.local,
        bound_nano=price.bound,
        input_tokens_estimate=price.input_tokens,
        session=job.conversation,
        tag=job.tag,
        project=job.project,
        decision=_decision(plan),
        timezone=timezone_of(world),
    )
    try:
        reservation = reserve(world.store, booking, allowance)
    except StoreError as error:
        if not allowed:
            raise
        world.warn(f"{error.message}; {target.name} is asked all the same, and its call is not booked")
        return None
    except BudgetError as error:
        with suppress(StoreError):  # the refusal holds, whoever hears of it
            note_refusal(world.store, booking, error.code, error.message)
        raise (explained(error, target, world) if isinstance(error, UnpricedError) else error) from None
    with suppress(StoreError):  # a warning less
        _warn_softly(allowance, world)
    return reservation


def _warn_softly(allowance: Allowance | None, world: World) -> None:
    """Say so while a budget is nearly used up, not only once it is; once for all attempts of an operation."""
    limits_held = allowance.limits if allowance else ()
    sums = [(limit, taken(world.store, limit)) for limit in limits_held if limit.scope != "per_call"]
    uses = [(limit, total.settled_nano, total.reserved_nano) for limit, total in sums]
    warnings = soft_warnings(uses, world.config.budget.soft_pct)
    for limit in [limit for limit in warnings if limit not in world.warned]:
        world.warned.add(limit)
        world.warn(warnings[limit])


def _decision(plan: Plan) -> Mapping[str, Any] | None:
    decision = plan.job.decision
    if decision is None:
        return None
    kept = {
        "complexity": decision.complexity,
        "score": round(decision.assessed.score, 4),
        "order": list(decision.order),
        "reason": decision.reason,
    }
    # Nothing is learned from an answer that nobody looked at.
    return kept if _is_checked(plan) else {**kept, "checked": False}


def _is_checked(plan: Plan) -> bool:
    """Whether anything but being whole is asked of the answer."""
    wish = plan.job.wish
    tiers = (step.tier for step in (*plan.job.steps, *plan.job.below))
    checks = next((tier.checks for tier in tiers if tier.name == plan.tier), None)
    return checks != () or bool(wish.verify or wish.tests or wish.agree or wish.schema)


def _allowance(plan: Plan, world: World) -> Allowance:
    from datetime import UTC, datetime

    config, job = world.config, plan.job
    call = {
        "tier": plan.tier,
        "model": plan.target.name,
        "tag": job.tag,
        "project": job.project,
        "session": job.conversation,
    }
    now = datetime.fromtimestamp(world.wire.now(), UTC)
    held = limits_on(call, config.budget, config.limits, timezone_of(world), now)
    return Allowance(held, job.wish.allow_unpriced)


def timezone_of(world: World) -> str:
    """The IANA zone in which budgets count days."""
    return zone_of_store(world.store, world.config.budget.timezone, world.environment)


def book_repeat(plan: Plan, failure: MrtError, world: World) -> Attempt | None:
    """Book a request that a server failed as a call of its own, at its bound, before the same goes out once more.

    None when a budget does not allow both: then it must not go out.
    """
    plan = replace(plan, job=replace(plan.job, purpose="retry"))
    try:
        reservation = open_booking(plan, world)
    except BudgetError:
        return None
    attempt = Attempt(
        plan.tier,
        plan.target.name,
        "failed",
        failure.code,
        failure.message,
        cost=cost_of(plan.target, plan.price, None, failure, world),
    )
    close_booking(world, reservation, attempt, None, plan.price)
    return attempt


def close_booking(world: World, reservation: str | None, attempt: Attempt, reply: Reply | None, price: Price) -> None:
    """Settle; the row then says everything that is known of the attempt.

    A store that stopped working meanwhile does not take the answer away: the reservation stays, and the next run closes it at
    its upper bound.
    """
    if reservation is None:
        return
    rates = served_rates(reply, price, world)
    if rates is None and price.rates is not None and attempt.cost.state == "unknown":
        world.warn(why_unpriced(attempt, reply))
    settlement = Settlement(
        outcome=attempt.outcome,
        check=attempt.check,
        reason=attempt.reason,
        served_model=reply.served_model if reply else None,
        usage=attempt.usage,
        cost=attempt.cost,
        timing=attempt.timing,
        finish_reason=reply.finish_reason if reply else None,
        rates=rates_kept(rates, reply, price, attempt.usage.input_tokens),
        price_reference=None if rates is None else f"{rates.source}: {rates.matched_id}",
        partial=reply is not None and (attempt.outcome == "interrupted" or not reply.complete),
        baseline=baseline_of(attempt, world),
    )
    try:
        settle(world.store, reservation, settlement)
    except (StoreError, ValueError) as error:  # ValueError: someone took the row away meanwhile
        world.warn(f"this call is not settled in the spend store: {error}")
