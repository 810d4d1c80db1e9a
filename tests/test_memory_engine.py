"""Plans beside llama.cpp's own account of the same models: to the byte where memory is stored, closely where it is worked in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from memory_kit import catalog, dense, sparse

pytest.importorskip("xllamacpp", reason="its wheel is for x86-64 alone")

from rig.llama_dry_run import BUILD, Held, dry_run

from mrt.memory.hardware import Gpu, Machine
from mrt.memory.plan import Plan, plan
from mrt.memory.settings import RunSettings
from mrt.memory.shape import Layer, ModelShape

CARD = 1 << 44
ARCHITECTURES = [
    "llama3.1:8b",
    "qwen2.5:7b",
    "qwen3:8b",
    "qwen3:30b",
    "gemma2:9b",
    "gemma3:27b",
    "gemma4:e4b",
    "phi4:14b",
    "deepseek-r1:671b",
    "gpt-oss:20b",
    "gpt-oss:120b",
    "llama4:16x17b",
    "command-r7b:7b",
    "granite4:tiny-h",
    "qwen3-coder-next:latest",
    "qwen3.5:4b",
    "lfm2.5-thinking:1.2b",
    "mistral-small3.1:24b",
    "olmo2:7b",
    "starcoder2:3b",
    "falcon:7b",
    "nomic-embed-text:latest",
]


def both(folder: Path, shape: ModelShape, **options: Any) -> tuple[Plan, Held]:
    """The plan and the engine's account under the same settings, everything on GPUs unless told otherwise."""
    gpus = options.get("gpus", 1)
    held = dry_run(folder, shape, **options)
    chosen = {key: value for key, value in options.items() if key != "gpus"}
    settings = RunSettings(**{"context": 8192, "gpu_layers": 999, "build": BUILD, **chosen})
    cards = tuple(Gpu(f"CUDA{number}", "cuda", CARD) for number in range(gpus))
    return plan(shape, settings, Machine(cards, ram_total_bytes=CARD)), held


def assert_stored_exactly(found: Plan, held: Held) -> None:
    """Weights and caches agree to the byte on every device."""
    for device in found.devices:
        names = [device.name] if device.kind == "gpu" else [name for name in held.model if name in ("CPU", "CUDA_Host")]
        assert device.weights_bytes == sum(held.model.get(name, 0) for name in names), device.name
        if device.kind == "gpu":
            assert device.kv_cache_bytes + device.recurrent_bytes == held.cache.get(device.name, 0), device.name


def assert_worked_in(found: Plan, held: Held, share: float = 0.03) -> None:
    """Compute buffers of the GPUs agree within a share."""
    for device in found.devices:
        if device.kind == "gpu":
            assert device.compute_bytes == pytest.approx(held.compute[device.name], rel=share), device.name


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_model_of_the_catalog_takes_what_the_engine_allocates(name: str, tmp_path: Path) -> None:
    found, held = both(tmp_path, catalog()[name])
    assert_stored_exactly(found, held)
    assert_worked_in(found, held)


@pytest.mark.parametrize(
    "quantization", ["Q2_K", "Q3_K_S", "Q3_K_M", "Q3_K_L", "Q4_0", "Q4_K_S", "Q5_K_M", "Q6_K", "Q8_0", "IQ4_XS", "BF16"]
)
def test_every_mixture_loads_and_is_counted(quantization: str, tmp_path: Path) -> None:
    found, held = both(tmp_path, dense(12, quantization=quantization))
    assert_stored_exactly(found, held)


WIDE = Layer(heads=6, kv_heads=3, key_head=96, value_head=96, feed_forward=2816)
SLIDING = replace(WIDE, key_head=128, value_head=128, window=1000)
FULL = replace(SLIDING, window=None)


@pytest.mark.parametrize(
    ("shape", "options"),
    [
        pytest.param(dense(7), {"context": 5000, "ubatch": 320}, id="odd context and micro-batch"),
        pytest.param(dense(5, embedding=896, layers=(WIDE,) * 5), {}, id="rows that no block divides"),
        pytest.param(dense(5, tied_embeddings=True), {"context": 1024}, id="tied embeddings lie twice"),
        pytest.param(dense(5), {"type_k": "Q8_0", "type_v": "Q8_0"}, id="quantised cache"),
        pytest.param(dense(5), {"parallel": 3, "context": 3000}, id="slots"),
        pytest.param(dense(5), {"parallel": 4, "context": 2048, "unified": True}, id="slots in one cache"),
        pytest.param(
            dense(architecture="gemma2", layers=(SLIDING, FULL) * 3, tied_embeddings=True),
            {"parallel": 2, "context": 4096},
            id="sliding windows with slots",
        ),
        pytest.param(
            dense(architecture="gemma2", layers=(SLIDING, FULL) * 3, tied_embeddings=True),
            {"full_window": True},
            id="sliding windows kept at full length",
        ),
        pytest.param(sparse(), {"cpu_moe": 4}, id="experts on the host"),
        pytest.param(sparse(24, 5), {"cpu_moe": 2, "ubatch": 256}, id="experts of two layers on the host"),
        pytest.param(dense(9), {"gpu_layers": 4}, id="part of the layers"),
        pytest.param(dense(9), {"gpu_layers": 0}, id="no layers, and still memory"),
    ],
)
def test_settings_are_counted_as_the_engine_counts_them(
    shape: ModelShape, options: dict[str, Any], tmp_path: Path
) -> None:
    found, held = both(tmp_path, shape, **options)
    assert_stored_exactly(found, held)


@pytest.mark.parametrize("gpus", [2, 3])
@pytest.mark.parametrize("flash_attention", [True, False], ids=["flash attention", "without"])
def test_several_cards_share_the_layers_and_keep_copies_of_the_inputs(
    gpus: int, flash_attention: bool, tmp_path: Path
) -> None:
    found, held = both(tmp_path, catalog()["llama3.1:8b"], gpus=gpus, flash_attention=flash_attention)
    assert_stored_exactly(found, held)
    assert_worked_in(found, held, 0.001)


@pytest.mark.parametrize("name", ["llama3.1:8b", "qwen3:30b", "gemma3:4b", "deepseek-coder-v2:16b"])
@pytest.mark.parametrize(
    "options", [{"ubatch": 2048, "context": 32768}, {"flash_attention": False}, {"outputs": 1}], ids=str
)
def test_the_compute_buffer_follows_the_graph(name: str, options: dict[str, Any], tmp_path: Path) -> None:
    found, held = both(tmp_path, catalog()[name], **options)
    assert_worked_in(found, held, 0.001)
