"""`mrt demo`: a first minute, with the real commands and scripted model servers of its own."""

from __future__ import annotations

import click

from mrt.commands._shared import ExamplesFirst, common_options, console

EXAMPLES = """
mrt demo
mrt demo --engine
mrt demo --json | jq -r '.data.steps[] | [.exit_code, .command] | @tsv'
"""


@click.command(cls=ExamplesFirst, examples=EXAMPLES)
@click.option(
    "--engine", is_flag=True, help="Let llama.cpp itself answer for the local tiers: pip install 'mrt[engine]'."
)
@common_options
def command(engine: bool) -> int:
    """Show what mrt does in a few seconds: its real commands, asking SIMULATED models.

    The model servers are scripts on 127.0.0.1 that come with mrt. No model, no key and no network is needed, no money is
    spent; your configuration, your spend store and your keys are not read, and nothing is left behind.

    Ends with 1 when a command of the demo does not end as it should.
    """
    from mrt.commands._demo_show import show

    return show(console(), engine)
