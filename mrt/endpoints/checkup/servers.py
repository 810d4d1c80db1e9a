"""The endpoints and the tiers that need them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from mrt.endpoints.checkup.finding import Finding
from mrt.endpoints.report import SAID, EndpointReport
from mrt.endpoints.tiers import TierState


def endpoint_findings(reports: Iterable[EndpointReport], named: Collection[str]) -> Iterator[Finding]:
    """Each endpoint that the user names, and every other one that was found running."""
    for report in reports:
        if report.name in named or report.state != "down":
            yield _endpoint(report, report.name in named)


def _endpoint(report: EndpointReport, named: bool) -> Finding:
    version = f" {report.version}" if report.version else ""
    if report.state == "ready":
        models = f"{len(report.models)} model" + ("" if len(report.models) == 1 else "s")
        detail = f"{report.name}: {report.kind}{version} at {report.url}, {models}"
        if report.message or report.hint:
            return Finding("endpoint", "warning", f"{detail}; {report.message or 'see the hint'}", report.hint)
        return Finding("endpoint", "ok", detail)
    detail = f"{report.name} {SAID[report.state]}: {report.message}"
    return Finding("endpoint", "problem" if named else "warning", detail, report.hint)


def tier_findings(tiers: Iterable[TierState]) -> Iterator[Finding]:
    """Whether each tier can answer: its endpoint is ready and has the model."""
    for tier in tiers:
        if not tier.ready:
            why = f"{tier.endpoint} {SAID[tier.state]}" if tier.endpoint else tier.message
            yield Finding("tier", "problem", f"{tier.tier} ({tier.model}) cannot answer: {why}", tier.hint)
        elif tier.listed is False:
            yield Finding("tier", "problem", f"{tier.tier} ({tier.model}): {tier.message}", tier.hint)
        else:
            sure = "" if tier.listed else "; whether it has the model shows when it is asked"
            where = ", answered by a remote machine" if tier.remote else ""
            yield Finding("tier", "ok", f"{tier.tier} ({tier.model}) is ready{where}{sure}")
