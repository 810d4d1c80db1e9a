"""A line of the catalog as a model's shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mrt.memory.shape import Experts, LatentAttention, Layer, ModelShape, Recurrent


def shape_of_row(row: Mapping[str, Any]) -> ModelShape:
    """The shape that a line describes; what the line leaves out is unknown or the usual."""
    kinds = {letter: layer_of_kind(kind) for letter, kind in row["kinds"].items()}
    return ModelShape(
        name=row["name"],
        architecture=row["architecture"],
        embedding=row["embedding"],
        vocabulary=row["vocabulary"],
        layers=tuple(kinds[letter] for letter in row["layers"]),
        context_trained=row.get("context"),
        quantization=row["quantization"],
        tied_embeddings=row.get("tied", False),
        experts=Experts(*row["experts"]) if "experts" in row else None,
        latent=LatentAttention(*row["latent"]) if "latent" in row else None,
        recurrent=Recurrent(*row["recurrent"]) if "recurrent" in row else None,
        file_bytes=row.get("file_bytes"),
        projector_bytes=row.get("projector_bytes", 0),
        parameters=row.get("parameters"),
        active_parameters=row.get("active"),
        confidence=row["confidence"],
        source=f"catalog {row['date']} ({row['source']})",
        notes=_notes(row),
        tools=row.get("tools"),
        vision=row.get("vision"),
        thinking=row.get("thinking"),
        embeds=row.get("embeds"),
        traits=frozenset(row.get("traits", ())),
        sizes=tuple(row.get("sizes", {}).items()),
        type_overrides=tuple((end, type_) for end, type_ in row.get("overrides", ())),
        header_bytes=row.get("header_bytes", 0),
        tower_bytes=row.get("tower_bytes", 0),
        prediction_layers=row.get("prediction_layers", 0),
    )


def layer_of_kind(kind: list[Any]) -> Layer:
    """[heads, KV heads, key head, value head, feed-forward, window, flags], shorter where the rest is 0 or empty."""
    heads, kv_heads, key_head, value_head, feed_forward, window, flags = kind + [0] * (7 - len(kind))
    marks = flags or ""
    return Layer(
        heads,
        kv_heads,
        key_head,
        value_head,
        feed_forward,
        window or None,
        recurrent="r" in marks,
        shares_kv="s" in marks,
        experts="x" in marks,
        cross="c" in marks,
    )


def _notes(row: Mapping[str, Any]) -> tuple[str, ...]:
    notes = tuple(row.get("notes", ()))
    if row.get("assumed_quantization"):
        return (*notes, f"no published quantization is known; {row['quantization']} is assumed")
    return notes
