"""`mrt probe models`: what every endpoint has to offer."""

from __future__ import annotations

import click

from mrt.commands._shared import ExamplesFirst, common_options, console

EXAMPLES = """
mrt probe models
mrt probe models --endpoint ollama
mrt ask -m "$(mrt probe models --names | fzf)" "hello"
"""


@click.command("models", cls=ExamplesFirst, examples=EXAMPLES)
@click.option("--endpoint", metavar="NAME", help="Only those of this endpoint.")
@click.option("--names", is_flag=True, help="Print ENDPOINT/MODEL alone, one a line.")
@click.option("--cached", is_flag=True, help="Ask nobody: list what the last probes saw.")
@common_options
def command(endpoint: str | None, names: bool, cached: bool) -> int:
    """List the models of all endpoints: context, size, what each can do, and whether it is loaded.

    Ends with 3 when no endpoint answers, or not the one that --endpoint names.
    """
    from mrt.commands._probe_list import Options, list_models

    return list_models(console(), Options(endpoint, names, cached))
