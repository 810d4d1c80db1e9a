"""Budgets as LiteLLM can hold them without a database: per client and per model, over a span that begins with the first call.

LiteLLM has no limit over several clients without a database, and each client and each model can have one limit alone. So a
limit over several of them is cut into equal shares, which together never allow more than the limit. The daily one goes to the
client where all of its models are paid, since it would close the free ones too; the monthly one goes to the model. A model
that needs both by itself gets a daily one, small enough for the month.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from mrt.budget import Limit, limits_on
from mrt.config import Config
from mrt.domain import NANO_PER_USD
from mrt.exports.yaml_text import Field
from mrt.frozen import frozen

DAY, MONTH = "1d", "1mo"
LONGEST_MONTH = 31
PERIODS = ("daily", "monthly")
# A limit of 0 means none to LiteLLM; one below it is reached before the first call.
_CLOSED = -1
# The limits are asked for by name and amount alone; when their days begin does not matter here.
_ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)


@frozen
class Paid:
    """A model that costs: its tier, its client, its name as limits know it, and why it must not be asked, if so."""

    tier: str
    client: str
    model: str
    closed: str | None = None


@frozen
class Cap:
    """At most so many nano-dollars in a span; `why` names the limits it comes from."""

    nano: int
    span: str
    why: str


@frozen
class Caps:
    """Limits by tier and by client."""

    tiers: Mapping[str, Cap]
    clients: Mapping[str, Cap]


def standing(config: Config, paid: Sequence[Paid]) -> dict[Limit, tuple[Paid, ...]]:
    """Daily and monthly limits, each with the paid models that it holds for; those on tags, projects and sessions on none."""
    members: dict[Limit, list[Paid]] = {}
    for model in paid:
        call = {"tier": model.tier, "model": model.model}
        for limit in limits_on(call, config.budget, config.limits, "UTC", _ANY_TIME):
            if limit.scope in PERIODS:
                members.setdefault(limit, []).append(model)
    return {limit: tuple(models) for limit, models in members.items()}


def caps(config: Config, paid: Sequence[Paid], free_clients: frozenset[str]) -> Caps:
    """What every tier and every client may spend. Closed models take no share."""
    limits = standing(config, [model for model in paid if model.closed is None])
    pools = _pools(limits, free_clients)
    tiers: dict[str, Cap] = {}
    for model in paid:
        cap = Cap(_CLOSED, DAY, model.closed) if model.closed else _own(limits, model, model.client in pools)
        if cap is not None:
            tiers[model.tier] = cap
    return Caps(tiers, pools)


def _pools(limits: Mapping[Limit, tuple[Paid, ...]], free_clients: frozenset[str]) -> dict[str, Cap]:
    """The daily limits of clients whose models are all paid, and all under the same daily limits."""
    daily = {limit: models for limit, models in limits.items() if limit.scope == "daily"}
    every = {model for models in limits.values() for model in models}
    pools = {}
    for client in dict.fromkeys(model.client for models in daily.values() for model in models):
        own = {model for model in every if model.client == client}
        shared = all(own <= set(models) or not own & set(models) for models in daily.values())
        if client not in free_clients and shared:
            pools[client] = min(
                (_share(limit, models, len(own), DAY) for limit, models in daily.items() if own <= set(models)),
                key=lambda cap: cap.nano,
            )
    return pools


def _own(limits: Mapping[Limit, tuple[Paid, ...]], model: Paid, pooled: bool) -> Cap | None:
    """The limit of one model; its day is not in it where its client has that."""
    of = {
        period: [(limit, models) for limit, models in limits.items() if model in models and limit.scope == period]
        for period in PERIODS
    }
    day = [] if pooled else [_share(limit, models, 1, DAY) for limit, models in of["daily"]]
    month = [_share(limit, models, 1, MONTH) for limit, models in of["monthly"]]
    if day and month:
        month = [Cap(cap.nano // LONGEST_MONTH, DAY, f"a 31st of {cap.why}") for cap in month]
    return min([*day, *month], key=lambda cap: cap.nano, default=None)


def _share(limit: Limit, models: Sequence[Paid], of_them: int, span: str) -> Cap:
    part = f"{of_them} of {len(models)} equal shares of " if of_them < len(models) else ""
    nano = limit.limit_nano * of_them // len(models)
    return Cap(nano or _CLOSED, span, f"{part}{limit.setting} = {dollars(limit.limit_nano)}")


def fields(cap: Cap, amount: str, span: str) -> tuple[Field, Field]:
    """The limit under the names that its place gives to amount and span."""
    value: Decimal | int = cap.nano if cap.nano == _CLOSED else dollars(cap.nano)
    beside = f"no call: {cap.why}" if cap.nano == _CLOSED else cap.why
    return Field(amount, value, beside=beside), Field(span, cap.span)


def dollars(nano: int) -> Decimal:
    """Nano-dollars as dollars, exactly, without needless zeros."""
    return Decimal(nano) / NANO_PER_USD
