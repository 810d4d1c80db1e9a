"""Quantizations as people write them, alone or at the end of a name."""

from __future__ import annotations

import re
from dataclasses import replace

from mrt.errors import UsageError
from mrt.memory.mixture import FILE_TYPES, canonical
from mrt.memory.shape import ModelShape
from mrt.near import did_you_mean, nearest

# A quantization at the end of a tag or a file name: 14b-instruct-q4_K_M, Qwen3-8B-Q8_0, Llama-3.2-3B.f16
_AT_END = r"(?i)(?:^|[-.:_@])((?:i?q|tq|mxfp|nvfp|b?f|fp)\d\w*)$"
# Marks of the published file alone, which another quantization does not have.
_OF_PUBLISHED = frozenset({"all_quantized", "go_mixture", "separate_output"})


def check_quantization(name: str) -> str:
    """The file type of that name ("q4_k_m" is Q4_K_M). Raises a UsageError, with near names, where there is none."""
    found = canonical(name)
    if found is None:
        near = nearest(name.upper(), FILE_TYPES, 3)
        raise UsageError(
            f"there is no quantization {name!r}", did_you_mean(near, "such as Q4_K_M, Q5_K_M, Q6_K, Q8_0, IQ4_XS, F16")
        )
    return found


def at_end(name: str) -> tuple[str, str | None]:
    """A name without the quantization it ends in, and that; (name, None) where it ends in none."""
    match = re.search(_AT_END, name)
    found = canonical(match[1]) if match else None
    return (name[: match.start()], found) if match and found else (name, None)


def requantized(shape: ModelShape, quantization: str) -> ModelShape:
    """The same model in another quantization: what was known of the file alone is known no more."""
    if quantization == canonical(shape.quantization):
        return shape
    return replace(
        shape,
        quantization=quantization,
        tensors=None,
        file_bytes=None,
        type_overrides=(),
        traits=shape.traits - _OF_PUBLISHED,
        notes=tuple(note for note in shape.notes if "is assumed" not in note),
    )


def generic(shape: ModelShape, name: str) -> ModelShape:
    """The model under a name other than its tag: without what is true of the tag's own file only."""
    return replace(shape, name=name, file_bytes=None, type_overrides=(), traits=shape.traits - _OF_PUBLISHED)


def unconverted(shape: ModelShape, names: str) -> ModelShape:
    """The model with the weights of its repository, as vLLM runs them: 16 bits each, unless a name says otherwise."""
    if re.search(r"(?i)awq|gptq|int4|w4a16|4bit", names):
        bits, nearest = 4, "Q4_0"
    elif re.search(r"(?i)fp8|int8|w8a", names):
        bits, nearest = 8, "Q8_0"
    else:
        return requantized(shape, "BF16")
    shape = requantized(shape, nearest)
    note = f"its name says {bits} bits a weight: counted as {nearest}"
    return replace(shape, confidence="approximate", notes=(*shape.notes, note))
