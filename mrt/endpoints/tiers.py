"""Whether the tiers can be asked, as the reports about their endpoints have it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mrt.config import Config, Tier
from mrt.endpoints.kinds import LISTS_ALL
from mrt.endpoints.probe import has_instead
from mrt.endpoints.report import EndpointReport, State
from mrt.endpoints.resolve import resolve_tier
from mrt.errors import MrtError
from mrt.frozen import frozen


@frozen
class TierState:
    """One tier. `listed` says whether its server has the model; None where that cannot be told from a list.

    `remote` is true when somebody else's machine answers, also where the endpoint itself is local.
    """

    tier: str
    model: str
    endpoint: str | None
    state: State
    listed: bool | None = None
    remote: bool | None = None
    message: str | None = None
    hint: str | None = None

    @property
    def ready(self) -> bool:
        """Whether its endpoint takes questions."""
        return self.state == "ready"

    @property
    def complete(self) -> bool:
        """Whether its endpoint takes questions, and has the model as far as anybody can tell."""
        return self.ready and self.listed is not False


def tier_states(
    config: Config, environment: Mapping[str, str], reports: Iterable[EndpointReport], only: str | None = None
) -> tuple[TierState, ...]:
    """The state of every tier, or of the one named `only`."""
    by_name = {report.name: report for report in reports}
    tiers = [tier for tier in config.tiers if only in (None, tier.name)]
    return tuple(_state(tier, config, environment, by_name) for tier in tiers)


def _state(
    tier: Tier, config: Config, environment: Mapping[str, str], reports: Mapping[str, EndpointReport]
) -> TierState:
    try:
        target = resolve_tier(tier, config, environment)
    except MrtError as error:
        return TierState(tier.name, tier.model, None, "unknown", message=error.message, hint=error.hint)
    report = reports.get(target.endpoint)
    if report is None:
        return TierState(tier.name, target.name, target.endpoint, "unknown", message="its endpoint was not asked")
    found = report.model(target.model)
    listed = is_listed(report, target.model) if report.state == "ready" else None
    message, hint = report.message, report.hint
    if listed is False:
        message, hint = (
            f"{target.endpoint} has no model {target.model}{has_instead(target.model, [found.id for found in report.models])}",
            remedy(report, target.model),
        )
    return TierState(
        tier.name,
        target.name,
        target.endpoint,
        report.state,
        listed,
        found.remote if found else None,
        message,
        hint,
    )


def is_listed(report: EndpointReport, model: str) -> bool | None:
    """Whether the server has this model. One llama.cpp answers every name with the model it has."""
    if report.model(model) is not None:
        return True
    return False if report.kind in LISTS_ALL or report.router else None


def remedy(report: EndpointReport, model: str) -> str:
    """The command that gets the model there."""
    commands = {"ollama": f"ollama pull {model}", "lm_studio": f"lms get {model}"}
    return commands.get(report.kind, f"see what it has: mrt probe models --endpoint {report.name}")
