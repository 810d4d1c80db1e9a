"""Whether a model that is still to be loaded finds room on this machine, with its KV cache."""

from __future__ import annotations

from typing import NamedTuple

from mrt.cascade.sighted import Sighted
from mrt.domain import Target
from mrt.errors import MrtError

# What Ollama gives a request that names no context length.
_USUAL_CONTEXT = 4096


class Room(NamedTuple):
    """Bytes needed, bytes free on GPUs and in RAM together (None: not known), and what they are needed for."""

    needed_bytes: int
    free_bytes: int | None
    what: str


def room_for(target: Target, context: int | None, seen: Sighted) -> Room | None:
    """By the memory plan for the context that would be served; None where the model's shape is not known."""
    from mrt.machine import read
    from mrt.memory.plan import plan
    from mrt.memory.settings import RunSettings
    from mrt.models import resolve_model

    length = context or _USUAL_CONTEXT
    try:
        shape = resolve_model(target.model, seen.quantization)
        machine = read()
        settings = RunSettings(context=length, engine="ollama" if seen.kind == "ollama" else "llama.cpp")
        planned = plan(shape, settings, machine)
    except MrtError:
        return None
    cache = sum(device.kv_cache_bytes for device in planned.devices)
    rest = planned.total_bytes - cache
    what = f"{_gib(rest)} of weights and buffers, {_gib(cache)} of KV cache for {length} tokens"
    parts = [machine.ram_free_bytes, *(gpu.free_bytes for gpu in machine.gpus if not gpu.unified)]
    if any(part is None for part in parts):
        return Room(planned.total_bytes, None, what)
    # What the same server holds for other models it gives up when this one is asked for.
    return Room(planned.total_bytes, sum(part or 0 for part in parts) + seen.reclaimable_bytes, what)


def _gib(count: int) -> str:
    return f"{count / 2**30:.1f} GiB"
