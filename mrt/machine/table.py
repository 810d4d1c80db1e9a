"""Read the table of GPUs that comes with the package; `mrt.memory.gpus` is pure and cannot."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from mrt.memory.gpus import KnownGpu, parse_table

PACKAGED = Path(__file__).parent.parent / "data" / "gpus.tsv"


@cache
def gpu_table() -> tuple[KnownGpu, ...]:
    """All GPUs known, in the order of the table."""
    return parse_table(PACKAGED.read_text(encoding="utf-8"))
