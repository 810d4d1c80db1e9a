"""What a probe found, as scripts read it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from mrt.endpoints.report import EndpointReport
from mrt.endpoints.tiers import TierState


def probe_data(reports: Iterable[EndpointReport], tiers: Iterable[TierState]) -> dict[str, Any]:
    """`endpoints` and `tiers`; what is not known is null."""
    return {
        "endpoints": [endpoint_data(report) for report in reports],
        "tiers": [tier_data(tier) for tier in tiers],
    }


def endpoint_data(report: EndpointReport) -> dict[str, Any]:
    """One endpoint with its models."""
    return {
        "name": report.name,
        "kind": report.kind,
        "url": report.url,
        "state": report.state,
        "version": report.version,
        "latency_ms": report.latency_ms,
        "access": report.access,
        "router": report.router,
        "slots": report.slots,
        "busy": report.busy,
        "queue": report.queue,
        "models": [asdict(model) for model in report.models],
        "message": report.message,
        "hint": report.hint,
        "checked_at": moment(report.checked_at),
    }


def tier_data(tier: TierState) -> dict[str, Any]:
    """One tier."""
    return {
        "tier": tier.tier,
        "model": tier.model,
        "endpoint": tier.endpoint,
        "state": tier.state,
        "ready": tier.ready,
        "listed": tier.listed,
        "remote": tier.remote,
        "message": tier.message,
        "hint": tier.hint,
    }


def moment(seconds: float) -> str:
    """A time of the clock in UTC, to the second."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
