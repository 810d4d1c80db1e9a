"""From a model's name to everything that is known of its price."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from mrt.cascade.prices import price_tables
from mrt.commands._settings import configured
from mrt.config import Config, data_directory
from mrt.domain import Target
from mrt.endpoints import resolve
from mrt.errors import UnpricedError, UsageError
from mrt.ledger import load_snapshot
from mrt.output import Console
from mrt.output.prices import PriceView, SourcePrice
from mrt.pricing import PriceTable, Rates, Snapshot, find_listed, find_rates, near_names, rates_at
from mrt.pricing.names import candidates
from mrt.pricing.table import holding, rates_of, user_rates

_FACTS = ("max_output", "context", "retires")


def view(name: str, console: Console, now: datetime) -> PriceView:
    """Raises UsageError when the name leads nowhere, UnpricedError, with near names, when it has no price."""
    config = configured(console)
    target = resolve(_with_provider(name, config, console), config, console.environment)
    if target.local:
        return PriceView(target.name, None, {}, (), {}, ())
    known = price_tables(target, config, console.environment)
    rates = find_rates(target.endpoint, target.model, config.prices, known, now)
    if rates is None:
        raise _unknown(target, config, known)
    table = known.get(target.endpoint)
    listed = find_listed(table, target.model) if table else None
    if table is None or listed is None:
        return PriceView(target.name, rates, {}, (), {}, tuple(_user_source(target, config)))
    processing = {way: found for way in listed.get("processing", ()) if (found := rates_at(table, listed, now, way))}
    return PriceView(
        target.name,
        rates,
        processing,
        tuple(_history(table, listed)),
        {fact: listed[fact] for fact in _FACTS if fact in listed},
        (*_user_source(target, config), *_table_sources(target, table, listed, used=rates.source != "config")),
        table.about.get("doubt"),
    )


def _with_provider(name: str, config: Config, console: Console) -> str:
    """A model named without its provider, with the one whose table lists it."""
    if "/" in name or name in config.aliases or any(tier.name == name for tier in config.tiers):
        return name
    tables = load_snapshot(data_directory(console.environment))
    having = [f"{provider}/{name}" for provider, table in tables.items() if find_listed(table, name) is not None]
    if not having:
        near = [close for provider in tables for close in near_names(provider, name, {}, tables)]
        close = f" (close to {', '.join(near[:3])})" if near else ""
        raise UnpricedError(f"no provider's table lists {name!r}{close}", "write PROVIDER/MODEL, a tier or an alias")
    if len(having) > 1:
        raise UsageError(f"{name} is sold by several providers", f"name one: mrt spend prices {' or '.join(having)}")
    return having[0]


def _unknown(target: Target, config: Config, known: Snapshot) -> UnpricedError:
    near = near_names(target.endpoint, target.model, config.prices, known)
    close = f" (close to {', '.join(near)})" if near else ""
    key = f"prices.{target.name}"
    return UnpricedError(
        f"the price of {target.name} is not known{close}",
        f"state it: mrt config set {key}.input_usd_per_mtok DOLLARS {key}.output_usd_per_mtok DOLLARS",
    )


def _history(table: PriceTable, listed: Mapping[str, Any]) -> Iterator[tuple[str, Rates]]:
    name = f"{table.about['provider']}/{listed['id']}"
    for price in listed["prices"]:
        daily = f"daily {'-'.join(price['daily'])} UTC" if "daily" in price else ""
        since = f"from {price['from']}" if "from" in price else ""
        yield since or daily or "otherwise", rates_of(price, table.source, name)


def _user_source(target: Target, config: Config) -> Iterator[SourcePrice]:
    names = (f"{target.endpoint}/{model}" for model in candidates(target.model))
    name = next((name for name in names if name in config.prices), None)
    if name is not None:
        yield SourcePrice("config", name, user_rates(config.prices[name], name), "used")


def _table_sources(
    target: Target, table: PriceTable, listed: Mapping[str, Any], *, used: bool
) -> Iterator[SourcePrice]:
    """The table's own rates on its date, and those of the second source, judged against them."""
    own = rates_of(holding(listed["prices"], table.moment), table.source, f"{table.about['provider']}/{listed['id']}")
    second = _second_source(target, table, listed)
    verdict = _verdict(own, second, table)
    yield SourcePrice(table.source, own.matched_id, own, "used" if used and verdict == "agree" else verdict)
    if second is not None:
        yield SourcePrice(second.source, second.matched_id, second, verdict)


def _second_source(target: Target, table: PriceTable, listed: Mapping[str, Any]) -> Rates | None:
    stated = listed.get("second", {})
    name = next((name for name in (*candidates(target.model), listed["id"]) if name in stated), None)
    return None if name is None else rates_of(stated[name], table.about["second"], name)


def _verdict(own: Rates, second: Rates | None, table: PriceTable) -> str:
    if second is not None:
        return "agree" if _same(own, second) else "disagree"
    # Without a second source there is still what the provider was seen to charge.
    return "disagree" if "doubt" in table.about else "unchecked"


def _same(one: Rates, other: Rates) -> bool:
    cached = one.cached_input is None or other.cached_input is None or one.cached_input == other.cached_input
    return one.input == other.input and one.output == other.output and cached
