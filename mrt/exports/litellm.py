"""The tiers as the configuration of a LiteLLM proxy: models, fallbacks in the order of the ladder, budgets, prices."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from mrt.config import Config
from mrt.domain import Target
from mrt.endpoints import resolve
from mrt.errors import UsageError
from mrt.exports.litellm_budgets import Caps, Paid, caps, fields
from mrt.exports.litellm_lost import lost_settings
from mrt.exports.litellm_models import ENVIRONMENT, Model, entry, models
from mrt.exports.litellm_notes import notes
from mrt.exports.report import Export, Lost
from mrt.exports.variables import Variables
from mrt.exports.yaml_text import Field, Table, document
from mrt.pricing import Rates
from mrt.pricing.names import candidates

MASTER_KEY = "LITELLM_MASTER_KEY"
# How many groups LiteLLM tries after the first, unless it is told otherwise.
_USUAL_FALLBACKS = 5


def export_litellm(
    config: Config,
    environment: Mapping[str, str],
    rates: Callable[[Target], Rates | None],
    allow_unpriced: bool = False,
) -> Export:
    """The proxy's configuration as YAML. `rates` gives a paid target's prices, None where they are not known.

    Raises UsageError where a tier names a model that leads nowhere.
    """
    if not config.tiers:
        raise UsageError("there are no tiers to export", "add one: mrt config init writes a file with three")
    steps = [(tier, resolve(tier.name, config, environment)) for tier in config.tiers]
    ladder = models(steps, config, rates, allow_unpriced)
    lost: list[Lost] = []
    variables = Variables(config, environment)
    master = variables.add(MASTER_KEY, "a key of your choice, which clients of the proxy send")
    limits = _caps(config, ladder)
    listed = [entry(model, config, limits.tiers.get(model.tier.name), variables, lost) for model in ladder]
    endpoints = {model.target.endpoint for model in ladder}
    priced = {f"{model.target.endpoint}/{name}" for model in ladder for name in candidates(model.target.model)}
    lost = [*lost_settings(config, endpoints, priced), *lost]
    table = (
        Field("model_list", listed),
        Field("router_settings", _router(config, ladder, limits)),
        Field("litellm_settings", (Field("drop_params", True, beside="fields that a model's server does not know"),)),
        Field("general_settings", (Field("master_key", ENVIRONMENT + master),)),
    )
    return Export(
        document(_head(variables, lost), table), tuple(lost), variables.needed, notes(ladder, config.budget, variables)
    )


def _caps(config: Config, ladder: Sequence[Model]) -> Caps:
    paid: list[Paid] = [model.paid for model in ladder if not model.target.local]
    return caps(config, paid, frozenset(model.server.client for model in ladder if model.target.local))


def _router(config: Config, ladder: Sequence[Model], limits: Caps) -> Table:
    ask = config.ask
    table = [
        Field("num_retries", 0, beside="a dead server and a limit that is reached go on at once"),
        *_retries(ask.retries),
        Field("timeout", ask.timeout, beside="seconds for a whole answer"),
        Field("stream_timeout", min(ask.first_token_timeout, ask.timeout), beside=_ABOUT_STREAMS),
        Field("enable_pre_call_checks", True, beside="a prompt that is too long is not sent"),
    ]
    if len(ladder) - 1 > _USUAL_FALLBACKS:
        table.append(Field("max_fallbacks", len(ladder) - 1))
    if fallbacks := _fallbacks(ladder):
        table.append(Field("fallbacks", fallbacks, above=("A failure goes up the ladder; over budget counts as one.",)))
    if longer := _longer(ladder):
        table.append(Field("context_window_fallbacks", longer))
    if limits.clients:
        budgets = tuple(
            Field(client, fields(cap, "budget_limit", "time_period")) for client, cap in limits.clients.items()
        )
        table.append(Field("provider_budget_config", budgets, above=_ABOUT_BUDGETS))
    return tuple(table)


def _retries(times: int) -> Iterator[Field]:
    """An overload is worth another try; LiteLLM would try all else again, too."""
    if times:
        policy = {"RateLimitErrorRetries": times, "ServiceUnavailableErrorRetries": times, "DefaultRetries": 0}
        yield Field("retry_policy", policy)


_ABOUT_STREAMS = "seconds between two pieces of a stream"
_ABOUT_BUDGETS = (
    "Counted in memory, after each answer, over a span that begins with the first call: what is under way is not reserved,",
    "and a restart begins anew. With a database LiteLLM can hold one limit over all models:",
    "litellm_settings: {max_budget: DOLLARS, budget_duration: 1d}.",
)


def _fallbacks(ladder: Sequence[Model]) -> list[Table]:
    found: list[Table] = []
    for place, model in enumerate(ladder):
        later = [one.tier.name for one in ladder[place + 1 :] if one.closed is None]
        if later:
            found.append((Field(model.tier.name, later),))
    return found


def _longer(ladder: Sequence[Model]) -> list[Table]:
    """Where a prompt goes that is too long for a tier: later ones with a longer context, or one that is not known."""
    found: list[Table] = []
    for place, model in enumerate(ladder):
        limit = model.tier.context
        later = [one.tier for one in ladder[place + 1 :] if one.closed is None]
        names = [tier.name for tier in later if limit is None or tier.context is None or tier.context > limit]
        if names:
            found.append((Field(model.tier.name, names),))
    return found


def _head(variables: Variables, lost: Sequence[Lost]) -> tuple[str, ...]:
    checked = " ".join(f'"${{{needed.name}:?}}"' for needed in variables.needed)
    return (
        "LiteLLM proxy configuration, made by `mrt export litellm`: each tier is a group of models of the same name.",
        "Save it as litellm.yaml, set these variables, and start the proxy where nobody else reaches it:",
        *(f"  {needed.name}  {needed.what}" for needed in variables.needed),
        f"  : {checked} && litellm --config litellm.yaml --host 127.0.0.1",
        *(("Not carried over:", *(f"  {setting}: {reason}" for setting, reason in lost)) if lost else ()),
    )
