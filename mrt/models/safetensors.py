"""Headers of safetensors files: which tensors they hold, in which type, in how many bytes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mrt.errors import UsageError
from mrt.frozen import frozen

# The format allows 100 MB; the headers of files with thousands of tensors are below one.
LARGEST_HEADER = 32 * 1024 * 1024
INDEX = "model.safetensors.index.json"
# The table of the input, a row for each token.
_TABLES = ("embed_tokens.weight", "wte.weight", "word_embeddings.weight", "tok_embeddings.weight")
LARGEST_INDEX = 64 * 1024 * 1024


@frozen
class Weights:
    """The weights of a folder: bytes, parameters, bytes by type ("BF16"), and whether the output has a matrix of its own."""

    bytes: int
    parameters: int
    types: Mapping[str, int]
    names: frozenset[str]
    vocabulary: int | None = None

    @property
    def type(self) -> str:
        """The type that holds most bytes."""
        return max(self.types, key=lambda name: self.types[name])


def read_weights(folder: Path) -> Weights | None:
    """All weights of a model's folder, None where there are no safetensors. Raises a UsageError for broken or missing files."""
    names = _files(folder)
    if not names:
        return None
    types: dict[str, int] = {}
    parameters = 0
    tensors: set[str] = set()
    vocabulary = None
    for name in names:
        for tensor, entry in read_header(folder / name).items():
            kind, elements, size = _entry(folder / name, tensor, entry)
            types[kind] = types.get(kind, 0) + size
            parameters += elements
            tensors.add(tensor)
            if tensor.endswith(_TABLES) and entry["shape"]:
                vocabulary = int(entry["shape"][0])
    return Weights(sum(types.values()), parameters, types, frozenset(tensors), vocabulary) if types else None


def read_header(path: Path) -> dict[str, Any]:
    """The tensors of one file: 8 bytes of length, then JSON. Raises a UsageError where it cannot be read, or is cut off."""
    from mrt.providers.jsontext import parse

    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            length = int.from_bytes(file.read(8), "little")
            if size < 8 or length > min(LARGEST_HEADER, size - 8):
                raise UsageError(f"{path} is no safetensors file, or is cut off inside its header", "download it again")
            document = parse(file.read(length))
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror or error}", "name a folder that you may read"
        ) from None
    except ValueError:
        raise UsageError(f"{path} has a header that is no JSON", "load the file again") from None
    if not isinstance(document, dict):
        raise UsageError(f"{path} has a header that lists no tensors", "load the file again")
    document.pop("__metadata__", None)
    _check_whole(path, document, size - 8 - length)
    return document


def _check_whole(path: Path, tensors: Mapping[str, Any], there: int) -> None:
    from mrt.models.gguf.parts import in_words

    needed = max(
        (_entry(path, name, entry)[2] + entry["data_offsets"][0] for name, entry in tensors.items()), default=0
    )
    if needed > there:
        message = f"{path} is cut off: {in_words(needed - there)} of {in_words(needed)} are missing"
        raise UsageError(message, "download it again")


def _entry(path: Path, name: str, entry: Any) -> tuple[str, int, int]:
    """Type, elements and bytes of a tensor."""
    try:
        start, end = entry["data_offsets"]
        elements = 1
        for dimension in entry["shape"]:
            elements *= int(dimension)
        kind, size = str(entry["dtype"]), int(end - start)
    except (KeyError, TypeError, ValueError, OverflowError):
        raise UsageError(f"{path} describes its tensor {name[:60]!r} wrongly", "load the file again") from None
    if start < 0 or size < 0 or elements < 0:
        raise UsageError(f"{path} describes its tensor {name[:60]!r} wrongly", "load the file again")
    return kind, elements, size


def _files(folder: Path) -> list[str]:
    index = folder / INDEX
    if not index.exists():
        single = folder / "model.safetensors"
        return [single.name] if single.exists() else sorted(path.name for path in folder.glob("*.safetensors"))
    from mrt.providers.jsontext import parse

    try:
        with index.open("rb") as file:
            listed = parse(file.read(LARGEST_INDEX))["weight_map"].values()
        names = sorted({str(name) for name in listed})
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise UsageError(f"{index} lists no files", "download the folder again") from None
    missing = next((name for name in names if "/" in name or not (folder / name).exists()), None)
    if missing is not None:
        raise UsageError(f"{folder / missing} is missing: {INDEX} lists it", "download the folder again")
    return names
