"""A model that an Ollama server has: its metadata and tensors as the server shows them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mrt.errors import ModelNotFound, NotAnApi, UsageError
from mrt.memory.ggml_types import BLOCKS, tensor_bytes
from mrt.memory.mixture import canonical
from mrt.memory.shape import ModelShape, Tensor
from mrt.models.gguf.parts import quantization_of
from mrt.models.guess import guessed, size_of
from mrt.models.metadata import NotAModel, Origin, shape_of
from mrt.models.server import Server
from mrt.near import did_you_mean, nearest
from mrt.providers import shown

LARGEST_DIMENSION = 1 << 40


def read_tag(tag: str, server: Server) -> ModelShape:
    """The model under a tag. Raises an MrtError where the server does not answer or lacks it."""
    rows = server.rows("/api/tags", "models")
    status, details = server.ask("/api/show", {"model": tag})
    if status == 404:
        names = [str(row.get("name")).removesuffix(":latest") for row in rows]
        hint = did_you_mean(nearest(tag, names, 3), f"ollama pull {tag}")
        raise ModelNotFound(f"{shown(server.target.url)} has no model {tag!r}", hint)
    if status != 200 or not isinstance(details, dict):
        raise NotAnApi(f"{shown(server.target.url)} does not show its model {tag!r} (HTTP {status})")
    if details.get("remote_model") or details.get("remote_host"):
        raise UsageError(f"{tag} runs in the cloud and takes no memory here", "name a model that is pulled")
    row = next((row for row in rows if row.get("name") in (tag, f"{tag}:latest")), {})
    size = row.get("size")
    return _shape(f"{server.target.endpoint}/{tag}", details, size if _is_whole(size) else None)


def _shape(name: str, details: dict[str, Any], size: int | None) -> ModelShape:
    metadata = details.get("model_info")
    tensors = _tensors(details.get("tensors"))
    described = details.get("details")
    description: dict[str, Any] = described if isinstance(described, dict) else {}
    if not isinstance(metadata, dict) or not metadata.get("general.architecture"):
        return _by_size(name, description, size)
    stated = canonical(str(description.get("quantization_level") or ""))
    origin = Origin(
        name, f"/api/show of {name.partition('/')[0]}", size, quantization=stated or quantization_of(metadata, tensors)
    )
    try:
        shape = shape_of(metadata, tensors, origin)
    except NotAModel as reason:
        raise UsageError(f"{name} {reason}", reason.hint) from None
    able = details.get("capabilities")
    capabilities = able if isinstance(able, list) else []
    if not tensors:
        shape = replace(shape, confidence="good", notes=(*shape.notes, "the server does not show the tensors"))
    return replace(
        shape,
        projector_bytes=_projector(details, tensors, size),
        tools="tools" in capabilities if able else shape.tools,
        vision="vision" in capabilities if able else shape.vision,
        thinking="thinking" in capabilities if able else shape.thinking,
        embeds="embedding" in capabilities if able else shape.embeds,
    )


def _tensors(listed: Any) -> tuple[Tensor, ...]:
    """The table of tensors; none at all where one of them is not understood, since a part would be a wrong sum."""
    found = []
    for entry in listed if isinstance(listed, list) else ():
        tensor = _tensor(entry)
        if tensor is None:
            return ()
        found.append(tensor)
    return tuple(found)


def _tensor(entry: Any) -> Tensor | None:
    if not isinstance(entry, dict):
        return None
    name, kind, shape = entry.get("name"), entry.get("type"), entry.get("shape")
    if not isinstance(name, str) or not isinstance(kind, str) or kind not in BLOCKS or not isinstance(shape, list):
        return None
    usable = 1 <= len(shape) <= 4 and all(_is_whole(size) and size < LARGEST_DIMENSION for size in shape)
    return Tensor(name, kind, tuple(shape)) if usable else None


def _projector(details: dict[str, Any], tensors: tuple[Tensor, ...], size: int | None) -> int:
    """Bytes of a projector beside the model: what the tag weighs beyond the model's own tensors."""
    if not details.get("projector_info") or not tensors or size is None:
        return 0
    return max(0, size - sum(tensor_bytes(tensor.type, tensor.shape) for tensor in tensors))


def _by_size(name: str, description: dict[str, Any], size: int | None) -> ModelShape:
    """An old server, which says a size only."""
    parameters = size_of(str(description.get("parameter_size") or ""))
    if parameters is None:
        raise NotAnApi(
            f"{name}: the server says nothing of its model's shape",
            "update Ollama, or name the model without the server",
        )
    quantization = canonical(str(description.get("quantization_level") or ""))
    shape = guessed(parameters, name)
    return replace(shape, quantization=quantization or shape.quantization, file_bytes=size)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
