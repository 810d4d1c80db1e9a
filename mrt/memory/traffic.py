"""What a token makes the machine read: weights that take part, KV cache and state, device by device."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mrt.memory.weights import weights

if TYPE_CHECKING:
    from mrt.memory.plan import Plan
    from mrt.memory.shape import ModelShape
    from mrt.memory.weights import Weights


class Read(NamedTuple):
    """Bytes that one device reads for one token: weights, KV cache of a full context, window and recurrent state."""

    weights: float = 0.0
    kv: float = 0.0
    window: float = 0.0


def reads(plan: Plan, known: Weights | None = None) -> tuple[Read, ...]:
    """Reads per device in the plan's order, for one sequence.

    Input tables are left out (one row of them is read), of the experts the share that works on a token is counted.
    llama.cpp fills GPUs from the last layer backwards; the CPU keeps the first ones (llama-model.cpp).
    """
    held = known or weights(plan.shape, plan.shape.quantization)
    layers = layer_weights(plan.shape, held)
    on_cpu = max(0, len(layers) + 1 - plan.gpu_layers)
    places = _places(plan, min(on_cpu, len(layers)))
    read = [0.0] * len(plan.devices)
    for index, (dense, experts) in enumerate(layers):
        read[places[index]] += dense
        read[-1 if index < plan.settings.cpu_moe else places[index]] += experts
    read[places[-1] if plan.gpu_layers else -1] += held.output.file
    slots = max(1, plan.settings.parallel)
    return tuple(
        Read(amount, device.kv_full_bytes / slots, (device.kv_window_bytes + device.recurrent_bytes) / slots)
        for amount, device in zip(read, plan.devices, strict=True)
    )


def layer_weights(shape: ModelShape, held: Weights) -> list[tuple[float, float]]:
    """Bytes per layer that every token reads, and those of the experts that work on it."""
    share = shape.experts.used / shape.experts.count if shape.experts and shape.experts.count else 1.0
    return [(layer.file - layer.experts, layer.experts * share) for layer in held.layers]


def _places(plan: Plan, on_cpu: int) -> list[int]:
    """Index of the device of each layer."""
    count = len(plan.shape.layers)
    gpus = [index for index, device in enumerate(plan.devices) if device.kind == "gpu"]
    places = [len(plan.devices) - 1] * on_cpu
    for index in gpus:
        places += [index] * min(plan.devices[index].layers, count - len(places))
    return places + [gpus[-1] if gpus else len(plan.devices) - 1] * (count - len(places))
