"""The days a report is about, from the options that name them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta

from mrt.errors import UsageError
from mrt.ledger.queries import Span

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_LONG_AGO = date(1970, 1, 2)
_FAR = date(9998, 12, 31)


def span_of(periods: Sequence[str], since: str | None, until: str | None, today: date) -> Span:
    """A calendar period around `today`, or the days between two dates, both included. Raises UsageError."""
    if len(periods) > 1:
        named = [f"--{period}" for period in periods]
        raise UsageError(f"{', '.join(named[:-1])} and {named[-1]} contradict each other", "name one period")
    if since is None and until is None:
        return _calendar(periods[0] if periods else "month", today)
    if periods:
        raise UsageError(f"--{periods[0]} and --since or --until contradict each other", "leave one of them out")
    first = None if since is None else parse_day(since, "--since")
    last = today if until is None else parse_day(until, "--until")
    if first is not None and first > last:
        if until is None:
            raise UsageError(f"--since {first} is in the future", f"today is {today}")
        raise UsageError(f"--since {first} is after --until {last}", "swap the two")
    return Span(first, last)


def parse_day(text: str, option: str) -> date:
    """A date as YYYY-MM-DD. Raises UsageError for anything else, and for days that no calendar has."""
    hint = f"write a day as YYYY-MM-DD, for example {option} 2026-01-31"
    if not _DATE.fullmatch(text):
        raise UsageError(f"{option} takes a date, not {text!r}", hint)
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"there is no day {text}", hint) from None
    if not _LONG_AGO <= day <= _FAR:
        raise UsageError(f"{option} {text} is out of reach", f"take a day from {_LONG_AGO} to {_FAR}")
    return day


def _calendar(period: str, today: date) -> Span:
    if period == "today":
        return Span(today, today)
    if period == "week":
        monday = today - timedelta(days=today.weekday())
        return Span(monday, monday + timedelta(days=6))
    if period == "year":
        return Span(today.replace(month=1, day=1), today.replace(month=12, day=31))
    if period == "all":
        return Span(None, today)
    first = today.replace(day=1)
    next_month = (first + timedelta(days=31)).replace(day=1)
    return Span(first, next_month - timedelta(days=1))
