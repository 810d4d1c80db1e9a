"""What varies between models of one architecture, read off the names and shapes of a file's tensors."""

from __future__ import annotations

from collections.abc import Iterator

from mrt.memory.shape import Layer
from mrt.models.values import Values

# The end of a tensor's name, and the trait that it shows; a trait that no tensor shows is taken away from the architecture's own.
SHOWN = {
    "attn_norm_2.weight": "two_norms",
    "attn_output.bias": "output_bias",
    "attn_sinks.weight": "sinks",
    "exp_probs_b.bias": "router_bias",
    "ffn_gate_inp_shexp.weight": "shared_gate",
    "ffn_up.bias": "ffn_bias",
    "ffn_up_exps.bias": "expert_bias",
    "output.bias": "head_bias",
    "rope_factors_long.weight": "rope_long",
    "rope_freqs.weight": "rope_factors",
}
BIASED = ("attn_q.bias", "attn_qkv.bias")


def traits_of_tensors(values: Values, layers: tuple[Layer, ...]) -> frozenset[str]:
    """Traits that the tensors show, and "-trait" for those they do not; nothing without tensors."""
    if not values.tensors:
        return frozenset()
    ends = {name.split(".", 2)[-1] if name.startswith("blk.") else name for name in values.tensors}
    found = {trait for end, trait in SHOWN.items() if end in ends}
    found |= {"qkv_bias"} if ends & set(BIASED) else set()
    found |= {"norm_bias"} if any(end.endswith("_norm.bias") for end in ends) else set()
    found |= {"qkv_fused"} if _is_fused(values, layers) else set()
    found |= {"k_eq_v"} if _is_one_for_both(values, layers) else set()
    found |= set(_norms(values, layers))
    if "ffn_up.weight" in ends and not ends & {"ffn_gate.weight", "ffn_gate_exps.weight"}:
        width = values.whole("feed_forward_length")
        fused = values.dimension("ffn_up.weight", 1, any_layer=True) == 2 * width
        found.add("gate_up_fused" if width and fused else "no_gate")
    decided = {
        *SHOWN.values(),
        "norm_bias",
        "qkv_fused",
        "qkv_bias",
        "no_gate",
        "gate_up_fused",
        "qk_norm",
        "qk_norm_wide",
        "qk_norm_heads",
    }
    return frozenset(found | {f"-{trait}" for trait in decided - found})


def _is_fused(values: Values, layers: tuple[Layer, ...]) -> bool:
    """Whether a layer that attends has one tensor for query, key and value; recurrent ones use that name for their input."""
    attending = (index for index, layer in enumerate(layers) if layer.heads)
    return any(f"blk.{index}.attn_qkv.weight" in values.tensors for index in attending)


def _is_one_for_both(values: Values, layers: tuple[Layer, ...]) -> bool:
    """Whether layers with a key of their own have no value: the key serves as both."""
    blocks = (f"blk.{index}." for index, layer in enumerate(layers) if layer.kv_heads and not layer.shares_kv)
    return any(
        block + "attn_k.weight" in values.tensors and block + "attn_v.weight" not in values.tensors for block in blocks
    )


def sizes_of_tensors(values: Values) -> tuple[tuple[str, int], ...]:
    """Sizes that only some architectures have, by name."""
    found = {
        "positions": values.dimension("position_embd.weight", 1),
        "token_types": values.dimension("token_types.weight", 1),
        "per_layer_vocabulary": values.dimension("per_layer_token_embd.weight", 1),
        "per_layer_width": values.dimension("per_layer_proj_norm.weight", 0),
        "expert_latent": values.dimension("ffn_latent_down.weight", 1, any_layer=True),
    }
    return tuple((name, size) for name, size in found.items() if size)


def _norms(values: Values, layers: tuple[Layer, ...]) -> Iterator[str]:
    """How query and key are normed: per head with one weight, over all heads, or with a weight for each head."""
    index = next((index for index in range(len(layers)) if f"blk.{index}.attn_q_norm.weight" in values.tensors), None)
    if index is not None:
        shape = values.tensors[f"blk.{index}.attn_q_norm.weight"].shape
        layer = layers[index]
        wide = shape[0] == layer.heads * layer.key_head and layer.heads > 1
        yield "qk_norm_heads" if len(shape) > 1 else "qk_norm_wide" if wide else "qk_norm"
