"""GGUF files on disk."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from mrt.errors import UsageError
from mrt.memory.ggml_types import tensor_bytes
from mrt.memory.shape import ModelShape
from mrt.models.gguf.cursor import HeaderError
from mrt.models.gguf.header import Header, read_header
from mrt.models.gguf.parts import Part, check_whole, part_names, shape_of_parts


def read_files(path: Path) -> ModelShape:
    """The model in a file, or in the set of files one part of which is named. Raises a UsageError."""
    names = part_names(path.name)
    missing = next((name for name in names if not (path.parent / name).exists()), None)
    if missing is not None and missing != path.name:
        raise UsageError(
            f"{path.parent / missing} is missing: {path.name} is one of {len(names)} parts",
            "put all of its parts into one folder",
        )
    return shape_of_parts([read_part(path.parent / name) for name in names], f"GGUF header of {path}")


def projector_size(path: Path) -> int:
    """Bytes of a projector's tensors (mmproj). Raises a UsageError where the file is none."""
    part = read_part(path)
    check_whole(part)
    if part.header.metadata.get("general.architecture") != "clip":
        raise UsageError(f"{path} is no projector", "a projector's file is called mmproj-….gguf")
    return sum(tensor_bytes(tensor.type, tensor.shape) for tensor in part.header.tensors)


def read_part(path: Path) -> Part:
    """One file. Raises a UsageError where it cannot be read as GGUF."""
    try:
        if path.exists() and not path.is_file():
            raise UsageError(f"{path} is no file", "name the .gguf file itself")
        with path.open("rb") as file:
            size = path.stat().st_size
            return Part(str(path), _read(file, size), size)
    except HeaderError as reason:
        raise UsageError(f"{path} {reason}", "name a .gguf file, a model folder or a model's name") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}", "name a file that you may read") from None


def _read(file: BinaryIO, size: int) -> Header:
    def fetch(offset: int, length: int) -> bytes:
        file.seek(offset)
        return file.read(length)

    return read_header(fetch, size)
