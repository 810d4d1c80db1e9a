"""`mrt spend prices`: what a model costs, by whose word, and where the sources differ."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from mrt.commands._shared import ExamplesFirst, common_options, console

if TYPE_CHECKING:
    from mrt.ledger.price_update import Update

EXAMPLES = """
mrt spend prices claude-haiku-4-5
mrt spend prices deepseek/deepseek-chat --sources
mrt spend prices cloud --json | jq .data.rates
mrt spend prices --update
"""


@click.command("prices", cls=ExamplesFirst, examples=EXAMPLES)
@click.argument("model", required=False)
@click.option("--sources", is_flag=True, help="Compare what each source says.")
@click.option("--update", is_flag=True, help='Fetch the current table first; needs the extra "prices".')
@common_options
def command(model: str | None, sources: bool, update: bool) -> None:
    """Show the rates of MODEL: a tier, an alias or PROVIDER/MODEL; a model that one provider alone sells needs no PROVIDER.

    They are dollars per million tokens. A price in [prices] of the config wins over the table; a price the server reports
    with its answer wins over both. Nothing is fetched but with --update.
    """
    if model is None and not update:
        raise click.UsageError("name a model: mrt spend prices PROVIDER/MODEL")
    updated = _update() if update else None
    from mrt.output.prices import show_prices, show_update

    if updated is not None and model is not None:
        console().note(f"the price tables are now those of {updated.source}")
    elif updated is not None:
        show_update(console(), updated)
        return
    from mrt.commands._price_view import view

    show_prices(console(), view(str(model), console(), datetime.now(UTC)), sources=sources)


def _update() -> Update:
    from mrt.config import data_directory
    from mrt.ledger.price_update import update_prices

    return update_prices(data_directory(console().environment), datetime.now(UTC))
