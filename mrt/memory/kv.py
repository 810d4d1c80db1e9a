"""The KV cache: cells, streams and bytes of full-context and sliding-window layers (llama-kv-cache.cpp and -iswa.cpp)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mrt.memory.ggml_types import CUDA_ROW, PLAIN, row_bytes

if TYPE_CHECKING:
    from mrt.memory.settings import RunSettings
    from mrt.memory.shape import Layer, ModelShape

PADDING = 256
# Encoders: every token sees every other, nothing is kept.
NO_CACHE = frozenset(
    (
        "bert",
        "nomic-bert",
        "nomic-bert-moe",
        "jina-bert-v2",
        "jina-bert-v3",
        "modern-bert",
        "neo-bert",
        "eurobert",
        "gemma-embedding",
        "t5encoder",
    )
)


class Cells(NamedTuple):
    """Cells of one stream for layers with full attention and with a window, and the number of streams."""

    full: int
    streams: int
    slots: int
    ubatch: int
    unified: bool
    short_padding: int

    def window(self, tokens: int) -> int:
        """Cells of a layer that looks back `tokens` tokens: room for the window and a micro-batch, never more than full."""
        wanted = tokens * (self.slots if self.unified else 1) + self.ubatch
        return padded(min(self.full, wanted), self.short_padding)


def padded(count: int, multiple: int = PADDING) -> int:
    """`count` rounded up to a multiple."""
    return -(-count // multiple) * multiple


def cells_of(settings: RunSettings) -> Cells:
    """Cells under these settings; each slot has `settings.context` tokens, unified caches hold all slots in one stream."""
    slots = max(1, settings.parallel)
    ubatch = min(settings.ubatch, settings.batch)
    short = 1 if settings.build and settings.build < "2025-09" else PADDING
    if settings.unified:
        return Cells(padded(settings.context * slots), 1, slots, ubatch, True, short)
    return Cells(padded(settings.context), slots, slots, ubatch, False, short)


def has_cache(shape: ModelShape) -> bool:
    """Whether the model keeps keys and values between tokens at all."""
    return shape.architecture not in NO_CACHE


def latent_cache(shape: ModelShape, settings: RunSettings) -> bool:
    """Whether the compressed form is cached: not by builds before it, nor for files with kv_b in one piece."""
    return (
        shape.latent is not None
        and "kv_b_joined" not in shape.traits
        and (not settings.build or settings.build >= "2025-04-15")
    )


def token_bytes(shape: ModelShape, layer: Layer, settings: RunSettings, widest_value: int = 0) -> int:
    """Bytes of one layer's cache per cell; `widest_value` the V width that caches without flash attention are padded to."""
    if (not layer.kv_heads and shape.latent is None) or layer.shares_kv or layer.cross or not layer.heads:
        return 0
    latent = shape.latent
    if latent is not None and latent_cache(shape, settings):
        width = latent.kv_rank + latent.rope_head
        # Builds of April and May 2025 cached V as well.
        values = row_bytes(settings.type_v, latent.kv_rank) if settings.build and settings.build < "2025-06" else 0
        return row_bytes(settings.type_k, width) + values
    heads = layer.heads if latent is not None else layer.kv_heads
    key = latent.nope_head + latent.rope_head if latent is not None else layer.key_head
    value = latent.value_head if latent is not None else layer.value_head
    return row_bytes(settings.type_k, heads * key) + row_bytes(settings.type_v, max(heads * value, widest_value))


def widest_value(shape: ModelShape, settings: RunSettings) -> int:
    """Without flash attention V is stored transposed, at the width of its widest layer; 0 where that changes nothing."""
    if settings.flash_attention or shape.latent is not None:
        return 0
    return max((layer.kv_heads * layer.value_head for layer in shape.layers), default=0)


def layer_cache(shape: ModelShape, layer: Layer, settings: RunSettings, widest: int) -> tuple[int, int]:
    """One layer's cache in bytes, (full, window): one of the two is 0."""
    cells = cells_of(settings)
    size = token_bytes(shape, layer, settings, widest)
    padding = cache_padding(shape, layer, settings) if size else 0
    if layer.cross:
        return 2 * 2 * layer.kv_heads * layer.key_head * shape.size("cross_tokens", 6404), 0
    if layer.window is None or settings.full_window:
        return size * cells.full * cells.streams + padding, 0
    return 0, size * cells.window(layer.window) * cells.streams + padding


def cache_padding(shape: ModelShape, layer: Layer, settings: RunSettings) -> int:
    """What CUDA adds behind a quantised K or V whose rows end inside a block of 512; some hundred bytes a layer."""
    latent = shape.latent
    if latent is not None:
        return _padding(settings.type_k, latent.kv_rank + latent.rope_head)
    return _padding(settings.type_k, layer.kv_heads * layer.key_head) + _padding(
        settings.type_v, layer.kv_heads * layer.value_head
    )


def _padding(type_name: str, width: int) -> int:
    rest = width % CUDA_ROW
    return padded(row_bytes(type_name, CUDA_ROW - rest), 128) if rest and type_name not in PLAIN else 0


def kv_cache(shape: ModelShape, settings: RunSettings) -> tuple[tuple[int, int], ...]:
    """(full, window) bytes of each layer, in order."""
    if not has_cache(shape):
        return ((0, 0),) * len(shape.layers)
    widest = widest_value(shape, settings)
    known: dict[int, tuple[int, int]] = {}
    for layer in shape.layers:
        if id(layer) not in known:
            known[id(layer)] = layer_cache(shape, layer, settings, widest)
    return tuple(known[id(layer)] for layer in shape.layers)
