"""The common transformer block as the operations llama.cpp builds for it (llama-graph.cpp), in its order of execution."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mrt.memory.kv import cells_of, has_cache

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mrt.memory.compute import Batch, Inputs
    from mrt.memory.replay import Graph
    from mrt.memory.shape import Layer, ModelShape

FLOAT = 4
_ONE_THING = frozenset(("nemotron_h", "nemotron_h_moe"))
_RESIDUAL_FIRST = frozenset(("phi3",))


class Block:
    """Adds blocks to one graph; the sizes come from the model's shape and the batch."""

    def __init__(self, graph: Graph, shape: ModelShape, traits: frozenset[str], batch: Batch, inputs: Inputs) -> None:
        self.graph, self.shape, self.traits, self.batch, self.inputs = graph, shape, traits, batch, inputs
        self.rows = batch.tokens
        self.has_window = any(layer.window is not None for layer in shape.layers)
        # Weights of this block that lie on the host and are copied for the operation that needs them: bytes by name.
        self.copies: Mapping[str, int] = {}
        # Whether the block's cache lies on the host: then attention runs there.
        self.remote = False

    def floats(self, width: int) -> int:
        """Bytes of `width` floats for every row in work."""
        return FLOAT * width * self.rows

    def enter(self, stream: int) -> int:
        """What happens to the embeddings before the first block."""
        if not has_cache(self.shape):
            return self.norm(stream)
        return stream

    def norm(self, stream: int) -> int:
        """A norm; its weight is applied in place. Only the root-mean-square kind may overwrite its source."""
        reuse = -1 if "norm_bias" in self.traits else stream
        return self.graph.add(self.floats(self.shape.embedding), stream, reuse=reuse)

    def times(self, name: str, size: int, *sources: int) -> int:
        """A product with the weight `name`, which is copied first when it lies on the host."""
        copy = self.copies.get(name, 0)
        if copy:
            return self.graph.add(size, self.graph.add(copy), *sources)
        return self.graph.add(size, *sources)

    def add(self, left: int, right: int) -> int:
        """A sum in place of the first that nobody else needs."""
        return self.graph.add(self.floats(self.shape.embedding), left, right, reuse=left)

    def layer(self, stream: int, layer: Layer, *, last: bool) -> int:
        """One block; the last one goes on with the rows that get logits alone."""
        if self.shape.architecture in _ONE_THING:
            return self._one_thing(stream, layer, last=last)
        if "parallel" in self.traits:
            return self._parallel(stream, layer, last=last)
        normed = stream if "post_only" in self.traits else self.norm(stream)
        mixed = self.mix(normed, layer)
        if last:
            mixed, stream = self.keep_rows(mixed, stream)
        if self.traits & {"post_norms", "post_only"} and "norm_bias" not in self.traits:
            mixed = self.norm(mixed)
        joined = self.add(mixed, stream)
        if "post_only" in self.traits and "norm_bias" in self.traits:
            joined = self.norm(joined)
        inner = joined if "post_only" in self.traits else self.norm(joined)
        out = self.feed_forward(inner, layer)
        if self.traits & {"post_norms", "post_only"} and "norm_bias" not in self.traits:
            out = self.norm(out)
        first, second = (joined, out) if self.shape.architecture in _RESIDUAL_FIRST else (out, joined)
        stream = self.add(first, second)
        return self.norm(stream) if "post_only" in self.traits and "norm_bias" in self.traits else stream

    def _one_thing(self, stream: int, layer: Layer, *, last: bool) -> int:
        """A block that only mixes tokens, or only feeds forward."""
        normed = self.norm(stream)
        out = self.mix(normed, layer) if layer.heads or layer.recurrent else self.feed_forward(normed, layer)
        if last:
            out, stream = self.keep_rows(out, stream)
        return self.add(out, stream)

    def keep_rows(self, mixed: int, stream: int) -> tuple[int, int]:
        """From here on only rows with logits."""
        self.rows = self.batch.rows
        size = self.floats(self.shape.embedding)
        return self.graph.add(size, mixed, self.inputs.rows), self.graph.add(size, stream, self.inputs.rows)

    def _parallel(self, stream: int, layer: Layer, *, last: bool) -> int:
        """Attention and feed-forward from the same norm, summed at the end."""
        normed = self.norm(stream)
        second = self.norm(stream) if "two_norms" in self.traits else normed
        mixed = self.mix(normed, layer)
        if last:
            self.rows = self.batch.rows
            size = self.floats(self.shape.embedding)
            mixed, stream, second = (
                self.graph.add(size, handle, self.inputs.rows) for handle in (mixed, stream, second)
            )
        out = self.feed_forward(second, layer)
        return self.add(self.add(out, mixed), stream)

    def mix(self, normed: int, layer: Layer) -> int:
        """What mixes tokens: attention, or a recurrent layer."""
        if layer.recurrent:
            from mrt.memory.blocks_apart import recurrent

            return recurrent(self, normed, layer)
        if self.shape.latent is not None:
            from mrt.memory.blocks_apart import latent_attention

            return latent_attention(self, normed, layer)
        return self.attention(normed, layer)

    def attention(self, normed: int, layer: Layer) -> int:
        """Query, key and value, the cache, scores, and the output projection."""
        graph = self.graph
        query_size = self.floats(layer.heads * layer.key_head)
        key_size, value_size = (
            self.floats(layer.kv_heads * layer.key_head),
            self.floats(layer.kv_heads * layer.value_head),
        )
        if "qkv_fused" in self.traits:
            query, key, value = self._fused(normed, layer)
        elif "gated_query" in self.traits:
            return self._gated(normed, layer)
        elif self.has_window:
            query = self.rotated("attn_q.weight", query_size, normed)
            key = self.rotated("attn_k.weight", key_size, normed) if not layer.shares_kv else -1
            value = self.times("attn_v.weight", value_size, normed) if not layer.shares_kv else -1
        else:
            query = self.rotated("attn_q.weight", query_size, normed)
            value = self.times("attn_v.weight", value_size, normed)
            key = self.rotated("attn_k.weight", key_size, normed)
        if key >= 0 and has_cache(self.shape):
            keys, values, _ = self.inputs.of(layer)
            graph.use(key, keys)
            graph.use(value, values)
        mixed = self.scores(query, key, value, layer)
        return self.times("attn_output.weight", self.floats(self.shape.embedding), mixed)

    def _gated(self, normed: int, layer: Layer) -> int:
        """The query's projection is twice as wide: its other half gates the result."""
        graph, size = self.graph, self.floats(layer.heads * layer.key_head)
        whole = self.times("attn_q.weight", 2 * size, normed)
        query = graph.add(size, whole, self.inputs.positions)
        value = self.times("attn_v.weight", self.floats(layer.kv_heads * layer.value_head), normed)
        key = self.rotated("attn_k.weight", self.floats(layer.kv_heads * layer.key_head), normed)
        keys, values, _ = self.inputs.of(layer)
        graph.use(key, keys)
        graph.use(value, values)
        mixed = self.scores(query, key, value, layer)
        gate = graph.add(size, whole)
        gated = graph.add(size, mixed, gate, reuse=gate)
        return self.times("attn_output.weight", self.floats(self.shape.embedding), gated)

    def rotated(self, name: str, size: int, normed: int) -> int:
        """A projection, then normed or rotated head by head: a view of another form, so not in place."""
        return self.graph.add(size, self.times(name, size, normed), self.inputs.positions)

    def _fused(self, normed: int, layer: Layer) -> tuple[int, int, int]:
        """One projection, of which query and key are rotated into memory of their own; the value stays a view."""
        query_size = self.floats(layer.heads * layer.key_head)
        key_size, value_size = (
            self.floats(layer.kv_heads * layer.key_head),
            self.floats(layer.kv_heads * layer.value_head),
        )
        joined = self.times("attn_qkv.weight", query_size + key_size + value_size, normed)
        query = self.graph.add(query_size, joined, self.inputs.positions)
        return query, self.graph.add(key_size, joined, self.inputs.positions), joined

    def scores(self, query: int, key: int, value: int, layer: Layer) -> int:
        """Attention proper: one operation with flash attention, else scores for all cells, softmax in place, and a copy."""
        graph = self.graph
        mask = self.inputs.of(layer)[2]
        result = self.floats(layer.heads * layer.value_head)
        cached = has_cache(self.shape)
        extra = () if cached else (key, value)
        if self.remote:
            graph.use(query)
            return graph.add(result)
        if self.batch.flash:
            return graph.add(result + (self._quantised(layer) if cached else 0), query, mask, *extra)
        size = FLOAT * self.cells(layer) * self.rows * layer.heads
        raw = graph.add(size, query, *extra[:1])
        soft = graph.add(size, raw, mask, reuse=raw)
        return graph.add(result, graph.add(result, soft, *extra[1:]))

    def cells(self, layer: Layer) -> int:
        """KV cells this block looks at."""
        if layer.window is None or self.batch.settings.full_window:
            return self.batch.cells
        return cells_of(self.batch.settings).window(layer.window)

    def _quantised(self, layer: Layer) -> int:
        """CUDA's flash attention reads a quantised cache through a half-precision copy of the layer."""
        settings = self.batch.settings
        key = 0 if settings.type_k in ("F16", "BF16", "F32") else layer.kv_heads * layer.key_head
        value = 0 if settings.type_v in ("F16", "BF16", "F32") else layer.kv_heads * layer.value_head
        return 2 * self.cells(layer) * cells_of(settings).streams * (key + value)

    def feed_forward(self, inner: int, layer: Layer) -> int:
        """The dense feed-forward, or the experts."""
        if layer.experts and self.shape.experts is not None:
            return self.experts(inner)
        return self.dense(inner, layer.feed_forward, "no_gate" not in self.traits)

    def dense(self, inner: int, width: int, gated: bool) -> int:
        """Gate and up, their product in memory of its own; without a gate the activation works in place."""
        size, out = self.floats(width), self.floats(self.shape.embedding)
        if not gated:
            return self.times("ffn_down.weight", out, self.times("ffn_up.weight", size, inner))
        if "gate_up_fused" in self.traits:
            return self.times(
                "ffn_down.weight", out, self.graph.add(size, self.times("ffn_up.weight", 2 * size, inner))
            )
        gate = self.times("ffn_gate.weight", size, inner)
        active = self.graph.add(size, gate, self.times("ffn_up.weight", size, inner))
        return self.times("ffn_down.weight", out, active)

    def experts(self, inner: int) -> int:
        """Router, the experts chosen for each token, their weighted sum, and experts shared by all."""
        graph, experts, width = self.graph, self.shape.experts, self.shape.embedding
        if experts is None:
            return inner
        weights, chosen = self._router(inner)
        size = self.floats(experts.used * (experts.width or max(layer.feed_forward for layer in self.shape.layers)))
        if "no_gate" in self.traits:
            active = self.times("ffn_up_exps.weight", size, inner, chosen)
        else:
            gate = self.times("ffn_gate_exps.weight", size, inner, chosen)
            active = graph.add(size, gate, self.times("ffn_up_exps.weight", size, inner, chosen))
        down = self.times("ffn_down_exps.weight", self.floats(experts.used * width), active, chosen)
        weighted = graph.add(self.floats(experts.used * width), down, weights, reuse=down)
        total = graph.add(self.floats(width), weighted)
        shared = experts.shared_width or experts.shared * experts.width
        if not shared:
            return total
        other = self.dense(inner, shared, gated="no_gate" not in self.traits)
        return graph.add(self.floats(width), total, other, reuse=total)

    def _router(self, inner: int) -> tuple[int, int]:
        """Probabilities over all experts, their order, and the weights of the chosen."""
        graph, experts = self.graph, self.shape.experts
        count, used = (experts.count, experts.used) if experts is not None else (1, 1)
        size = self.floats(count)
        logits = graph.add(size, inner)
        ranked = graph.add(size, logits) if "router_bias" in self.traits else logits
        chosen = graph.add(size, ranked)
        return graph.add(self.floats(used), logits, chosen), chosen

    def finish(self, stream: int) -> None:
        """The last norm and the logits."""
        last = self.norm(stream)
        if "no_output" not in self.traits:
            self.times("output.weight", self.floats(self.shape.vocabulary), last)
