"""Blocks unlike the common transformer's: latent attention, state-space layers, per-layer embeddings, cross attention."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mrt.memory.parts import Part, attention_parts, dense_parts, expert_parts, feed_forward_parts
from mrt.memory.traits import traits_of

if TYPE_CHECKING:
    from mrt.memory.shape import Layer, ModelShape

_ALTERNATIVES = 4  # gemma3n's alternating updates keep four streams
_LAUREL = 64


def latent_parts(shape: ModelShape, layer: Layer, traits: frozenset[str]) -> list[Part]:
    """Multi-head latent attention; files with the key_length_mla keys hold the up-projection split into k_b and v_b."""
    latent = shape.latent
    if latent is None:
        return []
    width, heads = shape.embedding, layer.heads
    head = latent.nope_head + latent.rope_head
    parts: list[Part] = []
    if latent.query_rank:
        parts += [("attn_q_a.weight", (width, latent.query_rank)), ("attn_q_a_norm.weight", (latent.query_rank,))]
        parts.append(("attn_q_b.weight", (latent.query_rank, heads * head)))
    else:
        parts.append(("attn_q.weight", (width, heads * head)))
    parts += [
        ("attn_kv_a_mqa.weight", (width, latent.kv_rank + latent.rope_head)),
        ("attn_kv_a_norm.weight", (latent.kv_rank,)),
    ]
    if "kv_b_joined" in traits:
        parts.append(("attn_kv_b.weight", (latent.kv_rank, heads * (latent.nope_head + latent.value_head))))
    else:
        parts.append(("attn_k_b.weight", (latent.nope_head, latent.kv_rank, heads)))
        parts.append(("attn_v_b.weight", (latent.kv_rank, latent.value_head, heads)))
    return [*parts, ("attn_output.weight", (heads * latent.value_head, width))]


def recurrent_parts(shape: ModelShape) -> list[Part]:
    """The state-space half of a block, by its kind."""
    state = shape.recurrent
    if state is None:
        return []
    if shape.architecture in ("lfm2", "lfm2moe"):
        width = shape.embedding
        convolution: Part = ("shortconv.conv.weight", (state.convolution, width))
        return [
            convolution,
            ("shortconv.in_proj.weight", (width, 3 * width)),
            ("shortconv.out_proj.weight", (width, width)),
        ]
    if shape.architecture in ("qwen3next", "qwen35", "qwen35moe"):
        return _delta_net(shape)
    return _mamba_1(shape) if state.step_rank else _mamba_2(shape)


def _delta_net(shape: ModelShape) -> list[Part]:
    state, width = shape.recurrent, shape.embedding
    if state is None:
        return []
    keys, values = state.groups * state.state, state.heads * state.state
    parts: list[Part] = [("ssm_conv1d.weight", (state.convolution, 2 * keys + values)), ("ssm_dt.bias", (state.heads,))]
    parts += [("ssm_a", (state.heads,)), ("ssm_norm.weight", (state.state,)), ("ssm_out.weight", (values, width))]
    parts += [("attn_qkv.weight", (width, 2 * keys + values)), ("attn_gate.weight", (width, values))]
    if shape.architecture == "qwen3next":
        return [*parts, ("ssm_ba.weight", (width, 2 * state.heads))]
    return [*parts, ("ssm_beta.weight", (width, state.heads)), ("ssm_alpha.weight", (width, state.heads))]


def _mamba_2(shape: ModelShape) -> list[Part]:
    state, width = shape.recurrent, shape.embedding
    if state is None:
        return []
    mixed = state.inner + 2 * state.groups * state.state
    parts: list[Part] = [("ssm_in.weight", (width, 2 * state.inner + 2 * state.groups * state.state + state.heads))]
    parts += [
        ("ssm_conv1d.weight", (state.convolution, mixed)),
        ("ssm_conv1d.bias", (mixed,)),
        ("ssm_dt.bias", (state.heads,)),
    ]
    parts += [("ssm_a", (1, state.heads)), ("ssm_d", (1, state.heads))]
    parts.append(("ssm_norm.weight", (state.inner // state.groups, state.groups)))
    return [*parts, ("ssm_out.weight", (state.inner, width))]


def _mamba_1(shape: ModelShape) -> list[Part]:
    state, width = shape.recurrent, shape.embedding
    if state is None:
        return []
    inner, size, rank = state.inner, state.state, state.step_rank
    parts: list[Part] = [("ssm_in.weight", (width, 2 * inner)), ("ssm_conv1d.weight", (state.convolution, inner))]
    parts += [
        ("ssm_conv1d.bias", (inner,)),
        ("ssm_x.weight", (inner, rank + 2 * size)),
        ("ssm_dt.weight", (rank, inner)),
    ]
    parts += [
        ("ssm_dt.bias", (inner,)),
        ("ssm_a", (size, inner)),
        ("ssm_d", (inner,)),
        ("ssm_out.weight", (inner, width)),
    ]
    norms = [("ssm_dt_norm.weight", (rank,)), ("ssm_b_norm.weight", (size,)), ("ssm_c_norm.weight", (size,))]
    return parts + (norms if shape.architecture == "jamba" else [])


def global_extra(shape: ModelShape) -> list[Part]:
    """Per-layer embeddings of gemma3n and gemma4, and gemma3n's projections between its streams."""
    width, count = shape.embedding, len(shape.layers)
    per_layer = shape.size("per_layer_width")
    parts: list[Part] = [("per_layer_token_embd.weight", (per_layer * count, shape.size("per_layer_vocabulary")))]
    parts += [("per_layer_model_proj.weight", (width, per_layer * count)), ("per_layer_proj_norm.weight", (per_layer,))]
    if shape.architecture == "gemma3n":
        parts += [
            ("altup_proj.weight", (width, width, _ALTERNATIVES - 1)),
            ("altup_unembd_proj.weight", (width, width, _ALTERNATIVES - 1)),
        ]
    return parts


def layer_parts(shape: ModelShape, layer: Layer) -> list[Part]:
    """One block of an architecture that is built here."""
    build = {"gemma3n": _gemma3n, "gemma4": _gemma4, "mllama": _mllama, "jamba": _jamba}.get(
        shape.architecture, _nemotron_h
    )
    return build(shape, layer)


def _norms(width: int, *names: str) -> list[Part]:
    return [(f"{name}.weight", (width,)) for name in names]


def _gemma3n(shape: ModelShape, layer: Layer) -> list[Part]:
    width, per_layer = shape.embedding, shape.size("per_layer_width")
    traits = traits_of(shape) | {"qk_norm"}
    parts = _norms(
        width, "attn_norm", "post_attention_norm", "ffn_norm", "post_ffw_norm", "post_norm", "laurel_post_norm"
    )
    # Layers that share an earlier cache keep their own key and value tensors in the file.
    parts += attention_parts(shape, _own_cache(layer), traits) + dense_parts(width, layer.feed_forward, traits, "")
    parts += [("inp_gate.weight", (width, per_layer)), ("proj.weight", (per_layer, width))]
    parts += [("laurel_l.weight", (width, _LAUREL)), ("laurel_r.weight", (_LAUREL, width))]
    parts += [("altup_correct_coef.weight", (_ALTERNATIVES, _ALTERNATIVES)), ("altup_correct_scale.weight", (width,))]
    parts += [("altup_predict_coef.weight", (_ALTERNATIVES, _ALTERNATIVES * _ALTERNATIVES))]
    return [*parts, ("altup_router.weight", (width, _ALTERNATIVES)), ("altup_router_norm.weight", (width,))]


def _own_cache(layer: Layer) -> Layer:
    from dataclasses import replace

    return replace(layer, shares_kv=False)


def _gemma4(shape: ModelShape, layer: Layer) -> list[Part]:
    width, per_layer = shape.embedding, shape.size("per_layer_width")
    traits = traits_of(shape) | {"qk_norm"}
    parts = _norms(width, "attn_norm", "post_attention_norm", "ffn_norm", "post_ffw_norm")
    parts += [("layer_output_scale.weight", (1,))]
    attention = attention_parts(shape, _own_cache(layer), traits)
    if "k_eq_v" in traits and layer.window is None:
        attention = [part for part in attention if not part[0].startswith("attn_v")]
    parts += attention + dense_parts(width, layer.feed_forward, traits, "")
    if layer.experts and shape.experts is not None:
        parts += expert_parts(shape, traits) + _norms(width, "post_ffw_norm_1", "pre_ffw_norm_2", "post_ffw_norm_2")
        parts += [("ffn_gate_inp.scale", (width,)), ("ffn_down_exps.scale", (shape.experts.count,))]
    if per_layer:
        parts += [
            ("inp_gate.weight", (width, per_layer)),
            ("proj.weight", (per_layer, width)),
            ("post_norm.weight", (width,)),
        ]
    return parts


def _mllama(shape: ModelShape, layer: Layer) -> list[Part]:
    width, traits = shape.embedding, traits_of(shape)
    parts = _norms(width, "attn_norm", "ffn_norm")
    if not layer.cross:
        return parts + attention_parts(shape, layer, traits) + dense_parts(width, layer.feed_forward, traits, "")
    parts += [
        (name.replace("attn_", "cross_attn_"), size)
        for name, size in attention_parts(shape, layer, traits | {"qk_norm"})
    ]
    parts += [("cross_attn_attn_gate", (1,)), ("cross_attn_mlp_gate", (1,))]
    return parts + dense_parts(width, layer.feed_forward, traits, "")


def _jamba(shape: ModelShape, layer: Layer) -> list[Part]:
    traits = traits_of(shape)
    parts = _norms(shape.embedding, "attn_norm", "ffn_norm")
    parts += _mamba_1(shape) if layer.recurrent else attention_parts(shape, layer, traits)
    return parts + feed_forward_parts(shape, layer, traits)


def _nemotron_h(shape: ModelShape, layer: Layer) -> list[Part]:
    """Each block is one thing only: state space, attention, experts or a plain feed-forward."""
    traits = traits_of(shape) | {"no_gate"}
    parts = _norms(shape.embedding, "attn_norm")
    if layer.recurrent:
        return parts + _mamba_2(shape)
    if layer.heads:
        return parts + attention_parts(shape, layer, traits)
    if not layer.experts:
        return parts + dense_parts(shape.embedding, layer.feed_forward, traits, "")
    return parts + _latent_experts(shape)


def _latent_experts(shape: ModelShape) -> list[Part]:
    """Experts without gates; the largest models run them in a narrower space (expert_latent)."""
    experts, width = shape.experts, shape.embedding
    if experts is None:
        return []
    inside = shape.size("expert_latent") or width
    parts: list[Part] = [("ffn_gate_inp.weight", (width, experts.count)), ("exp_probs_b.bias", (experts.count,))]
    parts += [
        ("ffn_up_exps.weight", (inside, experts.width, experts.count)),
        ("ffn_down_exps.weight", (experts.width, inside, experts.count)),
    ]
    if inside != width:
        parts += [("ffn_latent_down.weight", (width, inside)), ("ffn_latent_up.weight", (inside, width))]
    shared = experts.shared_width or experts.shared * experts.width
    return [*parts, ("ffn_up_shexp.weight", (width, shared)), ("ffn_down_shexp.weight", (shared, width))]
