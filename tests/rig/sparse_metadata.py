"""The metadata llama.cpp wants to see before it believes in a model: keys by architecture, values from its shape."""

from __future__ import annotations

from collections.abc import Sequence

from mrt.memory.shape import Layer, ModelShape

Value = bool | int | float | str | Sequence[bool] | Sequence[int] | Sequence[float] | Sequence[str]
# Architectures of the facts that llama.cpp reads under another name.
ENGINE_NAMES = {"qwen25vl": "qwen2vl", "mistral3": "mistral3", "nomic-bert": "nomic-bert", "solar": "llama"}


def metadata_of(shape: ModelShape) -> dict[str, Value]:
    """All keys of a shape; the vocabulary is a size without words."""
    arch = ENGINE_NAMES.get(shape.architecture, shape.architecture)
    first = next((layer for layer in shape.layers if layer.heads), shape.layers[0])
    keys: dict[str, Value] = {
        "context_length": shape.context_trained or 131072,
        "embedding_length": shape.embedding,
        "block_count": len(shape.layers),
        "vocab_size": shape.vocabulary,
        "attention.layer_norm_rms_epsilon": 1e-6,
        "attention.layer_norm_epsilon": 1e-6,
        "rope.freq_base": 10000.0,
        "feed_forward_length": _per_layer(shape, [layer.feed_forward or _absent(shape) for layer in shape.layers]),
        "attention.head_count": _heads(shape),
        "attention.head_count_kv": _per_layer(shape, [layer.kv_heads for layer in shape.layers]),
        "attention.key_length": first.key_head,
        "attention.value_length": first.value_head,
    }
    for part in (_experts(shape), _latent(shape, first), _recurrent(shape), _windows(shape), _special(shape, first)):
        keys.update(part)
    general: dict[str, Value] = {
        "general.architecture": arch,
        "general.name": shape.name or "shape",
        "tokenizer.ggml.model": "none",
    }
    if shape.size("token_types"):
        general["tokenizer.ggml.token_type_count"] = shape.size("token_types")
    if shape.size("positions"):
        keys["context_length"] = shape.size("positions")
    return general | {f"{arch}.{key}": value for key, value in keys.items()}


def _dense(shape: ModelShape) -> int:
    """The width where the file has one figure for all layers: of its dense layers, else of the experts."""
    dense = max(layer.feed_forward for layer in shape.layers)
    return dense or (shape.experts.width if shape.experts else 1)


def _absent(shape: ModelShape) -> int:
    return 0 if shape.architecture in ("nemotron_h", "nemotron_h_moe") else _dense(shape)


def _heads(shape: ModelShape) -> Value:
    """Hybrids tell their recurrent layers by KV heads alone."""
    heads = [layer.heads for layer in shape.layers]
    return max(heads) if any(layer.recurrent for layer in shape.layers) else _per_layer(shape, heads)


def _per_layer(shape: ModelShape, values: Sequence[int]) -> Value:
    arrays = (
        "lfm2",
        "lfm2moe",
        "nemotron_h",
        "nemotron_h_moe",
        "granitehybrid",
        "jamba",
        "deci",
        "gemma3n",
        "gemma4",
        "laguna",
    )
    if len(set(values)) == 1:
        return values[0]
    return list(values) if shape.architecture in arrays else max(values)


def _experts(shape: ModelShape) -> dict[str, Value]:
    experts = shape.experts
    if experts is None:
        return {}
    keys: dict[str, Value] = {"expert_count": experts.count, "expert_used_count": experts.used}
    keys |= {"expert_feed_forward_length": experts.width or _dense(shape), "expert_shared_count": experts.shared}
    keys |= {
        "leading_dense_block_count": experts.dense_layers,
        "expert_gating_func": 2 if "router_bias" in shape.traits else 1,
    }
    if experts.shared_width:
        keys["expert_shared_feed_forward_length"] = experts.shared_width
    return keys | {"expert_weights_scale": 1.0}


def _latent(shape: ModelShape, first: Layer) -> dict[str, Value]:
    latent = shape.latent
    if latent is None:
        return {}
    keys: dict[str, Value] = {"attention.kv_lora_rank": latent.kv_rank, "rope.dimension_count": latent.rope_head}
    keys["attention.head_count_kv"] = 1
    if latent.query_rank:
        keys["attention.q_lora_rank"] = latent.query_rank
    keys |= {
        "attention.key_length_mla": latent.nope_head + latent.rope_head,
        "attention.value_length_mla": latent.value_head,
    }
    return keys | {"attention.key_length": latent.kv_rank + latent.rope_head, "attention.value_length": latent.kv_rank}


def _recurrent(shape: ModelShape) -> dict[str, Value]:
    state = shape.recurrent
    if state is None:
        return {}
    if not state.state:
        return {"shortconv.l_cache": state.convolution}
    keys: dict[str, Value] = {
        "ssm.conv_kernel": state.convolution,
        "ssm.inner_size": state.inner,
        "ssm.state_size": state.state,
    }
    keys |= {"ssm.group_count": state.groups, "ssm.time_step_rank": state.step_rank or state.heads}
    attention = [index for index, layer in enumerate(shape.layers) if layer.heads]
    interval = attention[0] + 1 if attention else 1
    return keys | ({"full_attention_interval": interval} if shape.architecture.startswith("qwen3") else {})


def _windows(shape: ModelShape) -> dict[str, Value]:
    windows = [layer.window for layer in shape.layers]
    size = next((window for window in windows if window), None)
    if size is None:
        return {}
    keys: dict[str, Value] = {"attention.sliding_window": size}
    if shape.architecture in ("gemma4", "exaone4", "olmo2", "laguna"):
        keys["attention.sliding_window_pattern"] = [window is not None for window in windows]
    if shape.architecture == "llama4":
        keys["attention.chunk_size"] = size
    return keys


def _special(shape: ModelShape, first: Layer) -> dict[str, Value]:
    """Keys that single architectures insist on."""
    rotated: dict[str, Value] = {} if shape.latent else {"rope.dimension_count": first.key_head}
    more: dict[str, dict[str, Value]] = {
        "gemma4": _gemma4(shape),
        "gemma3n": {
            "embedding_length_per_layer_input": shape.size("per_layer_width"),
            "attention.shared_kv_layers": _shared(shape),
        },
        "qwen2vl": {"rope.dimension_sections": [16, 24, 24, 0]},
        "qwen25vl": {"rope.dimension_sections": [16, 24, 24, 0]},
        "qwen3vl": {"rope.dimension_sections": [24, 20, 20, 0]},
        "qwen3vlmoe": {"rope.dimension_sections": [24, 20, 20, 0]},
        "qwen35": {"rope.dimension_sections": [11, 11, 10, 0]},
        "qwen35moe": {"rope.dimension_sections": [11, 11, 10, 0]},
        "bert": {"attention.causal": False},
        "gemma-embedding": {"attention.sliding_window": 512},
        "granitemoe": {"logit_scale": 8.0},
        "granitehybrid": {"logit_scale": 8.0},
        "cohere2moe": {"logit_scale": 0.0625},
        "ernie4_5-moe": {"interleave_moe_layer_step": 1},
        "llama4": {"interleave_moe_layer_step": 2 if any(layer.feed_forward for layer in shape.layers) else 1},
        "granite": {"logit_scale": 8.0},
        "command-r": {"logit_scale": 0.0625},
        "cohere2": {"logit_scale": 0.0625},
        "stablelm": {"use_parallel_residual": False},
        "dbrx": {"attention.clamp_kqv": 8.0},
    }
    return rotated | more.get(shape.architecture, {})


def _shared(shape: ModelShape) -> int:
    return sum(layer.shares_kv for layer in shape.layers)


def _gemma4(shape: ModelShape) -> dict[str, Value]:
    wide = next((layer for layer in shape.layers if layer.window is None), shape.layers[0])
    slim = next((layer for layer in shape.layers if layer.window is not None), wide)
    keys: dict[str, Value] = {"attention.key_length": wide.key_head, "attention.value_length": wide.value_head}
    keys |= {"attention.key_length_swa": slim.key_head, "attention.value_length_swa": slim.value_head}
    keys |= {
        "attention.shared_kv_layers": _shared(shape),
        "embedding_length_per_layer_input": shape.size("per_layer_width"),
    }
    return keys | {"rope.dimension_count": wide.key_head, "rope.dimension_count_swa": slim.key_head}
