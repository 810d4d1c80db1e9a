"""What the last report of a server says of one target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from mrt.domain import Target
from mrt.endpoints.kinds import LISTS_ALL

if TYPE_CHECKING:
    from mrt.endpoints.cache import CachedReport
    from mrt.endpoints.report import EndpointReport, ModelReport

# From a disk to memory, bytes per second: a common SSD. Only an order of magnitude, and shown as "about".
_LOAD_BYTES_PER_S = 1e9


class Sighted(NamedTuple):
    """A report as far as it concerns one model. None: the server does not say.

    `reclaimable_bytes` is what the server's models hold on GPUs now.
    """

    kind: str
    state: str
    age_s: float
    trouble: str
    listed: bool | None
    loaded: bool | None
    load_seconds: float | None
    context: int | None
    context_trained: int | None
    size_bytes: int | None
    quantization: str | None
    remote: bool
    reclaimable_bytes: int
    able: Mapping[str, bool | None]


def sighted(target: Target, reports: Sequence[CachedReport]) -> Sighted | None:
    """The newest report of the target's server that is young enough to decide by; None when there is none."""
    from mrt.endpoints.place import address
    from mrt.providers import shown

    where = address(shown(target.url))
    same = [cached for cached in reports if cached.fresh and address(cached.report.url) == where]
    named = [cached for cached in same if cached.report.name == target.endpoint]
    cached = next(iter(named or same), None)
    return None if cached is None else _of(cached.report, cached.age_s, target)


def _of(report: EndpointReport, age_s: float, target: Target) -> Sighted:
    model = _model(report, target.model)
    size = model.size_bytes if model else None
    return Sighted(
        kind=report.kind,
        state=report.state,
        age_s=age_s,
        trouble=report.message or "",
        listed=True if model else _absent(report),
        loaded=model.loaded if model else None,
        load_seconds=None if size is None else size / _LOAD_BYTES_PER_S,
        context=model.context_served if model else None,
        context_trained=model.context_trained if model else None,
        size_bytes=size,
        quantization=model.quantization if model else None,
        remote=bool(model and model.remote),
        reclaimable_bytes=sum(other.vram_bytes or 0 for other in report.models if other.loaded),
        able=_abilities(model) if model else {},
    )


def _model(report: EndpointReport, name: str) -> ModelReport | None:
    found = report.model(name)
    if found is None and report.kind == "llamacpp" and not report.router and len(report.models) == 1:
        return report.models[0]  # a single server answers every name with the model it has
    return found


def _absent(report: EndpointReport) -> bool | None:
    """False where the list is whole and lacks the model, else unknown."""
    return False if report.state == "ready" and report.kind in LISTS_ALL else None


def _abilities(model: ModelReport) -> dict[str, bool | None]:
    return {
        "chat": not model.embedding if model.embedding is not None else None,
        "tools": model.tools,
        "vision": model.vision,
    }
