"""The header of a GGUF file: metadata and the table of tensors, read within bounds whatever the bytes say.

Layout (GGUF v2 and v3): magic, version, two counts, then pairs of key and value, then the tensors' names, shapes, types and
offsets. Numbers are little-endian, or big-endian when the version says so. Strings carry 64-bit lengths.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mrt.frozen import frozen
from mrt.memory.ggml_types import BLOCKS, tensor_bytes
from mrt.memory.shape import Tensor
from mrt.models.gguf.cursor import Cursor, Fetch, HeaderError
from mrt.models.gguf.types import TYPES

MAGIC = b"GGUF"
MOST_KEYS = 65536
MOST_TENSORS = 100_000
MOST_STRINGS = 2_000_000
# Per-layer arrays are read, vocabularies only counted.
LONGEST_ARRAY = 4096
LONGEST_KEY = 65535
LONGEST_TEXT = 64 * 1024
LARGEST_TENSOR = 1 << 62

_INTEGERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 10: "Q", 11: "q"}
_REALS = {6: "f", 12: "d"}
_SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_BOOL, _STRING, _ARRAY = 7, 8, 9


@frozen
class Counted:
    """An array that was counted, not read."""

    length: int


@frozen
class Header:
    """What a file says of itself. `data_start` and `data_end` are offsets of its tensors' bytes in the file."""

    metadata: Mapping[str, Any]
    tensors: tuple[Tensor, ...]
    data_start: int
    data_end: int


def read_header(fetch: Fetch, size: int | None) -> Header:
    """The header in the bytes that `fetch(offset, size)` gives; `size` is that of the whole file. Raises HeaderError."""
    cursor = Cursor(fetch, size)
    if (size is not None and size < 4) or cursor.take(4) != MAGIC:
        raise HeaderError("is no GGUF file")
    _read_version(cursor)
    tensor_count, key_count = cursor.number("Q"), cursor.number("Q")
    _check_count(cursor, key_count, MOST_KEYS, 13, "keys")
    _check_count(cursor, tensor_count, MOST_TENSORS, 25, "tensors")
    metadata = _read_metadata(cursor, key_count)
    alignment = metadata.get("general.alignment", 32)
    if not isinstance(alignment, int) or alignment < 1 or alignment > 1 << 20 or alignment & (alignment - 1):
        raise HeaderError(f"has an impossible alignment: {str(alignment)[:20]}")
    tensors, length = _read_tensors(cursor, tensor_count)
    start = -(-cursor.position // alignment) * alignment
    return Header(metadata, tensors, start, start + length if tensors else cursor.position)


def _read_version(cursor: Cursor) -> None:
    version = cursor.number("I")
    if version & 0xFFFF == 0 and version:
        cursor.order = ">"
        version = int.from_bytes(version.to_bytes(4, "little"), "big")
    if version == 1:
        raise HeaderError("is in GGUF version 1, which llama.cpp no longer reads")
    if version not in (2, 3):
        raise HeaderError(f"is in GGUF version {version}; 2 and 3 are known")


def _check_count(cursor: Cursor, count: int, most: int, least_bytes: int, what: str) -> None:
    if count > most:
        raise HeaderError(f"claims {count} {what}; no model has so many")
    if count * least_bytes > cursor.left():
        raise HeaderError("is cut off inside its header")


def _read_metadata(cursor: Cursor, count: int) -> dict[str, Any]:
    metadata: dict[str, Any] = {}
    strings = [MOST_STRINGS]
    for _ in range(count):
        key = _text(cursor, LONGEST_KEY)
        if key in metadata:
            raise HeaderError(f"has the key {key[:60]!r} twice")
        metadata[key] = _value(cursor, cursor.number("I"), strings)
    return metadata


def _text(cursor: Cursor, longest: int) -> str:
    length = cursor.number("Q")
    if length > longest:
        raise HeaderError(f"has a name of {length} bytes; no model has such")
    return cursor.take(length).decode("utf-8", "replace")


def _value(cursor: Cursor, kind: int, strings: list[int]) -> Any:
    if kind in _INTEGERS:
        return cursor.number(_INTEGERS[kind])
    if kind in _REALS:
        return cursor.real(_REALS[kind])
    if kind == _BOOL:
        return cursor.take(1) != b"\0"
    if kind == _STRING:
        return _string(cursor)
    if kind == _ARRAY:
        return _array(cursor, strings)
    raise HeaderError(f"has a value of unknown type {kind}")


def _string(cursor: Cursor) -> str:
    """A text; of one that is too long to mean anything here (a chat template may be) nothing is kept."""
    length = cursor.number("Q")
    if length > LONGEST_TEXT:
        cursor.skip(length)
        return ""
    return cursor.take(length).decode("utf-8", "replace")


def _array(cursor: Cursor, strings: list[int]) -> list[Any] | Counted:
    kind, length = cursor.number("I"), cursor.number("Q")
    if kind == _STRING:
        strings[0] -= length
        if strings[0] < 0:
            raise HeaderError(f"claims {length} strings in one list; no vocabulary has so many")
        _check_count(cursor, length, MOST_STRINGS, 8, "strings")
        cursor.skip_strings(length)
        return Counted(length)
    if kind not in _SIZES:
        raise HeaderError("has lists inside of lists" if kind == _ARRAY else f"has a list of unknown type {kind}")
    if length > LONGEST_ARRAY:
        cursor.skip(length * _SIZES[kind])
        return Counted(length)
    return [_value(cursor, kind, strings) for _ in range(length)]


def _read_tensors(cursor: Cursor, count: int) -> tuple[tuple[Tensor, ...], int]:
    """The tensors, and how far behind the header's end the last one's bytes reach."""
    tensors: dict[str, Tensor] = {}
    length = 0
    for _ in range(count):
        name = _text(cursor, LONGEST_KEY)
        if name in tensors:
            raise HeaderError(f"has the tensor {name[:60]!r} twice")
        tensors[name], size = _tensor(cursor, name)
        offset = cursor.number("Q")
        if offset > LARGEST_TENSOR:
            raise HeaderError(f"puts the tensor {name[:60]!r} at an impossible place")
        length = max(length, offset + size)
    return tuple(tensors.values()), length


def _tensor(cursor: Cursor, name: str) -> tuple[Tensor, int]:
    dimensions = cursor.number("I")
    if not 1 <= dimensions <= 4:
        raise HeaderError(f"has a tensor {name[:60]!r} of {dimensions} dimensions")
    shape = tuple(cursor.number("Q") for _ in range(dimensions))
    number = cursor.number("I")
    type_ = TYPES.get(number)
    if type_ is None:
        raise HeaderError(f"has the tensor {name[:60]!r} in type {number}, which is not known")
    elements = 1
    for dimension in shape:
        elements *= dimension
    if not 0 < elements <= LARGEST_TENSOR or shape[0] % BLOCKS[type_][0]:
        raise HeaderError(f"has a tensor {name[:60]!r} of an impossible shape")
    return Tensor(name, type_, shape), tensor_bytes(type_, shape)
