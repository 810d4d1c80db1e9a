"""What the bench measured of the tiers' models, below an explained decision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mrt.bench.statistics import wilson
from mrt.ledger.measured import Measured, band_of
from mrt.output.bench import COMPLEXITIES, interval, percent


def measured_text(found: Mapping[str, Measured]) -> str:
    """A line for each tier: the pass rate near this complexity, then of all tasks, and the run that says so."""
    return "\n".join(["", "measured by mrt bench", *(f"  {tier}: {_line(one)}" for tier, one in found.items())])


def _line(one: Measured) -> str:
    near = f"{_rate(one.near_passed, one.near_graded)} at {COMPLEXITIES[band_of(one.near)]}"
    return f"{near}; {_rate(one.passed, one.graded)} of all; run {one.run}"


def _rate(passed: int, graded: int) -> str:
    rate = wilson(passed, graded)
    return f"{percent(rate.value)} pass ({interval(rate)}, n = {graded})"


def measured_data(one: Measured) -> dict[str, Any]:
    """For scripts."""
    return {
        "run": one.run,
        "all": _counts(one.passed, one.graded),
        "near": {"complexity": one.near, **_counts(one.near_passed, one.near_graded)},
    }


def _counts(passed: int, graded: int) -> dict[str, Any]:
    rate = wilson(passed, graded)
    return {"passed": passed, "graded": graded, "low": round(rate.low, 4), "high": round(rate.high, 4)}
