"""`mrt export litellm`: the tiers as a LiteLLM proxy's configuration."""

from __future__ import annotations

from pathlib import Path

import click

from mrt.commands._shared import ExamplesFirst, common_options, console

EXAMPLES = """
mrt export litellm
mrt export litellm --output litellm.yaml
litellm --config litellm.yaml --host 127.0.0.1
"""


@click.command("litellm", cls=ExamplesFirst, examples=EXAMPLES)
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Write it there (- is stdout).")
@click.option("--force", is_flag=True, help="Replace a file that exists.")
@click.option("--allow-unpriced", is_flag=True, help="Open models of unknown price in spite of the budget.")
@common_options
def command(output: Path | None, force: bool, allow_unpriced: bool) -> None:
    """Print the configuration of a LiteLLM proxy with a group of models for each tier.

    Fallbacks go up the ladder; prices are those mrt counts with; budgets are such as LiteLLM holds without a database. Keys stay
    in the environment of the proxy: the head of the file names the variables.
    """
    import time

    from mrt.cascade.prices import asked_at, rates_for
    from mrt.commands._export_show import refuse, show
    from mrt.commands._settings import configured
    from mrt.exports.litellm import export_litellm

    environment = console().environment
    config, now = configured(console()), time.time()
    refuse(output, force, config)
    export = export_litellm(
        config,
        environment,
        lambda target: rates_for(asked_at(target, now), config, environment),
        allow_unpriced,
    )
    show(console(), "litellm", export, output)
