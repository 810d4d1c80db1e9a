"""`mrt top`: the work as it happens."""

from __future__ import annotations

from typing import Any

import click

from mrt.commands._options import Finite
from mrt.commands._shared import ExamplesFirst, common_options, console

EXAMPLES = """
mrt top
mrt top --bell --stuck 5
mrt top --once
mrt top | tee -a mrt.log
mrt top --json | jq '.data.requests[] | select(.state == "stuck")'
"""
_LONGEST_S = 24 * 3600
_LONGEST_MINUTES = 7 * 24 * 60


@click.command("top", cls=ExamplesFirst, examples=EXAMPLES)
@click.option("--once", is_flag=True, help="Show everything once and end; --json does so too.")
@click.option("--stream-json", is_flag=True, help="Print each event as one line of JSON.")
@click.option(
    "--interval",
    type=Finite(0.1, _LONGEST_S),
    metavar="SECONDS",
    help="Between two looks (1). Servers on this machine are visited every 5 seconds, others every 60, or less often.",
)
@click.option(
    "--stuck",
    type=Finite(0, _LONGEST_MINUTES, min_open=True),
    default=10.0,
    metavar="MINUTES",
    help="From which age on a request counts as stuck (10).",
)
@click.option(
    "--bell", is_flag=True, help="Ring the terminal's bell when a budget refuses, or a request is stuck or lost."
)
@common_options
def command(**given: Any) -> int:
    """Watch the work: requests under way, endpoints, the last attempts with their reasons, tokens, money and budgets.

    On a terminal it is drawn in place until q or Ctrl-C; through a pipe each event is a line. It only looks: nothing is loaded,
    woken, run, paid or written.
    """
    from mrt.commands._top_show import Options, show

    return show(console(), Options(**given))
