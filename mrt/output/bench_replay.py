"""A replayed cascade: quality, cost and escalations by threshold, and the errors of the quality gate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mrt.domain import usd
from mrt.output.bench import interval, percent
from mrt.output.bench_list import labels
from mrt.output.columns import columns
from mrt.output.console import Console
from mrt.output.spend_money import amount

if TYPE_CHECKING:
    from mrt.bench.replay import GateReport, Outcome
    from mrt.bench.report import Report

_HEADS = ("up to", "passed", "rate", "95 % interval", "escalations", "cost", "seconds")


def show_replay(
    console: Console, reports: Sequence[Report], found: Sequence[Outcome], gates: Sequence[GateReport]
) -> None:
    """Of two models every threshold; of more the choices that no other beats. As JSON all."""
    names = labels(reports)
    if console.mode == "json":
        gate_data = [{"model": name, **_gate_data(gate)} for name, gate in zip(names, gates, strict=True)]
        data = {"models": names, "outcomes": [_data(one) for one in found], "gate": gate_data}
        console.envelope("bench", data)
        return
    from mrt.bench.replay import frontier

    shown = list(found) if len(reports) == 2 else frontier(found)
    console.result(f"{' -> '.join(names)}: complexity up to which each but the last is tried first; 0 is never")
    console.result("\n".join(columns(_HEADS, [_row(one) for one in shown], (True,) * len(_HEADS))))
    console.result("\nquality gate")
    for name, gate in zip(names, gates, strict=True):
        console.result(
            f"  {name}: lets {gate.false_accepts} of {gate.bad} wrong answers through, "
            f"turns {gate.false_escalations} of {gate.good} right ones down"
        )


def _row(one: Outcome) -> tuple[str, ...]:
    return (
        ", ".join(map(str, one.thresholds)),
        f"{one.passed} of {one.rate.graded}",
        percent(one.rate.value),
        interval(one.rate),
        str(one.escalations),
        _cost(one.nano),
        f"{one.seconds:.1f}",
    )


def _cost(nano: int | None) -> str:
    if nano is None:
        return "unknown"
    return amount(nano) if nano else "no API cost"


def _data(one: Outcome) -> dict[str, Any]:
    return {
        "thresholds": list(one.thresholds),
        "passed": one.passed,
        "graded": one.rate.graded,
        "low": round(one.rate.low, 4),
        "high": round(one.rate.high, 4),
        "escalations": one.escalations,
        "usd": None if one.nano is None else usd(one.nano),
        "seconds": round(one.seconds, 3),
        "started_at": list(one.first_here),
    }


def _gate_data(gate: GateReport) -> dict[str, int]:
    return {
        "good": gate.good,
        "false_escalations": gate.false_escalations,
        "bad": gate.bad,
        "false_accepts": gate.false_accepts,
    }
