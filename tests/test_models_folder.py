"""Folders as Hugging Face lays them out: the config's words for layers, and the weights that lie there."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from folder_kit import BASE, folder

from mrt.errors import UsageError
from mrt.memory.shape import Experts, LatentAttention, ModelShape, Recurrent
from mrt.models import Sources, resolve_model


def read(tmp_path: Path, **config: Any) -> ModelShape:
    """The shape of a folder with this config."""
    return resolve_model(str(folder(tmp_path / "model", {**BASE, **config})))


def test_a_config_says_everything(tmp_path: Path) -> None:
    weights = {"model.embed_tokens.weight": ("BF16", [1000, 256]), "lm_head.weight": ("BF16", [1000, 256])}
    path = folder(tmp_path / "Small-1B", {**BASE, "model_type": "llama"}, weights)
    shape = resolve_model("./Small-1B", sources=Sources(directory=tmp_path))
    layer = shape.layers[0]
    assert (shape.name, shape.architecture, shape.embedding, shape.vocabulary, shape.context_trained) == (
        "Small-1B",
        "llama",
        256,
        1000,
        4096,
    )
    assert (len(shape.layers), layer.heads, layer.kv_heads, layer.key_head, layer.value_head, layer.feed_forward) == (
        6,
        8,
        2,
        32,
        32,
        512,
    )
    assert (shape.quantization, shape.tied_embeddings, shape.parameters, shape.file_bytes) == (
        "BF16",
        False,
        512000,
        1024000,
    )
    assert shape.source == f"{path / 'config.json'} and the headers of its safetensors"


@pytest.mark.parametrize(
    ("config", "architecture", "windows"),
    [
        pytest.param({"model_type": "mistral", "sliding_window": 4096}, "llama", {None: 6}, id="mistral"),
        pytest.param(
            {"model_type": "qwen2", "sliding_window": 131072, "use_sliding_window": False},
            "qwen2",
            {None: 6},
            id="qwen2",
        ),
        pytest.param({"model_type": "gemma2", "sliding_window": 4096}, "gemma2", {4096: 3, None: 3}, id="gemma2"),
        pytest.param({"model_type": "gemma3_text", "sliding_window": 512}, "gemma3", {512: 5, None: 1}, id="gemma3"),
        pytest.param(
            {
                "model_type": "gpt_oss",
                "sliding_window": 128,
                "layer_types": ["sliding_attention", "full_attention"] * 3,
            },
            "gpt-oss",
            {128: 3, None: 3},
            id="gpt-oss",
        ),
        pytest.param(
            {
                "model_type": "cohere2",
                "sliding_window": 4096,
                "layer_types": ["sliding_attention"] * 5 + ["full_attention"],
            },
            "cohere2",
            {4096: 5, None: 1},
            id="cohere2",
        ),
        pytest.param({"model_type": "phi3", "sliding_window": 2047}, "phi3", {None: 6}, id="phi3"),
        pytest.param({"model_type": "something_new"}, "something_new", {None: 6}, id="unknown"),
    ],
)
def test_windows_slide_as_the_engine_runs_them(
    tmp_path: Path, config: dict[str, Any], architecture: str, windows: dict[int | None, int]
) -> None:
    shape = read(tmp_path, **config)
    assert (shape.architecture, Counter(layer.window for layer in shape.layers)) == (architecture, windows)


@pytest.mark.parametrize(
    ("config", "heads"),
    [
        pytest.param({"model_type": "qwen3", "head_dim": 128}, (8, 2, 128), id="head size stated"),
        pytest.param(
            {"model_type": "falcon", "multi_query": True, "num_key_value_heads": None}, (8, 1, 32), id="one KV head"
        ),
        pytest.param(
            {"model_type": "chatglm", "num_key_value_heads": None, "multi_query_group_num": 4}, (8, 4, 32), id="groups"
        ),
        pytest.param({"model_type": "gpt2", "num_key_value_heads": None}, (8, 8, 32), id="a KV head each"),
    ],
)
def test_heads_go_by_many_names(tmp_path: Path, config: dict[str, Any], heads: tuple[int, int, int]) -> None:
    layer = read(tmp_path, **config).layers[0]
    assert (layer.heads, layer.kv_heads, layer.key_head) == heads


def test_other_names_for_sizes(tmp_path: Path) -> None:
    config = {"model_type": "gpt2", "n_embd": 256, "n_layer": 3, "n_head": 8, "vocab_size": 500, "n_positions": 1024}
    shape = resolve_model(str(folder(tmp_path / "model", config)))
    assert (shape.embedding, len(shape.layers), shape.context_trained, shape.layers[0].feed_forward) == (
        256,
        3,
        1024,
        1024,
    )
    assert shape.tied_embeddings


@pytest.mark.parametrize(
    ("config", "experts", "with_experts"),
    [
        pytest.param(
            {"model_type": "mixtral", "num_local_experts": 8, "num_experts_per_tok": 2},
            Experts(8, 2, 512, 0, 0, 0),
            6,
            id="mixtral",
        ),
        pytest.param(
            {"model_type": "qwen3_moe", "num_experts": 128, "num_experts_per_tok": 8, "moe_intermediate_size": 96},
            Experts(128, 8, 96, 0, 0, 0),
            6,
            id="qwen3moe",
        ),
        pytest.param(
            {
                "model_type": "deepseek_v3",
                "n_routed_experts": 64,
                "num_experts_per_tok": 6,
                "moe_intermediate_size": 128,
                "n_shared_experts": 2,
                "first_k_dense_replace": 1,
            },
            Experts(64, 6, 128, 2, 256, 1),
            5,
            id="deepseek",
        ),
        pytest.param(
            {
                "model_type": "qwen2_moe",
                "num_experts": 60,
                "num_experts_per_tok": 4,
                "moe_intermediate_size": 96,
                "shared_expert_intermediate_size": 384,
            },
            Experts(60, 4, 96, 1, 384, 0),
            6,
            id="one shared",
        ),
        pytest.param(
            {
                "model_type": "llama4",
                "text_config": {
                    "model_type": "llama4_text",
                    "num_local_experts": 16,
                    "num_experts_per_tok": 1,
                    "intermediate_size": 128,
                    "intermediate_size_mlp": 512,
                    "interleave_moe_layer_step": 2,
                },
            },
            Experts(16, 1, 128, 1, 128, 0),
            3,
            id="every second layer",
        ),
    ],
)
def test_experts_go_by_many_names(tmp_path: Path, config: dict[str, Any], experts: Experts, with_experts: int) -> None:
    shape = read(tmp_path, **config)
    assert shape.experts == experts
    assert [layer.feed_forward for layer in shape.layers if not layer.experts] == [512] * (6 - with_experts)


def test_nested_and_listed_values(tmp_path: Path) -> None:
    nested = {
        "attn_config": {"kv_n_heads": 4},
        "ffn_config": {"ffn_hidden_size": 384, "moe_num_experts": 16, "moe_top_k": 4},
    }
    config = {
        "model_type": "dbrx",
        "d_model": 256,
        "n_layers": 4,
        "n_heads": 8,
        "max_seq_len": 4096,
        "vocab_size": 1000,
        **nested,
    }
    dbrx = resolve_model(str(folder(tmp_path / "dbrx", config)))
    assert (dbrx.layers[0].kv_heads, dbrx.experts, dbrx.context_trained) == (4, Experts(16, 4, 384, 0, 0, 0), 4096)
    listed = read(
        tmp_path,
        model_type="deci",
        num_key_value_heads=[8, 2, 2, 2, 2, 8],
        intermediate_size=[512, 512, 256, 256, 512, 512],
    )
    assert [layer.kv_heads for layer in listed.layers] == [8, 2, 2, 2, 2, 8]
    assert [layer.feed_forward for layer in listed.layers] == [512, 512, 256, 256, 512, 512]


def test_what_a_class_takes_for_granted_need_not_stand_in_the_config(tmp_path: Path) -> None:
    """As the smaller Gemma 3 models are published."""
    text = {
        "model_type": "gemma3_text",
        "hidden_size": 2560,
        "intermediate_size": 10240,
        "num_hidden_layers": 34,
        "sliding_window": 1024,
    }
    path = folder(tmp_path / "model", {"model_type": "gemma3", "text_config": text, "vision_config": {}})
    shape, known = resolve_model(str(path)), resolve_model("gemma3:4b")
    assert (shape.layers, shape.vocabulary, shape.context_trained) == (
        known.layers,
        known.vocabulary,
        known.context_trained,
    )
    assert shape.tied_embeddings


def test_a_vocabulary_that_the_config_does_not_say_is_that_of_the_weights(tmp_path: Path) -> None:
    config = {key: value for key, value in BASE.items() if key != "vocab_size"} | {"model_type": "llama"}
    weights = {"model.embed_tokens.weight": ("BF16", [777, 256])}
    assert resolve_model(str(folder(tmp_path / "model", config, weights))).vocabulary == 777
    with pytest.raises(UsageError, match="has no usable vocabulary"):
        resolve_model(str(folder(tmp_path / "bare", config)))


def test_latent_attention(tmp_path: Path) -> None:
    latent = {
        "kv_lora_rank": 512,
        "q_lora_rank": 1536,
        "qk_rope_head_dim": 64,
        "qk_nope_head_dim": 128,
        "v_head_dim": 128,
    }
    shape = read(tmp_path, model_type="deepseek_v3", num_nextn_predict_layers=1, **latent)
    assert (shape.latent, len(shape.layers), shape.prediction_layers) == (
        LatentAttention(512, 1536, 64, 128, 128),
        6,
        1,
    )
    assert (shape.layers[0].kv_heads, shape.layers[0].key_head, shape.layers[0].value_head) == (8, 192, 128)


@pytest.mark.parametrize(
    ("config", "order", "state"),
    [
        pytest.param(
            {
                "model_type": "qwen3_next",
                "full_attention_interval": 3,
                "linear_num_key_heads": 4,
                "linear_num_value_heads": 8,
                "linear_key_head_dim": 64,
                "linear_value_head_dim": 64,
                "linear_conv_kernel_dim": 4,
            },
            "rrarra",
            Recurrent(512, 64, 4, 8, 4),
            id="delta net",
        ),
        pytest.param(
            {
                "model_type": "granitemoehybrid",
                "layer_types": ["mamba", "mamba", "attention"] * 2,
                "mamba_d_state": 64,
                "mamba_d_conv": 4,
                "mamba_n_groups": 1,
                "mamba_n_heads": 8,
                "mamba_d_head": 64,
            },
            "rrarra",
            Recurrent(512, 64, 1, 8, 4),
            id="kinds of layers",
        ),
        pytest.param(
            {"model_type": "lfm2", "layer_types": ["conv", "full_attention"] * 3, "conv_L_cache": 3},
            "rarara",
            Recurrent(256, 0, 0, 0, 3),
            id="short convolutions",
        ),
        pytest.param(
            {
                "model_type": "nemotron_h",
                "hybrid_override_pattern": "M-M*-M",
                "ssm_state_size": 64,
                "conv_kernel": 4,
                "n_groups": 8,
                "mamba_num_heads": 8,
                "mamba_head_dim": 64,
            },
            "r-ra-r",
            Recurrent(512, 64, 8, 8, 4),
            id="a pattern of letters",
        ),
        pytest.param(
            {
                "model_type": "jamba",
                "attn_layer_period": 3,
                "attn_layer_offset": 1,
                "mamba_d_state": 16,
                "mamba_d_conv": 4,
                "mamba_expand": 2,
                "mamba_dt_rank": 16,
            },
            "rarrar",
            Recurrent(512, 16, 0, 0, 4, 16),
            id="a period and an offset",
        ),
    ],
)
def test_recurrent_layers(tmp_path: Path, config: dict[str, Any], order: str, state: Recurrent) -> None:
    shape = read(tmp_path, **config)
    assert "".join("r" if layer.recurrent else "a" if layer.kv_heads else "-" for layer in shape.layers) == order
    assert shape.recurrent == state


def test_layers_of_experts_among_others(tmp_path: Path) -> None:
    experts = {"num_experts": 16, "num_experts_per_tok": 2, "moe_intermediate_size": 128}
    jamba = read(tmp_path, model_type="jamba", expert_layer_period=2, expert_layer_offset=1, **experts)
    assert [layer.experts for layer in jamba.layers] == [False, True] * 3
    mixed = read(tmp_path, model_type="nemotron_h", hybrid_override_pattern="MEM*ME", conv_kernel=4, **experts)
    assert [(layer.recurrent, bool(layer.kv_heads), layer.experts) for layer in mixed.layers] == [
        (True, False, False),
        (False, False, True),
        (True, False, False),
        (False, True, False),
        (True, False, False),
        (False, False, True),
    ]
    assert mixed.architecture == "nemotron_h_moe"


@pytest.mark.parametrize("name", ["text_config", "llm_config", "language_config"])
def test_the_language_model_of_a_multimodal_one(tmp_path: Path, name: str) -> None:
    config = {name: {**BASE, "model_type": "gemma3_text"}, "vision_config": {"hidden_size": 99}, "model_type": "gemma3"}
    shape = resolve_model(str(folder(tmp_path / "model", config)))
    assert (shape.architecture, shape.embedding, shape.vision) == ("gemma3", 256, True)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        pytest.param("{", "is no JSON", id="broken"),
        pytest.param("[" * 100_000, "is no JSON", id="deep"),
        pytest.param("[]", "is no model's config", id="a list"),
        pytest.param("{}", "names no architecture: it is no model", id="empty"),
        pytest.param(
            '{"model_type": "llama"}', "has no layers (llama.block_count): it is no language model", id="no layers"
        ),
        pytest.param(
            '{"model_type": "llama", "num_hidden_layers": 2}', "has no usable llama.embedding_length", id="no width"
        ),
        pytest.param(
            '{"model_type": "llama", "num_hidden_layers": 1e9, "hidden_size": 8}', "has 1000000000 layers", id="endless"
        ),
        pytest.param(
            '{"model_type": "jamba", "num_hidden_layers": 1e12, "attn_layer_period": 2, "attn_layer_offset": 1}',
            "has 1000000000000 layers",
            id="endless with a period",
        ),
        pytest.param('{"model_type": ["x"], "num_hidden_layers": "2"}', "names no architecture", id="other types"),
    ],
)
def test_a_config_that_is_none_is_told(tmp_path: Path, config: str, message: str) -> None:
    path = folder(tmp_path / "model", config)
    with pytest.raises(UsageError) as raised:
        resolve_model(str(path))
    assert raised.value.message.startswith(f"{path / 'config.json'} {message}")
