"""GGUF metadata, from a file or a server, as a model's shape."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any

from mrt.frozen import frozen
from mrt.memory.ggml_types import tensor_bytes
from mrt.memory.shape import Experts, LatentAttention, ModelShape, Recurrent, Tensor
from mrt.models.layers import layers_of
from mrt.models.traits import sizes_of_tensors, traits_of_tensors
from mrt.models.values import Values

# Blocks beyond this are no model (llama.cpp: LLAMA_MAX_LAYERS is 512).
MOST_LAYERS = 512
LARGEST_SIZE = 1 << 32
# Vision and audio towers that Ollama's own engine keeps in the model's file.
TOWERS = ("v.", "mm.", "a.", "vision_", "audio_")


class NotAModel(Exception):
    """The metadata is no language model's; the text says why, as the rest of a sentence. `hint` says what to do instead."""

    def __init__(self, reason: str, hint: str | None = None) -> None:
        super().__init__(reason)
        self.hint = hint


@frozen
class Origin:
    """Where metadata come from: the model's name there, in words what was read, the size of the file, and of its header."""

    name: str
    source: str
    file_bytes: int | None = None
    header_bytes: int = 0
    quantization: str = ""
    notes: tuple[str, ...] = field(default=())


def shape_of(metadata: Mapping[str, Any], tensors: Sequence[Tensor], origin: Origin) -> ModelShape:
    """The shape in GGUF metadata and tensors. Raises NotAModel where they are another kind of file's."""
    architecture = metadata.get("general.architecture")
    _check_kind(metadata, architecture)
    text = tuple(tensor for tensor in tensors if not tensor.name.startswith(TOWERS))
    values = Values(str(architecture), metadata, {tensor.name: tensor for tensor in text})
    count = values.whole("block_count")
    if not 1 <= count <= MOST_LAYERS:
        raise NotAModel(f"has {count or 'no'} layers ({architecture}.block_count): it is no language model")
    extra = min(values.whole("nextn_predict_layers"), count - 1)
    embedding = _sized(values, "embedding_length", values.dimension("token_embd.weight", 0))
    layers = layers_of(values, count - extra)
    if not any(layer.kv_heads or layer.recurrent for layer in layers):
        raise NotAModel(f"has no usable {architecture}.attention.head_count: it is no language model")
    template = metadata.get("tokenizer.chat_template")
    towers = sum(tensor_bytes(tensor.type, tensor.shape) for tensor in tensors if tensor.name.startswith(TOWERS))
    stated = metadata.get("general.parameter_count")
    counted = sum(map(_elements, text)) or None
    parameters = stated if isinstance(stated, int) and 0 < stated < 1 << 62 else counted
    return ModelShape(
        name=origin.name,
        architecture=values.rules,
        embedding=embedding,
        vocabulary=_vocabulary(values),
        layers=layers,
        context_trained=values.whole("context_length") or None,
        quantization=origin.quantization,
        # Without a table of tensors the output may have a matrix of its own: an upper bound, until the caller knows better.
        tied_embeddings=bool(text) and "output.weight" not in values.tensors,
        experts=_experts(values),
        latent=_latent(values),
        recurrent=_recurrent(values) if any(layer.recurrent for layer in layers) else None,
        tensors=text or None,
        file_bytes=origin.file_bytes,
        parameters=parameters,
        active_parameters=_active(values, text),
        confidence="exact",
        source=origin.source,
        notes=(*origin.notes, *values.notes),
        tools=_mentions(template, "tools"),
        vision=True if towers else None,
        thinking=_mentions(template, "think", "reasoning"),
        traits=traits_of_tensors(values, layers),
        sizes=sizes_of_tensors(values),
        embeds=True if values.whole("pooling_type") or "bert" in str(architecture) else None,
        header_bytes=origin.header_bytes,
        tower_bytes=towers,
        prediction_layers=extra,
    )


def _check_kind(metadata: Mapping[str, Any], architecture: Any) -> None:
    kind = metadata.get("general.type")
    if architecture == "clip" or kind == "mmproj":
        raise NotAModel("is a projector, no model of its own", "give it with --mmproj beside its model")
    if kind == "adapter":
        raise NotAModel("is an adapter (LoRA), no model of its own", "name the model it belongs to")
    if kind in ("imatrix", "dataset"):
        raise NotAModel(f"is a file of kind {kind}, no model")
    if not isinstance(architecture, str) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", architecture):
        raise NotAModel("names no architecture: it is no model")


def _sized(values: Values, key: str, otherwise: int) -> int:
    size = values.whole(key) or otherwise
    if not 0 < size < LARGEST_SIZE:
        raise NotAModel(f"has no usable {values.architecture}.{key}: it is no language model")
    return size


def _vocabulary(values: Values) -> int:
    stated = (
        values.dimension("token_embd.weight", 1) or values.whole("vocab_size") or values.length("tokenizer.ggml.tokens")
    )
    if not 0 < stated < LARGEST_SIZE:
        raise NotAModel("has no usable vocabulary: it is no language model")
    return stated


def _experts(values: Values) -> Experts | None:
    count = values.whole("expert_count")
    if not count:
        return None
    width = values.whole("expert_feed_forward_length") or values.dimension("ffn_up_exps.weight", 1, any_layer=True)
    width = width or values.whole("feed_forward_length")
    shared = values.whole("expert_shared_count")
    shared_width = (
        values.dimension("ffn_up_shexp.weight", 1, any_layer=True)
        or values.whole("expert_shared_feed_forward_length")
        or shared * width
    )
    used = min(values.whole("expert_used_count") or count, count)
    return Experts(
        count, used, width, shared or int(bool(shared_width)), shared_width, values.whole("leading_dense_block_count")
    )


def _latent(values: Values) -> LatentAttention | None:
    """MLA as it is run since its heads are stored apart; without those keys the cache holds whole heads."""
    rank, key, value = (
        values.whole(f"attention.{name}") for name in ("kv_lora_rank", "key_length_mla", "value_length_mla")
    )
    if not rank:
        return None
    if not key:
        values.notes.append("the file is older than llama.cpp's latent cache: whole heads are cached")
        return None
    rope = values.whole("rope.dimension_count")
    return LatentAttention(rank, values.whole("attention.q_lora_rank"), rope, key - rope, value)


def _recurrent(values: Values) -> Recurrent:
    embedding = values.whole("embedding_length")
    if values.whole("shortconv.l_cache"):
        return Recurrent(embedding, 0, 0, 0, values.whole("shortconv.l_cache"))
    if values.whole("wkv.head_size"):
        return Recurrent(embedding, values.whole("wkv.head_size"), 0, 0, (values.whole("token_shift_count") or 2) + 1)
    if values.whole("kda.head_dim"):
        size, heads = values.whole("kda.head_dim"), values.whole("attention.head_count")
        return Recurrent(heads * size, size, heads, heads, values.whole("ssm.conv_kernel"))
    inner, state, groups, steps, convolution = (
        values.whole(f"ssm.{name}")
        for name in ("inner_size", "state_size", "group_count", "time_step_rank", "conv_kernel")
    )
    # Mamba 1 has no groups; its time step has a rank of its own, where later kinds have one step a head.
    return Recurrent(inner, state, groups, steps if groups else 0, convolution, 0 if groups else steps)


def _active(values: Values, tensors: Sequence[Tensor]) -> int | None:
    """Parameters that work on one token: of the experts only those used."""
    if not tensors:
        return None
    experts = values.whole("expert_count")
    used = min(values.whole("expert_used_count") or experts, experts)
    total = 0
    for tensor in tensors:
        elements = _elements(tensor)
        total += elements * used // experts if experts and "_exps." in tensor.name else elements
    return total


def _elements(tensor: Tensor) -> int:
    product = 1
    for dimension in tensor.shape:
        product *= dimension
    return product


def _mentions(template: Any, *words: str) -> bool | None:
    """Whether a chat template takes something; unknown where there is no template."""
    if not isinstance(template, str) or not template:
        return None
    return any(word in template for word in words)
