"""How near the plans come to what llama.cpp itself allocates: cases measured with its own dry run, planned anew."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from mrt.memory.hardware import Gpu, Machine
from mrt.memory.placing import with_quantization
from mrt.memory.plan import Plan, plan
from mrt.memory.settings import RunSettings
from mrt.memory.shape import ModelShape

# Larger than any model, so that the placement is that of the case and never a question of room.
_ROOM = 2**44
BUFFERS = ("weights", "cache", "compute", "weights_host", "compute_host")


class Compared(NamedTuple):
    """One buffer of one case in bytes; `case` says which."""

    case: str
    buffer: str
    planned: int
    measured: int

    @property
    def error(self) -> float:
        """Difference in percent of what was measured."""
        if self.planned == self.measured:
            return 0.0
        return 100 * abs(self.planned - self.measured) / max(1, self.measured)


def compare(cases: Iterable[Mapping[str, Any]], shapes: Mapping[str, ModelShape], build: str) -> list[Compared]:
    """Every buffer of every case, and their sum as "total"."""
    found = []
    for case in cases:
        planned = _sums(_planned(case, shapes[case["model"]], build))
        measured = case["measured"]
        settings = ", ".join(f"{name} {value}" for name, value in case["settings"].items())
        name = f"{case['model']} {case['quantization']}, {settings}"
        found += [Compared(name, buffer, planned[buffer], measured[buffer]) for buffer in BUFFERS]
        found.append(Compared(name, "total", sum(planned.values()), sum(measured[buffer] for buffer in BUFFERS)))
    return found


def _planned(case: Mapping[str, Any], shape: ModelShape, build: str) -> Plan:
    """The case's run on GPUs without bounds; all layers on them unless the case says otherwise."""
    settings = dict(case["settings"])
    gpus = (Gpu("GPU", "cuda", _ROOM, _ROOM),) * settings.pop("gpus", 1)
    run = replace(RunSettings(settings.pop("context"), build=build, gpu_layers=len(shape.layers) + 1), **settings)
    return plan(with_quantization(shape, case["quantization"]), run, Machine(gpus, _ROOM, _ROOM))


def _sums(made: Plan) -> dict[str, int]:
    cards, host = made.devices[:-1], made.devices[-1]
    return {
        "weights": sum(device.weights_bytes for device in cards),
        "cache": sum(device.kv_cache_bytes + device.recurrent_bytes for device in cards),
        "compute": sum(device.compute_bytes for device in cards),
        "weights_host": host.weights_bytes,
        "compute_host": host.compute_bytes,
    }
