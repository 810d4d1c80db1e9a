"""`mrt bench` with models: who is measured by what, in which sandbox, what is shown of it, and the exit code."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from mrt.commands._bench_scope import refuse_mixed
from mrt.commands._settings import configured
from mrt.config import Config, data_directory
from mrt.errors import ExitCode, MrtError, UsageError
from mrt.frozen import frozen
from mrt.output import Console

if TYPE_CHECKING:
    from mrt.bench.report import Report
    from mrt.bench.speed import Speed
    from mrt.commands._bench_subjects import Subject
    from mrt.ledger import Store

_BEGINNING = "getting ready ..."


@frozen
class BenchOptions:
    """The command line of `mrt bench`, as parsed."""

    models: tuple[str, ...] = ()
    suite: str | None = None
    tasks: Path | None = None
    variant: int = 0
    samples: int = 1
    temperature: float | None = None
    seed: int | None = None
    max_tokens: int | None = None
    context: int | None = None
    quick: bool = False
    quality_only: bool = False
    speed_only: bool = False
    prompt_tokens: str | None = None
    repetitions: int = 5
    concurrency: str | None = None
    ctx_sweep: str | None = None
    executor: str = "local"
    rest: float = 0.0
    reset_every: int | None = None
    resume: str | None = None
    fail_under: float | None = None
    apply: bool = False
    yes: bool = False
    csv_file: Path | None = None
    md_file: Path | None = None
    html_file: Path | None = None
    allow_unpriced: bool = False
    tag: str | None = None
    project: str | None = None
    unsafe: bool = False


def bench(console: Console, options: BenchOptions) -> int:
    """Measure, report, and say by the exit code how it went."""
    _refuse_contradictions(console, options)
    if options.speed_only:
        with console.waiting(_BEGINNING):
            from mrt.commands._bench_speed import speed_only

        return speed_only(console, options)
    with console.waiting(_BEGINNING):
        from mrt.commands._bench_run import measure
        from mrt.commands._bench_sandbox import sandbox_for
        from mrt.commands._bench_subjects import open_store_for, prepare

        config = configured(console)
        subjects, plan = prepare(console, options, config)
        sandbox = sandbox_for(console, options.executor, options.unsafe)
    with closing(open_store_for(console)) as store:
        outcome = measure(console, subjects, plan, sandbox, store)
        speeds = [] if outcome else _speeds(console, subjects, options, config, store)
    reports = [_report(console, subject) for subject in subjects if subject.journal.path.exists()]
    failures = [speed.failure for speed in speeds if speed.failure is not None]
    problem = outcome or _below(reports, options.fail_under) or next(iter(failures), None)
    _show(console, options, reports, speeds, problem)
    if problem is not None:
        console.failure(problem)
    if options.apply and outcome is None:
        _apply(console, options, config, reports)
    return int(problem.exit_code) if problem is not None else ExitCode.OK


def runs_folder(console: Console) -> Path:
    """Where the journals of all runs are."""
    return data_directory(console.environment) / "bench"


def _refuse_contradictions(console: Console, options: BenchOptions) -> None:
    from mrt.commands._bench_files import refuse_files

    if options.suite and options.tasks:
        raise UsageError("--suite and --tasks contradict each other", "leave one of them out")
    refuse_mixed(options)
    if options.quick and options.samples > 1:
        raise UsageError("--quick takes one sample of each task", "leave out --quick or --samples")
    if options.resume is not None and (options.models or options.suite or options.tasks):
        raise UsageError(
            "--resume takes the model and the suite of its run", "name the run only: mrt bench --resume RUN"
        )
    if options.apply and not options.yes and (console.mode == "json" or not console.can_ask):
        raise UsageError("--apply asks before it writes, and nobody can answer here", "say --yes too")
    refuse_files(options.csv_file, options.md_file, options.html_file)


def _speeds(
    console: Console, subjects: Sequence[Subject], options: BenchOptions, config: Config, store: Store
) -> Sequence[Speed]:
    """How fast each model is, measured after its tasks; not for a quick look, and not again where a run is gone on with."""
    if options.quality_only or options.quick or options.resume is not None:
        return []
    from mrt.commands._bench_speed import measure_speed, speed_options

    targets = {subject.target.name: subject.target for subject in subjects}
    return measure_speed(console, tuple(targets.values()), speed_options(options, config), config, store)


def _report(console: Console, subject: Subject) -> Report:
    from mrt.bench.journal import read
    from mrt.bench.report import report_of
    from mrt.commands._bench_read import with_gap

    return with_gap(console, report_of(*read(subject.journal.path)))


def _below(reports: Sequence[Report], rate: float | None) -> MrtError | None:
    """The failure of `--fail-under`: only where the whole interval lies below the rate."""
    from mrt.errors import QualityError

    if rate is None:
        return None
    for report in reports:
        found = report.overall.rate
        if found.value is not None and found.high < rate:
            return QualityError(
                f"{report.run.model} passes {100 * found.value:.0f} %, at most {100 * found.high:.0f} %: below {100 * rate:g} %",
                f"mrt bench report {report.run.id}",
            )
    return None


def _show(
    console: Console,
    options: BenchOptions,
    reports: Sequence[Report],
    speeds: Sequence[Speed],
    problem: MrtError | None,
) -> None:
    from mrt.output.bench import show_reports

    show_reports(console, reports, problem, speeds)
    if len(reports) > 1 and console.mode != "json":
        console.note(f"is one better? mrt bench compare {' '.join(report.run.id for report in reports)}")
    if options.csv_file or options.md_file or options.html_file:
        from mrt.commands._bench_files import write_files

        write_files(reports, options.csv_file, options.md_file, options.html_file)


def _apply(console: Console, options: BenchOptions, config: Config, reports: Sequence[Report]) -> None:
    from mrt.commands._bench_apply import apply

    apply(console, config, reports, yes=options.yes)
