"""Shapes and machines that the tests of the memory rules share."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

from mrt.memory.hardware import Gpu, Machine
from mrt.memory.plan import DevicePlan, Plan, plan
from mrt.memory.settings import RunSettings
from mrt.memory.shape import Experts, Layer, ModelShape
from mrt.models.catalog import all_shapes

GIB = 2**30
MIB = 2**20
HUGE = Machine((Gpu("card", "cuda", 1 << 44),), ram_total_bytes=1 << 44)


@cache
def catalog() -> dict[str, ModelShape]:
    """The packaged models by their first name."""
    return {shape.name: shape for shape in all_shapes()}


def machine(*gib: float, ram: float = 64) -> Machine:
    """A machine with CUDA cards of these sizes."""
    cards = tuple(Gpu(f"card {number}", "cuda", int(size * GIB)) for number, size in enumerate(gib))
    return Machine(cards, ram_total_bytes=int(ram * GIB))


def whole(shape: ModelShape, **settings: Any) -> DevicePlan:
    """The GPU's part of a plan with everything on one endless card."""
    options = {"context": 8192, "gpu_layers": 10_000, **settings}
    return plan(shape, RunSettings(**options), HUGE).devices[0]


def planned(name: str, cards: Machine, **settings: Any) -> Plan:
    """A catalog model planned."""
    return plan(catalog()[name], RunSettings(**{"context": 8192, **settings}), cards)


def dense(count: int = 4, **changes: Any) -> ModelShape:
    """A small llama; `changes` replace fields of the shape."""
    layer = Layer(heads=8, kv_heads=2, key_head=64, value_head=64, feed_forward=1536)
    shape = ModelShape("small", "llama", 512, 32000, (layer,) * count, 32768, "Q4_K_M")
    return replace(shape, **changes)


def sparse(count: int = 16, used: int = 2, depth: int = 4, **changes: Any) -> ModelShape:
    """A small mixture of experts (qwen3moe)."""
    layer = Layer(heads=8, kv_heads=2, key_head=64, value_head=64, feed_forward=0, experts=True)
    shape = ModelShape(
        "experts", "qwen3moe", 512, 32000, (layer,) * depth, 32768, "Q4_K_M", experts=Experts(count, used, 256)
    )
    return replace(shape, **changes)
