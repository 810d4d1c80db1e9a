"""Models to be read: GGUF files with any metadata and tensors and no data, and the captured answers of servers about theirs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from rig.asking import World
from rig.responses import json_response

from mrt.domain import Target
from mrt.models import Sources

CAPTURED = Path(__file__).parent / "data" / "served_models.json"
# Name of a tensor -> its type and its dimensions, the row length first.
Tensors = Mapping[str, tuple[str, Sequence[int]]]


def write_gguf(
    path: Path, metadata: Mapping[str, Any], tensors: Tensors | None = None, big_endian: bool = False
) -> Path:
    """A GGUF file as gguf's own writer makes it; the tensors' bytes are a hole."""
    import gguf
    import numpy

    order = gguf.GGUFEndian.BIG if big_endian else gguf.GGUFEndian.LITTLE
    writer = gguf.GGUFWriter(path, metadata.get("general.architecture", "llama"), endianess=order)
    for key, value in metadata.items():
        if key != "general.architecture":
            _add(writer, key, value)
    end = 0
    for name, (kind, shape) in (tensors or {}).items():
        type_ = gguf.GGMLQuantizationType[kind]
        block, size = gguf.GGML_QUANT_SIZES[type_]
        count = int(numpy.prod(shape)) // block * size
        writer.add_tensor_info(name, tuple(reversed(shape)), numpy.dtype(numpy.float32), count, raw_dtype=type_)
        end += gguf.GGUFWriter.ggml_pad(count, 32)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    writer.close()
    start = gguf.GGUFWriter.ggml_pad(path.stat().st_size, 32)
    with path.open("r+b") as file:
        file.truncate(start + end)
    return path


def _add(writer: Any, key: str, value: Any) -> None:
    if isinstance(value, bool):
        writer.add_bool(key, value)
    elif isinstance(value, int):
        writer.add_uint32(key, value)
    elif isinstance(value, float):
        writer.add_float32(key, value)
    elif isinstance(value, str):
        writer.add_string(key, value)
    else:
        writer.add_array(key, list(value))


def llama_metadata(layers: int = 2, **more: Any) -> dict[str, Any]:
    """Metadata of a small model of the architecture llama; keys of `more` are with `__` for `.`, without the architecture."""
    return metadata(
        "llama",
        block_count=layers,
        embedding_length=256,
        feed_forward_length=512,
        context_length=4096,
        attention__head_count=8,
        attention__head_count_kv=2,
        **more,
    )


def metadata(architecture: str, **values: Any) -> dict[str, Any]:
    """Metadata under an architecture's own keys, and a vocabulary."""
    keys = {f"{architecture}.{key.replace('__', '.')}": value for key, value in values.items()}
    return {"general.architecture": architecture, f"{architecture}.vocab_size": 96, **keys}


def llama_tensors(
    layers: int = 2, width: int = 256, inner: int = 512, kv_width: int = 64, vocabulary: int = 96
) -> dict[str, Any]:
    """The tensors of such a model, Q8_0 but for the norms."""
    found: dict[str, Any] = {
        "token_embd.weight": ("Q8_0", (width, vocabulary)),
        "output_norm.weight": ("F32", (width,)),
        "output.weight": ("Q8_0", (width, vocabulary)),
    }
    for index in range(layers):
        sizes = {
            "attn_q": width,
            "attn_k": kv_width,
            "attn_v": kv_width,
            "attn_output": width,
            "ffn_gate": inner,
            "ffn_up": inner,
        }
        found |= {f"blk.{index}.{name}.weight": ("Q8_0", (width, size)) for name, size in sizes.items()}
        found |= {f"blk.{index}.{name}.weight": ("F32", (width,)) for name in ("attn_norm", "ffn_norm")}
        found[f"blk.{index}.ffn_down.weight"] = ("Q8_0", (inner, width))
    return found


@cache
def captured() -> Mapping[str, Any]:
    """What servers said of their models, by kind and request."""
    return json.loads(CAPTURED.read_text(encoding="utf-8"))


def answer(name: str) -> list[bytes]:
    """A captured answer, to be served again."""
    return json_response(captured()[name]["status"], captured()[name]["body"])


PROTOCOLS = {
    "ollama": "ollama",
    "vllm": "chat",
    "llamacpp": "chat",
    "lm_studio": "chat",
    "llama_swap": "chat",
    "litellm": "chat",
}


def sources(url: str, kind: str) -> Sources:
    """A world with one endpoint, called `near`."""

    def target(name: str) -> Target:
        endpoint, _, model = name.partition("/")
        return Target(endpoint, model, kind, PROTOCOLS[kind], url, local=True)  # type: ignore[arg-type]

    return Sources(endpoints=frozenset({"near"}), target=target, wire=World().wire)
