"""`mrt spend check`: whether the budgets hold, in one line."""

from __future__ import annotations

import click

from mrt.commands._shared import ExamplesFirst, common_options, console

EXAMPLES = """
mrt spend check && ./nightly-job
mrt spend check --warn-at 80 -q || notify-send "budget nearly used"
"""


@click.command("check", cls=ExamplesFirst, examples=EXAMPLES)
@click.option(
    "--warn-at",
    metavar="PCT",
    type=click.IntRange(1, 100),
    default=100,
    help="Take a budget for used up from this percent on (100).",
)
@common_options
def command(warn_at: int) -> int:
    """Print one line and end with 0 while every budget has something left, with 5 when one has not.

    What is reserved for calls under way counts as used, a call of unknown cost for the most it can cost. 5 is also the end where
    the store cannot be read: then nothing is on stdout, and the error's code under --json is `store`, not `budget`.
    """
    from mrt.commands._spend_report import limits_now
    from mrt.commands._spend_store import opened
    from mrt.errors import BudgetError, ExitCode
    from mrt.ledger.report import budget_lines
    from mrt.output.spend_check import check_line, over
    from mrt.output.spend_data import budget_data

    with opened(console()) as at:
        lines = budget_lines(at.store, limits_now(at))
    exceeded = over(lines, warn_at)
    text = check_line(lines, warn_at)
    if console().mode == "json":
        data = {"within": not exceeded, "warn_at": warn_at, "budgets": [budget_data(line) for line in lines]}
        errors = [BudgetError(text, "`mrt spend` shows what it went to")] if exceeded else []
        console().envelope("spend", data, errors)
    else:
        console().result(text)
    return ExitCode.BUDGET if exceeded else ExitCode.OK
