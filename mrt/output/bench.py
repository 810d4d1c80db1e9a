"""A run of `mrt bench` for people: a table by band, what did not pass and why, speed, cost, and how far to trust the model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from mrt.bench.threshold import BOLD, SAFE
from mrt.output.columns import columns
from mrt.output.console import Console
from mrt.output.spend_money import amount, at_least, count
from mrt.output.terminal import one_line

if TYPE_CHECKING:
    from mrt.bench.report import Band, Bill, Gap, Report, Speed, TaskResult
    from mrt.bench.speed import Speed as Speeds
    from mrt.bench.statistics import Rate
    from mrt.bench.threshold import Thresholds
    from mrt.errors import MrtError

BAR_CELLS = 20
BAR_HEADER = "█ sure  ▓ found  ░ possible"
COMPLEXITIES = {1: "C1-2", 2: "C3-4", 3: "C5-6", 4: "C7-8", 5: "C9", 6: "C10"}


def show_reports(
    console: Console, reports: Sequence[Report], problem: MrtError | None = None, speeds: Sequence[Speeds] = ()
) -> None:
    """All reports, each with the speed measured apart; as JSON one is an object of its own, several are under "runs"."""
    measured = {speed.model: speed for speed in speeds}
    if console.mode == "json":
        from mrt.output.bench_data import report_data

        data = [report_data(report, measured.get(report.run.model)) for report in reports]
        whole = data[0] if len(data) == 1 else {"runs": data} if data else None
        console.envelope("bench", whole, [problem] if problem else [])
        return
    parts = []
    for report in reports:
        parts.append("\n".join(report_lines(report)))
        if report.run.model in measured:
            from mrt.output.bench_speed import speed_lines

            parts.append("\n".join(speed_lines(measured[report.run.model])))
    if parts:
        console.report("\n\n".join(parts))


def report_lines(report: Report) -> Iterator[str]:
    """Line by line, without colour."""
    run = report.run
    variant = f", variant {run.variant}" if run.variant else ""
    samples = f", {run.samples} samples" if run.samples > 1 else ""
    yield f"{run.model}  {suite_name(run.suite)}{variant}{samples}  run {run.id}"
    yield from banners(report)
    yield ""
    yield from _table(report)
    yield ""
    yield from _below(report)


def suite_name(suite: str) -> str:
    """The name of a suite of ours, the last part of a path."""
    return suite.rsplit("/", 1)[-1]


def banners(report: Report) -> Iterator[str]:
    """What must be read before the figures."""
    if report.run.environment.get("unsafe"):
        yield "!! UNSAFE: this code ran on this machine without a sandbox"
    if report.run.environment.get("quick"):
        yield "!! quick: a few tasks around the edge; the rates of its bands are no pass rates of the suite"
    if not report.mostly_whole:
        share = f"{report.truncated} of {report.overall.graded} answers were cut off at the token limit"
        yield f"!! {share}: raise it with --max-tokens before you judge the model"
    if not report.complete:
        yield f"!! incomplete: {report.overall.graded} of {report.planned} graded; go on with: mrt bench --resume {report.run.id}"


def _table(report: Report) -> Iterator[str]:
    rows = [(f"{band.band}  {COMPLEXITIES[band.band]}", *_cells(band)) for band in report.bands]
    if len(rows) != 1:
        rows.append(("all", *_cells(report.overall)))
    yield from columns(("band", "passed", "rate", "95 % interval", BAR_HEADER), rows, (False, True, True, True, False))


def _cells(band: Band) -> tuple[str, str, str, str]:
    return f"{band.passed} of {band.graded}", percent(band.rate.value), interval(band.rate), bar(band.rate)


def percent(value: float | None) -> str:
    """A rate in whole percent; never all or none unless it is."""
    if value is None:
        return "-"
    whole = round(100 * value)
    if 0 < value < 1:
        whole = min(99, max(1, whole))
    return f"{whole} %"


def interval(rate: Rate) -> str:
    """The bounds in percent."""
    return "-" if rate.value is None else f"{round(100 * rate.low)}-{round(100 * rate.high)} %"


def bar(rate: Rate) -> str:
    """The rate as a bar in three shades: up to the interval's low end, up to the rate, up to the high end."""
    if rate.value is None:
        return ""
    low, found, high = (round(BAR_CELLS * share) for share in (rate.low, rate.value, rate.high))
    return "█" * low + "▓" * (found - low) + "░" * (high - found)


def _below(report: Report) -> Iterator[str]:
    yield from _failures(report.tasks)
    if report.all_pass is not None:
        yield f"all {report.run.samples} samples pass: {percent(report.all_pass)} of tasks (pass^{report.run.samples})"
        flaky = [f"{task.task} ({task.passed} of {task.graded})" for task in report.tasks if task.flaky]
        if flaky:
            yield f"flaky: {', '.join(flaky)}"
    if report.gap is not None:
        yield gap_line(report.gap)
    if report.reasoned:
        yield f"reasoning: seen in {report.reasoned} of {count(report.answers, 'answer')}"
    if len(report.served) > 1:
        yield f"answered under several names: {one_line(', '.join(report.served))}"
    yield speed_line(report.speed)
    yield bill_line(report.bill, len(report.tasks))
    yield trust_line(report.thresholds)


def _failures(tasks: Sequence[TaskResult]) -> Iterator[str]:
    """What did not pass, by status, with each task's broken rule and case."""
    failed = [task for task in tasks if task.status != "pass"]
    for status in dict.fromkeys(task.status for task in failed):
        ones = [task for task in failed if task.status == status]
        yield f"{status}: {len(ones)}"
        for task in ones:
            rule = f" breaks rule {task.worst.rule}" if task.worst.rule else ""
            detail = f": {said(task.worst.detail)}" if task.worst.detail else ""
            yield f"  {task.task}{rule}{detail}"
    if failed:
        yield ""


def said(detail: str, limit: int = 160) -> str:
    """A verdict's detail in one line; a case of one call is not named twice."""
    parts = detail.split(": ")
    halves = ((": ".join(parts[:at]), ": ".join(parts[at:])) for at in range(1, len(parts)))
    return one_line(next((rest for case, rest in halves if rest.startswith(case)), detail), limit)


def gap_line(gap: Gap) -> str:
    """How much better the wording goes that a model may know by heart."""
    rates = f"variant 0: {percent(gap.canonical_rate)}, variant {gap.variant}: {percent(gap.variant_rate)}"
    return f"memorisation gap: {round(100 * gap.points)} points ({rates})"


def speed_line(speed: Speed) -> str:
    """Medians over the answers."""
    known = (
        f"{speed.tokens_per_second:.1f} tokens/s" if speed.tokens_per_second else "",
        f"first token after {speed.ttft_ms / 1000:.2f} s" if speed.ttft_ms is not None else "",
        f"an answer takes {speed.seconds:.1f} s" if speed.seconds is not None else "",
        f"{speed.output_tokens:.0f} tokens long" if speed.output_tokens is not None else "",
    )
    drift = "" if speed.drift is None else f"; last third at {round(100 * speed.drift)} % of the first third's speed"
    return f"speed (medians): {', '.join(filter(None, known)) or 'unknown'}{drift}"


def bill_line(bill: Bill, tasks: int) -> str:
    """The cost in all and per task, and how it is known."""
    if not bill.answers:
        return "cost: none, no answer came"
    if bill.state == "free":
        return "cost: no API cost"
    if bill.unknown:
        text = at_least(bill.nano, bill.unknown)
        return f"cost: {text} ({count(bill.unknown, 'answer')} of unknown cost)"
    each = f", {amount(bill.nano // tasks)} a task" if tasks else ""
    return f"cost: {amount(bill.nano)}{each} ({bill.state})"


def trust_line(found: Thresholds) -> str:
    """The decision: up to which complexity to route to this model."""
    certain = f"at least 80 % pass there with a chance of {round(100 * SAFE)} %, {round(100 * BOLD)} %"
    return f"trusted {_levels(found)}: {certain} ({count(found.trials, 'graded answer')})"


def _levels(found: Thresholds) -> str:
    if found.bold is None:
        return "at no complexity (safe or bold)"
    if found.safe is None:
        return f"at no complexity (safe), up to {found.bold} (bold)"
    return f"up to complexity {found.safe} (safe), {found.bold} (bold)"
