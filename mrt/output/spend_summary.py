"""Today and this month at a glance: the dashboards' summary."""

from __future__ import annotations

import datetime
from typing import Any, NamedTuple

from mrt.ledger.queries import Group, Totals
from mrt.ledger.report import BudgetLine
from mrt.output.spend_check import check_line, over
from mrt.output.spend_data import budget_data, group_data, totals_data
from mrt.output.spend_money import cost, count, percent


class Summary(NamedTuple):
    """What the summary shows; tiers and models are the month's."""

    date: datetime.date
    timezone: str
    today: Totals
    month: Totals
    tiers: tuple[Group, ...]
    models: tuple[Group, ...]
    budgets: tuple[BudgetLine, ...]
    soft_pct: int

    @property
    def status(self) -> str:
        """How the budgets stand: within, near (from `soft_pct` percent on) or over."""
        if over(self.budgets, 100):
            return "over"
        return "near" if over(self.budgets, self.soft_pct) else "within"


def summary_data(summary: Summary) -> dict[str, Any]:
    """The `data` of `mrt spend summary --json`."""
    return {
        "date": summary.date.isoformat(),
        "timezone": summary.timezone,
        "status": summary.status,
        "today": totals_data(summary.today),
        "month": totals_data(summary.month),
        "tiers": [group_data(group, ("tier",)) for group in summary.tiers],
        "models": [group_data(group, ("model",)) for group in summary.models],
        "budgets": [budget_data(line) for line in summary.budgets],
    }


def summary_text(summary: Summary) -> str:
    """Three lines for people."""
    return "\n".join(
        [
            f"today       {_line(summary.today)}",
            f"this month  {_line(summary.month)}",
            f"budgets     {check_line(summary.budgets, 100)}",
        ]
    )


def _line(totals: Totals) -> str:
    local = f", {percent(totals.local_answers, totals.answers)} answered locally" if totals.answers else ""
    return f"{cost(totals)}, {count(totals.calls, 'call')}{local}"
