"""A period in detail, beside its report: its course in time, its sums by every usual key, and how its calls ended."""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple

from mrt.ledger.endings import Ending, endings
from mrt.ledger.queries import Group, Span, groups
from mrt.ledger.report import Report, add
from mrt.ledger.store import Store

USUAL = ("tier", "model", "project", "tag")
# So many bars can still be told apart: days up to two months, weeks up to a year and more, months up to ten years.
_DAYS, _WEEKS, _MONTHS = 62, 62, 120


class Course(NamedTuple):
    """The sums of each `unit` (day, week, month, year) and tier, in the order of time.

    `slots` names every unit from the first to the last, those without a call too: 2026-03-02, or 2026-03, or 2026; a week is
    named by its Monday.
    """

    unit: str
    slots: tuple[str, ...]
    groups: tuple[Group, ...]


class Detail(NamedTuple):
    """A report, the course of its period, its sums by each of `USUAL`, and the calls that were not accepted."""

    report: Report
    course: Course
    by: dict[str, tuple[Group, ...]]
    endings: tuple[Ending, ...]


def detail(store: Store, report: Report) -> Detail:
    """Read it from the store, the sums from its roll-up. Raises StoreError."""
    span = report.wanted.span
    return Detail(
        report,
        course(store, span),
        {name: tuple(groups(store, span, (name,))) for name in USUAL},
        endings(store, span),
    )


def course(store: Store, span: Span) -> Course:
    """The course of the span by the finest unit that stays legible. Raises StoreError."""
    months = groups(store, span, ("month", "tier"))
    first, last = span.first, span.last
    if first is None or (last - first).days >= 31 * _MONTHS:
        first, last = _of_calls(store, span, months)
    length = (last - first).days + 1
    if length <= _DAYS:
        return Course("day", _days(first, last, 1), tuple(groups(store, span, ("day", "tier"))))
    monday = first - timedelta(days=first.weekday())
    if length <= 7 * _WEEKS:
        return Course("week", _days(monday, last, 7), tuple(groups(store, span, ("week", "tier"))))
    named = _months(first, last)
    if len(named) <= _MONTHS:
        return Course("month", named, tuple(months))
    return Course("year", tuple(str(year) for year in range(first.year, last.year + 1)), _years(months))


def _of_calls(store: Store, span: Span, months: list[Group]) -> tuple[date, date]:
    """The days of the first and the last call, for a span that reaches far beyond them."""
    if not months:
        return span.last, span.last
    ends = [_month_span(months[place].keys[0]) for place in (0, -1)]
    first = groups(store, _within(ends[0], span), ("day",))[0].keys[0]
    last = groups(store, _within(ends[1], span), ("day",))[-1].keys[0]
    return date.fromisoformat(first), date.fromisoformat(last)


def _month_span(month: str) -> Span:
    first = date.fromisoformat(f"{month}-01")
    return Span(first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1))


def _within(inner: Span, outer: Span) -> Span:
    firsts = [day for day in (inner.first, outer.first) if day is not None]
    return Span(max(firsts), min(inner.last, outer.last))


def _days(first: date, last: date, step: int) -> tuple[str, ...]:
    return tuple((first + timedelta(days=day)).isoformat() for day in range(0, (last - first).days + 1, step))


def _months(first: date, last: date) -> tuple[str, ...]:
    numbers = range(12 * first.year + first.month - 1, 12 * last.year + last.month)
    return tuple(f"{number // 12:04d}-{number % 12 + 1:02d}" for number in numbers)


def _years(months: list[Group]) -> tuple[Group, ...]:
    """The sums of months as those of years."""
    sums: dict[tuple[str, ...], list[Group]] = {}
    for group in months:
        sums.setdefault((group.keys[0][:4], *group.keys[1:]), []).append(group)
    return tuple(Group(keys, add(one.totals for one in several)) for keys, several in sums.items())
