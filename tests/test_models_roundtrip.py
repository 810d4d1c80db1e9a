"""What the catalog says of a model, told as a file of that architecture would tell it, and read again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from mrt.memory.shape import Layer, ModelShape
from mrt.memory.weights import tensors_of
from mrt.models.catalog import all_shapes
from mrt.models.metadata import Origin, shape_of
from mrt.models.quantization import requantized


def smallest_of_each() -> dict[str, ModelShape]:
    """One model of every architecture."""
    found: dict[str, ModelShape] = {}
    for shape in all_shapes():
        known = found.get(shape.architecture)
        if "separate_output" in shape.traits:  # of Ollama's files alone, and not in another quantization
            continue
        if known is None or (shape.parameters or 0) < (known.parameters or 0):
            found[shape.architecture] = shape
    return found


SHAPES = smallest_of_each()


def one_or_list(values: Sequence[Any]) -> Any:
    """A value that all layers share stands once."""
    return values[0] if len(set(values)) == 1 else list(values)


def told(shape: ModelShape) -> dict[str, Any]:
    """GGUF metadata as llama.cpp's converter writes them."""
    layers = shape.layers
    facts: dict[str, Any] = {
        "block_count": len(layers) + shape.prediction_layers,
        "nextn_predict_layers": shape.prediction_layers,
        "embedding_length": shape.embedding,
        "attention.head_count": one_or_list([layer.heads or max(other.heads for other in layers) for layer in layers]),
        "attention.head_count_kv": one_or_list([layer.kv_heads for layer in layers]),
        "feed_forward_length": max(layer.feed_forward for layer in layers),
        "attention.shared_kv_layers": sum(layer.shares_kv for layer in layers),
        "attention.cross_attention_layers": [index for index, layer in enumerate(layers) if layer.cross],
    }
    facts |= heads_told(layers) | latent_told(shape) | experts_told(shape) | state_told(shape)
    return {"general.architecture": shape.architecture} | {
        f"{shape.architecture}.{key}": value for key, value in facts.items()
    }


def heads_told(layers: Sequence[Layer]) -> dict[str, Any]:
    """Sizes of heads, apart for layers that slide."""
    attending = [layer for layer in layers if layer.kv_heads]
    full = next((layer for layer in attending if not layer.window), None) or next(iter(attending), None)
    slides = next((layer for layer in attending if layer.window), None)
    facts: dict[str, Any] = {}
    if full is not None:
        facts |= {"attention.key_length": full.key_head, "attention.value_length": full.value_head}
    if slides is not None:
        facts["attention.sliding_window"] = slides.window
        facts |= {"attention.key_length_swa": slides.key_head, "attention.value_length_swa": slides.value_head}
        facts["attention.sliding_window_pattern"] = [layer.window is not None for layer in layers]
    return facts


def latent_told(shape: ModelShape) -> dict[str, Any]:
    """Latent attention, whose cache has one head."""
    if (latent := shape.latent) is None:
        return {}
    return {
        "attention.kv_lora_rank": latent.kv_rank,
        "attention.q_lora_rank": latent.query_rank,
        "rope.dimension_count": latent.rope_head,
        "attention.key_length_mla": latent.rope_head + latent.nope_head,
        "attention.value_length_mla": latent.value_head,
        "attention.head_count_kv": 1,
        "attention.key_length": latent.kv_rank + latent.rope_head,
        "attention.value_length": latent.kv_rank,
    }


def experts_told(shape: ModelShape) -> dict[str, Any]:
    """Experts, but for their shared ones' width, which the tensors show."""
    if (experts := shape.experts) is None:
        return {}
    return {
        "expert_count": experts.count,
        "expert_used_count": experts.used,
        "expert_feed_forward_length": experts.width,
        "expert_shared_count": experts.shared,
        "leading_dense_block_count": experts.dense_layers,
    }


def state_told(shape: ModelShape) -> dict[str, Any]:
    """Recurrent state."""
    if (state := shape.recurrent) is None:
        return {}
    if not state.state:
        return {"shortconv.l_cache": state.convolution}
    return {
        "ssm.inner_size": state.inner,
        "ssm.state_size": state.state,
        "ssm.group_count": state.groups,
        "ssm.time_step_rank": state.heads or state.step_rank,
        "ssm.conv_kernel": state.convolution,
    }


@pytest.mark.parametrize("architecture", sorted(SHAPES))
def test_an_architecture_is_read_as_the_catalog_has_it(architecture: str) -> None:
    shape = SHAPES[architecture]
    tensors = tensors_of(shape, shape.quantization)
    found = shape_of(told(shape), tensors, Origin("a file", "a test", quantization=shape.quantization))
    assert found.layers == shape.layers
    assert (found.embedding, found.vocabulary, found.prediction_layers) == (
        shape.embedding,
        shape.vocabulary,
        shape.prediction_layers,
    )
    assert (found.experts, found.latent, found.recurrent) == (shape.experts, shape.latent, shape.recurrent)
    other = "Q8_0" if shape.quantization != "Q8_0" else "Q4_0"
    rebuilt = tensors_of(requantized(found, other), other)
    assert {tensor.name: tensor for tensor in rebuilt} == {
        tensor.name: tensor for tensor in tensors_of(requantized(shape, other), other)
    }
