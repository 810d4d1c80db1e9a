"""Which blocks lie on which device, and the plan that follows: llama.cpp's placement (llama-model.cpp, load_tensors)."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from mrt.memory.compute import Batch, Part, Placed, batch_of, cpu_bytes, device_graph, host_bytes
from mrt.memory.kv import kv_cache
from mrt.memory.plan import DevicePlan, Plan
from mrt.memory.recurrent import recurrent_state
from mrt.memory.weights import Weights, weights

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mrt.memory.hardware import Gpu, Machine
    from mrt.memory.settings import RunSettings
    from mrt.memory.shape import ModelShape

MIB = 2**20
# What driver and libraries took beyond the engine's buffers on record: CUDA 330 +- 150 MiB; ROCm without flash attention
# once 2346 MiB more; for the others nothing is on record, so the interval begins at nothing.
OVERHEAD = {"cuda": (180, 480), "rocm": (180, 480), "metal": (0, 480), "vulkan": (0, 480)}
ROCM_WITHOUT_FLASH = 2346
PIPELINE_COPIES = 4
WORTH_A_NOTE = 32 * MIB


class Parts(NamedTuple):
    """A model's bytes, block by block."""

    shape: ModelShape
    settings: RunSettings
    weights: Weights
    cache: tuple[tuple[int, int], ...]
    state: tuple[int, ...]
    batch: Batch

    @property
    def layers(self) -> int:
        """Blocks and the output."""
        return len(self.shape.layers) + 1


def parts_of(shape: ModelShape, settings: RunSettings, known: Weights | None = None) -> Parts:
    """Everything that does not depend on the machine."""
    found = known or weights(shape, shape.quantization)
    return Parts(
        shape, settings, found, kv_cache(shape, settings), recurrent_state(shape, settings), batch_of(shape, settings)
    )


def place(shape: ModelShape, settings: RunSettings, machine: Machine, known: Weights | None = None) -> Plan:
    """The plan with the layers asked for, or with as many as fit."""
    from mrt.memory.lines import explain

    parts = parts_of(shape, settings, known)
    gpu_layers, devices = chosen(parts, machine)
    total = sum(device.buffers_bytes for device in devices)
    return Plan(
        shape,
        settings,
        devices,
        gpu_layers,
        total,
        explain(parts, devices, gpu_layers),
        notes_of(parts, gpu_layers),
    )


def spare_logits(parts: Parts) -> int:
    """Bytes of logits beyond one row a slot, which is all that newer llama-server builds reserve."""
    if parts.settings.engine != "llama.cpp" or parts.shape.embeds:
        return 0
    return 4 * parts.shape.vocabulary * max(0, parts.batch.rows - parts.batch.sequences)


def notes_of(parts: Parts, gpu_layers: int) -> tuple[str, ...]:
    """What a reader of the figures should know."""
    notes = list(parts.shape.notes)
    if 0 < gpu_layers < parts.layers:
        notes.append(f"{gpu_layers} of {parts.layers} layers on GPUs; the rest is read from RAM for every token")
    spare = spare_logits(parts)
    if spare >= WORTH_A_NOTE:
        notes.append(f"newer llama-server builds reserve logits for their slots alone: up to {spare // MIB} MiB less")
    return tuple(notes)


def chosen(parts: Parts, machine: Machine) -> tuple[int, tuple[DevicePlan, ...]]:
    """Layers on GPUs, the output among them, and the devices with them: as asked, or the most that fit."""
    asked = parts.settings.gpu_layers
    if not machine.gpus or asked is not None:
        count = max(0, min(asked or 0, parts.layers)) if machine.gpus else 0
        return count, devices_of(parts, machine, count)
    if fit_all(devices_of(parts, machine, parts.layers, 0), 0.0):  # else weights and caches alone are too much
        devices = devices_of(parts, machine, parts.layers)
        if fit_all(devices, 0.0):
            return parts.layers, devices
    return most_layers(parts, machine)


def most_layers(parts: Parts, machine: Machine) -> tuple[int, tuple[DevicePlan, ...]]:
    """The most layers, short of all, whose middle leaves the headroom free, and the devices with them.

    Memory on the GPUs grows with the layers; the search takes the compute buffer for constant, and the last steps replay it.
    """
    low, high = 0, parts.layers - 1
    bound = _bound(parts)
    while low < high:
        middle = (low + high + 1) // 2
        if fit_all(devices_of(parts, machine, middle, bound), parts.settings.headroom):
            low = middle
        else:
            high = middle - 1
    devices = devices_of(parts, machine, low)
    while low and not fit_all(devices, parts.settings.headroom):
        low -= 1
        devices = devices_of(parts, machine, low)
    return low, devices


def fit_all(devices: Sequence[DevicePlan], headroom: float) -> bool:
    """Whether every GPU holds its share."""
    return all(fits(device, headroom) for device in devices if device.kind == "gpu")


def fits(device: DevicePlan, headroom: float) -> bool:
    """Whether a device's capacity holds what it needs; an unknown capacity is not a reason against it."""
    if device.total_bytes is None:
        return True
    if headroom:
        return device.buffers_bytes + (device.overhead_low + device.overhead_high) // 2 <= device.total_bytes * (
            1 - headroom
        )
    return device.needed_high <= device.total_bytes


def devices_of(parts: Parts, machine: Machine, gpu_layers: int, bound: int | None = None) -> tuple[DevicePlan, ...]:
    """Every device's share, GPUs first; `bound` stands for the GPUs' compute buffers where replaying them can wait."""
    first = parts.layers - gpu_layers
    homes = split(parts.layers, first, machine.gpus, parts.settings) if machine.gpus else [-1] * parts.layers
    gpus = tuple(_on_gpu(parts, machine, number, homes, bound) for number in range(len(machine.gpus)))
    return (*gpus, _on_cpu(parts, machine, homes, bound))


def split(count: int, first: int, gpus: Sequence[Gpu], settings: RunSettings) -> list[int]:
    """The device of each block and, last, of the output: -1 the host, else the GPU whose share of the memory they fall into."""
    shares = settings.tensor_split or tuple(float(gpu.free_bytes or gpu.total_bytes) for gpu in gpus)
    shares = (*shares[: len(gpus)], *([0.0] * (len(gpus) - len(shares))))
    total = sum(shares) or 1.0
    bounds = [bound / total for bound in accumulate(shares)]
    on_gpu = count - first
    homes = [-1] * first
    for index in range(on_gpu):
        homes.append(min(bisect_right(bounds, index / on_gpu), len(gpus) - 1))
    return homes


def _on_gpu(parts: Parts, machine: Machine, number: int, homes: Sequence[int], bound: int | None) -> DevicePlan:
    gpu = machine.gpus[number]
    blocks = [index for index, home in enumerate(homes[:-1]) if home == number]
    head = homes[-1] == number
    low, high = overhead(gpu, parts.settings)
    compute = _compute(parts, homes, number, bound)
    if not blocks and not head and not compute:
        low = high = 0
    held = parts.weights.layers
    cpu_moe = parts.settings.cpu_moe
    stored = sum(held[index].gpu - (held[index].experts_gpu if index < cpu_moe else 0) for index in blocks)
    return DevicePlan(
        name=gpu.name,
        kind="gpu",
        total_bytes=gpu.total_bytes,
        free_bytes=gpu.free_bytes,
        weights_bytes=stored + (parts.weights.output.gpu if head else 0),
        kv_full_bytes=sum(parts.cache[index][0] for index in blocks),
        kv_window_bytes=sum(parts.cache[index][1] for index in blocks),
        recurrent_bytes=sum(parts.state[index] for index in blocks),
        compute_bytes=compute,
        overhead_low=low,
        overhead_high=high,
        layers=len(blocks) + head,
    )


def overhead(gpu: Gpu, settings: RunSettings) -> tuple[int, int]:
    """Bytes a device loses beyond the buffers, at least and at most."""
    low, high = OVERHEAD.get(gpu.backend, (0, 480))
    if gpu.backend == "rocm" and not settings.flash_attention:
        high += ROCM_WITHOUT_FLASH
    return low * MIB, high * MIB


def _compute(parts: Parts, homes: Sequence[int], number: int, bound: int | None) -> int:
    """A GPU's compute buffer; the first one also works for the blocks whose weights lie on the host."""
    if bound is not None:
        return bound
    part = part_of(parts, homes, number)
    if not part.layers and not part.head:
        return 0
    return device_graph(parts.shape, part, parts.batch).peak()


def _bound(parts: Parts) -> int:
    """About the compute buffer of a GPU with a part of the layers: the whole model's, or the largest weight brought to it."""
    whole = Part(tuple(Placed(layer) for layer in parts.shape.layers))
    largest = max((layer.largest for layer in set(parts.weights.layers)), default=0)
    return max(device_graph(parts.shape, whole, parts.batch).peak(), largest)


def part_of(parts: Parts, homes: Sequence[int], number: int) -> Part:
    """What one GPU computes. Large batches bring the host's weights to the first GPU, one product at a time."""
    layers = parts.shape.layers
    placed = []
    for index, home in enumerate(homes[:-1]):
        remote = home < 0
        if home == number or (remote and number == 0):
            experts = index < parts.settings.cpu_moe
            copies = parts.weights.layers[index].copies(experts_only=not remote) if remote or experts else ()
            placed.append(Placed(layers[index], remote, copies))
    head = homes[-1] == number or (homes[-1] < 0 and number == 0)
    copied = parts.weights.output.largest if homes[-1] < 0 else 0
    return Part(tuple(placed), head, copied, input_copies(parts, homes), first=number == 0)


def input_copies(parts: Parts, homes: Sequence[int]) -> int:
    """A model wholly on several GPUs runs as a pipeline, which keeps four copies of the inputs."""
    whole = -1 not in homes and not parts.settings.cpu_moe
    return PIPELINE_COPIES if whole and len(set(homes)) > 1 else 1


def _on_cpu(parts: Parts, machine: Machine, homes: Sequence[int], bound: int | None) -> DevicePlan:
    held, cpu_moe = parts.weights.layers, parts.settings.cpu_moe
    blocks = [index for index, home in enumerate(homes[:-1]) if home < 0]
    stored = sum(held[index].file for index in blocks)
    stored += sum(held[index].experts for index, home in enumerate(homes[:-1]) if home >= 0 and index < cpu_moe)
    stored += parts.weights.inputs.file
    if homes[-1] < 0:
        stored += parts.weights.separate_output
    compute = 0 if bound is not None else _host_compute(parts, homes, bool(machine.gpus))
    return DevicePlan(
        name="CPU",
        kind="cpu",
        total_bytes=machine.ram_total_bytes,
        free_bytes=machine.ram_free_bytes,
        weights_bytes=stored,
        kv_full_bytes=sum(parts.cache[index][0] for index in blocks),
        kv_window_bytes=sum(parts.cache[index][1] for index in blocks),
        recurrent_bytes=sum(parts.state[index] for index in blocks),
        compute_bytes=compute,
        layers=len(blocks) + (homes[-1] < 0),
    )


def _host_compute(parts: Parts, homes: Sequence[int], helped: bool) -> int:
    """The inputs when a GPU does the work, if only with weights brought from the host; without one the whole graph."""
    if helped:
        return host_bytes(parts.shape, parts.batch, input_copies(parts, homes))
    return cpu_bytes(parts.shape, parts.batch)


def with_quantization(shape: ModelShape, quantization: str) -> ModelShape:
    """The same model under another quantization; a file's own table and quirks are left behind."""
    if quantization == shape.quantization:
        return shape
    return replace(shape, quantization=quantization, tensors=None, type_overrides=(), file_bytes=None)
