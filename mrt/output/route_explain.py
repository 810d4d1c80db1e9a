"""A decision explained: one table over all tiers, what the complexity is made of, what would change it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mrt.output.columns import columns
from mrt.output.route import complexity_text, cost_text
from mrt.output.route_data import left_after
from mrt.output.spend_money import amount
from mrt.router.decision import Decision, Row
from mrt.router.planning import PlannedTask
from mrt.router.risk import Risk

_HEADERS = ("tier", "model", "in", "out", "cost", "at most", "seconds", "left after", "P(fail)", "verdict")
_RIGHT = (False, False, True, True, True, True, True, True, False, False)


def explain_text(decision: Decision) -> str:
    """The whole explanation."""
    start = decision.rows[[row.tier for row in decision.rows].index(decision.tier)]
    head = "no tier is open" if decision.blocked else f"{start.tier} ({start.model})"
    lines = [
        f"{head}: {decision.reason}",
        "",
        *columns(_HEADERS, [_cells(row) for row in decision.rows], _RIGHT),
        "",
        *_gates(decision.rows),
        "",
        *_complexity(decision),
    ]
    if decision.counterfactuals:
        lines += ["", "what would change it", *(f"  {sentence}" for sentence in decision.counterfactuals)]
    lines += ["", *_checks(decision, start)]
    return "\n".join(lines)


def _cells(row: Row) -> tuple[str, ...]:
    money, left = row.money, left_after(row)
    free = money is not None and money.bound.state == "free"
    bound = "-" if free or money is None else "unknown" if money.bound.nano is None else amount(money.bound.nano)
    return (
        row.tier,
        row.model,
        str(row.input_tokens),
        "-" if row.output_tokens is None else f"~{row.output_tokens}",
        "-" if money is None else cost_text(money.expected),
        bound,
        "-" if row.seconds is None else f"~{row.seconds:.1f}",
        "-" if left is None else amount(left),
        risk_text(row.risk),
        row.verdict,
    )


def risk_text(risk: Risk | None) -> str:
    """A probability with its interval and how many of the user's outcomes are in it."""
    if risk is None:
        return "-"
    return f"{risk.mean:.2f} ({risk.low:.2f} to {risk.high:.2f}, {f'n = {risk.n}' if risk.n else 'prior'})"


def _gates(rows: Sequence[Row]) -> Iterator[str]:
    marks = {"open": " ", "unknown": "?", "closed": "x"}
    yield "gates (x closed, ? not known)"
    table = [(row.tier, f"{marks[gate.state]} {gate.name}", gate.figure) for row in rows for gate in row.gates]
    previous = ""
    width = max(len(tier) for tier, _, _ in table)
    for tier, gate, figure in table:
        yield f"  {tier if tier != previous else '':<{width}}  {gate:<10}  {figure}"
        previous = tier


def _complexity(decision: Decision) -> Iterator[str]:
    assessed = decision.assessed
    yield (
        f"complexity {complexity_text(decision)}: component {assessed.component:g}, "
        f"coordinative {assessed.coordinative:g}, dynamic {assessed.dynamic:g}"
    )
    if assessed.prior_only:
        yield "  short prompts carry no measured signal: this is a prior learned from how people label such prompts"
    for part in sorted(decision.contributions, key=lambda part: -abs(part.weight)):
        yield f"  {part.weight:+.2f}  {part.feature}" + (f": {part.value}" if part.value else "")
    if assessed.cleaned:
        yield f"  left out: {', '.join(assessed.cleaned)}"


def _checks(decision: Decision, start: Row) -> Iterator[str]:
    checks = ", ".join(decision.check) or "only that it is whole and not empty"
    yield f"check: {checks}; `mrt help checks` explains them"
    share = start.risk
    if decision.blocked or len(decision.order) < 2 or share is None:
        return
    yield (
        f"escalations to expect: {100 * share.mean:.0f} % ({100 * share.low:.0f} to {100 * share.high:.0f} %) "
        "if the check finds every poor answer"
    )
    yield decision.escalation


def plan_text(plan: Sequence[PlannedTask]) -> str:
    """The parts of a task, each with its own tier."""
    rows = [
        (str(number), "review" if task.review else f"{task.complexity:g}", f"{task.tier} ({task.model})", task.task)
        for number, task in enumerate(plan, 1)
    ]
    return "\n".join(("", *columns(("", "complexity", "tier", "task"), rows, (True, True, False, False))))
