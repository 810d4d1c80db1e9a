"""`mrt fit` alone: the known models that run well on a machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mrt.memory.advice import needed_words
from mrt.output.columns import columns
from mrt.output.fit_data import device_data, model_data, speed_data
from mrt.output.fit_words import gib, kv_types, parameters, speed_range

if TYPE_CHECKING:
    from mrt.memory.hardware import Machine
    from mrt.memory.ranking import Ranked
    from mrt.memory.settings import RunSettings

_HEADERS = ["model", "quantization", "size", "takes", "verdict", "decode", "context", "good for"]
_RIGHT = [False, False, True, True, False, True, True, False]


def rank_text(found: Sequence[Ranked], settings: RunSettings, machine: Machine) -> str:
    """A line on the machine, then a row per model."""
    kv = kv_types(settings.type_k, settings.type_v)
    # A model trained for less is planned with what it was trained for.
    less = any(one.plan.settings.context < settings.context for one in found)
    context = f"context {'up to ' if less else ''}{settings.context:,}"
    head = f"{machine_words(machine)}; {context}, KV {kv}, {100 * settings.headroom:g} % headroom"
    notes = [f"- {note}" for note in machine.notes]
    if not found:
        return "\n".join([head, *notes, "", "no known model fits with these settings"])
    rows = [_row(one) for one in found]
    return "\n".join([head, *notes, "", *columns(_HEADERS, rows, _RIGHT)])


def machine_words(machine: Machine) -> str:
    """GPUs and RAM in one phrase."""
    counts: dict[str, int] = {}
    for gpu in machine.gpus:
        label = gpu.name if gpu.name.startswith("GPU of ") else f"{gpu.name} ({gib(gpu.total_bytes)})"
        counts[label] = counts.get(label, 0) + 1
    gpus = ", ".join(f"{number} × {label}" if number > 1 else label for label, number in counts.items())
    ram = f"{gib(machine.ram_total_bytes)} RAM" if machine.ram_total_bytes is not None else "RAM unknown"
    return f"{gpus or 'no GPU'}, {ram}"


def _row(one: Ranked) -> list[str]:
    shape = one.plan.shape
    uses = (
        ("tools", shape.tools),
        ("vision", shape.vision),
        ("thinking", shape.thinking),
        ("embedding", shape.embeds),
    )
    return [
        shape.name,
        shape.quantization,
        parameters(shape.parameters).removesuffix(" parameters"),
        needed_words(one.plan),
        one.judgement.verdict,
        "" if shape.embeds else (speed_range(one.speed.decode) or "unknown").removesuffix(" tokens/s"),
        f"{one.plan.settings.context:,}",
        ", ".join(name for name, able in uses if able),
    ]


def rank_data(found: Sequence[Ranked], settings: RunSettings, machine: Machine) -> dict[str, Any]:
    """The `data` of the ranking."""
    return {
        "machine": {
            "gpus": [
                {"name": gpu.name, "total_bytes": gpu.total_bytes, "free_bytes": gpu.free_bytes} for gpu in machine.gpus
            ],
            "ram_total_bytes": machine.ram_total_bytes,
            "ram_free_bytes": machine.ram_free_bytes,
            "simulated": machine.simulated,
            "notes": list(machine.notes),
        },
        "settings": {
            "context_length": settings.context,
            "kv_type_k": settings.type_k.lower(),
            "kv_type_v": settings.type_v.lower(),
            "parallel": settings.parallel,
            "headroom": settings.headroom,
        },
        "models": [
            {
                "rank": rank,
                "model": model_data(one.plan.shape),
                "verdict": one.judgement.verdict,
                "context_length": one.plan.settings.context,
                "total_bytes": one.plan.total_bytes,
                "devices": [device_data(device) for device in one.plan.devices],
                "speed": speed_data(one.speed),
            }
            for rank, one in enumerate(found, 1)
        ],
    }
