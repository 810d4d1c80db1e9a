"""`mrt probe doctor` and `mrt doctor`: what is wrong, and the command that mends it."""

from __future__ import annotations

import click

from mrt.commands._shared import ExamplesFirst, common_options, console

EXAMPLES = """
mrt doctor
mrt doctor --json | jq -r '.data.findings[] | select(.level == "problem") | .hint'
"""


@click.command("doctor", cls=ExamplesFirst, examples=EXAMPLES)
@common_options
@click.pass_context
def command(context: click.Context, /) -> int:
    """Examine Python, the configuration, keys, endpoints, tiers, GPUs, the store, file modes, the clock and the terminal.

    Every problem comes with the command that mends it. -v also says where each setting comes from. Ends with 0 when nothing
    is in the way, and with 3 when something is.
    """
    from mrt.commands._probe_examine import examine

    return examine(console(), context.command_path.split()[1])
