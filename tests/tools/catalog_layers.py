"""The layers of a model, from the columns that describe them: kinds of layers by a letter, and their order."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

Row = Mapping[str, str]
Kind = list[Any]
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def layers_of(row: Row) -> tuple[dict[str, Kind], str]:
    """Kinds and order. A kind is [heads, KV heads, key head, value head, feed-forward, window, flags]; shorter where the rest is
    0 or empty. Flags: r recurrent, s shares the KV cache of an earlier layer, x experts, c cross attention."""
    letters: dict[str, str] = {}
    kinds: dict[str, Kind] = {}
    order = []
    for index in range(int(row["n_layers"])):
        kind = layer(row, json.loads(row["extra"] or "{}"), index)
        key = json.dumps(kind)
        if key not in letters:
            letters[key] = LETTERS[len(letters)]
            kinds[letters[key]] = kind
        order.append(letters[key])
    return kinds, "".join(order)


def layer(row: Row, extra: Mapping[str, Any], index: int) -> Kind:
    """One layer of a row."""
    pattern = extra.get("pattern")
    if pattern:
        return _of_pattern(row, pattern[index])
    slides = _slides(row, extra, index)
    window = int(row["sliding_window"] or 0) if slides else 0
    heads, kv_heads, key, value = _attention(row, extra, index, slides)
    shares = index >= int(row["n_layers"]) - int(row["kv_shared_layers"] or 0)
    experts = _has_experts(row, extra, index)
    feed_forward = 0 if experts and row["arch"] != "gemma4" else int(row["intermediate_size"] or 0)
    if shares and extra.get("double_wide"):
        feed_forward *= 2
    flags = ("r" if _is_recurrent(row, extra, index) else "") + ("s" if shares else "") + ("x" if experts else "")
    cross = "c" if index in extra.get("cross_layers", ()) else ""
    return _short([heads, kv_heads, key, value, feed_forward, window, flags + cross])


def _of_pattern(row: Row, letter: str) -> Kind:
    """Nemotron-H: each layer is one thing only. M: state space, *: attention, E: experts, -: feed-forward."""
    if letter == "*":
        return [*_heads(row), 0]
    if letter == "-":
        return [0, 0, 0, 0, int(row["intermediate_size"])]
    return [0, 0, 0, 0, 0, 0, "r" if letter == "M" else "x"]


def _heads(row: Row) -> list[int]:
    return [int(row[column]) for column in ("n_heads", "n_kv_heads", "head_dim_k", "head_dim_v")]


def _slides(row: Row, extra: Mapping[str, Any], index: int) -> bool:
    """Whether the layer has a sliding window. A negative period begins with a full layer."""
    period = int(row["swa_period"] or 0)
    if "global_layers" in extra:
        return index not in extra["global_layers"]
    if not period:
        return False
    return index % period < period - 1 if period > 0 else index % -period != 0


def _attention(row: Row, extra: Mapping[str, Any], index: int, slides: bool) -> list[int]:
    heads, kv_heads, key, value = _heads(row)
    if _is_recurrent(row, extra, index) and row["arch"] != "falcon-h1":
        return [0, 0, 0, 0]
    if row["global_head_dim"] and not slides:
        return [heads, int(row["global_n_kv_heads"]), int(row["global_head_dim"]), int(row["global_head_dim"])]
    if "heads_swa" in extra:
        heads = extra["heads_swa"] if slides else extra["heads_full"]
    return [heads, kv_heads, key, value]


def _is_recurrent(row: Row, extra: Mapping[str, Any], index: int) -> bool:
    if row["arch"] == "falcon-h1":
        return True
    attention: Sequence[int] = extra.get("attn_layers", [])
    if not attention and row["attn_layers"]:
        attention = [int(number) for number in row["attn_layers"].split(",")]
    return bool(attention) and index not in attention


def _has_experts(row: Row, extra: Mapping[str, Any], index: int) -> bool:
    if not row["n_experts"] or index < int(row["n_dense_layers"] or 0):
        return False
    if "moe_step" in extra:
        return (index + 1) % int(extra["moe_step"]) == 0
    if "exp_period" in extra:
        return index % int(extra["exp_period"]) == int(extra["exp_off"])
    return index % 2 == 1 if extra.get("moe_every") == 2 else True


def _short(kind: Kind) -> Kind:
    while kind and not kind[-1]:
        kind.pop()
    return kind


def kv_bytes_per_token(kinds: Mapping[str, Kind], order: str, latent_width: int | None) -> tuple[int, int]:
    """Bytes of the F16 cache per token: of layers with full attention, and of those with a sliding window."""
    full = sliding = 0
    for letter in order:
        _, kv_heads, key, value, _, window, flags = (kinds[letter] + [0] * 7)[:7]
        if latent_width is not None:
            full += 2 * latent_width
        elif not set(str(flags)) & {"s", "c"}:
            size = 2 * kv_heads * (key + value)
            full, sliding = (full, sliding + size) if window else (full + size, sliding)
    return full, sliding
