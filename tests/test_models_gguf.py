"""GGUF files: what their headers say of a model, whatever architecture wrote them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from model_kit import llama_metadata, llama_tensors, write_gguf

from mrt.errors import UsageError
from mrt.models import Sources, resolve_model
from mrt.models.gguf.files import projector_size


def read(tmp_path: Path, facts: dict[str, Any], tensors: Any = None, quantization: str | None = None) -> Any:
    """The shape of a file with that metadata and those tensors."""
    return resolve_model(str(write_gguf(tmp_path / "model.gguf", facts, tensors)), quantization)


def test_a_file_says_everything(tmp_path: Path) -> None:
    facts = llama_metadata() | {"general.file_type": 7, "tokenizer.chat_template": "{{ tools }}{{ enable_thinking }}"}
    path = write_gguf(tmp_path / "small-Q8_0.gguf", facts, llama_tensors())
    shape = resolve_model("small-Q8_0.gguf", sources=Sources(directory=tmp_path))
    layer = shape.layers[0]
    assert (shape.name, shape.architecture, shape.embedding, shape.vocabulary) == ("small-Q8_0.gguf", "llama", 256, 96)
    assert (len(shape.layers), layer.heads, layer.kv_heads, layer.key_head, layer.value_head, layer.feed_forward) == (
        2,
        8,
        2,
        32,
        32,
        512,
    )
    assert (shape.context_trained, shape.quantization, shape.confidence) == (4096, "Q8_0", "exact")
    assert (shape.file_bytes, shape.tied_embeddings, len(shape.tensors or ())) == (
        path.stat().st_size,
        False,
        len(llama_tensors()),
    )
    assert shape.parameters == shape.active_parameters == sum(_elements(shape) for _, shape in llama_tensors().values())
    assert (shape.tools, shape.thinking, shape.vision, shape.source) == (True, True, None, f"GGUF header of {path}")
    assert 0 < shape.header_bytes < 2048


def _elements(shape: tuple[int, ...]) -> int:
    product = 1
    for size in shape:
        product *= size
    return product


def test_towers_inside_the_file_are_counted_apart(tmp_path: Path) -> None:
    tensors = llama_tensors() | {"v.blk.0.attn_q.weight": ("F16", (128, 128)), "mm.0.weight": ("F16", (128, 256))}
    shape = read(tmp_path, llama_metadata(), tensors)
    assert (shape.tower_bytes, shape.vision) == (2 * (128 * 128 + 128 * 256), True)
    assert len(shape.tensors or ()) == len(llama_tensors())


def test_what_tensors_show_of_an_architecture_is_kept_for_another_quantization(tmp_path: Path) -> None:
    tensors = llama_tensors() | {"blk.0.attn_q.bias": ("F32", (256,)), "blk.0.attn_q_norm.weight": ("F32", (32,))}
    shape = read(tmp_path, llama_metadata(), tensors, "q4_k_m")
    assert {"qkv_bias", "qk_norm", "-sinks"} <= shape.traits
    assert (shape.quantization, shape.tensors, shape.file_bytes) == ("Q4_K_M", None, None)


@pytest.mark.parametrize(
    ("number", "name"),
    [(0, "F32"), (1, "F16"), (2, "Q4_0"), (15, "Q4_K_M"), (30, "IQ4_XS"), (38, "MXFP4_MOE"), (1024 + 7, "Q8_0")],
)
def test_the_file_type_is_called_by_its_name(tmp_path: Path, number: int, name: str) -> None:
    assert read(tmp_path, llama_metadata() | {"general.file_type": number}, llama_tensors()).quantization == name


def test_a_set_of_files_is_one_model(tmp_path: Path) -> None:
    tensors = llama_tensors()
    names = list(tensors)
    half = {name: tensors[name] for name in names[:6]}, {name: tensors[name] for name in names[6:]}
    one = write_gguf(tmp_path / "big-00001-of-00002.gguf", llama_metadata() | {"split.count": 2}, half[0])
    two = write_gguf(tmp_path / "big-00002-of-00002.gguf", {"general.architecture": "llama", "split.no": 1}, half[1])
    for path in (one, two):
        shape = resolve_model(str(path))
        assert (shape.name, len(shape.tensors or ()), len(shape.layers)) == ("big-00001-of-00002.gguf", len(tensors), 2)
        assert shape.file_bytes == one.stat().st_size + two.stat().st_size
    two.unlink()
    with pytest.raises(
        UsageError, match=r"big-00002-of-00002\.gguf is missing: big-00001-of-00002\.gguf is one of 2 parts"
    ):
        resolve_model(str(one))


@pytest.mark.parametrize("big_endian", [False, True], ids=["little-endian", "big-endian"])
@pytest.mark.parametrize("version", [2, 3])
def test_both_byte_orders_and_both_versions_are_read(tmp_path: Path, big_endian: bool, version: int) -> None:
    path = write_gguf(tmp_path / "m.gguf", llama_metadata(), llama_tensors(), big_endian)
    with path.open("r+b") as file:
        file.seek(4)
        file.write(version.to_bytes(4, "big" if big_endian else "little"))
    assert (resolve_model(str(path)).embedding, resolve_model(str(path)).vocabulary) == (256, 96)


def test_a_vocabulary_is_counted_and_the_rest_of_the_header_still_found(tmp_path: Path) -> None:
    words = [f"word{number}" for number in range(200_000)]
    facts = llama_metadata(vocab_size=0) | {
        "tokenizer.ggml.tokens": words,
        "tokenizer.ggml.scores": [0.0] * 200_000,
        "z.last": 1,
    }
    shape = read(tmp_path, facts)
    assert (shape.vocabulary, shape.context_trained) == (200_000, 4096)


@pytest.mark.parametrize(
    ("facts", "message", "hint"),
    [
        pytest.param(
            {"general.architecture": "clip"}, "is a projector, no model of its own", "--mmproj", id="projector"
        ),
        pytest.param(
            {"general.architecture": "llama", "general.type": "adapter"},
            "is an adapter (LoRA), no model of its own",
            "name the model",
            id="lora",
        ),
        pytest.param(
            {"general.architecture": "flux"},
            "has no layers (flux.block_count): it is no language model",
            "",
            id="images",
        ),
    ],
)
def test_other_kinds_of_file_are_told_apart(tmp_path: Path, facts: dict[str, Any], message: str, hint: str) -> None:
    path = write_gguf(tmp_path / "other.gguf", facts)
    with pytest.raises(UsageError) as raised:
        resolve_model(str(path))
    assert raised.value.message == f"{path} {message}"
    assert hint in (raised.value.hint or "")


def test_a_file_that_is_cut_off_says_by_how_much(tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "cut.gguf", llama_metadata(), llama_tensors())
    whole = path.stat().st_size
    with path.open("r+b") as file:
        file.truncate(whole - 256 * 1024)
    with pytest.raises(UsageError) as raised:
        resolve_model(str(path))
    assert raised.value.message == f"{path} is cut off: 256.0 KiB of {whole / 1024 / 1024:.1f} MiB are missing"
    assert raised.value.hint == "download it again"


def test_a_folder_of_files_wants_one_of_them_named(tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "m.gguf", llama_metadata())
    shutil.copy(path, tmp_path / "n.gguf")
    with pytest.raises(UsageError) as raised:
        resolve_model(str(tmp_path))
    assert (raised.value.message, raised.value.hint) == (
        f"{tmp_path} holds no config.json",
        "name one of its files: m.gguf, n.gguf",
    )


def test_a_projector_is_measured_by_its_tensors(tmp_path: Path) -> None:
    tensors = {"v.blk.0.attn_q.weight": ("F16", (128, 128)), "mm.0.weight": ("F16", (128, 256))}
    path = write_gguf(tmp_path / "mmproj.gguf", {"general.architecture": "clip"}, tensors)
    assert projector_size(path) == 2 * (128 * 128 + 128 * 256)
    model = write_gguf(tmp_path / "model.gguf", llama_metadata(), llama_tensors())
    with pytest.raises(UsageError, match=r"model\.gguf is no projector"):
        projector_size(model)


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "folder.gguf").mkdir()
    (tmp_path / "folder.gguf" / "config.json").write_text("{")
    with pytest.raises(UsageError, match=r"config\.json is no JSON"):
        resolve_model(str(tmp_path / "folder.gguf"))
    pipe = tmp_path / "pipe.gguf"
    os.mkfifo(pipe)
    with pytest.raises(UsageError, match=r"pipe\.gguf is no file"):
        resolve_model(str(pipe))


@pytest.mark.parametrize(
    ("more", "trait"),
    [
        pytest.param({"blk.0.attn_q_norm.weight": ("F32", (256,))}, "qk_norm_wide", id="over all heads"),
        pytest.param({"blk.0.attn_q_norm.weight": ("F32", (32, 8))}, "qk_norm_heads", id="a weight for each head"),
        pytest.param({"blk.0.attn_sinks.weight": ("F32", (8,))}, "sinks", id="sinks"),
        pytest.param({"output.bias": ("F32", (96,))}, "head_bias", id="a bias on the output"),
    ],
)
def test_tensors_show_traits(tmp_path: Path, more: dict[str, Any], trait: str) -> None:
    assert trait in read(tmp_path, llama_metadata(), llama_tensors() | more).traits


@pytest.mark.parametrize(("width", "trait", "inner"), [(512, "no_gate", 512), (1024, "gate_up_fused", 512)])
def test_gate_and_up_in_one_tensor_are_told_from_no_gate(tmp_path: Path, width: int, trait: str, inner: int) -> None:
    tensors = {name: shape for name, shape in llama_tensors().items() if "ffn_gate" not in name}
    tensors |= {f"blk.{index}.ffn_up.weight": ("Q8_0", (256, width)) for index in range(2)}
    shape = read(tmp_path, llama_metadata(), tensors)
    assert trait in shape.traits
    assert shape.layers[0].feed_forward == inner


@pytest.mark.parametrize("name", ["m-00000-of-00002.gguf", "m-00003-of-00002.gguf"])
def test_a_part_that_no_set_has_is_refused(tmp_path: Path, name: str) -> None:
    write_gguf(tmp_path / name, llama_metadata())
    with pytest.raises(UsageError, match="is no part of a set"):
        resolve_model(str(tmp_path / name))
