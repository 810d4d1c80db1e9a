"""`mrt spend why`: everything that is booked of one prompt."""

from __future__ import annotations

import click

from mrt.commands._shared import ExamplesFirst, common_options, console

EXAMPLES = """
mrt spend log
mrt spend why 019aa3f0
mrt spend why "$(mrt ask --json hi | jq -r .data.id)"
"""


@click.command("why", cls=ExamplesFirst, examples=EXAMPLES)
@click.argument("identifier", metavar="ID")
@common_options
def command(identifier: str) -> None:
    """Show why the call ID cost what it cost: each tier's tokens, rates, reservation and settlement.

    ID is the beginning of the id of a call, or of an answer (the `id` of `mrt ask --json`).
    """
    from mrt.budget import zone
    from mrt.commands._spend_store import opened
    from mrt.ledger.lookup import operation
    from mrt.output.spend_call import call_data, why_text

    with opened(console()) as at:
        rows = operation(at.store, identifier)
    if console().mode == "json":
        console().envelope("spend", {"operation": rows[0]["operation_id"], "calls": [call_data(row) for row in rows]})
    else:
        console().report(why_text(rows, zone(at.timezone)))
