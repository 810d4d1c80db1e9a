"""What to know before a proxy runs on an exported configuration."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mrt.config import Budget
from mrt.exports.litellm_models import Model
from mrt.exports.litellm_prices import unnamed
from mrt.exports.variables import Variables


def notes(ladder: Sequence[Model], budget: Budget, variables: Variables) -> tuple[str, ...]:
    """One line each."""
    by_endpoint = {model.target.endpoint: model for model in ladder}
    return (
        *(f"set {needed.name} where the proxy runs: {needed.what}" for needed in variables.needed),
        *(line for model in by_endpoint.values() for line in _lent(model, variables)),
        *(line for model in ladder if not model.target.local for line in _priced(model)),
        *(_apart(budget) if any(not model.target.local for model in ladder) else ()),
    )


def _lent(model: Model, variables: Variables) -> Iterator[str]:
    key, lends = variables.key(model.target), model.server.lends
    if key and lends and key != lends:
        yield f"without {key} LiteLLM sends {lends} to {model.target.endpoint}, where that is set"


def _priced(model: Model) -> Iterator[str]:
    name = model.target.name
    if model.closed:
        yield f"{model.tier.name} is closed in the proxy: no price is known for {name} (--allow-unpriced opens it)"
    elif model.rates is None:
        yield f"no price is known for {name}: LiteLLM counts its own, or $0, which no limit can see"
    elif unnamed(model.rates):
        yield f"{name} costs more from some length on, where LiteLLM has no name for it: it counts the dearest rate always"


def _apart(budget: Budget) -> Iterator[str]:
    amounts = {"daily": budget.daily_usd, "monthly": budget.monthly_usd}
    stated = " and ".join(
        f"${amount.normalize():f} {period}" for period, amount in amounts.items() if amount is not None
    )
    if stated:
        yield f"the budget of {stated} holds in the proxy alone and by its own count: what mrt spends is not in it"
