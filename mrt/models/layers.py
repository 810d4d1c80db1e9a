"""The layers in GGUF metadata: heads, sliding windows, recurrent and expert layers, by llama.cpp's rules of each architecture.

Sources: llama.cpp src/models/*.cpp (load_arch_hparams), src/llama-hparams.cpp (set_swa_pattern: a layer slides when its index
modulo the period is below period - 1; with the dense layer first, when it is not 0).
"""

from __future__ import annotations

from mrt.memory.shape import Layer
from mrt.models.values import Values

# Every n-th layer has the whole context, the last of each n; negative: the first of each n.
PERIODS = {
    "afmoe": 4,
    "cohere2": 4,
    "cohere2moe": -4,
    "exaone-moe": 4,
    "exaone4": 4,
    "gemma-embedding": 6,
    "gemma2": 2,
    "gemma3": 6,
    "gemma3n": 5,
    "gemma4": 6,
    "gpt-oss": 2,
    "laguna": -4,
    "llama4": 4,
    "modern-bert": -3,
    "muse-glimmer": 4,
    "olmo2": 4,
    "plamo3": 8,
    "smallthinker": -4,
}
# Windows that the engine takes where a file does not name one.
WINDOWS = {"gemma2": 4096, "llama4": 8192}
# Layers from here on read the cache of earlier ones, where a file does not say how many.
OWN_CACHE = {"gemma3n": 20}
# Every n-th layer attends; the others keep a recurrent state.
INTERVALS = {"qwen3next": 4, "qwen35": 4, "qwen35moe": 4}
WHOLLY_RECURRENT = frozenset({"mamba", "mamba2", "rwkv6", "rwkv6qwen2", "rwkv7", "arwkv7"})
BOTH = frozenset({"falcon-h1"})


def layers_of(values: Values, count: int) -> tuple[Layer, ...]:
    """The first `count` layers."""
    windows = _windows(values, count)
    heads = _heads(values, windows)
    kv_heads = _kv_heads(values, heads, windows)
    widths = values.per_layer("feed_forward_length", count) or [values.whole("feed_forward_length")] * count
    shared = values.whole("attention.shared_kv_layers")
    own = count - shared if shared else OWN_CACHE.get(values.rules, count)
    layers = []
    for index in range(count):
        recurrent = _is_recurrent(values, index, kv_heads[index], widths[index])
        attends = bool(kv_heads[index]) and (not recurrent or values.rules in BOTH)
        key, value = _head_sizes(values, heads[index] or max(heads), windows[index])
        experts = _has_experts(values, index)
        layers.append(
            Layer(
                heads=heads[index] if attends else 0,
                kv_heads=kv_heads[index] if attends else 0,
                key_head=key if attends else 0,
                value_head=value if attends else 0,
                feed_forward=_width(values, index, widths[index], experts),
                window=windows[index] if attends else None,
                recurrent=recurrent,
                shares_kv=attends and index >= own,
                experts=experts,
                cross=_is_cross(values, index),
            )
        )
    return tuple(layers)


def _heads(values: Values, windows: list[int | None]) -> list[int]:
    """Query heads of each layer. A server may leave a list out: the tensors tell then."""
    stated = values.per_layer("attention.head_count", len(windows))
    return stated or _told_by_tensors(values, "attn_q", windows)


def _kv_heads(values: Values, heads: list[int], windows: list[int | None]) -> list[int]:
    """KV heads of each layer, as many as query heads where nothing is stated."""
    if values.whole("attention.key_length_mla"):
        return heads  # the file states the one head of the latent cache
    stated = values.per_layer("attention.head_count_kv", len(windows))
    if stated is not None:
        return stated
    left_out = values.get("attention.head_count_kv") is not None
    return _told_by_tensors(values, "attn_k", windows, heads) if left_out else heads


def _told_by_tensors(values: Values, name: str, windows: list[int | None], heads: list[int] | None = None) -> list[int]:
    found = []
    for index, window in enumerate(windows):
        size = _head_sizes(values, heads[index] if heads else 0, window)[0]
        found.append(values.dimension(f"blk.{index}.{name}.weight", 1) // size if size else 0)
    return found


def _head_sizes(values: Values, heads: int, window: int | None) -> tuple[int, int]:
    """Elements of a head's key and value; E/H only where nothing is stated."""
    sizes = []
    for name in ("key_length", "value_length"):
        own = values.whole(f"attention.{name}_swa") if window else 0
        mla = values.whole(f"attention.{name}_mla")
        sizes.append(own or mla or values.whole(f"attention.{name}") or _even(values, heads))
    return sizes[0], sizes[1]


def _even(values: Values, heads: int) -> int:
    return values.whole("embedding_length") // heads if heads else 0


def _windows(values: Values, count: int) -> list[int | None]:
    architecture = values.rules
    window = values.whole("attention.sliding_window") or _usual_window(values, count)
    key = "attention.sliding_window_pattern"
    pattern = values.get(key)
    if isinstance(pattern, list):
        stated = values.per_layer(key, count)
        if stated is not None:
            return [window or None if slides else None for slides in stated]
        if (shown := _shown_windows(values, count)) is not None:
            return [window or None if slides else None for slides in shown]
        values.notes.append("which layers slide was not told: by the rule of the architecture")
    period = values.whole(key) if not isinstance(pattern, list) else 0
    period = period if period and architecture in PERIODS else PERIODS.get(architecture, 0)
    if not window or not period:
        return [None] * count
    return [window if _slides(index, period) else None for index in range(count)]


def _shown_windows(values: Values, count: int) -> list[bool] | None:
    """Which layers slide, where those have heads of another size: their query tensors show it."""
    own, heads = values.whole("attention.key_length_swa"), values.whole("attention.head_count")
    if not own or own == values.whole("attention.key_length") or not values.tensors:
        return None
    return [values.dimension(f"blk.{index}.attn_q.weight", 1) == own * heads for index in range(count)]


def _usual_window(values: Values, count: int) -> int:
    if values.get("attention.sliding_window") == 0:
        return 0
    if values.rules == "exaone4" and count == 64:
        return 4096
    return WINDOWS.get(values.rules, 0)


def _slides(index: int, period: int) -> bool:
    return index % period < period - 1 if period > 0 else index % -period != 0


def _is_recurrent(values: Values, index: int, kv_heads: int, width: int) -> bool:
    if values.rules in WHOLLY_RECURRENT or values.rules in BOTH:
        return True
    if values.tensors:
        return any(
            f"blk.{index}.{name}" in values.tensors for name in ("ssm_conv1d.weight", "ssm_a", "shortconv.conv.weight")
        )
    if (listed := _listed(values, "recurrent_layers", index)) is not None:
        return listed
    interval = values.whole("full_attention_interval") or INTERVALS.get(values.rules, 0)
    if interval:
        return (index + 1) % interval != 0
    has_state = values.whole("ssm.conv_kernel") or values.whole("shortconv.l_cache")
    alone = values.rules.startswith("nemotron_h")  # its layers are one thing only: state, attention or feed-forward
    return bool(has_state) and not kv_heads and not (alone and width)


def _listed(values: Values, key: str, index: int) -> bool | None:
    """What a list of one truth value a layer says, as configs give it; None where there is none."""
    listed = values.get(key)
    return bool(listed[index]) if isinstance(listed, list) and index < len(listed) else None


def _has_experts(values: Values, index: int) -> bool:
    if not values.whole("expert_count"):
        return False
    if values.tensors:
        names = ("ffn_up_exps.weight", "ffn_gate_up_exps.weight", "ffn_up.0.weight")
        return any(f"blk.{index}.{name}" in values.tensors for name in names)
    if (listed := _listed(values, "expert_layers", index)) is not None:
        return listed
    step = values.whole("interleave_moe_layer_step")
    return index >= values.whole("leading_dense_block_count") and (not step or (index + 1) % step == 0)


def _width(values: Values, index: int, stated: int, experts: bool) -> int:
    """Width of the dense feed-forward part, 0 where there is none."""
    if not values.tensors:
        return 0 if experts else stated
    found = values.dimension(f"blk.{index}.ffn_up.weight", 1)
    fused = not values.dimension(f"blk.{index}.ffn_gate.weight", 1) and found == 2 * stated
    return found // 2 if fused else found


def _is_cross(values: Values, index: int) -> bool:
    stated = values.get("attention.cross_attention_layers")
    if isinstance(stated, list) and stated:
        return index in stated
    return any(name.startswith(f"blk.{index}.cross_attn") for name in values.tensors) if stated is not None else False
