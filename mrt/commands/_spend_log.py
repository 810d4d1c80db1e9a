"""`mrt spend log`: the last calls, with the decision that led to each."""

from __future__ import annotations

import click

from mrt.commands._shared import ExamplesFirst, common_options, console

EXAMPLES = """
mrt spend log
mrt spend log -n 100 --since 2026-01-01
mrt spend log --json | jq '.data.calls[] | select(.outcome != "accepted")'
"""


@click.command("log", cls=ExamplesFirst, examples=EXAMPLES)
@click.option("-n", "--number", default=20, type=click.IntRange(1, 1_000_000), help="How many, newest first (20).")
@click.option("--since", metavar="DATE", help="None that began before this day.")
@common_options
def command(number: int, since: str | None) -> None:
    """List the last calls of this store: when, where, how they ended, what they cost, and why they went there."""
    from mrt.budget import zone
    from mrt.commands._spend_period import parse_day
    from mrt.commands._spend_store import opened
    from mrt.ledger.lookup import last_calls
    from mrt.ledger.queries import Span, bounds_us
    from mrt.output.console import is_terminal
    from mrt.output.spend_call import call_data, log_text

    day = None if since is None else parse_day(since, "--since")
    with opened(console()) as at:
        since_us = None if day is None else bounds_us(Span(day, day), at.timezone)[0]
        rows = last_calls(at.store, number, since_us)
    if console().mode == "json":
        console().envelope("spend", {"calls": [call_data(row) for row in rows]})
    elif rows:
        console().report(log_text(rows, zone(at.timezone), short=is_terminal(console().stdout)))
    else:
        console().note("no call is booked")
