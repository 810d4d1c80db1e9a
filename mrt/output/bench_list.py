"""The runs of `mrt bench` in a table, and several side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mrt.bench.statistics import p_text
from mrt.output.bench import interval, percent, suite_name
from mrt.output.columns import columns
from mrt.output.console import Console

if TYPE_CHECKING:
    from mrt.bench.report import Report
    from mrt.bench.statistics import Comparison


def show_list(console: Console, reports: Sequence[Report]) -> None:
    """One line a run."""
    if console.mode == "json":
        console.envelope("bench", {"runs": [_entry(report) for report in reports]})
        return
    if not reports:
        console.result("no run yet: mrt bench MODEL")
        return
    rows = [_row(report) for report in reports]
    heads = ("run", "model", "suite", "passed", "rate", "95 % interval", "safe", "bold")
    console.report("\n".join(columns(heads, rows, (False, False, False, True, True, True, True, True))))


def _row(report: Report) -> tuple[str, ...]:
    run, overall = report.run, report.overall
    variant = f" v{run.variant}" if run.variant else ""
    partly = "" if report.complete else f" (of {report.planned})"
    return (
        run.id,
        run.model,
        suite_name(run.suite) + variant,
        f"{overall.passed} of {overall.graded}{partly}",
        percent(overall.rate.value),
        interval(overall.rate),
        level(report.thresholds.safe),
        level(report.thresholds.bold),
    )


def level(complexity: int | None) -> str:
    """A threshold; a dash where the model is trusted with nothing."""
    return "-" if complexity is None else str(complexity)


def _entry(report: Report) -> dict[str, Any]:
    from mrt.output.bench_data import report_data

    data = report_data(report)
    names = ("run_id", "model", "suite", "variant", "samples", "started", "complete", "overall", "thresholds")
    return {name: data[name] for name in names}


def show_comparisons(
    console: Console,
    reports: Sequence[Report],
    pairs: Sequence[tuple[int, int, Comparison]],
    corrected: Sequence[float],
) -> None:
    """Runs side by side, then each pair with the tasks that tell; several pairs with Holm's correction."""
    if console.mode == "json":
        data = [_pair(reports, *pair, corrected=p) for pair, p in zip(pairs, corrected, strict=True)]
        console.envelope("bench", {"runs": [_entry(report) for report in reports], "pairs": data})
        return
    names = labels(reports)
    rows = [(f"{names[number]}", *_row(report)[2:], *_price(report)) for number, report in enumerate(reports)]
    heads = ("model", "suite", "passed", "rate", "95 % interval", "safe", "bold", "tokens/s", "cost")
    console.result("\n".join(columns(heads, rows, (False, False, True, True, True, True, True, True, True))))
    for (first, second, found), p in zip(pairs, corrected, strict=True):
        console.result("\n" + "\n".join(_told(names[first], names[second], found, p, len(pairs))))


def labels(reports: Sequence[Report]) -> list[str]:
    """The models' names; the runs' ids behind them where two are the same."""
    models = [report.run.model for report in reports]
    return [
        f"{report.run.model} {report.run.id}" if models.count(report.run.model) > 1 else report.run.model
        for report in reports
    ]


def _price(report: Report) -> tuple[str, str]:
    from mrt.output.bench import bill_line

    rate = report.speed.tokens_per_second
    return ("-" if rate is None else f"{rate:.1f}"), bill_line(report.bill, 0).removeprefix("cost: ")


def _told(first: str, second: str, found: Comparison, corrected: float, pairs: int) -> list[str]:
    verdict = found.verdict.replace("the first", first).replace("the second", second)
    if pairs > 1 and found.p < 0.05 <= corrected:
        verdict = f"no evidence of a difference once {pairs} comparisons are counted"
    lines = [f"{first} against {second}: {verdict}"]
    lines.append(f"  both {found.both}, neither {found.neither}, mid-{p_text(found.mid_p)}")
    if pairs > 1:
        lines[-1] += f", corrected for {pairs} comparisons (Holm) {p_text(corrected)}"
    lines += [
        f"  only {name}: {', '.join(tasks)}"
        for name, tasks in ((first, found.only_first), (second, found.only_second))
        if tasks
    ]
    return lines


def _pair(
    reports: Sequence[Report], first: int, second: int, found: Comparison, *, corrected: float
) -> Mapping[str, Any]:
    return {
        "first": reports[first].run.id,
        "second": reports[second].run.id,
        "only_first": list(found.only_first),
        "only_second": list(found.only_second),
        "both": found.both,
        "neither": found.neither,
        "p": found.p,
        "mid_p": found.mid_p,
        "p_corrected": corrected,
        "verdict": found.verdict,
    }
