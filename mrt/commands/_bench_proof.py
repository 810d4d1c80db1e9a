"""`mrt bench proof`: what the graders accept and reject."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mrt.commands._shared import ExamplesFirst, common_options, console
from mrt.errors import ExitCode, QualityError, UsageError
from mrt.output import Console

if TYPE_CHECKING:
    from mrt.bench.proof import Summary, TaskProof

EXAMPLES = """
mrt bench proof --task lru-cache
mrt bench proof --suite my-tasks/
"""
LEAST_KILLED = 0.98


@click.command("proof", cls=ExamplesFirst, examples=EXAMPLES)
@click.option("--task", "names", multiple=True, metavar="ID", help="Only this task; may be repeated.")
@click.option(
    "--suite", default="all", metavar="NAME|FILE", help="coding, hard, all (the default), a file or a folder."
)
@common_options
def command(names: tuple[str, ...], suite: str) -> int:
    """Prove the graders: right solutions pass, every changed reference, known bug and empty answer is rejected. Takes minutes.

    Exit 7 when something is accepted that is wrong, or refused that is right.
    """
    from mrt.bench.proof import prove, summary
    from mrt.bench.suites import suite_of
    from mrt.commands._bench_sandbox import sandbox_for

    tasks = [task for task in suite_of(suite).tasks if not names or task.id in names]
    missing = {*names} - {task.id for task in tasks}
    if missing:
        raise UsageError(f"no task {sorted(missing)[0]!r}", "`mrt bench tasks` lists them")
    sandbox = sandbox_for(console())
    proofs = []
    for task in tasks:
        console().detail(f"{task.id} ...")
        with console().waiting(f"{task.id} ..."):
            proofs.append(prove(task, sandbox.run))
    found = summary(proofs)
    problem = QualityError(f"{len(found.faults)} faults in the graders") if found.faults else None
    _show(console(), proofs, found)
    if problem is None:
        return ExitCode.OK
    console().failure(problem)
    return int(problem.exit_code)


def _show(console: Console, proofs: list[TaskProof], found: Summary) -> None:
    from dataclasses import asdict

    from mrt.output.columns import columns
    from mrt.output.spend_money import count

    if console.mode == "json":
        data = {**asdict(found), "kill_rate": found.kill_rate, "by_task": [asdict(proof) for proof in proofs]}
        console.envelope("bench", data)
        return
    heads = ("task", "cases", "right", "mutants", "killed", "equivalent", "bugs", "controls", "faults")
    rows = [(proof.task, *_counts(proof), str(len(proof.faults))) for proof in proofs]
    rows.append((count(found.tasks, "task"), *_counts(found), str(len(found.faults))))
    console.result("\n".join(columns(heads, rows, (False, *(True,) * 8))))
    rate = found.kill_rate
    if rate is not None:
        console.result(
            f"\n{100 * rate:.1f} % of the changes that matter are rejected ({100 * LEAST_KILLED:.0f} % are asked for)"
        )
    for fault in found.faults:
        console.result(fault)


def _counts(one: TaskProof | Summary) -> tuple[str, ...]:
    return tuple(
        str(getattr(one, name)) for name in ("cases", "right", "mutants", "killed", "equivalent", "bugs", "controls")
    )
