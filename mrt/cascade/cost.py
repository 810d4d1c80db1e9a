"""What an attempt can cost at most, and what it did cost: by the model that served it, in the way it was served."""

from __future__ import annotations

import json
from collections.abc import Mapping

from mrt.cascade.job import World
from mrt.cascade.prices import Asked, as_served, asked, rates_for
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
    Unreachable,
)
from mrt.frozen import frozen
from mrt.pricing import Rates, bound_nano, cost_nano, is_consistent, rates_record
from mrt.providers import estimate_prompt, most_prompt_tokens

# A request that a server turned down, or that never left, is not billed by any provider on record.
_NOT_BILLED = (AuthError, BadRequest, ConfigError, ContextOverflow, ModelNotFound, Overloaded, RateLimited, Unreachable)


@frozen
class Price:
    """What is known of a target's price before it is asked."""

    rates: Rates | None
    bound: int | None
    input_tokens: int
    asked: Asked | None = None


def price_of(request: Request, target: Target, world: World) -> Price:
    """The rates and the upper bound of one request: every token of the limit, and as many in as there can be."""
    tokens = estimate_prompt(request)
    if target.local:
        return Price(None, 0, tokens)
    request_asked = asked(target, world, request)
    rates = rates_for(request_asked, world.config, world.environment)
    bound = None if rates is None else bound_nano(most_prompt_tokens(request), request.max_tokens, rates)
    return Price(rates, bound, tokens, request_asked)


def cost_of(target: Target, price: Price, reply: Reply | None, error: MrtError | None, world: World) -> Cost:
    """What an attempt cost, and how that is known."""
    if target.local:
        return Cost("unknown") if reply and reply.remote else Cost("free", 0)
    if reply is None:
        return Cost("priced", 0) if isinstance(error, _NOT_BILLED) else _at_most(price)
    if reply.reported_nano:
        return Cost("reported", reply.reported_nano)
    if reply.usage.source != "reported" and not (reply.text or reply.reasoning or reply.tool_calls):
        return _at_most(price)  # nothing came and nothing was counted
    rates = served_rates(reply, price, world)
    nano = None if rates is None else cost_nano(reply.usage, rates)
    if nano is None:
        # Gateways report 0 for what they cannot price, so a zero counts only where nothing else is known of the price.
        silent = reply.reported_nano is None or price.rates is not None
        return Cost("unknown") if silent else Cost("reported", 0)
    certain = reply.usage.source == "reported" and is_consistent(reply.usage)
    return Cost("priced" if certain else "estimated", nano)


def _at_most(price: Price) -> Cost:
    """The bound, where it is all that is known."""
    return Cost("unknown") if price.bound is None else Cost("estimated", price.bound)


def may_cost(target: Target, failure: MrtError) -> bool:
    """Whether a request that ended so may be billed."""
    return not (target.local or isinstance(failure, _NOT_BILLED))


def served_rates(reply: Reply | None, price: Price, world: World) -> Rates | None:
    """A fallback's answer is priced by the model that served it; where that has no price, the cost is not known."""
    request = _as_served(reply, price)
    if reply is None or request is None or (request == price.asked and reply.served_model is None):
        return price.rates
    return rates_for(request, world.config, world.environment, reply.served_model)


def _as_served(reply: Reply | None, price: Price) -> Asked | None:
    return as_served(price.asked, reply.service_tier) if reply and price.asked else price.asked


def rates_kept(
    rates: Rates | None, reply: Reply | None, price: Price, input_tokens: int | None
) -> Mapping[str, str] | None:
    """The rates, and how the request was served: by both it can be priced once more."""
    applied = {} if rates is None else rates_record(rates, input_tokens or 0)
    request = _as_served(reply, price)
    way = request.record() if request else {}
    return {**applied, **way} or None


def why_unpriced(attempt: Attempt, reply: Reply | None) -> str:
    """What to tell the user when an answer came at an unknown price although the model that was asked has one."""
    endpoint, _, model = attempt.model.partition("/")
    served = reply.served_model if reply else None
    if served in (None, model):
        way = (reply.service_tier if reply else None) or "it was"
        return f"{attempt.model} has no known price when served as {way}: what this answer cost is not known"
    name = json.dumps(f"{endpoint}/{served}", ensure_ascii=False)
    return f"{attempt.model} was answered by {served}, so its cost is not known; state that model's price as [prices.{name}]"
