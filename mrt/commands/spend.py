"""`mrt spend`: what was spent on what, what is left, and the tools around the spend store."""

from __future__ import annotations

from typing import Any

import click

from mrt.commands._lazy_commands import LazyGroup
from mrt.commands._shared import common_options, console

# Stand here so that help and completion load no command's module; each is MODULE, one line of help.
COMMANDS: dict[str, tuple[str, str]] = {
    "backup": ("_spend_backup", "Copy the store, whole and consistent, while it is in use."),
    "check": ("_spend_check", "One line for scripts: exit 0 within the budgets, 5 over."),
    "doctor": ("_spend_doctor", "Examine the store and say how to mend it."),
    "export": ("_spend_export", "Write the calls as JSON lines, CSV or OpenTelemetry spans."),
    "import": ("_spend_import", "Add the calls of other machines and programs."),
    "log": ("_spend_log", "The last calls and why each went where it went."),
    "prices": ("_spend_prices", "The rates of a model and where they come from."),
    "reprice": ("_spend_reprice", "What booked calls would cost at today's prices."),
    "summary": ("_spend_summary", "Today and this month for dashboards."),
    "why": ("_spend_why", "Why one call cost what it cost."),
}
EXAMPLES = """
mrt spend
mrt spend --week --by day
mrt spend --year --by month --by model
mrt spend --since 2026-01-01 --until 2026-03-31 --by project --csv
mrt spend --html spend.html
mrt spend --json | jq -r .data.total.cost.usd
mrt spend check || echo "no budget left"
"""
PERIODS = ("today", "week", "month", "year", "all")
BY = ("day", "week", "month", "model", "provider", "tier", "tag", "project", "session", "host", "purpose")


@click.group(cls=LazyGroup, lazy=COMMANDS, examples=EXAMPLES, invoke_without_command=True)
@click.option("--today", is_flag=True, help="Today.")
@click.option("--week", is_flag=True, help="This week, from Monday.")
@click.option("--month", is_flag=True, help="This month (the default).")
@click.option("--year", is_flag=True, help="This year.")
@click.option("--all", is_flag=True, help="Since the first call.")
@click.option("--since", metavar="DATE", help="From this day on, as YYYY-MM-DD.")
@click.option("--until", metavar="DATE", help="Up to and including this day.")
@click.option("--by", multiple=True, type=click.Choice(BY), help="Sums by this; may be repeated.")
@click.option("--csv", "as_csv", is_flag=True, help="Print the sums as CSV.")
@click.option("--html", metavar="FILE", help="Also as a page with charts; - writes only the page, to stdout.")
@common_options
@click.pass_context
def command(context: click.Context, /, **given: Any) -> None:
    """Show what was spent: tokens, calls, cost, what is left of the budgets, and where the month is heading.

    What is not known is never shown as zero: "≥ $1.20 (2 calls unpriced)". Days are those of budget.timezone.
    """
    if context.invoked_subcommand is None:
        from mrt.commands._spend_report import Options, show

        periods = tuple(name for name in PERIODS if given.pop(name))
        show(console(), Options(periods=periods, **given))
        return
    if any(given.values()):
        raise click.UsageError(f"the options of the report come without a command: mrt spend {' '.join(_names(given))}")


def _names(given: dict[str, Any]) -> list[str]:
    return ["--csv" if name == "as_csv" else f"--{name}" for name, value in given.items() if value]
