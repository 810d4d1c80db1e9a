"""What a probe found, as people read it."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from mrt.endpoints.report import EndpointReport, ModelReport
from mrt.endpoints.tiers import TierState
from mrt.output.columns import columns
from mrt.output.terminal import one_line

_ENDPOINTS = ("endpoint", "kind", "state", "version", "latency", "models", "load", "url")
_TIERS = ("tier", "model", "endpoint", "state", "model there")
_MODELS = ("model", "loaded", "context", "trained", "quantization", "size", "VRAM", "can", "runs")
_ABILITIES = ("tools", "vision", "reasoning", "embedding")
_UNKNOWN = "-"
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
_STEP = 1024


def probe_text(reports: Sequence[EndpointReport], tiers: Sequence[TierState], named: Collection[str]) -> str:
    """A table of endpoints, one of tiers, and what is wrong with those the user `named`, each with the next command."""
    blocks = [endpoint_table(reports), tier_table(tiers), _troubles(reports, tiers, named)]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def endpoint_table(reports: Sequence[EndpointReport]) -> list[str]:
    """One line per endpoint."""
    right = [False, False, False, False, True, True, False, False]
    return columns(_ENDPOINTS, [_endpoint(report) for report in reports], right) if reports else []


def tier_table(tiers: Sequence[TierState]) -> list[str]:
    """One line per tier."""
    rows = [(tier.tier, tier.model, tier.endpoint or _UNKNOWN, tier.state, _there(tier)) for tier in tiers]
    return columns(_TIERS, rows, [False] * len(_TIERS)) if rows else []


def model_table(models: Sequence[tuple[str, ModelReport]]) -> list[str]:
    """One line per model, under its whole name."""
    right = [False, False, True, True, False, True, True, False, False]
    return columns(_MODELS, [_model(name, model) for name, model in models], right) if models else []


def _endpoint(report: EndpointReport) -> tuple[str, ...]:
    kind = f"{report.kind} (router)" if report.router else report.kind
    latency = _UNKNOWN if report.latency_ms is None else f"{report.latency_ms} ms"
    return (
        report.name,
        kind,
        report.state,
        report.version or _UNKNOWN,
        latency,
        _count(report),
        _load(report),
        report.url,
    )


def _count(report: EndpointReport) -> str:
    if report.state != "ready":
        return _UNKNOWN
    loaded = [model.loaded for model in report.models]
    known = f" ({sum(map(bool, loaded))} loaded)" if any(one is not None for one in loaded) else ""
    return f"{len(loaded)}{known}"


def _load(report: EndpointReport) -> str:
    busy = None if report.busy is None else f"{report.busy} busy"
    if report.slots is not None:
        slots = f"{report.slots} slot" + ("" if report.slots == 1 else "s")
        busy = slots if report.busy is None else f"{report.busy} of {slots} busy"
    queue = f"{report.queue} waiting" if report.queue else None
    return ", ".join(part for part in (busy, queue) if part) or _UNKNOWN


def _there(tier: TierState) -> str:
    answer = {True: "yes", False: "no", None: "?" if tier.ready else _UNKNOWN}[tier.listed]
    return f"{answer}, runs elsewhere" if tier.remote and tier.listed else answer


def _troubles(reports: Sequence[EndpointReport], tiers: Sequence[TierState], named: Collection[str]) -> list[str]:
    """Each trouble once: of endpoints first, then of tiers whose endpoint is well."""
    lines = []
    for report in reports:
        if report.name in named and (report.message or report.hint):
            lines += trouble(report.name, report.message, report.hint)
    told = {report.name for report in reports if report.name in named and report.message}
    for tier in tiers:
        if tier.message and tier.endpoint not in told:
            lines += trouble(tier.tier, tier.message, tier.hint)
    return lines


def trouble(name: str, message: str | None, hint: str | None) -> list[str]:
    """What is wrong in a line, and what to do in another."""
    first = [f"{name}: {one_line(message, 600)}"] if message else []
    if hint and not message:
        return [f"{name}: {one_line(hint, 600)}"]
    return [*first, f"  hint: {one_line(hint, 600)}"] if hint else first


def _model(name: str, model: ModelReport) -> tuple[str, ...]:
    return (
        name,
        {True: "yes", False: "no", None: _UNKNOWN}[model.loaded],
        _number(model.context_served),
        _number(model.context_trained),
        model.quantization or _UNKNOWN,
        size(model.size_bytes),
        size(model.vram_bytes),
        ", ".join(name for name in _ABILITIES if getattr(model, name)) or _UNKNOWN,
        _where(model),
    )


def _where(model: ModelReport) -> str:
    if model.remote is None:
        return _UNKNOWN
    return (model.remote_host or "elsewhere") if model.remote else "here"


def _number(value: int | None) -> str:
    return _UNKNOWN if value is None else f"{value:,}"


def size(value: int | None) -> str:
    """Bytes in binary units, to three digits."""
    if value is None:
        return _UNKNOWN
    amount, unit = float(value), 0
    while amount >= _STEP and unit < len(_UNITS) - 1:
        amount, unit = amount / _STEP, unit + 1
    return (
        f"{value} B"
        if unit == 0
        else f"{amount:.3g} {_UNITS[unit]}"
        if amount < 100
        else f"{amount:.0f} {_UNITS[unit]}"
    )
