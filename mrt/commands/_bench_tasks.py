"""`mrt bench tasks`: what models are asked."""

from __future__ import annotations

import click

from mrt.commands._shared import ExamplesFirst, common_options, console
from mrt.errors import UsageError

EXAMPLES = """
mrt bench tasks
mrt bench tasks lru-cache
mrt bench tasks --suite my-tasks/ --variant 2
"""


@click.command("tasks", cls=ExamplesFirst, examples=EXAMPLES)
@click.argument("task", required=False)
@click.option(
    "--suite", default="all", metavar="NAME|FILE", help="coding, hard, all (the default), a file or a folder."
)
@click.option("--variant", type=click.IntRange(min=0), default=0, metavar="N", help="Another variant (0).")
@common_options
def command(task: str | None, suite: str, variant: int) -> None:
    """List the tasks of a suite; with TASK show its prompt, word for word as models get it."""
    from mrt.bench.suites import suite_of
    from mrt.output.columns import columns

    tasks = suite_of(suite, variant).tasks
    if task is not None:
        tasks = tuple(one for one in tasks if one.id == task)
        if not tasks:
            raise UsageError(f"no task {task!r}", "`mrt bench tasks` lists them")
    if console().mode == "json":
        keys = ("id", "band", "kind", "entry", "prompt")
        console().envelope("bench", {"tasks": [{key: getattr(one, key) for key in keys} for one in tasks]})
    elif task is not None:
        console().result(tasks[0].prompt)
    else:
        rows = [(str(one.band), one.id, one.entry, str(len(one.rules))) for one in tasks]
        console().report("\n".join(columns(("band", "task", "defines", "rules"), rows, (True, False, False, True))))
