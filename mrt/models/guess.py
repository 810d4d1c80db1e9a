"""A model of which nothing but its size is known: a shape between those of the catalog's dense models next to it in size."""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import log

from mrt.errors import UsageError
from mrt.memory.shape import Layer, ModelShape
from mrt.models.catalog import packaged

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([bmt])", re.IGNORECASE)
_UNITS = {"m": 10**6, "b": 10**9, "t": 10**12}
SMALLEST, LARGEST = 50 * 10**6, 500 * 10**9
# The families that new dense models take after: grouped-query attention, gated feed-forward, no windows.
_KINDS = frozenset({"llama", "qwen2", "qwen3"})
_STEP = 256
DEFAULT_QUANTIZATION = "Q4_K_M"


def size_of(text: str) -> int | None:
    """Parameters of a size such as 14b, 1.5B or 350m; None where the text is none."""
    match = _SIZE.fullmatch(text.strip())
    return round(float(match[1]) * _UNITS[match[2].lower()]) if match else None


def guessed(parameters: int, name: str) -> ModelShape:
    """A dense model of that size. Raises a UsageError for a size that no dense model has."""
    if not SMALLEST <= parameters <= LARGEST:
        raise UsageError(f"{name}: no dense model is that size", "write a size between 50m and 500b, or a model's name")
    low, high = _neighbours(parameters, packaged().shapes())
    return _between(low, high, parameters, name)


def _neighbours(parameters: int, shapes: Sequence[ModelShape]) -> tuple[ModelShape, ModelShape]:
    """The nearest known models below and above; the same one twice beyond the ends."""
    dense = [shape for shape in shapes if _is_reference(shape)]
    below = max((shape for shape in dense if _size(shape) <= parameters), key=_size, default=None)
    above = min((shape for shape in dense if _size(shape) >= parameters), key=_size, default=None)
    if below is None or above is None:
        edge = min(dense, key=lambda shape: abs(_size(shape) - parameters))
        return edge, edge
    return below, above


def _is_reference(shape: ModelShape) -> bool:
    layer = shape.layers[0]
    plain = shape.experts is None and not shape.embeds and shape.confidence != "approximate" and layer.window is None
    return plain and shape.architecture in _KINDS and layer.kv_heads < layer.heads and bool(shape.parameters)


def _size(shape: ModelShape) -> int:
    return shape.parameters or 0


def _between(low: ModelShape, high: ModelShape, parameters: int, name: str) -> ModelShape:
    """Depth and width by the logarithm of the size; the feed-forward width makes the sum come out."""
    span = log(_size(high) / _size(low)) if high is not low else 0
    part = log(parameters / _size(low)) / span if span else 0.0
    nearer = low if part < 0.5 else high
    one, two = low.layers[0], high.layers[0]
    depth = round(len(low.layers) + part * (len(high.layers) - len(low.layers)))
    width = _rounded(low.embedding + part * (high.embedding - low.embedding))
    head = nearer.layers[0].key_head
    heads = max(
        1, round((one.heads * one.key_head + part * (two.heads * two.key_head - one.heads * one.key_head)) / head)
    )
    kv_heads = min(heads, nearer.layers[0].kv_heads)
    tables = nearer.vocabulary * width * (1 if nearer.tied_embeddings else 2)
    attention = 2 * width * head * (heads + kv_heads)
    inner = max(_STEP, _rounded(((parameters - tables) / depth - attention) / (3 * width)))
    named = " and ".join(dict.fromkeys((low.name, high.name)))
    return ModelShape(
        name=name,
        architecture=nearer.architecture,
        embedding=width,
        vocabulary=nearer.vocabulary,
        layers=(Layer(heads, kv_heads, head, head, inner),) * depth,
        context_trained=nearer.context_trained,
        quantization=DEFAULT_QUANTIZATION,
        tied_embeddings=nearer.tied_embeddings,
        parameters=parameters,
        active_parameters=parameters,
        confidence="approximate",
        source=f"a dense model of this size, between {named}" if low is not high else f"a dense model like {named}",
        notes=("only the size is known: every figure is approximate",),
    )


def _rounded(value: float) -> int:
    return max(_STEP, round(value / _STEP) * _STEP)
