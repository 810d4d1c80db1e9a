"""`mrt bench replay`: a cascade from stored answers."""

from __future__ import annotations

import click

from mrt.commands._shared import ExamplesFirst, common_options, console
from mrt.errors import UsageError

EXAMPLES = """
mrt bench replay LOCAL_RUN PAID_RUN
mrt bench replay LOCAL_RUN MIDDLE_RUN PAID_RUN --json
"""


@click.command("replay", cls=ExamplesFirst, examples=EXAMPLES)
@click.argument("runs", nargs=-1, required=True, metavar="RUN RUN...")
@common_options
def command(runs: tuple[str, ...]) -> None:
    """Say what a cascade of these runs' models, the lowest tier first, would have solved and cost, for every threshold.

    Answers come from the runs, no model is asked. The quality gate is that of `mrt ask`, without the check of probabilities; how
    often it let a wrong answer through, or sent a right one up, stands below.
    """
    from mrt.bench.comparison import compared
    from mrt.bench.replay import gate_report, outcomes, played
    from mrt.bench.report import report_of
    from mrt.bench.suites import suite_of
    from mrt.commands._bench_read import kept
    from mrt.output.bench_replay import show_replay

    if len(runs) < 2:
        raise click.UsageError("name the runs of two models or more; `mrt bench report` lists them")
    found = kept(console(), runs)
    reports = [report_of(run, graded) for run, graded in found]
    for report in reports[1:]:
        compared(reports[0], report)
    run = reports[0].run
    prompts = {task.id: task.prompt for task in suite_of(run.suite, run.variant).tasks}
    tasks = played([graded for _, graded in found], prompts)
    if not tasks:
        raise UsageError("the runs share no graded task", "go on with one: mrt bench --resume RUN")
    gates = [gate_report(tasks, number) for number in range(len(reports))]
    show_replay(console(), reports, list(outcomes(tasks, len(reports))), gates)
