"""`mrt route learn`: what past outcomes changed, and how to go back to before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mrt.commands._shared import ExamplesFirst, common_options, console

if TYPE_CHECKING:
    from mrt.ledger import Store

EXAMPLES = """
mrt route learn --status
mrt route learn --json | jq '.data.models[] | {model, n}'
mrt route learn --rollback
"""


@click.command("learn", cls=ExamplesFirst, examples=EXAMPLES)
@click.option("--status", is_flag=True, help="Show what was learned of each model (the default).")
@click.option("--rollback", is_flag=True, help="Ignore all outcomes up to now: decisions are as before learning.")
@click.option("--resume", is_flag=True, help="Undo --rollback: all outcomes count again.")
@common_options
def command(status: bool, rollback: bool, resume: bool) -> None:
    """Show what past outcomes changed: P(fail) before and now, and how well each foretold what came.

    Outcomes are asks that were accepted or turned down, your feedback, and tasks of the bench. A model's newest 400 count, from
    25 on, of the bench at most 200; one that is 200 younger counts twice as much, and those from before a break, where the
    newest ones contradict all earlier ones, not at all.
    """
    from mrt.errors import UsageError

    if status + rollback + resume > 1:
        raise UsageError("--status, --rollback and --resume contradict each other", "give one of them")
    if rollback or resume:
        _set_back(resume)
    else:
        _status()


def _status() -> None:
    from contextlib import closing

    from mrt.cascade.lessons import lessons
    from mrt.config import load, store_path
    from mrt.ledger.readonly import open_to_read
    from mrt.output.route_learn import show_lessons
    from mrt.router.risk import ENOUGH

    config = load(console().environment, console().config_path)
    path = store_path(console().environment)
    if path.exists():
        with closing(open_to_read(path)) as store:
            found = lessons(store, config, console().environment)
    else:
        found = lessons(None, config, console().environment)
    show_lessons(console(), found, ENOUGH)


def _set_back(resume: bool) -> None:
    from contextlib import closing

    from mrt.config import load, store_path
    from mrt.ledger.store import open_store
    from mrt.output.route_learn import show_rollback

    load(console().environment, console().config_path)
    path = store_path(console().environment)
    if not path.exists():
        show_rollback(console(), None, "nothing was learned yet")
        return
    with closing(open_store(path)) as store:
        moment_us, said = _resumed(store) if resume else _rolled_back(store)
    show_rollback(console(), moment_us, said)


def _rolled_back(store: Store) -> tuple[int | None, str]:
    from mrt.ledger.outcomes import roll_back

    moment_us = roll_back(store)
    return moment_us, "outcomes up to now are ignored; to let them count again: mrt route learn --resume"


def _resumed(store: Store) -> tuple[int | None, str]:
    from mrt.ledger.outcomes import resume

    return None, "all outcomes count again" if resume(store) else "all outcomes count already"
