"""`mrt spend reprice`: what the prices of today would have made of booked calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mrt.commands._shared import ExamplesFirst, common_options, console
from mrt.errors import UsageError

if TYPE_CHECKING:
    from mrt.commands._spend_store import Opened
    from mrt.ledger.reprice import Difference, FindRates, Sent
    from mrt.pricing import Rates

EXAMPLES = """
mrt spend reprice --dry-run
mrt spend reprice --dry-run --since 2026-01-01 --json
"""


@click.command("reprice", cls=ExamplesFirst, examples=EXAMPLES)
@click.option("--dry-run", is_flag=True, help="Show the differences; there is nothing else it does.")
@click.option("--since", metavar="DATE", help="Only calls that began on this day or later.")
@common_options
def command(dry_run: bool, since: str | None) -> None:
    """Show which booked calls would cost something else by today's price tables and configuration.

    Each call is priced as of its own day. Nothing is changed: a booked call keeps its cost and the rates it was made of.
    """
    from mrt.commands._spend_period import parse_day
    from mrt.commands._spend_store import opened
    from mrt.ledger.queries import Span, bounds_us
    from mrt.ledger.reprice import differences

    if not dry_run:
        raise UsageError("booked calls keep their cost", "`mrt spend reprice --dry-run` shows what would differ")
    day = None if since is None else parse_day(since, "--since")
    with opened(console()) as at:
        start_us = 0 if day is None else bounds_us(Span(day, day), at.timezone)[0]
        found = differences(at.store, _finder(at), start_us)
    _show(found)


def _finder(at: Opened) -> FindRates:
    from mrt.cascade.prices import asked_as, rates_for
    from mrt.domain import Target
    from mrt.endpoints import resolve

    environment = console().environment

    def find(sent: Sent) -> Rates | None:
        try:
            target = resolve(f"{sent.endpoint}/{sent.model}", at.config, environment)
        except UsageError:  # an endpoint that is configured no more has the user's prices, if any
            target = Target(sent.endpoint, sent.model, "openai", "chat", "", local=False)
        return rates_for(asked_as(target, sent.moment, sent.record), at.config, environment, sent.served)

    return find


def _show(found: list[Difference]) -> None:
    from mrt.domain import usd
    from mrt.output.columns import columns
    from mrt.output.spend_money import amount

    if console().mode == "json":
        data = [
            {
                "model": one.model,
                "calls": one.calls,
                "booked_usd": None if one.unpriced_calls else usd(one.booked_nano),
                "unpriced_calls": one.unpriced_calls,
                "now_usd": usd(one.now_nano),
            }
            for one in found
        ]
        console().envelope("spend", {"dry_run": True, "differences": data})
    elif found:
        rows = [[one.model, f"{one.calls:,}", _booked(one), amount(one.now_nano)] for one in found]
        console().result("\n".join(columns(("model", "calls", "booked", "today"), rows, (False, True, True, True))))
    else:
        console().result("no call would cost anything else")


def _booked(one: Difference) -> str:
    from mrt.output.spend_money import amount, count

    if not one.unpriced_calls:
        return amount(one.booked_nano)
    known = f"{amount(one.booked_nano)} and " if one.booked_nano else ""
    return f"{known}{count(one.unpriced_calls, 'call')} unpriced"
