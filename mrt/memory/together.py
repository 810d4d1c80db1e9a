"""What lies beside a model on the same devices: a draft model, a vision projector."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mrt.memory.plan import DevicePlan, Line, Plan

if TYPE_CHECKING:
    from mrt.memory.hardware import Machine
    from mrt.memory.settings import RunSettings
    from mrt.memory.shape import ModelShape


def projector(shape: ModelShape, settings: RunSettings, machine: Machine) -> Plan | None:
    """The part that sees, whole on the first GPU (llama.cpp, tools/mtmd); None for a model without one."""
    size = shape.projector_bytes or shape.tower_bytes
    if not size:
        return None
    gpus = [
        DevicePlan(gpu.name, "gpu", gpu.total_bytes, gpu.free_bytes, 0 if number else size)
        for number, gpu in enumerate(machine.gpus)
    ]
    host = DevicePlan("CPU", "cpu", machine.ram_total_bytes, machine.ram_free_bytes, 0 if gpus else size)
    where = gpus[0].name if gpus else "CPU"
    line = Line(
        "vision projector",
        size,
        "size of the projector's file, or of the tower in the model's own",
        (),
        shape.source,
        where,
    )
    return Plan(shape, settings, (*gpus, host), 0, size, (line,))


def without(machine: Machine, draft: Plan) -> Machine:
    """What the plan of another model leaves of a machine."""
    gpus = tuple(
        replace(
            gpu,
            total_bytes=max(0, gpu.total_bytes - device.buffers_bytes),
            free_bytes=None if gpu.free_bytes is None else max(0, gpu.free_bytes - device.buffers_bytes),
        )
        for gpu, device in zip(machine.gpus, draft.devices, strict=False)
    )
    host = draft.devices[-1].buffers_bytes
    total, free = (
        None if size is None else max(0, size - host) for size in (machine.ram_total_bytes, machine.ram_free_bytes)
    )
    return replace(machine, gpus=gpus, ram_total_bytes=total, ram_free_bytes=free)


def together(made: Plan, draft: Plan) -> Plan:
    """The plan of the model with the other's buffers added; one engine runs both, so the overhead is there once."""
    devices = tuple(_both(mine, other) for mine, other in zip(made.devices, draft.devices, strict=True))
    total = sum(device.buffers_bytes for device in devices)
    return replace(made, devices=devices, total_bytes=total, lines=made.lines + draft.lines)


def marked(draft: Plan) -> Plan:
    """The draft model's plan with its buffers named as such."""
    return replace(draft, lines=tuple(replace(line, label=f"draft: {line.label}") for line in draft.lines))


def _both(mine: DevicePlan, other: DevicePlan) -> DevicePlan:
    return replace(
        mine,
        total_bytes=other.total_bytes,
        free_bytes=other.free_bytes,
        weights_bytes=mine.weights_bytes + other.weights_bytes,
        kv_full_bytes=mine.kv_full_bytes + other.kv_full_bytes,
        kv_window_bytes=mine.kv_window_bytes + other.kv_window_bytes,
        recurrent_bytes=mine.recurrent_bytes + other.recurrent_bytes,
        compute_bytes=mine.compute_bytes + other.compute_bytes,
    )
