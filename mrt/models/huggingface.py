"""A folder as Hugging Face lays it out: config.json, and safetensors beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from mrt.errors import UsageError
from mrt.memory.shape import ModelShape
from mrt.models.hf_keys import metadata_of, text_part
from mrt.models.metadata import NotAModel, Origin, shape_of
from mrt.models.safetensors import Weights, read_weights

LARGEST_CONFIG = 4 * 1024 * 1024
# Types of safetensors and torch as ggml calls them; others are kept under their own name in a note.
TYPES = {"BF16": "BF16", "F16": "F16", "F32": "F32", "bfloat16": "BF16", "float16": "F16", "float32": "F32"}


def read_folder(folder: Path) -> ModelShape:
    """The model in a folder. Raises a UsageError where it holds none that can be read."""
    config = _config(folder / "config.json")
    weights = read_weights(folder)
    kind, note = _stored(config, weights)
    origin = Origin(
        name=folder.resolve().name,
        source=f"{folder / 'config.json'}" + (" and the headers of its safetensors" if weights else ""),
        file_bytes=weights.bytes if weights else None,
        quantization=kind,
        notes=note,
    )
    try:
        shape = shape_of(_with_vocabulary(metadata_of(config), weights), (), origin)
    except NotAModel as reason:
        raise UsageError(f"{folder / 'config.json'} {reason}", reason.hint) from None
    text = text_part(config)
    return replace(
        shape,
        tied_embeddings=_is_tied(text, weights),
        parameters=weights.parameters if weights and not note else None,
        confidence="good",
        vision=True if "vision_config" in config else None,
        traits=frozenset({"qkv_bias"} if text.get("attention_bias") is True else ()),
    )


def _with_vocabulary(metadata: dict[str, Any], weights: Weights | None) -> dict[str, Any]:
    """The vocabulary from the weights where the config does not say it."""
    key = f"{metadata['general.architecture']}.vocab_size"
    return {key: weights.vocabulary, **metadata} if weights and weights.vocabulary else metadata


def _config(path: Path) -> dict[str, Any]:
    from mrt.providers.jsontext import parse

    try:
        with path.open("rb") as file:
            document = parse(file.read(LARGEST_CONFIG))
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror or error}", "name a folder that you may read"
        ) from None
    except ValueError:
        raise UsageError(f"{path} is no JSON", "name a folder with a whole config.json, or a .gguf file") from None
    if not isinstance(document, dict):
        raise UsageError(f"{path} is no model's config", "name a folder with a model's config.json, or a .gguf file")
    return document


def _stored(config: Mapping[str, Any], weights: Weights | None) -> tuple[str, tuple[str, ...]]:
    """The type of the weights, and a note where they are stored in one that GGUF does not have."""
    text = text_part(config)
    stated = TYPES.get(str(text.get("torch_dtype") or text.get("dtype") or config.get("torch_dtype")), "BF16")
    method = config.get("quantization_config")
    if isinstance(method, dict):
        name = str(method.get("quant_method") or method.get("quant_algo") or "unknown")
        return stated, (f"its weights are stored quantized by {name}; as GGUF they are counted as {stated}",)
    if weights is None:
        return stated, ()
    return TYPES.get(weights.type, stated), ()


def _is_tied(text: Mapping[str, Any], weights: Weights | None) -> bool:
    """Whether the output uses the input's table. Configs that say nothing mean yes, as transformers reads them."""
    if weights is not None and any(name.endswith(("lm_head.weight", "output.weight")) for name in weights.names):
        return False
    return text.get("tie_word_embeddings", True) is True
