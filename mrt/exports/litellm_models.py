"""The tiers as LiteLLM's model list: one group of one model for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mrt.budget import limits_on
from mrt.config import Config, Tier
from mrt.domain import OLLAMA_CONTEXT, Target
from mrt.endpoints.kinds import PLACEHOLDER_KEY
from mrt.exports.litellm_budgets import Cap, Paid, fields
from mrt.exports.litellm_options import options
from mrt.exports.litellm_prices import FREE, prices
from mrt.exports.litellm_servers import Server, server_of
from mrt.exports.report import Lost
from mrt.exports.variables import Variables
from mrt.exports.yaml_text import Field, Table
from mrt.frozen import frozen
from mrt.pricing import Rates

ENVIRONMENT = "os.environ/"
UNPRICED = "no price is known, so no limit could hold: state it in [prices]"


@frozen
class Model:
    """A tier as LiteLLM is to ask it; `rates` None means that its price is not known."""

    tier: Tier
    target: Target
    server: Server
    rates: Rates | None
    closed: str | None = None

    @property
    def paid(self) -> Paid:
        """It as budgets see it."""
        return Paid(self.tier.name, self.server.client, self.target.name, self.closed)


def models(
    steps: Sequence[tuple[Tier, Target]],
    config: Config,
    rates: Callable[[Target], Rates | None],
    allow_unpriced: bool,
) -> tuple[Model, ...]:
    """The tiers with their targets. One of unknown price is closed where a limit holds, unless it is allowed."""
    found = []
    for tier, target in steps:
        server = server_of(target, target.endpoint in config.endpoints)
        price = None if target.local else rates(target)
        unknown = price is None and not target.local and not allow_unpriced and _is_limited(tier, target, config)
        found.append(Model(tier, target, server, price, UNPRICED if unknown else None))
    return tuple(found)


def _is_limited(tier: Tier, target: Target, config: Config) -> bool:
    from datetime import UTC, datetime

    call = {"tier": tier.name, "model": target.name}
    now = datetime.now(UTC)
    return config.budget.per_session_usd is not None or bool(limits_on(call, config.budget, config.limits, "UTC", now))


def entry(model: Model, config: Config, cap: Cap | None, variables: Variables, lost: list[Lost]) -> Table:
    """One item of the model list."""
    parameters = {
        "model": f"{model.server.client}/{model.target.model}",
        **_address(model, variables),
        **_asked(model, config),
        **options(model.tier.name, model.tier.options, model.server.client, lost),
    }
    lines = [Field(name, value) for name, value in parameters.items()]
    lines += _cost(model)
    if cap is not None:
        lines += fields(cap, "max_budget", "budget_duration")
    info = _info(model)
    return (
        Field("model_name", model.tier.name, above=(_title(model),)),
        Field("litellm_params", tuple(lines)),
        *((Field("model_info", info),) if info else ()),
    )


def _title(model: Model) -> str:
    return f"{model.target.name}, {'free of charge' if model.target.local else 'paid'}"


def _address(model: Model, variables: Variables) -> Mapping[str, str]:
    found = {}
    if model.server.base is not None:
        variable = variables.address(model.target, model.server.base)
        found["api_base"] = ENVIRONMENT + variable if variable else model.server.base
    key = variables.key(model.target)
    # Without any, clients send one of the environment that is meant for another server.
    found["api_key"] = ENVIRONMENT + key if key else PLACEHOLDER_KEY
    return found


def _asked(model: Model, config: Config) -> Mapping[str, Any]:
    """What `mrt ask` sends with each request of the tier."""
    tier = model.tier
    found: dict[str, Any] = {"max_tokens": tier.max_tokens or config.ask.max_tokens}
    if tier.temperature is not None:
        found["temperature"] = min(tier.temperature, 1.0) if model.server.client == "anthropic" else tier.temperature
    if tier.timeout is not None:
        found["timeout"] = tier.timeout
        # Streams have a limit of their own, and that of the proxy may be longer.
        found["stream_timeout"] = min(tier.timeout, config.ask.first_token_timeout)
    if model.server.client == "ollama_chat":
        found["num_ctx"] = tier.context or OLLAMA_CONTEXT
    return found


def _cost(model: Model) -> tuple[Field, ...]:
    if model.target.local:
        return FREE
    return () if model.rates is None else prices(model.rates)


def _info(model: Model) -> Table:
    """The context length: LiteLLM counts a prompt before it is sent, and goes to a fallback where it is too long."""
    context = model.tier.context or (OLLAMA_CONTEXT if model.server.client == "ollama_chat" else None)
    return (Field("max_input_tokens", context),) if context else ()
