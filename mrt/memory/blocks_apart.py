"""Blocks unlike the common one's, as operations: latent attention and recurrent layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mrt.memory.blocks import Block
    from mrt.memory.shape import Layer


def latent_attention(block: Block, normed: int, layer: Layer) -> int:
    """DeepSeek's attention on the compressed cache: the query absorbs the key projection, the value's comes after."""
    graph, latent = block.graph, block.shape.latent
    if latent is None:
        return normed
    heads, wide = layer.heads, latent.kv_rank + latent.rope_head
    narrow = graph.add(block.floats(latent.query_rank), normed) if latent.query_rank else normed
    query = graph.add(block.floats(heads * (latent.nope_head + latent.rope_head)), narrow)
    absorbed = graph.add(block.floats(heads * latent.kv_rank), query)
    rotated = graph.add(block.floats(heads * latent.rope_head), query, block.inputs.positions)
    whole = graph.add(block.floats(heads * wide), absorbed, rotated)
    compressed = graph.add(block.floats(wide), normed)
    content = graph.add(block.floats(latent.kv_rank), compressed)
    position = graph.add(block.floats(latent.rope_head), compressed, block.inputs.positions)
    graph.use(graph.add(block.floats(wide), content, position), block.inputs.full[0])
    mixed = _latent_scores(block, whole, layer)
    values = graph.add(block.floats(heads * latent.value_head), mixed)
    return graph.add(block.floats(block.shape.embedding), graph.add(block.floats(heads * latent.value_head), values))


def _latent_scores(block: Block, query: int, layer: Layer) -> int:
    graph, latent = block.graph, block.shape.latent
    rank = latent.kv_rank if latent is not None else 0
    result = block.floats(layer.heads * rank)
    if block.batch.flash:
        return graph.add(result, query, block.inputs.full[2])
    cells = block.cells(layer)
    copy = graph.add(2 * cells * rank)
    raw = graph.add(4 * cells * block.rows * layer.heads, query)
    soft = graph.add(4 * cells * block.rows * layer.heads, raw, block.inputs.full[2], reuse=raw)
    return graph.add(result, copy, soft)


def recurrent(block: Block, normed: int, layer: Layer) -> int:
    """A recurrent layer by its kind; where attention stands beside it, both are summed."""
    state = block.shape.recurrent
    if state is None:
        return normed
    if not state.state:
        return _short_convolution(block, normed)
    if block.shape.architecture in ("qwen3next", "qwen35", "qwen35moe"):
        return _delta_net(block, normed)
    mixed = _mamba(block, normed)
    return block.add(mixed, block.attention(normed, layer)) if layer.heads else mixed


def _tail(block: Block, width: int) -> int:
    """Convolution over `width` channels: the last inputs of every slot in front, the rest from the batch."""
    state = block.shape.recurrent
    return 4 * width * (state.convolution - 1) * block.batch.sequences if state is not None else 0


def _delta_net(block: Block, normed: int) -> int:
    """Gated delta net: convolution over query, key and value, then the scan with its state."""
    graph, state = block.graph, block.shape.recurrent
    if state is None:
        return normed
    keys, values = state.groups * state.state, state.heads * state.state
    width, slots = 2 * keys + values, block.batch.sequences
    before = graph.add(_tail(block, width))
    joined = graph.add(
        block.floats(width) + _tail(block, width), before, block.times("attn_qkv.weight", block.floats(width), normed)
    )
    kept = graph.add(4 * values * state.state * slots)
    mixed = graph.add(block.floats(width), joined)
    query, key = _scan_input(block, mixed, keys, values), _scan_input(block, mixed, keys, values)
    decay, strength = graph.add(block.floats(state.heads), normed), graph.add(block.floats(state.heads), normed)
    scan = graph.add(block.floats(values) + 4 * values * state.state * slots, query, key, mixed, decay, strength, kept)
    out = graph.add(block.floats(values), scan)
    gate = graph.add(block.floats(values), block.times("attn_gate.weight", block.floats(values), normed))
    gated = graph.add(block.floats(values), out, gate, reuse=out)
    return block.times("ssm_out.weight", block.floats(block.shape.embedding), gated)


def _scan_input(block: Block, mixed: int, keys: int, values: int) -> int:
    """Query or key, normed; one family repeats them for every value head."""
    normed = block.graph.add(block.floats(keys), mixed)
    return block.graph.add(block.floats(values), normed) if block.shape.architecture == "qwen3next" else normed


def _mamba(block: Block, normed: int) -> int:
    """Mamba: one projection for gate, convolution and step; the scan carries the state behind its output."""
    graph, state = block.graph, block.shape.recurrent
    if state is None:
        return normed
    inner, slots = state.inner, block.batch.sequences
    channels = inner if state.step_rank else inner + 2 * state.groups * state.state
    steps = 0 if state.step_rank else state.heads
    projected = block.times("ssm_in.weight", block.floats(inner + channels + steps), normed)
    joined = graph.add(block.floats(channels) + _tail(block, channels), projected)
    mixed = graph.add(block.floats(channels), joined)
    step = graph.add(block.floats(steps or inner), projected)
    scan = graph.add(block.floats(inner) + 4 * inner * state.state * slots, step, mixed)
    gate = graph.add(block.floats(inner), projected)
    skip = graph.add(block.floats(inner), mixed)
    summed = graph.add(block.floats(inner), scan, skip, reuse=skip)
    gated = graph.add(block.floats(inner), gate, summed)
    return block.times("ssm_out.weight", block.floats(block.shape.embedding), graph.add(block.floats(inner), gated))


def _short_convolution(block: Block, normed: int) -> int:
    """LFM2: a short convolution between two gates."""
    graph, width = block.graph, block.floats(block.shape.embedding)
    projected = block.times("shortconv.in_proj.weight", 3 * width, normed)
    gated = graph.add(width, projected)
    joined = graph.add(width + _tail(block, block.shape.embedding), gated)
    mixed = graph.add(width, joined)
    return block.times("shortconv.out_proj.weight", width, graph.add(width, projected, mixed, reuse=mixed))
