"""The tensors of a model by its shape: names as llama.cpp writes them, and dimensions with the row length first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from mrt.memory.traits import traits_of

if TYPE_CHECKING:
    from mrt.memory.shape import Layer, ModelShape

Part = tuple[str, tuple[int, ...]]


class Apart(Protocol):
    """What the module of the rarer blocks offers."""

    def global_extra(self, shape: ModelShape) -> list[Part]: ...
    def layer_parts(self, shape: ModelShape, layer: Layer) -> list[Part]: ...
    def recurrent_parts(self, shape: ModelShape) -> list[Part]: ...
    def latent_parts(self, shape: ModelShape, layer: Layer, traits: frozenset[str]) -> list[Part]: ...


# Architectures, or kinds of layer, whose blocks are built elsewhere.
_APART = frozenset(("gemma3n", "gemma4", "mllama", "nemotron_h", "nemotron_h_moe", "jamba"))


def global_parts(shape: ModelShape) -> list[Part]:
    """Tensors outside the blocks: embeddings in front, norm and output behind."""
    traits, width = traits_of(shape), shape.embedding
    parts: list[Part] = [("token_embd.weight", (width, shape.vocabulary))]
    if shape.size("positions"):
        parts.append(("position_embd.weight", (width, shape.size("positions"))))
    if shape.size("token_types"):
        parts.append(("token_types.weight", (width, shape.size("token_types"))))
    if "no_output" not in traits or shape.architecture == "gemma-embedding":
        parts += _normed(f"{_last_norm(shape)}.weight", width, traits)
    else:
        parts += _normed("token_embd_norm.weight", width, traits)
    if has_output(shape):
        parts.append(("output.weight", (width, shape.vocabulary)))
    if "head_bias" in traits:
        parts.append(("output.bias", (shape.vocabulary,)))
    parts += _rotation(shape, traits)
    return parts + (_apart().global_extra(shape) if shape.size("per_layer_vocabulary") else [])


def has_output(shape: ModelShape) -> bool:
    """Whether the file holds an output layer of its own, beside the token embeddings."""
    traits = traits_of(shape)
    return "no_output" not in traits and (not shape.tied_embeddings or "separate_output" in traits)


def _last_norm(shape: ModelShape) -> str:
    return "token_embd_norm" if shape.architecture in ("lfm2", "lfm2moe") else "output_norm"


def _rotation(shape: ModelShape, traits: frozenset[str]) -> list[Part]:
    half = max((layer.key_head for layer in shape.layers if layer.heads), default=0) // 2
    if "rope_long" in traits:
        return [("rope_factors_long.weight", (half,)), ("rope_factors_short.weight", (half,))]
    return [("rope_freqs.weight", (half,))] if "rope_factors" in traits else []


def _normed(name: str, width: int, traits: frozenset[str]) -> list[Part]:
    bias = [(name.removesuffix("weight") + "bias", (width,))] if "norm_bias" in traits else []
    return [(name, (width,)), *bias]


def layer_parts(shape: ModelShape, layer: Layer) -> list[Part]:
    """Tensors of one block, names without the leading "blk.N."; equal layers have equal parts."""
    if shape.architecture in _APART:
        return _apart().layer_parts(shape, layer)
    traits = traits_of(shape)
    parts = block_norms(shape, traits)
    if layer.recurrent:
        parts += _apart().recurrent_parts(shape)
    if layer.heads and not (layer.recurrent and shape.architecture != "falcon-h1"):
        parts += attention_parts(shape, layer, traits)
    return parts + feed_forward_parts(shape, layer, traits)


def _apart() -> Apart:  # the rarer blocks load when a model asks for them
    from mrt.memory import parts_apart

    return parts_apart


def block_norms(shape: ModelShape, traits: frozenset[str]) -> list[Part]:
    """Norms around attention and feed-forward, by where the architecture has them."""
    width = shape.embedding
    if "post_only" in traits:
        bert = "norm_bias" in traits
        names = (
            ["attn_output_norm.weight", "layer_output_norm.weight"]
            if bert
            else ["post_attention_norm.weight", "post_ffw_norm.weight"]
        )
    elif "norm_output" in traits:
        names = ["attn_norm.weight", "attn_output_norm.weight"]
    elif "two_norms" in traits:
        names = ["attn_norm.weight", "attn_norm_2.weight"]
    elif "parallel" in traits:
        names = ["attn_norm.weight"]
    elif "post_attention" in traits:
        names = ["attn_norm.weight", "post_attention_norm.weight"]
    else:
        names = ["attn_norm.weight", "ffn_norm.weight"]
    if "post_norms" in traits:
        names += ["post_attention_norm.weight", "post_ffw_norm.weight"]
    return [part for name in names for part in _normed(name, width, traits)]


def attention_parts(shape: ModelShape, layer: Layer, traits: frozenset[str]) -> list[Part]:
    """Query, key, value and output; latent attention has its own."""
    if shape.latent is not None:
        return _apart().latent_parts(shape, layer, traits)
    width, heads, kv = shape.embedding, layer.heads, layer.kv_heads
    query, key, value = heads * layer.key_head, kv * layer.key_head, kv * layer.value_head
    gated = 2 if "gated_query" in traits else 1
    if "qkv_fused" in traits:
        parts: list[Part] = _biased("attn_qkv", width, query + key + value, "qkv_bias" in traits)
    else:
        parts = _biased("attn_q", width, gated * query, "qkv_bias" in traits)
        if not layer.shares_kv:
            parts += _biased("attn_k", width, key, "qkv_bias" in traits)
            parts += _biased("attn_v", width, value, "qkv_bias" in traits)
    parts += _biased("attn_output", heads * layer.value_head, width, "output_bias" in traits)
    parts += _head_norms(layer, traits)
    if "sinks" in traits:
        parts.append(("attn_sinks.weight", (heads,)))
    if "gate_heads" in traits:
        parts.append(("attn_gate.weight", (width, heads)))
    if "gate_full" in traits:
        parts.append(("attn_gate.weight", (width, heads * layer.value_head)))
    return parts


def _head_norms(layer: Layer, traits: frozenset[str]) -> list[Part]:
    size, heads, kv = layer.key_head, layer.heads, layer.kv_heads
    if "qk_norm" in traits:
        return [("attn_q_norm.weight", (size,)), ("attn_k_norm.weight", (size,))]
    if "qk_norm_wide" in traits:
        return [("attn_q_norm.weight", (size * heads,)), ("attn_k_norm.weight", (size * kv,))]
    if "qk_norm_heads" in traits:
        return [("attn_q_norm.weight", (size, heads)), ("attn_k_norm.weight", (size, kv))]
    return []


def _biased(name: str, row: int, rows: int, bias: bool) -> list[Part]:
    return [(f"{name}.weight", (row, rows)), *([(f"{name}.bias", (rows,))] if bias else [])]


def feed_forward_parts(shape: ModelShape, layer: Layer, traits: frozenset[str]) -> list[Part]:
    """The dense feed-forward, the experts, or both."""
    dense = dense_parts(shape.embedding, layer.feed_forward, traits, "") if layer.feed_forward else []
    return dense + (expert_parts(shape, traits) if layer.experts else [])


def dense_parts(width: int, inner: int, traits: frozenset[str], suffix: str) -> list[Part]:
    """Up, down and gate; `suffix` "_shexp" for shared experts."""
    bias = "ffn_bias" in traits and not suffix
    rows = 2 * inner if "gate_up_fused" in traits and not suffix else inner
    parts = _biased(f"ffn_up{suffix}", width, rows, bias) + _biased(f"ffn_down{suffix}", inner, width, bias)
    gated = suffix == "_shexp" or not traits & {"no_gate", "gate_up_fused"}
    return parts + (_biased(f"ffn_gate{suffix}", width, inner, bias) if gated else [])


def expert_parts(shape: ModelShape, traits: frozenset[str]) -> list[Part]:
    """Router, experts in three dimensions, shared experts."""
    experts = shape.experts
    if experts is None:
        return []
    width, count = shape.embedding, experts.count
    inner = experts.width or max(layer.feed_forward for layer in shape.layers)
    parts: list[Part] = [("ffn_gate_inp.weight", (width, count))]
    parts += [("ffn_up_exps.weight", (width, inner, count)), ("ffn_down_exps.weight", (inner, width, count))]
    if "no_gate" not in traits:
        parts.append(("ffn_gate_exps.weight", (width, inner, count)))
    if "expert_bias" in traits:
        parts += [("ffn_gate_inp.bias", (count,)), ("ffn_gate_exps.bias", (inner, count))]
        parts += [("ffn_up_exps.bias", (inner, count)), ("ffn_down_exps.bias", (width, count))]
    if shape.architecture == "nomic-bert-moe":
        parts.append(("ffn_down_exps.bias", (width,)))
    if "router_bias" in traits:
        parts.append(("exp_probs_b.bias", (count,)))
    if "shared_gate" in traits:
        parts.append(("ffn_gate_inp_shexp.weight", (width,)))
    shared = experts.shared_width or experts.shared * inner
    return parts + (dense_parts(width, shared, traits, "_shexp") if shared else [])
