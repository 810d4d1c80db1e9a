"""The accuracy table of `mrt fit --selftest`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mrt.output.columns import columns

if TYPE_CHECKING:
    from mrt.memory.accuracy import Compared

_TITLES = {
    "weights": "weights on GPUs",
    "cache": "KV cache and recurrent state",
    "compute": "compute buffers",
    "weights_host": "weights in RAM",
    "compute_host": "compute buffers in RAM",
    "total": "total",
}


def selftest_text(found: Sequence[Compared], document: Mapping[str, Any]) -> str:
    """A row per kind of buffer, then the cases that are furthest off."""
    rows = [_row(kind, [one for one in found if one.buffer == kind]) for kind in _TITLES]
    headers = ["buffer", "cases", "exact", "within 1 %", "within 3 %", "worst"]
    head = f"{len(document['cases'])} cases measured with {document['engine']} on {document['date']}"
    lines = [head, "", *columns(headers, rows, [False, True, True, True, True, True])]
    far = sorted((one for one in found if one.error > 3), key=lambda one: -one.error)[:5]
    if far:
        lines += ["", "furthest off", *(f"- {one.case}: {_TITLES[one.buffer]} {_off(one)}" for one in far)]
    return "\n".join(lines)


def _off(one: Compared) -> str:
    return f"{one.planned / 2**20:,.2f} MiB, measured {one.measured / 2**20:,.2f} MiB"


def _row(kind: str, those: Sequence[Compared]) -> list[str]:
    counts = [sum(one.error <= bound for one in those) for bound in (0, 1, 3)]
    worst = max((one.error for one in those), default=0.0)
    return [_TITLES[kind], str(len(those)), *map(str, counts), f"{worst:.2f} %"]


def selftest_data(found: Sequence[Compared], document: Mapping[str, Any]) -> dict[str, Any]:
    """The same for scripts, with every case."""
    return {
        "engine": document["engine"],
        "date": document["date"],
        "cases": len(document["cases"]),
        "buffers": [
            {
                "buffer": kind,
                "cases": len(those),
                "exact": sum(one.error == 0 for one in those),
                "within_1_percent": sum(one.error <= 1 for one in those),
                "within_3_percent": sum(one.error <= 3 for one in those),
                "worst_percent": round(max(one.error for one in those), 3),
            }
            for kind in _TITLES
            if (those := [one for one in found if one.buffer == kind])
        ],
        "compared": [
            {"case": one.case, "buffer": one.buffer, "planned_bytes": one.planned, "measured_bytes": one.measured}
            for one in found
        ],
    }
