"""The rates that apply to a request: whose they are, at what time, at what speed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from mrt.cascade.job import World
from mrt.config import Config, data_directory
from mrt.domain import Request, Target
from mrt.endpoints import PROVIDERS
from mrt.errors import UnpricedError
from mrt.ledger import load_snapshot
from mrt.pricing import Rates, Snapshot, find_rates, near_names, priced_names, with_hour_cache

HOUR = "1h"
# The words of OpenAI's API; others, such as Groq's on_demand or a gateway's own, tell nothing that the request did not.
_STANDARD_TIERS = frozenset({"default", "standard"})
_OTHER_TIERS = frozenset({"flex", "priority", "batch"})


class Asked(NamedTuple):
    """What decides the rates of a request besides its model: where it goes, when, and how it wants to be served."""

    target: Target
    at: datetime
    processing: str | None = None
    hour_cache: bool = False

    def record(self) -> dict[str, str]:
        """What of it has to be kept beside the rates, so that the call can be priced once more."""
        way = {} if self.processing is None else {"processing": self.processing}
        return way | ({"cache_ttl": HOUR} if self.hour_cache else {})


def asked_as(target: Target, at: datetime, record: Mapping[str, Any]) -> Asked:
    """A request of the past, by what was kept of it."""
    return Asked(target, at, record.get("processing"), record.get("cache_ttl") == HOUR)


def as_served(request: Asked, service_tier: str | None) -> Asked:
    """The request as its provider says that it was served, which may be another way than was asked for."""
    if service_tier in _STANDARD_TIERS:
        return request._replace(processing=None)
    return request._replace(processing=service_tier) if service_tier in _OTHER_TIERS else request


def asked(target: Target, world: World, request: Request | None = None) -> Asked:
    """A request that is about to leave; none stands for an ordinary one."""
    return asked_at(target, world.wire.now(), request)


def asked_at(target: Target, now: float, request: Request | None = None) -> Asked:
    """The same at a moment in seconds since 1970."""
    options = request.options if request else {}
    cache = options.get("cache_control")
    hour_cache = isinstance(cache, Mapping) and cache.get("ttl") == HOUR
    return Asked(target, datetime.fromtimestamp(now, UTC), _processing(options), hour_cache)


def rates_for(
    request: Asked, config: Config, environment: Mapping[str, str], served: str | None = None
) -> Rates | None:
    """The rates of the model that served it, without such the one asked for; None when they are not known.

    llama.cpp serves its one model under every name, so what it says of itself names no other.
    """
    target = request.target
    known = price_tables(target, config, environment)
    for name in priced_names(target.model, None if target.kind == "llamacpp" else served):
        rates = find_rates(target.endpoint, name, config.prices, known, request.at, request.processing)
        if rates is not None:
            return with_hour_cache(rates) if request.hour_cache else rates
    return None


def price_tables(target: Target, config: Config, environment: Mapping[str, str]) -> Snapshot:
    """The price table of the provider that a target belongs to, under the endpoint's name; empty when it is nobody's."""
    provider = _provider(target, config)
    tables = load_snapshot(data_directory(environment))
    table = tables.get(provider) if provider else None
    return {target.endpoint: table} if table else {}


def explained(error: UnpricedError, target: Target, world: World) -> UnpricedError:
    """The failure, with the names that may have been meant."""
    known = price_tables(target, world.config, world.environment)
    near = near_names(target.endpoint, target.model, world.config.prices, known)
    return UnpricedError(f"{error.message} (close to {', '.join(near)})", error.hint) if near else error


def _provider(target: Target, config: Config) -> str | None:
    """A provider's own endpoint has its prices, whatever gateway stands before it; one of the user's only at its address."""
    if target.endpoint not in config.endpoints:
        return target.endpoint
    from urllib.parse import urlsplit

    host = urlsplit(target.url).hostname
    return next((name for name, provider in PROVIDERS.items() if urlsplit(provider.url).hostname == host), None)


def _processing(options: Mapping[str, Any]) -> str | None:
    """The service tier or speed that a request names, the speed first."""
    named = (options.get(field) for field in ("speed", "service_tier"))
    return next((value for value in named if isinstance(value, str)), None)
