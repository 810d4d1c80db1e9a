"""Folders of models as Hugging Face lays them out, with weights that are a hole."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

BASE = {
    "hidden_size": 256,
    "num_hidden_layers": 6,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "intermediate_size": 512,
    "vocab_size": 1000,
    "max_position_embeddings": 4096,
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
}


def folder(path: Path, config: Any, weights: dict[str, Any] | None = None) -> Path:
    """A folder with a config, and one file of weights: name -> dtype and shape."""
    path.mkdir(exist_ok=True)
    (path / "config.json").write_text(config if isinstance(config, str) else json.dumps(config))
    if weights is not None:
        safetensors(path / "model.safetensors", weights)
    return path


def safetensors(path: Path, weights: dict[str, Any]) -> None:
    """A file of weights whose bytes are a hole."""
    sizes = {"BF16": 2, "F16": 2, "F32": 4, "F8_E4M3": 1, "U8": 1}
    entries, at = {"__metadata__": {"format": "pt"}}, 0
    for name, (kind, shape) in weights.items():
        size = sizes[kind]
        for dimension in shape:
            size *= dimension
        entries[name] = {"dtype": kind, "shape": shape, "data_offsets": [at, at + size]}  # type: ignore[assignment]
        at += size
    header = json.dumps(entries).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header)
    with path.open("r+b") as file:
        file.truncate(8 + len(header) + at)
