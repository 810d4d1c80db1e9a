"""A model as the memory rules see it: its shape, and its tensors where they are known."""

from __future__ import annotations

from typing import Literal

from mrt.frozen import frozen

Confidence = Literal["exact", "good", "approximate"]


@frozen
class Tensor:
    """One tensor of a file: ggml type name ("Q4_K", "F32") and dimensions, the row length (ne0) first."""

    name: str
    type: str
    shape: tuple[int, ...]


@frozen
class Experts:
    """Mixture of experts: how many, how many work on a token, their feed-forward width; shared experts and dense first layers."""

    count: int
    used: int
    width: int
    shared: int = 0
    shared_width: int = 0
    dense_layers: int = 0


@frozen
class LatentAttention:
    """Multi-head latent attention (DeepSeek): ranks and head parts, in elements."""

    kv_rank: int
    query_rank: int
    rope_head: int
    nope_head: int
    value_head: int


@frozen
class Recurrent:
    """State-space layers, in elements: Mamba, gated delta net (key heads as groups, value heads as heads), short convolutions."""

    inner: int
    state: int
    groups: int
    heads: int
    convolution: int
    # Width of Mamba 1's time-step projection; 0 elsewhere.
    step_rank: int = 0


@frozen
class Layer:
    """One block. `window` is the sliding window in tokens, None for full attention; `kv_heads` 0 where there is no KV cache.

    `feed_forward` is the dense width (0: none); `experts` says that a mixture of experts stands in its place, or beside it where
    `feed_forward` is not 0 too. `heads` 0: no attention. `recurrent` together with heads: both side by side (falcon-h1).
    """

    heads: int
    kv_heads: int
    key_head: int
    value_head: int
    feed_forward: int
    window: int | None = None
    recurrent: bool = False
    shares_kv: bool = False
    experts: bool = False
    # Attends to image tokens only (mllama): its cache does not grow with the context.
    cross: bool = False


@frozen
class ModelShape:
    """Everything the memory rules need of one model; counts in elements or tokens, sizes in bytes.

    `tensors` is the table of a real file; without it the tensors are built from the shape and `quantization`.
    `file_bytes` is the size of the file as published, None when unknown.
    """

    name: str
    architecture: str
    embedding: int
    vocabulary: int
    layers: tuple[Layer, ...]
    context_trained: int | None
    quantization: str
    tied_embeddings: bool = False
    experts: Experts | None = None
    latent: LatentAttention | None = None
    recurrent: Recurrent | None = None
    tensors: tuple[Tensor, ...] | None = None
    file_bytes: int | None = None
    projector_bytes: int = 0
    parameters: int | None = None
    active_parameters: int | None = None
    confidence: Confidence = "good"
    source: str = ""
    notes: tuple[str, ...] = ()
    tools: bool | None = None
    vision: bool | None = None
    thinking: bool | None = None
    embeds: bool | None = None
    # What varies inside an architecture, by name: "qkv_bias", "qk_norm", "separate_output", "two_norms" ...; see traits.py.
    traits: frozenset[str] = frozenset()
    # Rare sizes: "positions", "token_types", "per_layer_vocabulary", "per_layer_width", "expert_latent", "cross_tokens".
    sizes: tuple[tuple[str, int], ...] = ()
    # Quirks of a published file: (end of the tensor's name, ggml type) in place of the mixture's choice, the first match wins.
    type_overrides: tuple[tuple[str, str], ...] = ()
    # Metadata and tokenizer in front of the tensors, and towers (vision, audio) that lie inside the same file.
    header_bytes: int = 0
    tower_bytes: int = 0
    # Extra blocks that predict further tokens (MTP): part of the file, outside the main KV cache.
    prediction_layers: int = 0

    def size(self, name: str, default: int = 0) -> int:
        """A rare size by its name."""
        return next((value for key, value in self.sizes if key == name), default)
