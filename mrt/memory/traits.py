"""What varies between and inside architectures: names for the differences, and each architecture's own set of them.

A model's traits are its architecture's and `ModelShape.traits`; a trait "-name" there takes one away.

post_attention   the second norm stands after attention, under that name
norm_bias        norms carry a bias (layer norm)              parallel      one norm feeds attention and feed-forward both
two_norms        parallel with a norm for each                post_only     norms after attention and feed-forward, none before
post_norms       norms after as well as before                qkv_fused     one tensor for query, key and value
qkv_bias         biases on query, key and value               output_bias   a bias on the attention's output
qk_norm          query and key normed per head, one weight    qk_norm_wide  ... over all heads   qk_norm_heads ... one per head
no_gate          up and down only                             gate_up_fused gate and up in one tensor
ffn_bias         biases on the feed-forward                   sinks         attention sinks, one per head
expert_bias      biases on every expert and on the router     router_bias   a correction per expert (exp_probs_b)
shared_gate      a gate in front of the shared expert         gated_query   the query projection carries a gate as wide
gate_heads       a gate per head                              head_bias     a bias on the output layer
rope_factors     a table of rotation factors (one)            rope_long     two tables, short and long
separate_output  output.weight stored though tied             no_output     no output layer (embedding models)
go_mixture       quantized by Ollama's own quantizer          all_quantized made before quantizers spared small tables
kv_b_joined      latent attention from before the split of k_b and v_b
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mrt.memory.shape import ModelShape

_OWN: dict[str, str] = {
    "llama": "",
    "mistral3": "",
    "smollm3": "",
    "internlm2": "",
    "ernie4_5": "",
    "granite": "",
    "granitemoe": "",
    "solar": "",
    "seed_oss": "post_attention qkv_bias",
    "arcee": "no_gate",
    "exaone": "",
    "gemma": "",
    "gemma2": "post_norms",
    "gemma3": "post_norms qk_norm",
    "gemma4": "rope_factors",
    "gemma-embedding": "post_norms qk_norm no_output",
    "qwen2": "qkv_bias",
    "qwen25vl": "qkv_bias",
    "qwen2vl": "qkv_bias",
    "qwen2moe": "qkv_bias shared_gate",
    "qwen3": "qk_norm",
    "qwen3vl": "qk_norm",
    "qwen3moe": "qk_norm",
    "qwen3vlmoe": "qk_norm",
    "qwen3next": "post_attention qk_norm gated_query shared_gate",
    "qwen35": "post_attention qk_norm gated_query",
    "qwen35moe": "post_attention qk_norm gated_query shared_gate",
    "hunyuan-moe": "qk_norm",
    "phi2": "parallel norm_bias qkv_fused qkv_bias output_bias no_gate ffn_bias head_bias",
    "phi3": "qkv_fused gate_up_fused",
    "command-r": "parallel",
    "cohere2": "parallel",
    "cohere2moe": "parallel",
    "falcon": "parallel norm_bias qkv_fused no_gate",
    "falcon-h1": "",
    "starcoder": "norm_bias qkv_fused qkv_bias output_bias no_gate ffn_bias",
    "starcoder2": "norm_bias qkv_bias output_bias no_gate ffn_bias",
    "stablelm": "norm_bias",
    "olmo2": "post_only qk_norm_wide",
    "olmoe": "qk_norm_wide",
    "exaone4": "post_only qk_norm",
    "apertus": "no_gate qk_norm",
    "nemotron": "norm_bias no_gate",
    "glm4": "post_norms gate_up_fused",
    "chatglm": "qkv_fused qkv_bias gate_up_fused",
    "glm4moe": "post_attention qkv_bias router_bias",
    "minimax-m2": "qk_norm_wide router_bias",
    "dots1": "qk_norm router_bias",
    "bailingmoe": "",
    "ernie4_5-moe": "router_bias",
    "dbrx": "qkv_fused norm_output",
    "gpt-oss": "post_attention qkv_bias output_bias sinks expert_bias",
    "laguna": "qk_norm router_bias gate_heads",
    "lfm2": "qk_norm",
    "lfm2moe": "qk_norm router_bias",
    "llama4": "",
    "muse-glimmer": "qk_norm post_norms gate_full",
    "deepseek2": "",
    "nemotron_h": "no_gate",
    "nemotron_h_moe": "no_gate router_bias",
    "bert": "norm_bias post_only qkv_bias output_bias no_gate ffn_bias no_output",
    "nomic-bert": "norm_bias post_only qkv_fused no_output",
    "nomic-bert-moe": "norm_bias post_only qkv_fused qkv_bias output_bias no_gate ffn_bias no_output",
}


def traits_of(shape: ModelShape) -> frozenset[str]:
    """The architecture's traits and the model's own; an architecture not listed here is taken as llama's kind."""
    own = frozenset(_OWN.get(shape.architecture, "").split())
    if shape.architecture == "stablelm" and "qk_norm_heads" in shape.traits:
        own |= {"parallel"}
    removed = frozenset(trait[1:] for trait in shape.traits if trait.startswith("-"))
    return (own | shape.traits) - removed
