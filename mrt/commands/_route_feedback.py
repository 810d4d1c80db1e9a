"""`mrt route feedback`: say whether an answer was good, so that the next decision knows."""

from __future__ import annotations

import click

from mrt.commands._shared import ExamplesFirst, common_options, console

EXAMPLES = """
mrt route feedback bad
mrt route feedback good 01a31865
mrt route feedback bad "$(mrt ask --json "..." | jq -r .data.id)"
"""


@click.command("feedback", cls=ExamplesFirst, examples=EXAMPLES)
@click.argument("verdict", type=click.Choice(["good", "bad"]))
@click.argument("identifier", metavar="[ID]", required=False)
@common_options
def command(verdict: str, identifier: str | None) -> None:
    """Say whether the answer ID was good, or without ID the last one. It takes the place of what the checks said.

    ID is the beginning of the id of an answer (the `id` of `mrt ask --json`) or of one of its calls (`mrt spend log`).
    """
    from contextlib import closing

    from mrt.config import load, store_path
    from mrt.errors import UsageError
    from mrt.ledger.feedback import give_feedback
    from mrt.ledger.store import open_store
    from mrt.output.route_learn import show_feedback

    load(console().environment, console().config_path)
    path = store_path(console().environment)
    if not path.exists():
        raise UsageError("there is no answer to judge yet", 'ask something first: mrt ask "your question"')
    with closing(open_store(path)) as store:
        call = give_feedback(store, identifier, failed=verdict == "bad")
    show_feedback(console(), call, failed=verdict == "bad")
