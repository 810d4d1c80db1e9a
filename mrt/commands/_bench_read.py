"""Runs that were made before, as the commands that look at them need them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mrt.commands._bench_main import runs_folder
from mrt.errors import UsageError
from mrt.output import Console

if TYPE_CHECKING:
    from mrt.bench.answers import Graded
    from mrt.bench.journal import Run
    from mrt.bench.report import Report

Kept = tuple["Run", "tuple[Graded, ...]"]


def kept(console: Console, names: Sequence[str]) -> list[Kept]:
    """Runs and their answers, by id or path, or "last": the newest that can be read. Raises UsageError."""
    from mrt.bench.journal import path_of, read

    folder = runs_folder(console)
    return [read(_last(console) if name == "last" else path_of(folder, name)) for name in names]


def _last(console: Console) -> Path:
    """The newest run; what is newer and no run, such as one that was cut off as it began, is said and left out."""
    from mrt.bench.journal import head, runs_in

    for path in reversed(runs_in(runs_folder(console))):
        if head(path) is not None:
            return path
        console.warn(f"{path} cannot be read as a run of mrt bench: the last one before it is taken")
    raise UsageError("there is no run yet", "mrt bench MODEL makes one")


def reports_of(console: Console, names: Sequence[str]) -> list[Report]:
    """The reports of runs, each with what is known of the others that tell of memorisation."""
    from mrt.bench.report import report_of

    return [with_gap(console, report_of(run, graded)) for run, graded in kept(console, names)]


def with_gap(console: Console, report: Report) -> Report:
    """The report beside the newest run of the same model over the same suite that tells of memorisation, if there is one."""
    from dataclasses import replace

    from mrt.bench.comparison import memorisation_gap
    from mrt.bench.journal import head, read, runs_in
    from mrt.bench.report import report_of

    for path in reversed(runs_in(runs_folder(console))):
        run = head(path)
        if run and (run.model, run.suite) == (report.run.model, report.run.suite) and run.variant != report.run.variant:
            gap = memorisation_gap(report, report_of(*read(path)))
            if gap is not None:
                return replace(report, gap=gap)
    return report


def all_reports(console: Console) -> list[Report]:
    """Every run that can be read, the oldest first."""
    from mrt.bench.journal import read, runs_in
    from mrt.bench.report import report_of

    found = []
    for path in runs_in(runs_folder(console)):
        try:
            found.append(report_of(*read(path)))
        except UsageError as error:
            console.warn(error.message)
    return found


def list_runs(console: Console) -> None:
    """All runs, the newest last."""
    from mrt.output.bench_list import show_list

    show_list(console, all_reports(console))
