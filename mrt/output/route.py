"""A decision as people and scripts read it: one line, one table with its reasons, or JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mrt.domain import Cost
from mrt.errors import MrtError
from mrt.frozen import frozen
from mrt.output.console import Console

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mrt.ledger.measured import Measured
    from mrt.router.decision import Decision
    from mrt.router.planning import PlannedTask


@frozen
class Beside:
    """What is known beside a decision: why no tier can answer, a plan, what was measured, and who is still to rate the prompt."""

    problem: MrtError | None = None
    plan: Sequence[PlannedTask] | None = None
    measured: Mapping[str, Measured] | None = None
    unasked: str | None = None


def show_decision(console: Console, decision: Decision, beside: Beside, *, explain: bool) -> None:
    """Print the decision in the form that was asked for; without a tier there is nothing to say in one line."""
    if console.mode == "json":
        from mrt.output.route_data import decision_data

        data = decision_data(decision, beside.plan, beside.measured) | {"assessor_unasked": beside.unasked}
        console.envelope("route", data, [beside.problem] if beside.problem else [])
        return
    if explain:
        _explained(console, decision, beside)
    elif beside.problem is None:
        console.result(decision_line(decision, beside.unasked))
        console.detail(decision.reason)
    if beside.plan is not None:
        from mrt.output.route_explain import plan_text

        console.result(plan_text(beside.plan))


def _explained(console: Console, decision: Decision, beside: Beside) -> None:
    from mrt.output.route_explain import explain_text

    parts = [explain_text(decision)]
    if beside.unasked:
        parts.append(
            f"assessor: `mrt ask` lets {beside.unasked} rate this prompt first; so does --assess {beside.unasked}"
        )
    if beside.measured:
        from mrt.output.route_measured import measured_text

        parts.append(measured_text(beside.measured))
    console.report("\n".join(part.removesuffix("\n") for part in parts))


def decision_line(decision: Decision, unasked: str | None = None) -> str:
    """Tier, model, complexity and what the answer will about cost; and the model that was not asked to rate the prompt."""
    row = decision.starting
    parts = [f"{row.tier} ({row.model})", f"complexity {complexity_text(decision)}"]
    if row.money is not None:
        parts.append(cost_text(row.money.expected))
    if decision.abstains:
        parts.append("local first, verify, then up")
    if unasked:
        parts.append(f"not rated by {unasked} yet (--assess {unasked})")
    return ", ".join(parts)


def complexity_text(decision: Decision) -> str:
    """The figure, and whether anything measured stands behind it."""
    return f"{decision.complexity:g}" + (" (prior only)" if decision.assessed.prior_only else "")


def cost_text(cost: Cost) -> str:
    """A cost for people: what is unknown says so, and what is estimated too."""
    if cost.state == "free":
        return "no API cost"
    if cost.nano is None:
        return "cost unknown"
    from mrt.output.spend_money import amount

    return f"{'about ' if cost.state == 'estimated' else ''}{amount(cost.nano)}"
