"""Plan a run: bytes per buffer and device for a model, its settings and a machine, by llama.cpp's own rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from mrt.frozen import frozen

if TYPE_CHECKING:
    from mrt.memory.hardware import Machine
    from mrt.memory.settings import RunSettings
    from mrt.memory.shape import ModelShape
    from mrt.memory.weights import Weights

Kind = Literal["gpu", "cpu"]


@frozen
class Line:
    """One buffer explained: its bytes, the formula in words, the values put in, and where the rule is written down."""

    label: str
    bytes: int
    formula: str
    inputs: tuple[tuple[str, int | str], ...]
    source: str
    device: str


@frozen
class DevicePlan:
    """What one device has to hold, in bytes; `free_bytes` and `total_bytes` None where the machine does not say.

    `overhead_low` and `overhead_high` bound what the driver and its libraries take beyond the buffers.
    """

    name: str
    kind: Kind
    total_bytes: int | None
    free_bytes: int | None
    weights_bytes: int = 0
    kv_full_bytes: int = 0
    kv_window_bytes: int = 0
    recurrent_bytes: int = 0
    compute_bytes: int = 0
    overhead_low: int = 0
    overhead_high: int = 0
    layers: int = 0

    @property
    def kv_cache_bytes(self) -> int:
        """Full-context and sliding-window parts together."""
        return self.kv_full_bytes + self.kv_window_bytes

    @property
    def buffers_bytes(self) -> int:
        """All that the engine itself allocates, without the overhead."""
        return self.weights_bytes + self.kv_cache_bytes + self.recurrent_bytes + self.compute_bytes

    @property
    def needed_low(self) -> int:
        """Buffers and the least overhead on record."""
        return self.buffers_bytes + self.overhead_low

    @property
    def needed_high(self) -> int:
        """Buffers and the most overhead on record."""
        return self.buffers_bytes + self.overhead_high

    @property
    def margin_bytes(self) -> int | None:
        """Capacity left with the overhead taken at its middle; negative when short, None when the capacity is unknown."""
        if self.total_bytes is None:
            return None
        return self.total_bytes - self.buffers_bytes - (self.overhead_low + self.overhead_high) // 2


@frozen
class Plan:
    """The whole run: GPUs first in the machine's order, the CPU last; `gpu_layers` of `layers` (blocks, output) lie on GPUs."""

    shape: ModelShape
    settings: RunSettings
    devices: tuple[DevicePlan, ...]
    gpu_layers: int
    total_bytes: int
    lines: tuple[Line, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def layers(self) -> int:
        """Blocks and the output layer: what `gpu_layers` can at most be."""
        return len(self.shape.layers) + 1


def plan(shape: ModelShape, settings: RunSettings, machine: Machine, known: Weights | None = None) -> Plan:
    """The memory of `shape` under `settings` on `machine`; pure, no clock, no I/O.

    Raises UsageError for a quantization that does not exist. The quantization is the shape's own. `known` are its weights
    where they were summed before: they depend on nothing else.
    """
    if settings.engine == "vllm":
        from mrt.memory.vllm import plan_vllm

        return plan_vllm(shape, settings, machine)
    from mrt.memory.placing import place

    return place(shape, settings, machine, known)
