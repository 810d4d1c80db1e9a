"""ggml's types: how many elements share a block, and how many bytes a block takes (type traits of ggml.c)."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# name: (elements per block, bytes per block)
BLOCKS: dict[str, tuple[int, int]] = {
    "F32": (1, 4),
    "F16": (1, 2),
    "BF16": (1, 2),
    "F64": (1, 8),
    "I8": (1, 1),
    "I16": (1, 2),
    "I32": (1, 4),
    "I64": (1, 8),
    "Q4_0": (32, 18),
    "Q4_1": (32, 20),
    "Q5_0": (32, 22),
    "Q5_1": (32, 24),
    "Q8_0": (32, 34),
    "Q8_1": (32, 36),
    "Q2_K": (256, 84),
    "Q3_K": (256, 110),
    "Q4_K": (256, 144),
    "Q5_K": (256, 176),
    "Q6_K": (256, 210),
    "Q8_K": (256, 292),
    "IQ1_S": (256, 50),
    "IQ1_M": (256, 56),
    "IQ2_XXS": (256, 66),
    "IQ2_XS": (256, 74),
    "IQ2_S": (256, 82),
    "IQ3_XXS": (256, 98),
    "IQ3_S": (256, 110),
    "IQ4_XS": (256, 136),
    "IQ4_NL": (32, 18),
    "TQ1_0": (256, 54),
    "TQ2_0": (256, 66),
    "MXFP4": (32, 17),
    "NVFP4": (64, 36),
    "Q1_0": (128, 18),
    "Q2_0": (64, 18),
}
# The type taken when the row length is not a multiple of the block (llama.cpp, tensor_type_fallback); then F16.
FALLBACKS: dict[str, str] = {
    **dict.fromkeys(("IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ3_XXS", "IQ3_S", "IQ4_XS"), "IQ4_NL"),
    **dict.fromkeys(("Q2_0", "Q2_K", "Q3_K", "TQ1_0", "TQ2_0"), "Q4_0"),
    "Q4_K": "Q5_0",
    "Q5_K": "Q5_1",
    "Q6_K": "Q8_0",
}
PLAIN = frozenset(("F32", "F16", "BF16", "F64", "I8", "I16", "I32", "I64"))
# CUDA reads whole blocks of this many elements, and pads a quantised tensor whose rows end elsewhere (get_alloc_size).
CUDA_ROW = 512


def row_bytes(type_name: str, elements: int) -> int:
    """Bytes of one row of `elements`; a part of a block is not possible in a file and rounds down."""
    block, size = BLOCKS[type_name]
    return elements // block * size


def tensor_bytes(type_name: str, shape: Sequence[int]) -> int:
    """Bytes of a tensor without padding; `shape` begins with the row length."""
    block, size = BLOCKS[type_name]
    return shape[0] // block * size * prod(shape[1:])


def cuda_bytes(type_name: str, shape: Sequence[int]) -> int:
    """Bytes the CUDA backend allocates for a tensor: the last row of a quantised one is padded, all is aligned to 128."""
    size = tensor_bytes(type_name, shape)
    rest = shape[0] % CUDA_ROW
    if rest and type_name not in PLAIN:
        size += row_bytes(type_name, CUDA_ROW - rest)
    return -(-size // 128) * 128


def fitting(type_name: str, row: int) -> str:
    """The type a tensor with rows of `row` elements really gets."""
    if row % BLOCKS[type_name][0] == 0:
        return type_name
    other = FALLBACKS.get(type_name, "F16")
    return other if row % BLOCKS[other][0] == 0 else "F16"
