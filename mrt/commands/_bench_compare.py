"""`mrt bench compare`: several runs side by side."""

from __future__ import annotations

from collections.abc import Sequence

import click

from mrt.commands._shared import ExamplesFirst, common_options, console
from mrt.output import Console

EXAMPLES = """
mrt bench compare 20261121-1501 20261121-1502 20261121-1503
"""


@click.command("compare", cls=ExamplesFirst, examples=EXAMPLES)
@click.argument("runs", nargs=-1, required=True, metavar="RUN RUN...")
@common_options
def command(runs: tuple[str, ...]) -> None:
    """Compare runs over the same tasks, pair by pair; p-values are corrected for looking at several (Holm)."""
    if len(runs) < 2:
        raise click.UsageError("name two runs or more; `mrt bench report` lists them")
    show(console(), runs)


def show(console: Console, runs: Sequence[str]) -> None:
    """Read, compare, show."""
    from mrt.bench.comparison import all_pairs
    from mrt.commands._bench_read import reports_of
    from mrt.output.bench_list import show_comparisons

    reports = reports_of(console, runs)
    show_comparisons(console, reports, *all_pairs(reports))
