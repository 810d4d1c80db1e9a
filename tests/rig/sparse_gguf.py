"""Write a model's shape as a GGUF without data: a sparse file of any size on a few kilobytes of disk, for llama.cpp's dry run."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

from mrt.memory.ggml_types import tensor_bytes
from mrt.memory.shape import ModelShape, Tensor
from rig.sparse_metadata import Value, metadata_of

_NUMBERS = (
    "F32 0, F16 1, Q4_0 2, Q4_1 3, Q5_0 6, Q5_1 7, Q8_0 8, Q8_1 9, Q2_K 10, Q3_K 11, Q4_K 12, Q5_K 13, Q6_K 14, Q8_K 15, "
    "IQ2_XXS 16, IQ2_XS 17, IQ3_XXS 18, IQ1_S 19, IQ4_NL 20, IQ3_S 21, IQ2_S 22, IQ4_XS 23, IQ1_M 29, BF16 30, TQ1_0 34, "
    "TQ2_0 35, MXFP4 39, NVFP4 40"
)
TYPE_NUMBERS = {name: int(number) for name, number in (pair.split() for pair in _NUMBERS.split(", "))}
ALIGNMENT = 32


def write_shape(path: Path, shape: ModelShape, tensors: Sequence[Tensor]) -> int:
    """Write `shape` with `tensors` to `path`; returns the file's size in bytes."""
    metadata = metadata_of(shape)
    parts = [b"GGUF", struct.pack("<IQQ", 3, len(tensors), len(metadata))]
    parts += [_text(key) + _value(value) for key, value in metadata.items()]
    offset = 0
    for tensor in tensors:
        sizes = struct.pack(f"<{len(tensor.shape)}Q", *tensor.shape)
        parts += [_text(tensor.name), struct.pack("<I", len(tensor.shape)), sizes]
        parts.append(struct.pack("<IQ", TYPE_NUMBERS[tensor.type], offset))
        offset += _aligned(tensor_bytes(tensor.type, tensor.shape))
    header = b"".join(parts)
    size = _aligned(len(header)) + offset
    with path.open("wb") as file:
        file.write(header)
        file.truncate(size)
    return size


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT


def _text(text: str) -> bytes:
    raw = text.encode()
    return struct.pack("<Q", len(raw)) + raw


def _value(value: Value) -> bytes:
    number, body = _typed(value)
    return struct.pack("<I", number) + body


def _typed(value: Value) -> tuple[int, bytes]:
    """GGUF's type number and the bytes: bool, unsigned 32-bit, float 32-bit, text, or an array of these."""
    if isinstance(value, bool):
        return 7, struct.pack("<?", value)
    if isinstance(value, int):
        return 4, struct.pack("<I", value)
    if isinstance(value, float):
        return 6, struct.pack("<f", value)
    if isinstance(value, str):
        return 8, _text(value)
    items = [_typed(item) for item in value]
    return 9, struct.pack("<IQ", items[0][0], len(items)) + b"".join(body for _, body in items)
