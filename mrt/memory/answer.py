"""All that `mrt fit` says of one model: plan, verdict, speed, what would fit, advice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from mrt.frozen import frozen
from mrt.memory.advice import Advised, Smaller, advise
from mrt.memory.frontier import Case, Option, frontier
from mrt.memory.speed import UNKNOWN, Range, Speed, estimate, if_whole
from mrt.memory.together import marked, projector, together
from mrt.memory.traffic import reads

if TYPE_CHECKING:
    from mrt.memory.hardware import Machine
    from mrt.memory.plan import Plan
    from mrt.memory.settings import RunSettings
    from mrt.memory.shape import ModelShape
    from mrt.memory.verdict import Judgement


@frozen
class Answer:
    """One model on one machine. `draft` is the part of the plan that a draft model takes."""

    plan: Plan
    machine: Machine
    judgement: Judgement
    speed: Speed
    options: tuple[Option, ...] = ()
    smaller: Smaller | None = None
    advice: tuple[str, ...] = ()
    draft: Plan | None = None
    # What decoding would be if the first GPU held everything, where it does not.
    if_whole: Range = UNKNOWN


def answer(
    shape: ModelShape,
    settings: RunSettings,
    machine: Machine,
    smaller: Callable[[], Sequence[ModelShape]] = lambda: (),
    measured: Speed | None = None,
    draft: Plan | None = None,
) -> Answer:
    """The whole answer. `smaller` gives models of the same family, the largest first; it is asked only when this one spills."""
    case = Case(shape, settings, machine, _beside(shape, settings, machine, draft))
    made, judgement = case.planned()
    options = frontier(case)
    instead = None if judgement.fits or not machine.gpus else _instead(case, smaller())
    read = case.reads(made)
    speed = estimate(made, machine, read, measured)
    advice = advise(Advised(made, judgement, speed, options, instead), machine)
    whole = UNKNOWN if judgement.fits else if_whole(machine, read, made)
    return Answer(made, machine, judgement, speed, options, instead, advice, draft, whole)


def _beside(shape: ModelShape, settings: RunSettings, machine: Machine, draft: Plan | None) -> Plan | None:
    """What shares the devices: the part that sees, and a draft model."""
    seeing = projector(shape, settings, machine)
    if draft is None or seeing is None:
        return seeing or (marked(draft) if draft else None)
    return together(marked(draft), seeing)


def _instead(case: Case, others: Sequence[ModelShape]) -> Smaller | None:
    """The largest smaller model that fits with the same settings; one with room to spare before a tight one."""
    size, tight = case.shape.parameters, None
    for shape in others:
        if not size or not shape.parameters or shape.parameters >= size:
            continue
        context = min(case.settings.context, shape.context_trained or case.settings.context)
        settings = replace(case.settings, gpu_layers=None, cpu_moe=0, context=context)
        beside = projector(shape, settings, case.machine)
        made, judgement = Case(shape, settings, case.machine, beside).planned()
        found = Smaller(made, judgement, estimate(made, case.machine, reads(made)).decode)
        if found.judgement.verdict == "fits":
            return found
        if found.judgement.fits and tight is None:
            tight = found
    return tight
