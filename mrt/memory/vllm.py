"""A plan for vLLM: checkpoint weights, a paged cache for the sequences asked for, activations of one scheduling step.

vLLM claims a fixed share of the card at start, whatever the model needs, and pages the rest of it for the cache.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mrt.memory.compute import compute_buffer
from mrt.memory.kv import kv_cache, padded
from mrt.memory.plan import DevicePlan, Line, Plan
from mrt.memory.recurrent import recurrent_state
from mrt.memory.weights import weights

if TYPE_CHECKING:
    from mrt.memory.hardware import Machine
    from mrt.memory.settings import RunSettings
    from mrt.memory.shape import ModelShape

MIB = 2**20
BLOCK = 16
STEP_TOKENS = 2048
# CUDA context, communication and captured graphs; what users report runs from half a GiB to one and a half.
OVERHEAD = (512 * MIB, 1536 * MIB)
_SOURCE = "vLLM: block manager (16 tokens a block), profile run of one step"


def plan_vllm(shape: ModelShape, settings: RunSettings, machine: Machine) -> Plan:
    """Every GPU holds an equal share (tensor parallel); without a GPU everything lies in RAM."""
    per_slot = replace(settings, context=padded(settings.context, BLOCK), flash_attention=True, build="")
    step = replace(per_slot, ubatch=STEP_TOKENS, batch=STEP_TOKENS, outputs=max(1, settings.parallel))
    held = weights(shape, shape.quantization)
    stored = held.file
    cache = kv_cache(shape, per_slot)
    sizes = (stored, sum(full for full, _ in cache), sum(window for _, window in cache))
    state, compute = sum(recurrent_state(shape, per_slot)), compute_buffer(shape, step).device
    count = max(1, len(machine.gpus))
    devices = tuple(_device(machine, number, sizes, state, compute) for number in range(count))
    if machine.gpus:
        devices = (*devices, DevicePlan("CPU", "cpu", machine.ram_total_bytes, machine.ram_free_bytes))
    lines = tuple(line for device in devices for line in _lines(device, count))
    total = sum(device.buffers_bytes for device in devices)
    layers = len(shape.layers) + 1 if machine.gpus else 0
    note = (
        "vLLM: an estimate; it claims its share of the card at start and serves the cache from what the weights leave"
    )
    return Plan(shape, settings, devices, layers, total, lines, (*shape.notes, note))


def _device(machine: Machine, number: int, sizes: tuple[int, int, int], state: int, compute: int) -> DevicePlan:
    count = max(1, len(machine.gpus))
    gpu = machine.gpus[number] if machine.gpus else None
    stored, full, window = (-(-size // count) for size in sizes)
    low, high = OVERHEAD if gpu else (0, 0)
    return DevicePlan(
        name=gpu.name if gpu else "CPU",
        kind="gpu" if gpu else "cpu",
        total_bytes=gpu.total_bytes if gpu else machine.ram_total_bytes,
        free_bytes=gpu.free_bytes if gpu else machine.ram_free_bytes,
        weights_bytes=stored,
        kv_full_bytes=full,
        kv_window_bytes=window,
        recurrent_bytes=-(-state // count),
        compute_bytes=compute,
        overhead_low=low,
        overhead_high=high,
        layers=0,
    )


def _lines(device: DevicePlan, count: int) -> tuple[Line, ...]:
    shares = (("GPUs", count),)
    buffers = {
        "weights": device.weights_bytes,
        "KV cache": device.kv_cache_bytes,
        "recurrent state": device.recurrent_bytes,
        "activations": device.compute_bytes,
    }
    return tuple(
        Line(label, size, "total / GPUs", shares, _SOURCE, device.name) for label, size in buffers.items() if size
    )
