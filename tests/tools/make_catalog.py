"""Write mrt/data/catalog.jsonl: the table of models (one row a model) as one JSON object a line, in the shape the package reads.

    cd tests && python -m tools.make_catalog --table .../models.csv --date 2026-11-21

Layers are worked out here, so that the package needs no rules for them, and are checked against the table's own KV cache sizes.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tools.catalog_layers import kv_bytes_per_token, layers_of
from tools.catalog_names import names_of
from tools.catalog_traits import overrides_of, sizes_of, traits_of

INTO = Path(__file__).parents[2] / "mrt" / "data" / "catalog.jsonl"
CONFIDENCE = {"A": "exact", "B": "good", "C": "approximate"}
DEFAULT_QUANTIZATION = "Q4_K_M"
# Tags whose stated quantization the bytes of their file contradict.
REAL_QUANTIZATION = {"llava-llama3:8b": "Q4_K_M"}
FLAGS = {"tools": "tools", "vision": "vision", "thinking": "thinking", "embeds": "embedding"}
Row = Mapping[str, str]


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description="Write the catalog of models.")
    parser.add_argument("--table", type=Path, required=True)
    parser.add_argument("--date", required=True, help="the day the table was gathered")
    parser.add_argument("--into", type=Path, default=INTO)
    arguments = parser.parse_args()
    with arguments.table.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["n_layers"]]
    about = {"catalog": "models", "date": arguments.date, "models": len(rows)}
    lines = [about, *catalog(rows, arguments.date)]
    arguments.into.write_text("".join(f"{dumped(line)}\n" for line in lines), encoding="utf-8")


def dumped(line: Mapping[str, Any]) -> str:
    """One line, without spaces."""
    return json.dumps(line, ensure_ascii=False, separators=(",", ":"))


def catalog(rows: list[dict[str, str]], date: str) -> Iterator[dict[str, Any]]:
    """The lines of all rows; a name belongs to the first row that has it."""
    taken: set[str] = set()
    for row in rows:
        names = [name for name in names_of(row, rows) if name not in taken]
        taken.update(names)
        yield {"names": names, **line_of(row, date)}


def line_of(row: Row, date: str) -> dict[str, Any]:
    """What the package knows of one model; what is unknown or usual is left out."""
    kinds, order = layers_of(row)
    check_kv(row, kinds, order)
    line = {
        "name": row["ollama_tag"] or row["hf_id"],
        "hf": row["hf_id"],
        "architecture": row["arch"],
        "embedding": _number(row["hidden_size"]),
        "vocabulary": _number(row["vocab_size"]),
        "kinds": kinds,
        "layers": order,
        "context": _number(row["ollama_context_tokens"] or row["max_context"]),
        "quantization": REAL_QUANTIZATION.get(row["ollama_tag"]) or row["ollama_default_quant"] or DEFAULT_QUANTIZATION,
        "assumed_quantization": not row["ollama_default_quant"],
        "tied": row["tie_word_embeddings"] == "true",
        "experts": experts_of(row),
        "latent": latent_of(row),
        "recurrent": recurrent_of(row),
        "traits": traits_of(row),
        "sizes": sizes_of(row),
        "overrides": overrides_of(row),
        "prediction_layers": _extra(row).get("mtp"),
        **bytes_of(row),
        "parameters": parameters_of(row),
        "active": _number(row["params_active_calc"]),
        "confidence": CONFIDENCE[row["confidence"][0]],
        "source": source_of(row),
        "date": max(re.findall(r"20\d\d-\d\d-\d\d", row["source"]), default=date),
        "notes": notes_of(row),
        **{ours: row[theirs] == "yes" for ours, theirs in FLAGS.items() if row[theirs]},
    }
    return {key: value for key, value in line.items() if value not in (None, [], {}, "") and not _usual(key, value)}


def _usual(key: str, value: Any) -> bool:
    return value is False and key not in FLAGS


def check_kv(row: Row, kinds: Mapping[str, list[Any]], order: str) -> None:
    """The layers must give the table's own KV cache sizes. Raises ValueError where they do not."""
    if not row["kv_bytes_per_token_f16_full"]:
        return
    stated = (int(row["kv_bytes_per_token_f16_full"]), int(row["kv_bytes_per_token_f16_swa"]))
    latent = latent_of(row)
    ours = kv_bytes_per_token(kinds, order, latent[0] + latent[2] if latent else None)
    if ours != stated:
        raise ValueError(f"{row['ollama_tag'] or row['hf_id']}: KV bytes per token are {stated}, layers give {ours}")


def parameters_of(row: Row) -> int | None:
    """Parameters as stated, without what a checkpoint stores twice or beside them: scales, a copied table, MTP layers."""
    plain = not row["params_note"] or row["params_note"].startswith("stated includes the vision/audio tower")
    return (
        _number(row["params_total"] if plain else "")
        or _number(row["params_text_calc"])
        or _number(row["params_total"])
    )


def experts_of(row: Row) -> list[int] | None:
    """Count, used, width, shared, width of the shared ones, dense first layers."""
    if not row["n_experts"]:
        return None
    width = _number(row["expert_ffn_size"]) or _number(row["intermediate_size"]) or 0
    shared_width = _number(row["shared_expert_ffn_size"]) or 0
    shared = _number(row["n_shared_experts"]) or (1 if shared_width else 0)
    numbers = [int(row["n_experts"]), int(row["n_experts_used"]), width, shared, shared_width or shared * width]
    return [*numbers, _number(row["n_dense_layers"]) or 0]


def latent_of(row: Row) -> list[int] | None:
    """Rank of keys and values, rank of queries, and the parts of a head: rotated, not rotated, values."""
    if not row["kv_lora_rank"]:
        return None
    columns = ("kv_lora_rank", "q_lora_rank", "qk_rope_head_dim", "qk_nope_head_dim", "v_head_dim")
    return [_number(row[column]) or 0 for column in columns]


def recurrent_of(row: Row) -> list[int] | None:
    """Inner width, state, groups, heads, convolution, width of the time step."""
    if not row["ssm_d_conv"]:
        return None
    if not row["ssm_d_inner"]:  # a short convolution alone
        return [int(row["hidden_size"]), 0, 0, 0, int(row["ssm_d_conv"]), 0]
    columns = ("ssm_d_inner", "ssm_d_state", "ssm_n_groups", "ssm_heads", "ssm_d_conv")
    return [*(_number(row[column]) or 0 for column in columns), _extra(row).get("dt_rank", 0)]


def bytes_of(row: Row) -> dict[str, int | None]:
    """The published file: all of it, the projector beside it, the towers inside it, what stands before the tensors."""
    model = _number(row["ollama_model_bytes_2025_08"]) if row["bytes_match_current_tag"] == "yes" else None
    projector = _number(row["ollama_projector_bytes_2025_08"])
    rest = _number(row["ollama_nontext_bytes"])
    towered = "tower" in row["params_note"]
    return {
        "file_bytes": None if model is None else model + (projector or 0),
        "projector_bytes": projector,
        "tower_bytes": (rest or tower_of(row, projector)) if towered else None,
        "header_bytes": _number(row["gguf_header_bytes_est"]) or (None if towered else rest),
    }


def tower_of(row: Row, projector: int | None) -> int | None:
    """Bytes of the towers in a file whose exact size is not known: 16 bits a parameter that is not the text model's, where the
    published size agrees; else what is left of the published size, which is rounded."""
    size, text = _published(row["ollama_size"]), _number(row["calc_bytes_quirk"] or row["calc_bytes_default"])
    if row["vision"] != "yes" or projector or not size or not text:
        return None
    at_16_bits = 2 * (int(row["params_total"]) - int(row["params_text_calc"]))
    agrees = abs(text + at_16_bits - size) <= size // 50
    return at_16_bits if agrees or "per_layer" in row["ollama_quirk"] else max(0, size - text)


def _whole_file(row: Row, text: int) -> int:
    parts = bytes_of(row)
    return text + sum(parts[key] or 0 for key in ("tower_bytes", "projector_bytes", "header_bytes"))


def _published(text: str) -> int | None:
    match = re.fullmatch(r"([\d.]+)(MB|GB)", text)
    return round(float(match[1]) * {"MB": 10**6, "GB": 10**9}[match[2]]) if match else None


def source_of(row: Row) -> str:
    """Where the row's figures come from, without the names of the rows that were read there."""
    parts = []
    for part in row["source"].split(" || "):
        what, _, origins = part.partition(": ")
        named = [re.split(r"[: (,]", origin.strip(), maxsplit=1)[0] for origin in origins.split(" | ")]
        dates = re.findall(r"20\d\d-\d\d-\d\d", part)
        parts.append(" ".join([what, ", ".join(dict.fromkeys(filter(None, named))), *dates[-1:]]))
    return "; ".join(parts)


def notes_of(row: Row) -> list[str]:
    """What a reader must know of this row."""
    notes = []
    if row["note"].startswith("window size not seen") or (row["swa_period"] and not row["sliding_window"]):
        notes.append("its sliding window is not known: every layer is counted with the full context")
    if row["confidence"].startswith("C"):
        notes.append("the shape could not be checked against a published file")
    size, text = _published(row["ollama_size"]), _number(row["calc_bytes_quirk"] or row["calc_bytes_default"])
    if size and text and "per_layer" not in row["ollama_quirk"] and abs(size - _whole_file(row, text)) > size // 20:
        notes.append(
            f"the published file has {row['ollama_size']}, which its quantization's usual mixture does not give"
        )
    if "per_layer" in row["ollama_quirk"]:
        notes.append("its per-layer table is taken to be stored in 16 bits, as the size of the file says")
    if "cross-attention" in row["kv_note"]:
        notes.append("its cross-attention layers cache image tokens, which are not counted")
    return notes


def _extra(row: Row) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(row["extra"] or "{}")
    return found


def _number(text: str) -> int | None:
    return int(text) if text else None


if __name__ == "__main__":
    main()
