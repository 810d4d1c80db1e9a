"""A decision by the JSON contract: money as decimal strings, unknown as null."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mrt.domain import Cost, usd
from mrt.router.decision import Decision, Row
from mrt.router.planning import PlannedTask
from mrt.router.risk import Risk

if TYPE_CHECKING:
    from mrt.ledger.measured import Measured


def decision_data(
    decision: Decision,
    plan: Sequence[PlannedTask] | None = None,
    measured: Mapping[str, Measured] | None = None,
) -> dict[str, Any]:
    """Everything; `tier` and `model` are null when no tier is open."""
    assessed = decision.assessed
    start = None if decision.blocked else decision.starting
    data = {
        "complexity": decision.complexity,
        "score": assessed.score,
        "parts": {
            "component": assessed.component,
            "coordinative": assessed.coordinative,
            "dynamic": assessed.dynamic,
        },
        "prior_only": assessed.prior_only,
        "tier": start.tier if start else None,
        "model": start.model if start else None,
        "order": [] if decision.blocked else list(decision.order),
        "reason": decision.reason,
        "abstains": decision.abstains,
        "tiers": [_row_data(row, measured) for row in decision.rows],
        "contributions": [
            {"feature": part.feature, "value": part.value, "weight": round(part.weight, 4)}
            for part in decision.contributions
        ],
        "cleaned": list(assessed.cleaned),
        "counterfactuals": list(decision.counterfactuals),
        "check": ", ".join(decision.check),
        "escalations": _risk_data(start.risk) if start and len(decision.order) > 1 else None,
        "escalation": decision.escalation,
    }
    return data if plan is None else data | {"plan": [task._asdict() for task in plan]}


def _row_data(row: Row, measured: Mapping[str, Measured] | None) -> dict[str, Any]:
    money = row.money
    found = (measured or {}).get(row.tier)
    return {
        "tier": row.tier,
        "model": row.model,
        "open": row.open,
        "verdict": row.verdict,
        "reason": row.reason,
        "p_fail": _risk_data(row.risk),
        "measured": None if found is None else _measured_data(found),
        "cost": _cost_data(money.expected if money else Cost("unknown")),
        "cost_bound": _cost_data(money.bound if money else Cost("unknown")),
        "seconds": None if row.seconds is None else round(row.seconds, 1),
        "input_tokens": row.input_tokens,
        "output_tokens": row.output_tokens,
        "budget_left_usd": None if (left := left_after(row)) is None else usd(left),
        "gates": [{"gate": gate.name, "state": gate.state, "figure": gate.figure} for gate in row.gates],
    }


def _measured_data(found: Measured) -> dict[str, Any]:
    from mrt.output.route_measured import measured_data

    return measured_data(found)


def left_after(row: Row) -> int | None:
    """What the tightest budget has left once this answer is paid, in nano-dollars; None where none is in the way."""
    money = row.money
    if money is None or money.left_nano is None or money.expected.nano is None:
        return None
    return money.left_nano - money.expected.nano


def _risk_data(risk: Risk | None) -> dict[str, Any] | None:
    if risk is None:
        return None
    return {"mean": round(risk.mean, 4), "low": round(risk.low, 4), "high": round(risk.high, 4), "n": risk.n}


def _cost_data(cost: Cost) -> dict[str, Any]:
    return {"state": cost.state, "usd": None if cost.nano is None else usd(cost.nano)}
