"""The compute buffer: the engine's graph for one micro-batch, built operation by operation and replayed through its allocator.

Blocks that repeat leave the allocator as they found it, so of every run of equal blocks only the first few are replayed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mrt.memory.kv import cells_of, has_cache, padded
from mrt.memory.replay import Graph
from mrt.memory.traits import traits_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mrt.memory.settings import RunSettings
    from mrt.memory.shape import Layer, ModelShape

FLOAT = 4
HOST_ALIGNMENT = 32
REPEATS = 3
ROWS_KEPT = (2, 4)
# Dates of builds that changed the rules.
MIXED_INPUTS = "2026-10"
OLLAMA_ON_SERVER = "2026-05-29"


class Batch(NamedTuple):
    """What one run of the graph sees: tokens, rows that get logits, sequences, KV cells, and how attention is computed."""

    tokens: int
    rows: int
    sequences: int
    cells: int
    settings: RunSettings

    @property
    def flash(self) -> bool:
        """Whether scores stay inside one operation."""
        return self.settings.flash_attention


class Inputs(NamedTuple):
    """Handles of the graph's inputs on this device; -1 where there is none."""

    stream: int
    positions: int
    rows: int
    full: tuple[int, int, int]
    window: tuple[int, int, int]
    # Embeddings given beside tokens, those looked up, and where they go (newer builds).
    given: tuple[int, ...] = ()
    # A device in mid-model gets the last sum's two halves from the one before.
    other: int = -1

    def of(self, layer: Layer) -> tuple[int, int, int]:
        """Where this block's keys and values are written, and its mask."""
        return self.full if layer.window is None else self.window


class Buffers(NamedTuple):
    """Compute buffers in bytes: on the device, and of the inputs on the host."""

    device: int
    host: int


def batch_of(shape: ModelShape, settings: RunSettings) -> Batch:
    """The micro-batch the engine reserves memory for."""
    cells = cells_of(settings)
    slots = cells.slots
    encoder = not has_cache(shape)
    tokens = padded(min(cells.full * cells.streams, settings.ubatch, settings.batch), 1 if encoder else slots)
    outputs = settings.outputs or (slots if serves_rows(settings) else tokens)
    rows = tokens if encoder else min(tokens, outputs)
    return Batch(tokens, rows, slots, tokens if encoder else cells.full, settings)


def compute_buffer(shape: ModelShape, settings: RunSettings, part: Part | None = None) -> Buffers:
    """Bytes for a part of the model on one device, the whole of it by default."""
    batch = batch_of(shape, settings)
    chosen = part or Part(tuple(Placed(layer) for layer in shape.layers))
    return Buffers(device_graph(shape, chosen, batch).peak(), host_bytes(shape, batch))


def serves_rows(settings: RunSettings) -> bool:
    """Whether logits are reserved for one row per slot: Ollama since it runs models through llama.cpp's newer server."""
    return settings.engine == "ollama" and (not settings.build or settings.build >= OLLAMA_ON_SERVER)


class Placed(NamedTuple):
    """A block and what of it lies on the host: all (`remote`, with its cache), or the weights in `copies`, by name and bytes."""

    layer: Layer
    remote: bool = False
    copies: tuple[tuple[str, int], ...] = ()


class Part(NamedTuple):
    """What one device computes: blocks, whether the output follows, bytes of the output's weights if they lie on the host.

    A pipeline over several devices keeps `input_copies` of the inputs; `first` says that the model begins here.
    """

    layers: tuple[Placed, ...]
    head: bool = True
    head_copy: int = 0
    input_copies: int = 1
    first: bool = True


def distinct(layers: Sequence[Placed]) -> list[Placed]:
    """The blocks with repetitions cut, so that what is left has the same peak.

    Three of every row of equal blocks stay; of rows that alternate (sliding and full attention) the first two and the last four.
    """
    rows: list[list[Placed]] = []
    for layer in layers:
        if rows and rows[-1][0] == layer:
            rows[-1].append(layer)
        else:
            rows.append([layer])
    kept = rows if len(rows) <= ROWS_KEPT[0] + ROWS_KEPT[1] else [*rows[: ROWS_KEPT[0]], *rows[-ROWS_KEPT[1] :]]
    return [layer for row in kept for layer in row[:REPEATS]]


def device_graph(shape: ModelShape, part: Part, batch: Batch, alignment: int = 128) -> Graph:
    """The operations of a part, ready to be replayed."""
    from mrt.memory.blocks import Block

    graph = Graph(alignment)
    placed = distinct(part.layers)
    layers = [item.layer for item in placed]
    inputs = add_inputs(graph, shape, layers, batch, part.first)
    for _ in range(part.input_copies - 1):
        add_inputs(graph, shape, layers, batch, part.first)
    if part.input_copies > 1:  # a pipeline's inputs are never given back
        graph.keep()
    if inputs.given:  # the mix of given and looked-up embeddings is built, and stays, though only one branch is used
        graph.add(FLOAT * shape.embedding * batch.tokens, inputs.given[0])
        graph.use(*inputs.given[1:])
    block = Block(graph, shape, traits_of(shape), batch, inputs)
    stream = block.enter(inputs.stream) if part.first else block.add(inputs.stream, inputs.other)
    for index, item in enumerate(placed):
        block.copies, block.remote = dict(item.copies), item.remote
        stream = block.layer(stream, item.layer, last=part.head and index == len(placed) - 1)
    if part.head:
        block.copies = {"output.weight": part.head_copy}
        block.finish(stream)
    return graph


def mask_bytes(batch: Batch, cells: int) -> int:
    """A mask of `cells` for every token; half precision serves flash attention."""
    return cells * batch.tokens * (2 if batch.flash else FLOAT)


def windows_of(layers: Sequence[Layer]) -> int | None:
    """The sliding window among the blocks, None where all attention is full."""
    return next((layer.window for layer in layers if layer.window is not None), None)


def add_inputs(graph: Graph, shape: ModelShape, layers: Sequence[Layer], batch: Batch, first: bool) -> Inputs:
    """Copies of the inputs on the device, in the order the first block asks for them."""
    wide = FLOAT * shape.embedding * batch.tokens
    mixed = first and mixes_inputs(batch.settings)
    given = (graph.add(wide), graph.add(wide), graph.add(8 * batch.tokens)) if mixed else ()
    stream = graph.add(wide)
    other = -1 if first else graph.add(wide)
    if per_layer_bytes(shape, batch):
        graph.add(per_layer_bytes(shape, batch))  # needed by every block
    positions = graph.add(FLOAT * batch.tokens)
    window = windows_of(layers)
    full = any(layer.window is None and layer.heads for layer in layers)
    first_window = bool(layers) and next((layer.window for layer in layers if layer.heads), None) is not None
    handles = {"window": (-1, -1, -1), "full": (-1, -1, -1)}
    for kind in ("window", "full") if first_window else ("full", "window"):
        if (window is None) if kind == "window" else not full:
            continue
        keys, values = graph.add(8 * batch.tokens), graph.add(_value_indices(shape, batch))
        cells = cells_of(batch.settings).window(window) if kind == "window" and window is not None else batch.cells
        if batch.settings.full_window:
            cells = batch.cells
        handles[kind] = keys, values, graph.add(mask_bytes(batch, cells))
    return Inputs(stream, positions, graph.add(FLOAT * batch.rows), handles["full"], handles["window"], given, other)


def mixes_inputs(settings: RunSettings) -> bool:
    """Whether the engine builds inputs that mix tokens and embeddings: builds from October 2026."""
    return bool(settings.build) and settings.build >= MIXED_INPUTS


def per_layer_bytes(shape: ModelShape, batch: Batch) -> int:
    """Embeddings looked up for every block (gemma3n, gemma4)."""
    return FLOAT * shape.size("per_layer_width") * len(shape.layers) * batch.tokens


def _value_indices(shape: ModelShape, batch: Batch) -> int:
    """Without flash attention V is written transposed, element by element."""
    if batch.flash or shape.latent is not None or not has_cache(shape):
        return 8 * batch.tokens
    return 8 * batch.tokens * max((layer.kv_heads * layer.value_head for layer in shape.layers), default=1)


def host_bytes(shape: ModelShape, batch: Batch, input_copies: int = 1) -> int:
    """Inputs on the host: tokens, embeddings as given and as looked up, positions, masks; a pipeline keeps copies."""
    wide = FLOAT * shape.embedding * batch.tokens
    sizes = [wide, FLOAT * batch.tokens, FLOAT * batch.tokens, FLOAT * batch.rows, per_layer_bytes(shape, batch)]
    window = windows_of(shape.layers)
    cells = [batch.cells] if any(layer.window is None and layer.heads for layer in shape.layers) else []
    if window is not None:
        cells.append(batch.cells if batch.settings.full_window else cells_of(batch.settings).window(window))
    for count in cells:
        sizes += [8 * batch.tokens, _value_indices(shape, batch), mask_bytes(batch, count)]
    copied = sum(padded(size, HOST_ALIGNMENT) for size in sizes)
    mixed = mixes_inputs(batch.settings)
    once = wide * (2 if mixed else 1)
    return copied + once + (wide if mixed else 0) + (input_copies - 1) * (copied + (wide if mixed else 0))


def cpu_bytes(shape: ModelShape, batch: Batch) -> int:
    """The compute buffer of a machine without a GPU: the whole graph, and the inputs it reads where they are."""
    graph = device_graph(shape, Part(tuple(Placed(layer) for layer in shape.layers)), batch, alignment=HOST_ALIGNMENT)
    return graph.peak() + FLOAT * shape.embedding * batch.tokens
