"""What tests of `mrt fit` share: a small model, plans made by hand, machines, and the command run in this process."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rig.command import Home, Result
from rig.home_setup import run_here

from mrt.memory.hardware import Gpu, Machine
from mrt.memory.plan import DevicePlan, Plan
from mrt.memory.settings import RunSettings
from mrt.memory.shape import Experts, Layer, ModelShape

GIB, MIB = 2**30, 2**20
LAYER = Layer(heads=32, kv_heads=8, key_head=128, value_head=128, feed_forward=14336)
# Llama 3.1 8B, whose buffers llama.cpp prints as 4403.49 and 281.81 MiB at Q4_K_M.
LLAMA = ModelShape(
    name="llama3.1:8b",
    architecture="llama",
    embedding=4096,
    vocabulary=128256,
    layers=(LAYER,) * 32,
    context_trained=131072,
    quantization="Q4_K_M",
    parameters=8_030_261_248,
    active_parameters=8_030_261_248,
    tools=True,
)
MOE = replace(
    LLAMA,
    name="moe:8x3b",
    architecture="qwen3moe",
    layers=(replace(LAYER, feed_forward=0, experts=True),) * 32,
    experts=Experts(count=64, used=8, width=768),
)


def gpu(gibibytes: float, bandwidth: float | None = 500e9, **more: Any) -> Gpu:
    """A CUDA GPU with all of its memory free."""
    size = round(gibibytes * GIB)
    return replace(Gpu("card", "cuda", size, size, bandwidth), **more)


def machine(*gpus: Gpu, ram: float | None = 64, **more: Any) -> Machine:
    """A real machine, not a described one."""
    size = None if ram is None else round(ram * GIB)
    return replace(Machine(gpus, size, size), **more)


def device(
    kind: Any, total: float | None, weights: float, kv: float = 0, free: float | None = None, layers: int = 0
) -> DevicePlan:
    """A device that holds so much, in GiB; half a GiB of overhead at most on a GPU."""
    overhead = (GIB // 4, GIB // 2) if kind == "gpu" else (0, 0)
    size = None if total is None else round(total * GIB)
    return DevicePlan(
        name="card" if kind == "gpu" else "CPU",
        kind=kind,
        total_bytes=size,
        free_bytes=size if free is None else round(free * GIB),
        weights_bytes=round(weights * GIB),
        kv_full_bytes=round(kv * GIB),
        overhead_low=overhead[0],
        overhead_high=overhead[1],
        layers=layers,
    )


def made(devices: Sequence[DevicePlan], gpu_layers: int = 33, shape: ModelShape = LLAMA, **settings: Any) -> Plan:
    """A plan of these devices, for a context of 8192."""
    chosen = RunSettings(context=8192, **settings)
    return Plan(shape, chosen, tuple(devices), gpu_layers, sum(one.buffers_bytes for one in devices))


def fit(home: Home, *arguments: str | Path) -> Result:
    """`mrt fit` in this process."""
    return run_here(home, "fit", *arguments)


def data_of(result: Result) -> dict[str, Any]:
    """The `data` of `--json`."""
    document = json.loads(result.stdout)
    assert (document["schema_version"], document["command"]) == (1, "fit")
    found: dict[str, Any] = document["data"]
    return found
