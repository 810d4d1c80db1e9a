"""`mrt bench diff`: is one of two runs better?"""

from __future__ import annotations

import click

from mrt.commands._shared import ExamplesFirst, common_options, console

EXAMPLES = """
mrt bench diff 20261120-09 20261121-15
mrt bench diff 20261120-09 last --json | jq .data.pairs[0].only_second
"""


@click.command("diff", cls=ExamplesFirst, examples=EXAMPLES)
@click.argument("first")
@click.argument("second")
@common_options
def command(first: str, second: str) -> None:
    """Compare two runs over the same tasks with McNemar's exact test, and name the tasks that only one of them solved."""
    from mrt.commands._bench_compare import show

    show(console(), (first, second))
