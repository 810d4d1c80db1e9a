"""The explanation of a plan: every buffer with its formula, the values put in and the source of the rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mrt.memory.kv import cells_of, latent_cache
from mrt.memory.plan import Line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mrt.memory.placing import Parts
    from mrt.memory.plan import DevicePlan

_WEIGHTS = "llama-quant.cpp (types by file type), ggml.c (type sizes), llama-model.cpp (placement)"
_CACHE = "llama-kv-cache.cpp, llama-kv-cache-iswa.cpp"
_COMPUTE = "llama-context.cpp (sched_reserve), ggml-alloc.c (replayed)"


def explain(parts: Parts, devices: Sequence[DevicePlan], gpu_layers: int) -> tuple[Line, ...]:
    """One line per buffer that is not empty; their bytes add up to the plan's total."""
    return tuple(line for device in devices for line in _lines(parts, device, gpu_layers) if line.bytes)


def _lines(parts: Parts, device: DevicePlan, gpu_layers: int) -> Iterator[Line]:
    shape, settings = parts.shape, parts.settings
    placed = ("layers here", device.layers), ("layers on GPUs", gpu_layers)
    table = "the file's tensor table" if shape.tensors else f"tensors built from the shape as {shape.quantization}"
    yield Line(
        "weights",
        device.weights_bytes,
        f"sum over {table} of elements / block * block bytes",
        placed,
        _WEIGHTS,
        device.name,
    )
    yield _full_cache(parts, device)
    cells = cells_of(settings)
    windows = sorted({layer.window for layer in shape.layers if layer.window})
    window = tuple((f"cells of a window of {size}", cells.window(size)) for size in windows)
    formula = "sum over sliding-window layers of pad(min(context, window + micro-batch), 256) * slots * row bytes"
    values = (*window, ("slots", cells.streams), *_types(parts))
    yield Line("KV cache, sliding window", device.kv_window_bytes, formula, values, _CACHE, device.name)
    yield _state(parts, device)
    graph = (("tokens", parts.batch.tokens), ("rows of logits", parts.batch.rows), ("KV cells", parts.batch.cells))
    flash = ("flash attention", "on" if settings.flash_attention else "off")
    formula = "the largest sum of live tensors in one run of the graph"
    yield Line("compute buffer", device.compute_bytes, formula, (*graph, flash), _COMPUTE, device.name)


def _types(parts: Parts) -> tuple[tuple[str, int | str], ...]:
    return ("K type", parts.settings.type_k), ("V type", parts.settings.type_v)


def _full_cache(parts: Parts, device: DevicePlan) -> Line:
    cells = cells_of(parts.settings)
    values: tuple[tuple[str, int | str], ...] = (("cells", cells.full), ("slots", cells.streams), *_types(parts))
    formula = "sum over layers of pad(context, 256) * slots * (row(K, KV heads * head) + row(V, KV heads * head))"
    latent = parts.shape.latent
    if latent is not None and latent_cache(parts.shape, parts.settings):
        formula = "sum over layers of pad(context, 256) * slots * row(K, latent rank + rope part); no V"
        values = (*values, ("latent rank", latent.kv_rank), ("rope part", latent.rope_head))
    return Line("KV cache", device.kv_full_bytes, formula, values, _CACHE, device.name)


def _state(parts: Parts, device: DevicePlan) -> Line:
    state = parts.shape.recurrent
    values = (
        ("slots", parts.settings.parallel),
        ("convolution", state.convolution if state else 0),
        ("inner width", state.inner if state else 0),
        ("state", state.state if state else 0),
        ("groups", state.groups if state else 0),
    )
    formula = "recurrent layers * slots * 4 * ((convolution - 1) * (inner + 2 * groups * state) + state * inner)"
    return Line("recurrent state", device.recurrent_bytes, formula, values, "llama-memory-recurrent.cpp", device.name)
