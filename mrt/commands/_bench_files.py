"""Reports into files: CSV, Markdown, one page of HTML."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mrt.commands._files import refuse_unwritable, write_file
from mrt.errors import UsageError

if TYPE_CHECKING:
    from mrt.bench.report import Report

_STDOUT = Path("-")


def write_files(reports: Sequence[Report], csv_file: Path | None, md_file: Path | None, html_file: Path | None) -> None:
    """Write what was asked for. Raises UsageError for a file that cannot be written."""
    if csv_file:
        from mrt.output.bench_csv import csv_text

        _write(csv_file, csv_text(reports))
    if md_file:
        from mrt.output.bench_csv import markdown

        _write(md_file, markdown(reports))
    if html_file:
        from mrt.output.bench_html import page

        _write(html_file, page(reports, _prompts(reports), _answers(reports)))


def refuse_files(csv_file: Path | None, md_file: Path | None, html_file: Path | None) -> None:
    """Raises UsageError for a file that cannot be written, before anything is measured for it."""
    for option, path in (("--csv", csv_file), ("--md", md_file), ("--html", html_file)):
        if path == _STDOUT:
            raise UsageError(
                f"{option} - would mix with the report, which goes to stdout", f"name a file: {option} FILE"
            )
        if path:
            refuse_unwritable(path)


def _write(path: Path, text: str) -> None:
    write_file(path, text, "the run is kept: mrt bench report last")


def _prompts(reports: Sequence[Report]) -> dict[tuple[str, int, str], str]:
    """The prompt of each task by suite, variant and id; without those of suites that are not there any more."""
    from mrt.bench.suites import suite_of

    found = {}
    for suite, variant in {(report.run.suite, report.run.variant) for report in reports}:
        try:
            tasks = suite_of(suite, variant).tasks
        except UsageError:
            continue
        found.update({(suite, variant, task.id): task.prompt for task in tasks})
    return found


def _answers(reports: Sequence[Report]) -> dict[tuple[str, str], str]:
    """The text of the answer behind each verdict that is shown, by run and task."""
    return {(report.run.id, task.task): task.worst.answer.heard.text for report in reports for task in report.tasks}
