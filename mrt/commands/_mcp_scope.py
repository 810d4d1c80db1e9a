"""What tools may ask: local models alone, unless the configuration allows paid ones; and which of them is the coder."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import NamedTuple

from mrt.config import AssessorSettings, Config, Tier
from mrt.endpoints import resolve
from mrt.errors import BudgetError, ConfigError, MrtError, StoreError, UsageError

ALLOW = "`mrt config set mcp.allow_paid true` lets tools ask them, within the budget"
NAMES = "list_local_models says which there are; without a name the right tier is chosen"
# Names under which models that were made for code go; an encoder is none.
_CODER = re.compile(r"(?<!en)(?<!de)cod(?:e|er|estral|ing)|devstral|starcoder|swe-", re.IGNORECASE)


class Coder(NamedTuple):
    """The tier to start on, or the one model to ask; `note` says so where it was not made for code."""

    tier: str | None
    model: str | None
    note: str = ""


def allowed(config: Config, environment: Mapping[str, str]) -> Config:
    """The configuration as tools may use it, maybe without any tier. Raises UsageError for a tier that leads nowhere.

    Paid tiers are out; and since a tier's checks, an assessor or a server that passes prompts on can cost money too, no call
    may: it is refused by the same reservation that holds a budget.
    """
    if config.mcp.allow_paid:
        return config
    tiers = tuple(tier for tier in config.tiers if resolve(tier.name, config, environment).local)
    model = config.assessor.model
    rates_free = model is None or resolve(model, config, environment).local
    return replace(
        config,
        tiers=tiers,
        assessor=config.assessor if rates_free else AssessorSettings(),
        budget=replace(config.budget, per_call_usd=Decimal(0), on_store_failure="refuse"),
    )


def need_tiers(config: Config) -> None:
    """Raises ConfigError where none of the tiers may be asked."""
    if not config.tiers:
        raise ConfigError("no tier is local, and tools may ask no paid one", f"add a local tier; or: {ALLOW}")


def refuse_paid(model: str | None, config: Config, environment: Mapping[str, str]) -> None:
    """Raises BudgetError for a model or tier that costs money, where tools may ask none; UsageError for one that is none."""
    if model is None:
        return
    try:
        target = resolve(model, config, environment)
    except UsageError as error:
        raise UsageError(error.message, NAMES) from None
    if not target.local and not config.mcp.allow_paid:
        raise paid_refusal(f"{model} ({target.name})" if model != target.name else model)


def explained(error: MrtError | None, config: Config) -> MrtError | None:
    """The failure; a budget that stands in the way only since tools may spend nothing is called what it is."""
    if config.mcp.allow_paid or not isinstance(error, BudgetError) or isinstance(error, StoreError):
        return error
    return paid_refusal(error.message.partition(":")[0])


def paid_refusal(model: str) -> BudgetError:
    """Why a paid model was not asked."""
    return BudgetError(f"{model} costs money, and tools may ask no paid models", ALLOW)


def coder_of(config: Config, environment: Mapping[str, str]) -> Coder:
    """Who writes code: the configured model, else the first local tier that was made for it, else the strongest local one.

    `config` is the one that tools may use. Raises ConfigError where no model is named and no tier may be asked.
    """
    named = config.mcp.coding_model
    if named is not None:
        is_tier = any(tier.name == named for tier in config.tiers)
        return Coder(named, None) if is_tier else Coder(None, named)
    need_tiers(config)
    local = [tier for tier in config.tiers if resolve(tier.name, config, environment).local] or list(config.tiers)
    found = next((tier for tier in local if writes_code(tier, config, environment)), None)
    if found is not None:
        return Coder(found.name, None)
    strongest = local[-1]
    return Coder(
        strongest.name,
        None,
        f"no local tier has a model made for code: starting on {strongest.name}, the strongest; "
        "`mrt config set mcp.coding_model MODEL` names one",
    )


def writes_code(tier: Tier, config: Config, environment: Mapping[str, str]) -> bool:
    """Whether the tier's model was made for code, by the catalog's name for it or else its own."""
    from mrt.models.catalog import packaged
    from mrt.models.names import find_name

    model = resolve(tier.name, config, environment).model
    known = find_name(model, packaged())
    return bool(_CODER.search(known.model.name if known else model))
