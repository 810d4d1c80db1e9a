"""The report itself: from the options of `mrt spend` to its table, JSON, CSV or page."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mrt.budget import Limit, standing_limits
from mrt.commands._spend_period import span_of
from mrt.commands._spend_store import Opened, opened
from mrt.errors import UsageError
from mrt.ledger.queries import Span, last_day
from mrt.ledger.report import Report, Wanted, report
from mrt.output import Console

if TYPE_CHECKING:
    from mrt.ledger.endings import Ending

_STDOUT = "-"


class Options(NamedTuple):
    """The command line of `mrt spend`, as parsed."""

    periods: tuple[str, ...]
    since: str | None
    until: str | None
    by: tuple[str, ...]
    as_csv: bool
    html: str | None = None


def show(console: Console, options: Options, clock: Callable[[], float] = time.time) -> None:
    """Print the report. Raises UsageError for days that cannot be, ConfigError, StoreError."""
    _refuse(console, options)
    with opened(console, clock) as at:
        span = _reaching(at, span_of(options.periods, options.since, options.until, at.today), options)
        by = tuple(dict.fromkeys(options.by)) or (() if options.as_csv else ("model",))
        found = report(at.store, Wanted(span, by, at.timezone, at.today, limits_now(at)))
        page = _page(at, found) if options.html else ""
        ended = _endings(at, span) if console.mode == "json" else ()
    if options.html == _STDOUT:
        console.write(page)
        return
    if options.html:
        from mrt.commands._files import write_file

        write_file(Path(options.html), page)
        console.note(f"the page: {options.html}")
    _print(console, found, ended, as_csv=options.as_csv)


def _refuse(console: Console, options: Options) -> None:
    """Raise for what cannot be had together, or written, before anything is read."""
    if options.as_csv and console.mode == "json":
        raise UsageError("--csv and --json contradict each other", "leave one of them out")
    if options.html == _STDOUT and (options.as_csv or console.mode == "json"):
        other = "--csv" if options.as_csv else "--json"
        raise UsageError(f"--html - and {other} both want stdout", "name a file: --html spend.html")
    if options.html is not None and options.html != _STDOUT:
        from mrt.commands._files import refuse_unwritable

        refuse_unwritable(Path(options.html))


def _page(at: Opened, found: Report) -> str:
    from mrt.budget import zone
    from mrt.ledger.detail import detail
    from mrt.output.spend_html import page

    return page(detail(at.store, found), at.now.astimezone(zone(at.timezone)))


def _endings(at: Opened, span: Span) -> tuple[Ending, ...]:
    from mrt.ledger.endings import endings

    return endings(at.store, span)


def _print(console: Console, found: Report, ended: tuple[Ending, ...], *, as_csv: bool) -> None:
    if as_csv:
        from mrt.output.csv_text import csv_line
        from mrt.output.spend_data import csv_rows

        console.result("\n".join(map(csv_line, csv_rows(found))))
    elif console.mode == "json":
        from mrt.output.spend_data import report_data

        console.envelope("spend", report_data(found, ended))
    else:
        from mrt.output.console import is_terminal
        from mrt.output.spend import report_text

        console.report(report_text(found, is_terminal(console.stdout)))


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
