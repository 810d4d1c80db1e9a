"""`mrt bench grade`: answers from a file, graded without asking a model."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mrt.commands._shared import ExamplesFirst, common_options, console
from mrt.errors import UsageError

if TYPE_CHECKING:
    from mrt.bench.answers import Graded
    from mrt.bench.grading import Run
    from mrt.bench.suites import Suite

EXAMPLES = """
mrt bench grade answers.jsonl
mrt bench grade - --suite my-tasks/ < answers.jsonl
"""


@click.command("grade", cls=ExamplesFirst, examples=EXAMPLES)
@click.argument("file", metavar="FILE|-")
@click.option(
    "--suite", default="all", metavar="NAME|FILE", help="coding, hard, all (the default), a file or a folder."
)
@click.option("--variant", type=click.IntRange(min=0), default=0, metavar="N", help="The variant that was asked (0).")
@click.option("--executor", type=click.Choice(["local", "docker", "podman"]), default="local", help="Where code runs.")
@common_options
def command(file: str, suite: str, variant: int, executor: str) -> None:
    """Grade JSON lines {"task", "answer"}: the answer is a model's whole text, from which the code is taken.

    Every line gets a verdict on stdout: the task, its status, and what was wrong.
    """
    from mrt.bench.suites import suite_of
    from mrt.commands._bench_sandbox import sandbox_for
    from mrt.output.bench import said

    tasks = suite_of(suite, variant)
    answers = list(_read(file, tasks))
    if not answers:
        raise UsageError(f"{file} holds no answer", 'one JSON object a line: {"task": ..., "answer": ...}')
    sandbox = sandbox_for(console(), executor)
    counted: Counter[str] = Counter()
    found = []
    for task, text in answers:
        graded = _graded(tasks, task, text, sandbox.run)
        counted[graded.status] += 1
        found.append(
            {
                "id": task,
                "band": graded.answer.band,
                "status": graded.status,
                "rule": graded.rule,
                "detail": graded.detail,
            }
        )
        if console().mode != "json":
            console().result("  ".join(filter(None, (task, graded.status, said(graded.detail)))))
    if console().mode == "json":
        console().envelope("bench", {"tasks": found, "passed": counted["pass"], "graded": len(found)})
    else:
        console().result(f"{counted['pass']} of {len(found)} pass")


def _read(file: str, suite: Suite) -> Iterator[tuple[str, str]]:
    """Raises UsageError for a line that is no answer to a task of the suite."""
    for number, line in enumerate(_text(file).split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            task, answer = row["task"], row["answer"]
        except (ValueError, KeyError, TypeError):
            raise UsageError(f'{file}:{number} is no {{"task", "answer"}}', "one JSON object a line") from None
        if not isinstance(answer, str) or not isinstance(task, str):
            raise UsageError(f"{file}:{number}: task and answer must be texts", "one JSON object a line")
        if suite.task(task) is None:
            raise UsageError(
                f"{file}:{number}: no task {task!r}", "`mrt bench tasks` lists them; --suite names another suite"
            )
        yield task, answer


def _text(file: str) -> str:
    try:
        if file == "-":
            stream = console().stdin
            return stream.read() if stream is not None else ""
        return Path(file).read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}", "check the name, and that you may read it") from None
    except UnicodeDecodeError:
        raise UsageError(f"{file} is no UTF-8 text", "one JSON object a line, in UTF-8") from None


def _graded(suite: Suite, name: str, text: str, run: Run) -> Graded:
    from mrt.bench.answers import Answer, Heard
    from mrt.bench.run import judge

    task = suite.task(name)
    if task is None:
        raise UsageError(f"no task {name!r}", "`mrt bench tasks` lists them")
    heard = Heard(text, error=None if text.strip() else "empty")
    return judge(task, Answer(task.id, task.band, 0, 0, heard), run)
