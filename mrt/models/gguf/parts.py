"""One model from the headers of its file, or of the files it was split into."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from mrt.errors import UsageError
from mrt.frozen import frozen
from mrt.memory.ggml_types import tensor_bytes
from mrt.memory.shape import ModelShape, Tensor
from mrt.models.gguf.header import Header
from mrt.models.gguf.types import FILE_TYPES
from mrt.models.metadata import NotAModel, Origin, shape_of

SPLIT = re.compile(r"(?P<stem>.*)-(?P<number>\d{5})-of-(?P<count>\d{5})(?P<end>\.gguf)", re.IGNORECASE)
MOST_PARTS = 999
_GUESSED = 1024  # llama.cpp marks a file type it guessed with this bit


@frozen
class Part:
    """One file: its name as the user knows it, its header, its size in bytes where known."""

    name: str
    header: Header
    size: int | None


def part_names(name: str) -> list[str]:
    """The names of all files of the set that `name` belongs to; the name alone where it is whole."""
    match = SPLIT.fullmatch(name)
    if match is None:
        return [name]
    count = int(match["count"])
    if not 1 <= int(match["number"]) <= count <= MOST_PARTS:
        raise UsageError(f"{name} is no part of a set", "parts are called NAME-00001-of-00003.gguf")
    return [f"{match['stem']}-{number:05}-of-{match['count']}{match['end']}" for number in range(1, count + 1)]


def shape_of_parts(parts: Sequence[Part], source: str) -> ModelShape:
    """The model in one file or a set. Raises a UsageError for another kind of file, or one that is cut off."""
    for part in parts:
        check_whole(part)
    first = parts[0]
    tensors = tuple(tensor for part in parts for tensor in part.header.tensors)
    sizes = [part.size for part in parts]
    origin = Origin(
        name=first.name.replace("\\", "/").rpartition("/")[2],
        source=source,
        file_bytes=None if None in sizes else sum(size or 0 for size in sizes),
        header_bytes=sum(part.header.data_start for part in parts),
        quantization=quantization_of(first.header.metadata, tensors),
    )
    try:
        return shape_of(first.header.metadata, tensors, origin)
    except NotAModel as reason:
        raise UsageError(f"{first.name} {reason}", reason.hint) from None


def check_whole(part: Part) -> None:
    """Raises a UsageError, naming by how much, for a file that ends before its tensors do."""
    missing = 0 if part.size is None else part.header.data_end - part.size
    if missing > 0:
        raise UsageError(
            f"{part.name} is cut off: {in_words(missing)} of {in_words(part.header.data_end)} are missing",
            "download it again",
        )


def quantization_of(metadata: Any, tensors: Sequence[Tensor]) -> str:
    """The file type that the header states, else the type that holds most of the bytes."""
    stated = metadata.get("general.file_type")
    name = FILE_TYPES.get(stated & ~_GUESSED) if isinstance(stated, int) else None
    if name is not None:
        return name
    held: dict[str, int] = {}
    for tensor in tensors:
        held[tensor.type] = held.get(tensor.type, 0) + tensor_bytes(tensor.type, tensor.shape)
    return max(held, key=lambda type_: held[type_]) if held else "F16"


def in_words(size: int) -> str:
    """Bytes as people read them: 512 B, 3.2 MiB, 4.6 GiB."""
    amount, unit = float(size), "B"
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if amount < 1024 or unit == "TiB":
            break
        amount /= 1024
    return f"{size} B" if unit == "B" else f"{amount:.1f} {unit}"
