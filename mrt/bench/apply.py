"""From a run to decisions: the threshold of each tier that has its model, and what the router learns of it."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from mrt.bench.report import Report
from mrt.config import Config
from mrt.frozen import frozen
from mrt.ledger.outcomes import Graded as Outcome

# What a quick run has at least.
FEWEST = 8


@frozen
class Setting:
    """A tier's new `max_complexity`; `changes` False where it stays as it is, `why` then says the reason if there is one."""

    tier: str
    complexity: int
    changes: bool
    why: str = ""


def settings_of(report: Report, config: Config) -> Iterator[Setting]:
    """The safe threshold for the tiers of the run's model. The last tier takes everything, and a model that holds no level
    keeps its tier out of nothing: 1 is the least that a tier can have, which is left to the user."""
    safe = report.thresholds.safe
    for number, tier in enumerate(config.tiers):
        if tier.name not in report.run.environment.get("tiers", ()):
            continue
        if number == len(config.tiers) - 1:
            yield Setting(tier.name, 10, False, "the last tier takes what is left: it needs no threshold")
        elif safe is None:
            yield Setting(
                tier.name, 0, False, "not even complexity 1 is safe with this model: think of taking the tier out"
            )
        elif report.thresholds.trials < FEWEST:
            yield Setting(tier.name, safe, False, f"{report.thresholds.trials} graded answers are too few to decide by")
        elif not report.complete:
            yield Setting(tier.name, safe, False, f"run {report.run.id} is incomplete: go on with it first")
        else:
            yield Setting(tier.name, safe, tier.max_complexity != safe)


def outcomes(report: Report) -> Iterator[Outcome]:
    """Each graded answer as the router counts it."""
    endpoint, _, model = report.run.model.partition("/")
    quantization = report.run.environment.get("quantization")
    for task in report.tasks:
        for number in range(task.graded):
            failed = number >= task.passed
            yield Outcome(endpoint, model, task.band, failed, quantization, report.run.id)


def difference(before: str, after: str, name: str) -> str:
    """The change as a unified diff."""
    lines = difflib.unified_diff(before.splitlines(True), after.splitlines(True), name, f"{name} (new)", n=1)
    return "".join(line if line.endswith("\n") else line + "\n" for line in lines)
