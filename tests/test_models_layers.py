"""Layers in GGUF metadata: windows, heads, latent attention, experts and recurrent state, by each architecture's rules."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from model_kit import llama_tensors, metadata, write_gguf

from mrt.memory.shape import Experts, LatentAttention, Recurrent
from mrt.models import resolve_model

BASE = {
    "block_count": 6,
    "embedding_length": 256,
    "feed_forward_length": 512,
    "context_length": 4096,
    "attention__head_count": 8,
}


def read(tmp_path: Path, facts: dict[str, Any], tensors: Any = None, quantization: str | None = None) -> Any:
    """The shape of a file with that metadata and those tensors."""
    return resolve_model(str(write_gguf(tmp_path / "model.gguf", facts, tensors)), quantization)


@pytest.mark.parametrize(
    ("architecture", "more", "expected"),
    [
        pytest.param("llama", {"attention__sliding_window": 4096}, {None: 6}, id="llama ignores its window"),
        pytest.param("phi3", {"attention__sliding_window": 2047}, {None: 6}, id="phi3 ignores its window"),
        pytest.param("starcoder2", {"attention__sliding_window": 4096}, {None: 6}, id="starcoder2 ignores its window"),
        pytest.param("gemma2", {}, {4096: 3, None: 3}, id="gemma2 every second, 4096 unless told"),
        pytest.param("gemma3", {"attention__sliding_window": 1024}, {1024: 5, None: 1}, id="gemma3 five of six"),
        pytest.param("gemma3", {}, {None: 6}, id="gemma3 without a window"),
        pytest.param("gpt-oss", {"attention__sliding_window": 128}, {128: 3, None: 3}, id="gpt-oss every second"),
        pytest.param("cohere2", {"attention__sliding_window": 4096}, {4096: 5, None: 1}, id="cohere2 three of four"),
        pytest.param("llama4", {}, {8192: 5, None: 1}, id="llama4 in chunks"),
        pytest.param("olmo2", {"attention__sliding_window": 4096}, {4096: 5, None: 1}, id="olmo3 three of four"),
        pytest.param("olmo2", {}, {None: 6}, id="olmo2 whole"),
        pytest.param(
            "laguna", {"attention__sliding_window": 512}, {512: 4, None: 2}, id="laguna begins with a whole one"
        ),
        pytest.param(
            "mimo2",
            {
                "attention__sliding_window": 128,
                "attention__sliding_window_pattern": [True, True, False, True, True, True],
            },
            {128: 5, None: 1},
            id="a list says which",
        ),
        pytest.param(
            "gemma3",
            {"attention__sliding_window": 512, "attention__sliding_window_pattern": 3},
            {512: 4, None: 2},
            id="a number says how often",
        ),
    ],
)
def test_windows_slide_by_the_rule_of_the_architecture(
    tmp_path: Path, architecture: str, more: dict[str, Any], expected: dict[int | None, int]
) -> None:
    shape = read(tmp_path, metadata(architecture, **BASE, **more))
    assert Counter(layer.window for layer in shape.layers) == expected


def test_the_last_of_each_six_layers_of_gemma_sees_everything(tmp_path: Path) -> None:
    facts = metadata("gemma3", **{**BASE, "block_count": 13}, attention__sliding_window=1024)
    assert [index for index, layer in enumerate(read(tmp_path, facts).layers) if layer.window is None] == [5, 11]


def test_head_sizes_are_those_stated_not_the_width_by_the_heads(tmp_path: Path) -> None:
    shape = read(tmp_path, metadata("qwen3", **BASE, attention__key_length=128, attention__value_length=64))
    assert (shape.layers[0].key_head, shape.layers[0].value_head) == (128, 64)


def test_each_layer_may_have_its_own_kv_heads(tmp_path: Path) -> None:
    shape = read(tmp_path, metadata("deci", **BASE, attention__head_count_kv=[8, 0, 2, 2, 4, 8]))
    assert [layer.kv_heads for layer in shape.layers] == [8, 0, 2, 2, 4, 8]


def test_windowed_layers_may_have_their_own_head_size_and_share_caches(tmp_path: Path) -> None:
    facts = metadata(
        "gemma4",
        **BASE,
        attention__sliding_window=512,
        attention__sliding_window_pattern=[True, True, True, True, True, False],
        attention__key_length=512,
        attention__value_length=512,
        attention__key_length_swa=256,
        attention__value_length_swa=256,
        attention__head_count_kv=[8, 8, 8, 8, 8, 2],
        attention__shared_kv_layers=2,
    )
    layers = read(tmp_path, facts).layers
    assert [(layer.key_head, layer.kv_heads, layer.shares_kv) for layer in layers] == [
        *[(256, 8, False)] * 4,
        (256, 8, True),
        (512, 2, True),
    ]


def test_latent_attention_is_known_by_its_keys(tmp_path: Path) -> None:
    facts = metadata(
        "deepseek2",
        **BASE,
        attention__head_count_kv=1,
        attention__key_length=576,
        attention__value_length=512,
        attention__key_length_mla=192,
        attention__value_length_mla=128,
        attention__kv_lora_rank=512,
        attention__q_lora_rank=1536,
        rope__dimension_count=64,
    )
    shape = read(tmp_path, facts)
    assert shape.latent == LatentAttention(512, 1536, 64, 128, 128)
    assert (shape.layers[0].heads, shape.layers[0].kv_heads, shape.layers[0].key_head, shape.layers[0].value_head) == (
        8,
        8,
        192,
        128,
    )


def test_a_file_from_before_the_latent_cache_holds_whole_heads(tmp_path: Path) -> None:
    facts = metadata(
        "deepseek2", **BASE, attention__key_length=192, attention__value_length=128, attention__kv_lora_rank=512
    )
    shape = read(tmp_path, facts)
    assert (shape.latent, shape.layers[0].kv_heads) == (None, 8)
    assert shape.notes == ("the file is older than llama.cpp's latent cache: whole heads are cached",)


@pytest.mark.parametrize(
    ("architecture", "more", "state"),
    [
        pytest.param("rwkv7", {"wkv__head_size": 64, "token_shift_count": 2}, Recurrent(256, 64, 0, 0, 3), id="rwkv"),
        pytest.param(
            "mamba2",
            {"ssm__inner_size": 512, "ssm__state_size": 64, "ssm__group_count": 1},
            Recurrent(512, 64, 1, 0, 0),
            id="mamba2",
        ),
    ],
)
def test_wholly_recurrent_models_have_no_cache(
    tmp_path: Path, architecture: str, more: dict[str, Any], state: Recurrent
) -> None:
    shape = read(tmp_path, metadata(architecture, **BASE, **more))
    assert {(layer.recurrent, layer.kv_heads) for layer in shape.layers} == {(True, 0)}
    assert shape.recurrent == state


def test_linear_attention_of_kimi_keeps_a_state_for_each_head(tmp_path: Path) -> None:
    facts = metadata(
        "kimi-linear", **BASE, attention__head_count_kv=[0, 0, 0, 8, 0, 0], kda__head_dim=32, ssm__conv_kernel=4
    )
    shape = read(tmp_path, facts)
    assert "".join("r" if layer.recurrent else "a" for layer in shape.layers) == "rrrarr"
    assert shape.recurrent == Recurrent(256, 32, 8, 8, 4)


def test_layers_that_look_at_images_stand_apart(tmp_path: Path) -> None:
    shape = read(
        tmp_path, metadata("mllama", **BASE, attention__head_count_kv=2, attention__cross_attention_layers=[1, 4])
    )
    assert [index for index, layer in enumerate(shape.layers) if layer.cross] == [1, 4]


def test_experts_take_the_place_of_the_feed_forward_part(tmp_path: Path) -> None:
    facts = metadata(
        "qwen3moe",
        **BASE,
        expert_count=8,
        expert_used_count=2,
        expert_feed_forward_length=64,
        expert_shared_count=1,
        leading_dense_block_count=1,
    )
    shape = read(tmp_path, facts)
    assert shape.experts == Experts(8, 2, 64, 1, 64, 1)
    assert [(layer.experts, layer.feed_forward) for layer in shape.layers] == [(False, 512), *[(True, 0)] * 5]


def test_active_parameters_are_those_of_the_experts_used(tmp_path: Path) -> None:
    tensors = {
        "token_embd.weight": ("F16", (256, 100)),
        "blk.0.ffn_up_exps.weight": ("MXFP4", (256, 64, 8)),
        "blk.0.attn_q.weight": ("F16", (256, 256)),
    }
    facts = metadata("gpt-oss", **{**BASE, "block_count": 1}, expert_count=8, expert_used_count=2)
    shape = read(tmp_path, facts, tensors)
    dense, experts = 256 * 100 + 256 * 256, 256 * 64 * 8
    assert (shape.parameters, shape.active_parameters) == (dense + experts, dense + experts // 4)
    assert shape.experts == Experts(8, 2, 64, 0, 0, 0)
    assert (shape.quantization, shape.tied_embeddings, shape.layers[0].experts) == ("F16", True, True)


@pytest.mark.parametrize(
    ("architecture", "more", "recurrent", "state"),
    [
        pytest.param(
            "qwen3next",
            {
                "ssm__inner_size": 512,
                "ssm__state_size": 64,
                "ssm__group_count": 4,
                "ssm__time_step_rank": 8,
                "ssm__conv_kernel": 4,
            },
            "rrrarr",
            Recurrent(512, 64, 4, 8, 4),
            id="qwen3next three of four",
        ),
        pytest.param(
            "qwen35",
            {
                "full_attention_interval": 2,
                "ssm__inner_size": 512,
                "ssm__state_size": 64,
                "ssm__group_count": 4,
                "ssm__conv_kernel": 4,
            },
            "rarara",
            Recurrent(512, 64, 4, 0, 4),
            id="as often as stated",
        ),
        pytest.param(
            "granitehybrid",
            {
                "attention__head_count_kv": [0, 0, 2, 0, 0, 2],
                "ssm__inner_size": 512,
                "ssm__state_size": 64,
                "ssm__group_count": 1,
                "ssm__time_step_rank": 8,
                "ssm__conv_kernel": 4,
            },
            "rrarra",
            Recurrent(512, 64, 1, 8, 4),
            id="where there are no KV heads",
        ),
        pytest.param(
            "lfm2",
            {"attention__head_count_kv": [0, 2, 0, 2, 0, 2], "shortconv__l_cache": 3},
            "rarara",
            Recurrent(256, 0, 0, 0, 3),
            id="short convolutions",
        ),
        pytest.param(
            "nemotron_h",
            {
                "attention__head_count_kv": [0, 0, 2, 0, 0, 0],
                "feed_forward_length": [0, 512, 0, 0, 512, 0],
                "ssm__inner_size": 512,
                "ssm__state_size": 64,
                "ssm__group_count": 8,
                "ssm__time_step_rank": 8,
                "ssm__conv_kernel": 4,
            },
            "r-ar-r",
            Recurrent(512, 64, 8, 8, 4),
            id="layers of one thing only",
        ),
        pytest.param(
            "mamba",
            {"ssm__inner_size": 512, "ssm__state_size": 16, "ssm__time_step_rank": 16, "ssm__conv_kernel": 4},
            "rrrrrr",
            Recurrent(512, 16, 0, 0, 4, 16),
            id="mamba",
        ),
    ],
)
def test_recurrent_layers_are_told_from_those_that_attend(
    tmp_path: Path, architecture: str, more: dict[str, Any], recurrent: str, state: Recurrent
) -> None:
    shape = read(tmp_path, metadata(architecture, **{**BASE, **more}))
    assert "".join("r" if layer.recurrent else "a" if layer.kv_heads else "-" for layer in shape.layers) == recurrent
    assert shape.recurrent == state


def test_tensors_tell_which_layers_are_recurrent(tmp_path: Path) -> None:
    tensors = llama_tensors(2) | {"blk.1.ssm_conv1d.weight": ("F32", (4, 512)), "blk.1.ssm_a": ("F32", (8,))}
    facts = metadata("granitehybrid", **{**BASE, "block_count": 2}, attention__head_count_kv=[2, 0], ssm__conv_kernel=4)
    assert [(layer.recurrent, layer.kv_heads) for layer in read(tmp_path, facts, tensors).layers] == [
        (False, 2),
        (True, 0),
    ]


def test_both_kinds_may_stand_in_one_layer(tmp_path: Path) -> None:
    facts = metadata(
        "falcon-h1", **BASE, attention__head_count_kv=2, ssm__inner_size=512, ssm__state_size=64, ssm__conv_kernel=4
    )
    assert {(layer.recurrent, layer.kv_heads) for layer in read(tmp_path, facts).layers} == {(True, 2)}


def test_prediction_layers_stand_apart(tmp_path: Path) -> None:
    shape = read(tmp_path, metadata("glm4moe", **BASE, nextn_predict_layers=1))
    assert (len(shape.layers), shape.prediction_layers) == (5, 1)
