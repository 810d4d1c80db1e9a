"""The state of recurrent layers: constant in the context, one copy per slot (llama-memory-recurrent.cpp)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mrt.memory.settings import RunSettings
    from mrt.memory.shape import ModelShape

_FLOAT = 4


def state_elements(shape: ModelShape) -> tuple[int, int]:
    """Elements one recurrent layer keeps per slot: the tail of its convolution, and its state."""
    state = shape.recurrent
    if state is None:
        return 0, 0
    if not state.state:  # short convolutions keep their last inputs, as wide as the embedding
        return (state.convolution - 1) * (state.inner or shape.embedding), 0
    mixed = state.inner if state.step_rank else state.inner + 2 * state.groups * state.state
    return (state.convolution - 1) * mixed, state.state * state.inner


def recurrent_state(shape: ModelShape, settings: RunSettings) -> tuple[int, ...]:
    """Bytes of each layer's state, 0 for layers without one; f32 always."""
    size = sum(state_elements(shape)) * _FLOAT * max(1, settings.parallel) * (1 + settings.draft_tokens)
    return tuple(size if layer.recurrent else 0 for layer in shape.layers)
