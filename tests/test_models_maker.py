"""The maker of the catalog: from rows of the table of models to the lines that the package ships."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from tools.catalog_layers import kv_bytes_per_token
from tools.make_catalog import catalog

from mrt.models.catalog import FILE

SAMPLE = Path(__file__).parent / "data" / "models_sample.csv"
SHIPPED = {line["name"]: line for line in map(json.loads, Path(FILE).read_text(encoding="utf-8").splitlines()[1:])}


def rows() -> list[dict[str, str]]:
    """Rows of the table, one for each way to describe layers."""
    with SAMPLE.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def without_names(line: dict[str, Any]) -> dict[str, Any]:
    """A line without the names, which depend on the other rows, and the sources, which the sample does not have."""
    return {key: value for key, value in line.items() if key not in ("names", "source")}


@pytest.mark.parametrize("line", list(catalog(rows(), "2026-11-21")), ids=lambda line: line["name"])
def test_the_shipped_line_is_what_the_table_says(line: dict[str, Any]) -> None:
    shipped = SHIPPED[line["name"]]
    assert without_names(line) == without_names(shipped)
    assert {name for name in line["names"] if not name.endswith(":latest")} <= set(shipped["names"])


def test_layers_that_do_not_give_the_tables_own_cache_are_refused() -> None:
    row = {**rows()[0], "n_kv_heads": "4"}
    with pytest.raises(
        ValueError, match=r"llama3\.1:8b: KV bytes per token are \(131072, 0\), layers give \(65536, 0\)"
    ):
        list(catalog([row], "2026-11-21"))


def test_shared_and_cross_layers_hold_no_cache_of_their_own() -> None:
    kinds = {
        "a": [8, 2, 64, 64, 512],
        "b": [8, 2, 64, 64, 512, 128],
        "c": [8, 2, 64, 64, 512, 0, "s"],
        "d": [8, 2, 64, 64, 512, 0, "c"],
    }
    assert kv_bytes_per_token(kinds, "aabbcd", None) == (1024, 1024)
    assert kv_bytes_per_token(kinds, "aa", 576) == (2304, 0)
