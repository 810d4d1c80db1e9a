"""What one run of the probe looks at, and one look at it."""

from __future__ import annotations

from collections.abc import Mapping

from mrt.commands._settings import configured
from mrt.commands._wire import real_wire
from mrt.config import Config
from mrt.endpoints.cache import save_cache
from mrt.endpoints.place import Place, place_named, places
from mrt.endpoints.report import EndpointReport
from mrt.endpoints.resolve import resolve_tier
from mrt.endpoints.survey import survey
from mrt.endpoints.tiers import TierState, tier_states
from mrt.errors import UsageError
from mrt.frozen import frozen
from mrt.near import guessed, nearest
from mrt.output import Console
from mrt.providers import Wire


@frozen
class Scope:
    """The places, and the tiers that belong to them. `endpoint` and `tier` are what the user asked for alone."""

    config: Config
    environment: Mapping[str, str]
    places: tuple[Place, ...]
    wire: Wire
    endpoint: str | None = None
    tier: str | None = None

    @property
    def named(self) -> frozenset[str]:
        """The endpoints the user knows of."""
        return frozenset(place.name for place in self.places if place.named)


@frozen
class View:
    """One look: every place's report, and what it means for the tiers."""

    reports: tuple[EndpointReport, ...]
    tiers: tuple[TierState, ...]

    def ready(self, scope: Scope) -> bool:
        """Whether all that was asked for can be used."""
        if scope.endpoint is not None:
            return all(report.state == "ready" for report in self.reports)
        return all(tier.ready for tier in self.tiers)


def scope_of(console: Console, endpoint: str | None = None, tier: str | None = None) -> Scope:
    """Everything, or one endpoint, or the endpoint of one tier. Raises a UsageError for a name that is none."""
    if endpoint is not None and tier is not None:
        raise UsageError("--endpoint and --tier name two things to look at", "leave one of them out")
    config = configured(console)
    environment, wire = console.environment, real_wire(console)
    if tier is not None:
        endpoint_of_tier = _endpoint_of(tier, config, environment)
        return Scope(config, environment, (place_named(endpoint_of_tier, config, environment),), wire, tier=tier)
    if endpoint is not None:
        return Scope(config, environment, (_place(endpoint, config, environment),), wire, endpoint=endpoint)
    return Scope(config, environment, places(config, environment), wire)


def only_tiers(scope: Scope) -> Scope:
    """The same without the places that no tier needs."""
    if scope.endpoint is not None or scope.tier is not None:
        return scope
    needed = {state.endpoint for state in tier_states(scope.config, scope.environment, ())}
    kept = tuple(place for place in scope.places if place.name in needed)
    return Scope(scope.config, scope.environment, kept, scope.wire)


def look_at(scope: Scope, seconds: float | None = None) -> View:
    """Visit the places, remember what was seen, and judge the tiers by it."""
    reports = survey(scope.places, scope.wire, seconds)
    save_cache(scope.environment, reports, scope.wire.now())
    states = tier_states(scope.config, scope.environment, reports, scope.tier)
    if scope.endpoint is not None:
        states = tuple(state for state in states if state.endpoint == scope.endpoint)
    return View(reports, states)


def _endpoint_of(tier: str, config: Config, environment: Mapping[str, str]) -> str:
    found = next((one for one in config.tiers if one.name == tier), None)
    if found is None:
        raise UsageError(
            f"no tier {tier!r}{guessed(nearest(tier, [one.name for one in config.tiers]))}",
            "`mrt config show` lists the tiers",
        )
    return resolve_tier(found, config, environment).endpoint


def _place(endpoint: str, config: Config, environment: Mapping[str, str]) -> Place:
    from mrt.endpoints import PROVIDERS

    known = [*config.endpoints, *PROVIDERS]
    if endpoint not in known:
        raise UsageError(f"no endpoint {endpoint!r}{guessed(nearest(endpoint, known))}", "`mrt probe` lists them")
    return place_named(endpoint, config, environment)
