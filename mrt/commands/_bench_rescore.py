"""`mrt bench rescore`: the answers of a run graded again, without asking again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from mrt.commands._shared import ExamplesFirst, common_options, console

if TYPE_CHECKING:
    from mrt.bench.suites import Suite

EXAMPLES = """
mrt bench rescore last
"""


@click.command("rescore", cls=ExamplesFirst, examples=EXAMPLES)
@click.argument("run")
@click.option("--executor", type=click.Choice(["local", "docker", "podman"]), default="local", help="Where code runs.")
@common_options
def command(run: str, executor: str) -> None:
    """Grade the stored answers of RUN with the tasks as they are now, keep the verdicts, and name those that changed."""
    from mrt.bench.answers import Graded
    from mrt.bench.journal import Journal, path_of, read
    from mrt.bench.report import latest
    from mrt.bench.run import judge
    from mrt.bench.suites import suite_of
    from mrt.commands._bench_main import runs_folder
    from mrt.commands._bench_read import reports_of
    from mrt.commands._bench_sandbox import sandbox_for
    from mrt.output.bench import show_reports

    path = path_of(runs_folder(console()), run)
    kept, graded = read(path)
    suite = suite_of(kept.suite, kept.variant)
    changed = _changed(kept.environment.get("prompts", {}), suite)
    if changed:
        console().warn(f"asked otherwise now, so their answers keep their verdicts: {', '.join(changed)}")
    journal, sandbox = Journal(path), sandbox_for(console(), executor)
    journal.go_on()
    seed = int(kept.environment["seed"])
    for before in latest(graded):
        task = None if before.answer.task in changed else suite.task(before.answer.task)
        after: Graded = judge(task, before.answer, sandbox.run, seed) if task else before
        if after.status == "sandbox_error":
            console().warn(f"{before.answer.task} could not be graded, and keeps its verdict: {after.detail}")
            continue
        if (after.status, after.rule) != (before.status, before.rule):
            console().note(f"{before.answer.task}: {before.status} -> {after.status}")
        if after != before:
            journal.add(after)
    show_reports(console(), reports_of(console(), (str(path),)))


def _changed(prompts: Mapping[str, str], suite: Suite) -> list[str]:
    """The tasks that are not there any more, or whose prompt is another one."""
    now = suite.prompts
    return [task for task, digest in prompts.items() if now.get(task) != digest]
