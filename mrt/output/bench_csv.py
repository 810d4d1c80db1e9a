"""Runs of `mrt bench` as CSV, a line for each task, and as Markdown to paste."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from mrt.output.bench import COMPLEXITIES, bill_line, interval, percent, said, speed_line, suite_name, trust_line
from mrt.output.csv_text import csv_line

if TYPE_CHECKING:
    from mrt.bench.report import Report, TaskResult

COLUMNS = (
    *("run_id", "model", "suite", "variant", "task", "band", "sample", "status", "rule", "seconds", "input_tokens"),
    *("output_tokens", "tokens_per_second", "ttft_ms", "cost_state", "cost_nano"),
)
# A cell that begins so is a formula to a spreadsheet.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_text(reports: Sequence[Report]) -> str:
    """A line for each answer; what is not known is empty. Costs are nano-dollars."""
    lines = [csv_line(COLUMNS)]
    lines += [csv_line(map(_cell, row)) for report in reports for row in _rows(report)]
    return "\n".join(lines) + "\n"


def _cell(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _rows(report: Report) -> Iterator[tuple[object, ...]]:
    run = report.run
    for task in report.tasks:
        for one in task.answers:
            heard = one.answer.heard
            yield (
                *(run.id, run.model, suite_name(run.suite), run.variant, task.task, task.band, one.answer.sample),
                *(one.status, one.rule, heard.seconds, heard.input_tokens, heard.output_tokens),
                *(heard.tokens_per_second, heard.ttft_ms, heard.cost_state, heard.cost_nano),
            )


def markdown(reports: Sequence[Report]) -> str:
    """A card for each run: the bands, what did not pass, and how it was measured."""
    return "\n".join(line for report in reports for line in _card(report))


def _card(report: Report) -> Iterator[str]:
    run = report.run
    yield f"## {_plain(run.model)}"
    yield ""
    if run.environment.get("unsafe"):
        yield "**UNSAFE: this code ran on the machine without a sandbox.**\n"
    if not report.complete:
        yield f"**Incomplete: {report.overall.graded} of {report.planned} graded.**\n"
    yield "| band | passed | rate | 95 % interval |"
    yield "|---|---:|---:|---:|"
    for band in (*report.bands, report.overall):
        name = COMPLEXITIES.get(band.band, "all")
        yield f"| {name} | {band.passed} of {band.graded} | {percent(band.rate.value)} | {interval(band.rate)} |"
    yield ""
    yield from (f"- {line}" for line in (trust_line(report.thresholds), speed_line(report.speed)))
    yield f"- {bill_line(report.bill, len(report.tasks))}"
    yield from _failed(report.tasks)
    layers = ", ".join(run.environment.get("layers", ()))
    where = f"{run.environment.get('kind', '?')} on {run.environment.get('system', '?')}"
    suite = f"suite {suite_name(run.suite)} ({run.digest}), variant {run.variant}, samples {run.samples}"
    yield f"- run `{run.id}`, {suite}, {where}; sandbox: {layers}"
    yield ""


def _failed(tasks: Sequence[TaskResult]) -> Iterator[str]:
    for task in tasks:
        if task.status != "pass":
            yield f"- {task.status}: {task.task}" + (
                f" ({_plain(said(task.worst.detail, 100))})" if task.worst.detail else ""
            )


def _plain(text: str) -> str:
    """Foreign text that is no markup."""
    return "".join(f"\\{mark}" if mark in "\\`*_{}[]<>|#" else mark for mark in text)
