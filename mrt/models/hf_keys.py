"""A Hugging Face config as GGUF metadata: the same facts under the names that the converter gives them.

Sources: the config classes of transformers, and llama.cpp's convert_hf_to_gguf.py for the architecture each becomes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Config = Mapping[str, Any]

# model_type -> GGUF architecture, where they differ by more than `_` for `-`.
ARCHITECTURES = {
    "apertus": "apertus",
    "bailing_moe": "bailingmoe",
    "bailing_moe_v2": "bailingmoe2",
    "cohere": "command-r",
    "deepseek_v2": "deepseek2",
    "deepseek_v3": "deepseek2",
    "ernie4_5_moe": "ernie4_5-moe",
    "exaone4": "exaone4",
    "falcon_h1": "falcon-h1",
    "gemma3_text": "gemma3",
    "gemma3n_text": "gemma3n",
    "gemma4_text": "gemma4",
    "gemma4_unified_text": "gemma4",
    "glm4_moe": "glm4moe",
    "gpt_bigcode": "starcoder",
    "gpt_neox": "gptneox",
    "gpt_oss": "gpt-oss",
    "granitemoehybrid": "granitehybrid",
    "hunyuan_v1_dense": "hunyuan-dense",
    "hunyuan_v1_moe": "hunyuan-moe",
    "kimi_k2": "deepseek2",
    "kimi_linear": "kimi-linear",
    "lfm2_moe": "lfm2moe",
    "llama4_text": "llama4",
    "mimo_v2_flash": "mimo2",
    "minimax_m2": "minimax-m2",
    "ministral": "mistral3",
    "ministral3": "mistral3",
    "mistral": "llama",
    "mixtral": "llama",
    "mllama_text_model": "mllama",
    "nomic_bert": "nomic-bert",
    "olmo3": "olmo2",
    "phi": "phi2",
    "qwen2_5_vl": "qwen2vl",
    "qwen2_5_vl_text": "qwen2vl",
    "qwen2_moe": "qwen2moe",
    "qwen2_vl": "qwen2vl",
    "qwen2_vl_text": "qwen2vl",
    "qwen3_5": "qwen35",
    "qwen3_5_moe": "qwen35moe",
    "qwen3_5_moe_text": "qwen35moe",
    "qwen3_5_text": "qwen35",
    "qwen3_moe": "qwen3moe",
    "qwen3_next": "qwen3next",
    "qwen3_vl": "qwen3vl",
    "qwen3_vl_moe": "qwen3vlmoe",
    "qwen3_vl_moe_text": "qwen3vlmoe",
    "qwen3_vl_text": "qwen3vl",
    "roberta": "bert",
    "xlm-roberta": "bert",
}
# GGUF key -> the names it goes by in configs, the first that is there counts.
WHOLE = {
    "embedding_length": ("hidden_size", "n_embd", "d_model", "dim"),
    "context_length": (
        "max_position_embeddings",
        "n_positions",
        "max_sequence_length",
        "seq_length",
        "max_seq_len",
        "n_ctx",
    ),
    "vocab_size": ("vocab_size", "padded_vocab_size"),
    "attention.head_count": ("num_attention_heads", "n_head", "n_heads", "num_heads"),
    "attention.sliding_window": (
        "sliding_window",
        "sliding_window_size",
        "sliding_window_attn_size",
        "attention_chunk_size",
    ),
    "attention.kv_lora_rank": ("kv_lora_rank",),
    "attention.q_lora_rank": ("q_lora_rank",),
    "attention.shared_kv_layers": ("num_kv_shared_layers",),
    "expert_count": ("num_experts", "num_local_experts", "n_routed_experts", "moe_num_experts"),
    "expert_used_count": (
        "num_experts_per_tok",
        "num_experts_per_token",
        "moe_topk",
        "moe_top_k",
        "moe_k",
        "experts_per_token",
        "top_k_experts",
    ),
    "expert_feed_forward_length": ("moe_intermediate_size", "expert_ffn_hidden_size", "moe_ffn_hidden_size"),
    "expert_shared_count": ("n_shared_experts", "num_shared_experts", "moe_num_shared_experts", "num_shared_expert"),
    "expert_shared_feed_forward_length": (
        "shared_expert_intermediate_size",
        "moe_shared_expert_intermediate_size",
        "shared_intermediate_size",
    ),
    "leading_dense_block_count": (
        "first_k_dense_replace",
        "num_dense_layers",
        "moe_layer_start_index",
        "first_k_dense",
    ),
    "interleave_moe_layer_step": ("interleave_moe_layer_step", "moe_layer_interval"),
    "full_attention_interval": ("full_attention_interval",),
    "shortconv.l_cache": ("conv_L_cache",),
    "ssm.conv_kernel": ("mamba_d_conv", "conv_kernel", "linear_conv_kernel_dim", "d_conv"),
    "ssm.state_size": ("mamba_d_state", "ssm_state_size", "linear_key_head_dim", "state_size"),
    "ssm.group_count": ("mamba_n_groups", "n_groups", "linear_num_key_heads"),
    "ssm.time_step_rank": (
        "mamba_n_heads",
        "mamba_num_heads",
        "linear_num_value_heads",
        "mamba_dt_rank",
        "time_step_rank",
    ),
}
# What configs leave out because it is their class's default, where models in use do so.
DEFAULTS: dict[str, Config] = {
    "gemma": {"head_dim": 256},
    "gemma2": {
        "vocab_size": 256000,
        "num_attention_heads": 8,
        "num_key_value_heads": 4,
        "head_dim": 256,
        "sliding_window": 4096,
        "max_position_embeddings": 8192,
    },
    "gemma3_text": {
        "vocab_size": 262208,
        "num_attention_heads": 8,
        "num_key_value_heads": 4,
        "head_dim": 256,
        "sliding_window": 4096,
        "max_position_embeddings": 131072,
    },
    "llama4_text": {
        "vocab_size": 202048,
        "num_attention_heads": 40,
        "num_key_value_heads": 8,
        "head_dim": 128,
        "intermediate_size": 8192,
        "intermediate_size_mlp": 16384,
        "interleave_moe_layer_step": 1,
    },
}
# More layers are refused when the shape is made; no list of so many is built before.
MOST_LAYERS = 4096
LAYERS = ("num_hidden_layers", "n_layer", "n_layers", "num_layers")
KV_HEADS = (
    "num_key_value_heads",
    "num_kv_heads",
    "n_head_kv",
    "multi_query_group_num",
    "num_key_value_heads_per_layer",
)
HEAD_SIZE = ("head_dim", "attention_head_dim", "kv_channels", "d_kv")
WIDTH = ("intermediate_size", "ffn_dim", "n_inner", "ffn_hidden_size", "d_ff")


def first(config: Config, names: tuple[str, ...]) -> Any:
    """The first of several names that has a value."""
    return next((config[name] for name in names if config.get(name) is not None), None)


def text_part(config: Config) -> Config:
    """The part of a multimodal config that describes the language model, with the whole's values behind it."""
    for name in ("text_config", "llm_config", "language_config", "thinker_config"):
        part = config.get(name)
        if isinstance(part, dict):
            return text_part({**{key: value for key, value in config.items() if key != name}, **part})
    return config


def architecture_of(config: Config) -> str:
    """The GGUF architecture a config's model becomes."""
    kind = str(config.get("model_type") or "")
    return ARCHITECTURES.get(kind, kind)


def whole(value: Any) -> int | None:
    """A number that is one, None for anything else."""
    return (
        int(value) if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1 << 62 else None
    )


def metadata_of(config: Config) -> dict[str, Any]:
    """GGUF metadata of a config's language model."""
    text = text_part(config)
    text = {
        **DEFAULTS.get(str(text.get("model_type")), {}),
        **{key: value for key, value in text.items() if value is not None},
    }
    architecture = architecture_of(text)
    if architecture == "nemotron_h" and first(text, WHOLE["expert_count"]):
        architecture = "nemotron_h_moe"
    count = whole(first(text, LAYERS)) or 0
    found: dict[str, Any] = {key: whole(first(text, names)) for key, names in WHOLE.items()}
    found |= _heads(text, count) | _widths(text, count) | _latent(text) | _state(text)
    if text.get("use_sliding_window") is False:
        found["attention.sliding_window"] = 0
    nextn = whole(text.get("num_nextn_predict_layers")) or 0
    found |= {"block_count": count + nextn, "nextn_predict_layers": nextn}
    found |= _patterns(text, count) if count <= MOST_LAYERS else {}
    known = {f"{architecture}.{key}": value for key, value in found.items() if value is not None}
    return {"general.architecture": architecture, **known}


def _heads(text: Config, count: int) -> dict[str, Any]:
    kv_heads = first(text, KV_HEADS)
    if text.get("multi_query") and not text.get("new_decoder_architecture"):
        kv_heads = whole(text.get("multi_query_group_num")) or 1
    nested = text.get("attn_config")
    if kv_heads is None and isinstance(nested, dict):
        kv_heads = nested.get("kv_n_heads")
    size = whole(first(text, HEAD_SIZE))
    sizes = {"attention.key_length": size, "attention.value_length": whole(text.get("v_head_dim")) or size}
    if isinstance(kv_heads, list):
        return {"attention.head_count_kv": [whole(heads) or 0 for heads in kv_heads[:count]], **sizes}
    return {"attention.head_count_kv": whole(kv_heads), **sizes}


def _widths(text: Config, count: int) -> dict[str, Any]:
    width = first(text, WIDTH)
    nested = text.get("ffn_config")
    if isinstance(nested, dict):  # dbrx
        experts = {
            "expert_count": whole(nested.get("moe_num_experts")),
            "expert_used_count": whole(nested.get("moe_top_k")),
        }
        return {"feed_forward_length": whole(nested.get("ffn_hidden_size")), **experts}
    if isinstance(width, list):
        return {"feed_forward_length": [whole(one) or 0 for one in width[:count]]}
    if text.get("model_type") == "llama4_text" and text.get("intermediate_size_mlp"):
        return {
            "feed_forward_length": whole(text["intermediate_size_mlp"]),
            "expert_feed_forward_length": whole(width),
            "expert_shared_count": 1,
        }
    return {"feed_forward_length": whole(width) or 4 * (whole(first(text, WHOLE["embedding_length"])) or 0)}


def _latent(text: Config) -> dict[str, Any]:
    rope, nope = whole(text.get("qk_rope_head_dim")), whole(text.get("qk_nope_head_dim"))
    if not text.get("kv_lora_rank") or rope is None or nope is None:
        return {}
    return {
        "rope.dimension_count": rope,
        "attention.key_length_mla": rope + nope,
        "attention.value_length_mla": whole(text.get("v_head_dim")),
    }


def _state(text: Config) -> dict[str, Any]:
    """Inner width of a state-space layer: heads times their size, or the embedding expanded."""
    for heads, size in (
        ("linear_num_value_heads", "linear_value_head_dim"),
        ("mamba_num_heads", "mamba_head_dim"),
        ("mamba_n_heads", "mamba_d_head"),
    ):
        both = whole(text.get(heads)), whole(text.get(size))
        if both[0] and both[1]:
            return {"ssm.inner_size": both[0] * both[1]}
    expanded = whole(first(text, ("mamba_expand", "expand")))
    embedding = whole(first(text, WHOLE["embedding_length"]))
    inner = (
        whole(first(text, ("mamba_d_ssm", "intermediate_size")))
        if text.get("model_type") in ("mamba", "falcon_h1")
        else None
    )
    return {"ssm.inner_size": inner or (expanded and embedding and expanded * embedding)}


def _patterns(text: Config, count: int) -> dict[str, Any]:
    """Lists of one value a layer, where the config has such."""
    found: dict[str, Any] = {}
    kinds = first(text, ("layer_types", "layers_block_type"))
    if isinstance(kinds, list) and len(kinds) >= count:
        slides = [str(kind) in ("sliding_attention", "chunked_attention") for kind in kinds[:count]]
        if any(slides) or "full_attention" in kinds:
            found["attention.sliding_window_pattern"] = slides
        attends: list[bool] | None = [
            str(kind).endswith("attention") and not str(kind).startswith("linear") for kind in kinds[:count]
        ]
        if attends and not all(attends):
            found["attention.head_count_kv"] = _kv_list(text, attends)
    elif (attends := _attending(text, count)) is not None:
        found["attention.head_count_kv"] = _kv_list(text, attends)
    pattern = text.get("hybrid_override_pattern")
    if isinstance(pattern, str) and len(pattern) >= count:
        width = whole(text.get("intermediate_size")) or 1
        found["attention.head_count_kv"] = _kv_list(text, [letter == "*" for letter in pattern[:count]])
        found["feed_forward_length"] = [width if letter == "-" else 0 for letter in pattern[:count]]
        found["recurrent_layers"] = [letter == "M" for letter in pattern[:count]]
        found["expert_layers"] = [letter == "E" for letter in pattern[:count]]
    period, offset = whole(text.get("expert_layer_period")), whole(text.get("expert_layer_offset"))
    if period and offset is not None:
        found["expert_layers"] = [index % period == offset for index in range(count)]
    return found


def _attending(text: Config, count: int) -> list[bool] | None:
    """Which layers attend, in the other ways that configs say it."""
    indices = first(text, ("attn_layer_indices", "full_attn_idxs"))
    if isinstance(indices, list):
        return [index in indices for index in range(count)]
    period, offset = whole(text.get("attn_layer_period")), whole(text.get("attn_layer_offset"))
    return [index % period == offset for index in range(count)] if period and offset is not None else None


def _kv_list(text: Config, attends: list[bool]) -> list[int]:
    heads = whole(first(text, KV_HEADS)) or whole(first(text, WHOLE["attention.head_count"])) or 0
    return [heads if attending else 0 for attending in attends]
