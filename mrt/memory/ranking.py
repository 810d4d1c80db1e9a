"""Known models in the order in which they are worth trying on a machine."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from mrt.frozen import frozen
from mrt.memory.plan import plan
from mrt.memory.speed import Speed, estimate
from mrt.memory.traffic import reads
from mrt.memory.verdict import Judgement, judge

if TYPE_CHECKING:
    from mrt.memory.hardware import Machine
    from mrt.memory.plan import Plan
    from mrt.memory.settings import RunSettings
    from mrt.memory.shape import ModelShape

# Below this many tokens a second people wait for the text instead of reading it; such models come last.
READABLE = 5.0
# The least a parameter takes in the smallest file types, in bytes: what is larger than the machine even so needs no plan.
_LEAST_PER_PARAMETER = 0.2


@frozen
class Wish:
    """Which models to rank: None and False ask for nothing. `context` is the least that must fit."""

    tools: bool = False
    vision: bool = False
    family: str | None = None
    context: int | None = None


@frozen
class Ranked:
    """One model that runs, with its plan."""

    plan: Plan
    judgement: Judgement
    speed: Speed


def wanted(shapes: Iterable[ModelShape], wish: Wish) -> list[ModelShape]:
    """The models that meet the wish, the largest first; embedding models only when their family is asked for."""
    kept = [shape for shape in shapes if _meets(shape, wish)]
    return sorted(kept, key=lambda shape: (-(shape.parameters or 0), shape.name))


def _meets(shape: ModelShape, wish: Wish) -> bool:
    if wish.family is None and shape.embeds:
        return False
    if wish.family is not None and family_of(shape.name) != wish.family.lower():
        return False
    if wish.context is not None and (shape.context_trained or 0) < wish.context:
        return False
    return (not wish.tools or bool(shape.tools)) and (not wish.vision or bool(shape.vision))


def family_of(name: str) -> str:
    """ "qwen3" of qwen3:8b; the whole name where it has no size."""
    return name.partition(":")[0].lower()


def ranked(shapes: Sequence[ModelShape], settings: RunSettings, machine: Machine, limit: int) -> list[Ranked]:
    """Up to `limit` models that run well, best first: those that fit before tight ones, then the larger before the smaller.

    On a machine without GPU those in RAM count. `shapes` come the largest first; once there are enough, no more are planned.
    """
    best: list[Ranked] = []
    rest: list[Ranked] = []
    for shape in shapes:
        if len(best) >= limit:
            break
        if _too_large(shape, machine):
            continue
        found = _planned(shape, settings, machine)
        if found.judgement.verdict == "fits" or (
            not machine.gpus and found.judgement.verdict == "ram" and found.judgement.roomy
        ):
            (rest if _slow(found) else best).append(found)
        elif found.judgement.verdict == "tight":
            rest.append(found)
    return [*best, *sorted(rest, key=_slow)][:limit]


def _planned(shape: ModelShape, settings: RunSettings, machine: Machine) -> Ranked:
    from dataclasses import replace

    context = min(settings.context, shape.context_trained or settings.context)
    made = plan(shape, replace(settings, context=context), machine)
    return Ranked(made, judge(made, machine), estimate(made, machine, reads(made)))


def _slow(found: Ranked) -> bool:
    return found.speed.decode.high is not None and found.speed.decode.high < READABLE


def _too_large(shape: ModelShape, machine: Machine) -> bool:
    """Whether the file alone exceeds the memory, which needs no plan to see."""
    capacity = sum(gpu.total_bytes for gpu in machine.gpus) if machine.gpus else machine.ram_total_bytes
    if capacity is None:
        return False
    # Input tables and towers stay on the host, so a file may be somewhat larger than what a GPU has to hold.
    return (shape.file_bytes or _LEAST_PER_PARAMETER * (shape.parameters or 0)) * 0.8 > capacity
