"""What varies inside an architecture, in the words of the memory rules: traits, rare sizes, quirks of published files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

Row = Mapping[str, str]

SIZES = {
    "n_pos": "positions",
    "n_types": "token_types",
    "ple_vocab": "per_layer_vocabulary",
    "ple_dim": "per_layer_width",
    "moe_latent": "expert_latent",
}
# From the table's short hands, and their values, to traits.
TRAITS: dict[tuple[str, Any], str] = {
    ("pb", True): "router_bias",
    ("qkn", "hd"): "qk_norm",
    ("qkn", "perhead"): "qk_norm_heads",
    ("qkvb", True): "qkv_bias",
    ("qkvb", None): "-qkv_bias",
    ("ob", True): "output_bias",
    ("ffb", "gate"): "ffn_bias",
    ("gate", False): "no_gate",
    ("two_norms", True): "two_norms",
    ("qk_ln", True): "qk_norm_heads",
    ("k_eq_v", True): "k_eq_v",
}
# Ollama's converters left these in the files they published; an end of a tensor's name, and its type.
QUIRKS = {
    "attn_v=F16": ("v.weight", "F16"),
    "token_embd=Q8_0": ("token_embd.weight", "Q8_0"),
    "token_embd=Q4_0": ("token_embd.weight", "Q4_0"),
    "per_layer_embd=F16": ("per_layer_token_embd.weight", "F16"),
    "per_layer_embd stored 16-bit": ("per_layer_token_embd.weight", "F16"),
}


def traits_of(row: Row) -> list[str]:
    """Traits by name, sorted."""
    extra = json.loads(row["extra"] or "{}")
    flat = {**extra, **extra.get("opt", {})}
    found = {trait for (key, value), trait in TRAITS.items() if key in flat and flat[key] == value}
    # Where quirks were told apart by the bytes, the separate output is one of them or not there.
    if row["ollama_gguf_separate_output"] == "yes" and (not row["ollama_quirk"] or "sep_output" in _quirks(row)):
        found.add("separate_output")
    if "go_mix" in _quirks(row):
        found.add("go_mixture")
    if row["arch"] == "gemma3n" and "per_layer_embd=F16" in _quirks(row):
        found.add("all_quantized")
    return sorted(found)


def sizes_of(row: Row) -> dict[str, int]:
    """Rare sizes by name."""
    extra = json.loads(row["extra"] or "{}")
    return {ours: int(extra[theirs]) for theirs, ours in SIZES.items() if theirs in extra}


def overrides_of(row: Row) -> list[list[str]]:
    """Tensors of the published file whose type is not the mixture's."""
    return [list(QUIRKS[quirk]) for quirk in _quirks(row) if quirk in QUIRKS]


def _quirks(row: Row) -> list[str]:
    return [quirk.partition(" (")[0].strip() for quirk in row["ollama_quirk"].split(",")]
