"""One line on a local model before it is used: that it does not fit this machine, or that it is too small for tools."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mrt.memory.advice import needed_words, tools_advice
from mrt.memory.plan import plan
from mrt.memory.settings import RunSettings
from mrt.memory.verdict import Judgement, judge

if TYPE_CHECKING:
    from mrt.memory.hardware import Machine
    from mrt.memory.plan import Plan
    from mrt.memory.shape import ModelShape

GIB = 2**30
# What Ollama gives a request that names no context length; other servers say theirs.
USUAL_CONTEXT = 4096


def advisory(shape: ModelShape, machine: Machine, context: int | None = None) -> str | None:
    """What to warn of, None for nothing. Judged by all memory there is, 20 % of it to spare; what is free is no matter."""
    settings = RunSettings(context or min(USUAL_CONTEXT, shape.context_trained or USUAL_CONTEXT))
    made = plan(shape, settings, machine)
    said = [*filter(None, [_room(made, judge(made, machine), machine)]), *_tools(shape)]
    return "; ".join(said) or None


def _tools(shape: ModelShape) -> list[str]:
    """Only what is known of small models: the server itself says which model takes no tools at all."""
    return tools_advice(shape) if shape.tools is not False else []


def _room(made: Plan, judgement: Judgement, machine: Machine) -> str | None:
    name = made.shape.name
    capacity = sum(gpu.total_bytes for gpu in machine.gpus)
    if judgement.verdict == "no":
        return f"{name} does not fit the memory of this machine"
    if judgement.verdict == "tight":
        return f"{name} is a tight fit: {needed_words(made)} of {capacity / GIB:.1f} GiB"
    if judgement.verdict == "partial":
        left = made.layers - made.gpu_layers
        return f"{name} does not fit the GPU: {left} of {made.layers} layers run on the CPU, which is slow"
    if judgement.verdict == "ram" and machine.gpus:
        return f"{name} does not fit the GPU and runs on the CPU, which is slow"
    return _ram(made, machine) if judgement.verdict == "ram" else None


def _ram(made: Plan, machine: Machine) -> str | None:
    """On a machine without GPU the RAM is what has to have room to spare."""
    total, needed = machine.ram_total_bytes, made.devices[-1].needed_high
    if total is None or needed <= (1 - made.settings.headroom) * total:
        return None
    return f"{made.shape.name} is a tight fit: {needed / GIB:.1f} of {total / GIB:.1f} GiB RAM"
