"""Laws that hold for every model and every card: more of anything never takes less, larger cards never hold less."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from memory_kit import HUGE, catalog, machine

from mrt.memory.plan import plan
from mrt.memory.replay import Graph
from mrt.memory.settings import RunSettings
from mrt.memory.shape import ModelShape
from mrt.memory.weights import file_bytes, tensors_of

MODELS = st.sampled_from(sorted(catalog())).map(lambda name: catalog()[name])
CONTEXTS = st.integers(256, 200_000)
SLOTS = st.integers(1, 8)
BY_BITS = ("Q2_K", "Q3_K_M", "Q4_K_M", "Q5_K_M", "Q6_K", "Q8_0", "F16", "F32")


# The engine's allocator fills gaps by size: a larger graph now and then falls into better gaps, and takes a little less.
LUCK = 0.995


def total(shape: ModelShape, **options: Any) -> tuple[int, int]:
    """Bytes on one card without bounds: of all that is stored, and with the compute buffers."""
    found = plan(shape, RunSettings(**{"context": 4096, "gpu_layers": 10_000, **options}), HUGE)
    return found.total_bytes - sum(device.compute_bytes for device in found.devices), found.total_bytes


def assert_not_less(more: tuple[int, int], fewer: tuple[int, int]) -> None:
    """Stored: never less; worked in besides: not noticeably."""
    assert more[0] >= fewer[0]
    assert more[1] >= LUCK * fewer[1]


@settings(max_examples=60, deadline=None)
@given(MODELS, CONTEXTS, CONTEXTS)
def test_more_context_never_takes_less(shape: ModelShape, one: int, other: int) -> None:
    assert_not_less(total(shape, context=max(one, other)), total(shape, context=min(one, other)))


@settings(max_examples=60, deadline=None)
@given(MODELS, st.integers(256, 32768), SLOTS, st.booleans())
def test_more_slots_never_take_less(shape: ModelShape, context: int, slots: int, unified: bool) -> None:
    fewer, more = (total(shape, context=context, parallel=count, unified=unified) for count in (slots, slots + 1))
    assert_not_less(more, fewer)


@settings(max_examples=60, deadline=None)
@given(MODELS, st.integers(0, len(BY_BITS) - 2))
def test_more_bits_never_take_less(shape: ModelShape, index: int) -> None:
    plain = replace(shape, type_overrides=(), tensors=None)
    lower, higher = (file_bytes(plain, name) for name in BY_BITS[index : index + 2])
    assert lower <= higher


@settings(max_examples=40, deadline=None)
@given(MODELS, st.sampled_from([("Q4_0", "Q8_0"), ("Q8_0", "F16"), ("F16", "F32")]))
def test_a_finer_cache_never_takes_less(shape: ModelShape, types: tuple[str, str]) -> None:
    coarse, fine = (sum(device.kv_cache_bytes for device in _devices(shape, kind)) for kind in types)
    assert coarse <= fine


def _devices(shape: ModelShape, kind: str) -> Any:
    return plan(shape, RunSettings(4096, type_k=kind, type_v=kind, gpu_layers=10_000), HUGE).devices


@settings(max_examples=60, deadline=None)
@given(MODELS, st.floats(1, 200), st.floats(0, 100), st.integers(1, 2))
def test_a_larger_card_never_holds_fewer_layers(shape: ModelShape, gib: float, more: float, cards: int) -> None:
    smaller, larger = (
        plan(shape, RunSettings(8192), machine(*[size] * cards)).gpu_layers for size in (gib, gib + more)
    )
    assert smaller <= larger


@settings(max_examples=60, deadline=None)
@given(MODELS, st.floats(1, 100), st.integers(0, 40), st.integers(1, 3), st.booleans())
def test_the_parts_add_up_and_every_layer_has_one_home(
    shape: ModelShape, gib: float, layers: int, cards: int, flash: bool
) -> None:
    found = plan(shape, RunSettings(4096, gpu_layers=layers, flash_attention=flash, cpu_moe=3), machine(*[gib] * cards))
    assert (
        found.total_bytes
        == sum(device.buffers_bytes for device in found.devices)
        == sum(line.bytes for line in found.lines)
    )
    assert sum(device.layers for device in found.devices) == found.layers
    assert sum(device.layers for device in found.devices[:-1]) == found.gpu_layers == min(layers, found.layers)


@settings(max_examples=40, deadline=None)
@given(MODELS, st.sampled_from(BY_BITS))
def test_every_tensor_is_named_once_and_made_of_whole_rows(shape: ModelShape, quantization: str) -> None:
    tensors = tensors_of(replace(shape, type_overrides=(), tensors=None), quantization)
    assert len({tensor.name for tensor in tensors}) == len(tensors)
    assert all(min(tensor.shape) > 0 for tensor in tensors if tensor.name != "token_types.weight")


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 4000), st.lists(st.integers(1, 5), max_size=3), st.booleans()), min_size=1, max_size=40
    )
)
def test_a_replay_holds_at_least_what_is_alive_and_at_most_everything(
    operations: list[tuple[int, list[int], bool]],
) -> None:
    graph = Graph(alignment=1)
    sources = [[index - back for back in {*backs} if back <= index] for index, (_, backs, _) in enumerate(operations)]
    for (size, _, over), read in zip(operations, sources, strict=True):
        graph.add(size, *read, reuse=read[0] if over and read else -1)
    sizes = [size for size, _, _ in operations]
    last = {source: index for index, read in enumerate(sources) for source in read}
    alive = 0
    for index in range(len(sizes)):
        over = operations[index][2] and sources[index]
        held = sum(sizes[other] for other in range(index) if last.get(other, len(sizes)) >= index)
        spared = sizes[sources[index][0]] if over else 0
        alive = max(alive, held + sizes[index] - spared)
    assert alive <= graph.peak() <= sum(sizes)
