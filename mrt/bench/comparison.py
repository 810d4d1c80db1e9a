"""Two or more runs over the same tasks: which tasks tell them apart, and whether that is more than chance."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from mrt.bench.report import Gap, Report
from mrt.bench.statistics import Comparison, compare, holm
from mrt.errors import UsageError


def passed_by_task(report: Report) -> dict[str, bool]:
    """The graded tasks, each with whether all its samples passed."""
    return {task.task: task.passed == task.graded for task in report.tasks if task.graded}


def compared(first: Report, second: Report) -> Comparison:
    """Raises UsageError for runs that were not asked the same."""
    _refuse_others(first, second)
    return compare(passed_by_task(first), passed_by_task(second))


def _refuse_others(first: Report, second: Report) -> None:
    one, other = first.run, second.run
    asked = [run.environment.get("asked") or run.digest for run in (one, other)]
    if asked[0] != asked[1]:
        raise UsageError(
            f"{one.id} and {other.id} were not asked the same tasks", "compare runs of one suite and one variant"
        )
    if not {*passed_by_task(first)} & {*passed_by_task(second)}:
        raise UsageError(f"{one.id} and {other.id} share no graded task", "go on with one: mrt bench --resume RUN")


def all_pairs(reports: Sequence[Report]) -> tuple[list[tuple[int, int, Comparison]], list[float]]:
    """Every pair by number, and its p with Holm's correction for so many comparisons."""
    pairs = [
        (first, second, compared(reports[first], reports[second]))
        for first, second in combinations(range(len(reports)), 2)
    ]
    corrected = holm({f"{first} {second}": found.p for first, second, found in pairs})
    return pairs, list(corrected.values())


def memorisation_gap(one: Report, other: Report) -> Gap | None:
    """The gap between variant 0 and another one, whichever of the two runs is which; None where there is nothing to compare.

    Both must have graded the same tasks: a short run chooses its own, and their rate says nothing beside that of all.
    """
    if {*passed_by_task(one)} != {*passed_by_task(other)}:
        return None
    canonical, variant = sorted((one, other), key=lambda report: report.run.variant)
    same = (canonical.run.model, canonical.run.suite) == (variant.run.model, variant.run.suite)
    rates = canonical.overall.rate.value, variant.overall.rate.value
    if not same or canonical.run.variant or not variant.run.variant or rates[0] is None or rates[1] is None:
        return None
    return Gap(variant.run.variant, rates[0], rates[1])
