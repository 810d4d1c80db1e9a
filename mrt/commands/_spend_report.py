"""The report itself: from the options of `mrt spend` to its table, JSON or CSV."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from mrt.budget import Limit, standing_limits
from mrt.commands._spend_period import span_of
from mrt.commands._spend_store import Opened, opened
from mrt.errors import UsageError
from mrt.ledger.queries import Span, last_day
from mrt.ledger.report import Wanted, report
from mrt.output import Console


class Options(NamedTuple):
    """The command line of `mrt spend`, as parsed."""

    periods: tuple[str, ...]
    since: str | None
    until: str | None
    by: tuple[str, ...]
    as_csv: bool


def show(console: Console, options: Options, clock: Callable[[], float] = time.time) -> None:
    """Print the report. Raises UsageError for days that cannot be, ConfigError, StoreError."""
    as_csv = options.as_csv
    if as_csv and console.mode == "json":
        raise UsageError("--csv and --json contradict each other", "leave one of them out")
    with opened(console, clock) as at:
        span = _reaching(at, span_of(options.periods, options.since, options.until, at.today), options)
        by = tuple(dict.fromkeys(options.by)) or (() if as_csv else ("model",))
        found = report(at.store, Wanted(span, by, at.timezone, at.today, limits_now(at)))
    if as_csv:
        from mrt.output.csv_text import csv_line
        from mrt.output.spend_data import csv_rows

        console.result("\n".join(map(csv_line, csv_rows(found))))
    elif console.mode == "json":
        from mrt.output.spend_data import report_data

        console.envelope("spend", report_data(found))
    else:
        from mrt.output.console import is_terminal
        from mrt.output.spend import report_text

        console.result(report_text(found, is_terminal(console.stdout)))


def _reaching(at: Opened, span: Span, options: Options) -> Span:
    """The span; where no end was named, to the last call: a clock that was set back leaves calls in days to come."""
    ahead = last_day(at.store) if options.until is None and (options.since or "all" in options.periods) else None
    if ahead is None or ahead <= span.last:
        return span
    at.console.note(f"calls are booked up to {ahead}, after today: was a clock set back?")
    return span._replace(last=ahead)


def limits_now(at: Opened) -> tuple[Limit, ...]:
    """The budgets of this moment."""
    return standing_limits(at.config.budget, at.config.limits, at.timezone, at.now)
