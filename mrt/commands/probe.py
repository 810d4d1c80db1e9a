"""`mrt probe`: every model server on this machine and beyond, known in a second."""

from __future__ import annotations

from typing import Any

import click

from mrt.commands._lazy_commands import LazyGroup
from mrt.commands._options import SECONDS
from mrt.commands._shared import common_options, console

COMMANDS = {
    "doctor": ("_probe_doctor", "Examine everything mrt needs, and say what mends it."),
    "models": ("_probe_models", "List the models of all endpoints."),
}
EXAMPLES = """
mrt probe
mrt probe models --endpoint ollama
mrt probe --wait --tier local-fast --timeout 120 && mrt ask "hello"
mrt probe --deep ollama/qwen2.5-coder:7b
mrt probe --json | jq '.data.endpoints[] | {name, state}'
"""


@click.group(cls=LazyGroup, lazy=COMMANDS, examples=EXAMPLES, invoke_without_command=True)
@click.option("--endpoint", metavar="NAME", help="Only this endpoint.")
@click.option("--tier", metavar="TIER", help="Only the endpoint of this tier.")
@click.option("--wait", is_flag=True, help="Wait until it is ready: all tiers, or what --endpoint or --tier names.")
@click.option(
    "--timeout",
    type=SECONDS,
    metavar="SECONDS",
    help="For each endpoint (2, elsewhere than on this machine 5); with --wait for all of it (300); with --deep for each model.",
)
@click.option("--watch", is_flag=True, help="Look again and again, until Ctrl-C.")
@click.option("--interval", type=SECONDS, metavar="SECONDS", help="Between two looks of --watch (2).")
@click.option(
    "--deep",
    is_flag=False,
    flag_value="",
    metavar="[MODEL]",
    help="Ask every tier's model, or this one, some tiny questions to see what it can do.",
)
@click.option("-y", "--yes", is_flag=True, help="Let --deep spend money on paid models without a question.")
@common_options
@click.pass_context
def command(context: click.Context, /, **given: Any) -> int:
    """Find the model servers: the configured ones, this machine's usual ports, and clouds with a key.

    Nothing is loaded, unloaded, woken or run, and nothing is paid, unless --deep asks for it. Ends with 0 when the endpoint
    of every tier is ready, and with 3 when one is not.
    """
    if context.invoked_subcommand is None:
        with console().waiting(
            "looking at the servers ..."
        ):  # from the start: what loads now takes longer than a blink
            from mrt.commands._probe_show import Options, show

        return show(console(), Options(**given))
    if any(value not in (None, False) for value in given.values()):
        raise click.UsageError(
            f"the options of the probe come without a command: mrt probe --help, not {context.invoked_subcommand}"
        )
    return 0
