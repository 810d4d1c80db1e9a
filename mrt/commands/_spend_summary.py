"""`mrt spend summary`: today and this month, for dashboards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mrt.commands._shared import ExamplesFirst, common_options, console

if TYPE_CHECKING:
    from mrt.output import Console
    from mrt.output.spend_summary import Summary

EXAMPLES = """
mrt spend summary --json
mrt spend summary --json | jq -r '.data.today.cost.usd'
"""


@click.command("summary", cls=ExamplesFirst, examples=EXAMPLES)
@common_options
def command() -> None:
    """Show what today and this month came to, in all, by tier and by model, and how the budgets stand."""
    from mrt.output.spend_summary import summary_data, summary_text

    summary = summary_now(console())
    if console().mode == "json":
        console().envelope("spend", summary_data(summary))
    else:
        console().result(summary_text(summary))


def summary_now(to: Console) -> Summary:
    """The summary of this moment. Raises ConfigError and StoreError."""
    from mrt.commands._spend_period import span_of
    from mrt.commands._spend_report import limits_now
    from mrt.commands._spend_store import opened
    from mrt.ledger.queries import groups, total
    from mrt.ledger.report import budget_lines
    from mrt.output.spend_summary import Summary

    with opened(to) as at:
        today, month = (span_of((name,), None, None, at.today) for name in ("today", "month"))
        return Summary(
            date=at.today,
            timezone=at.timezone,
            today=total(at.store, today),
            month=total(at.store, month),
            tiers=tuple(groups(at.store, month, ("tier",))),
            models=tuple(groups(at.store, month, ("model",))),
            budgets=budget_lines(at.store, limits_now(at)),
            soft_pct=at.config.budget.soft_pct,
        )
