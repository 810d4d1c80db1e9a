"""Where the month's spending is heading: weekdays have their own levels, and the range says how sure that is."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, timedelta
from types import MappingProxyType
from typing import NamedTuple

HISTORY_DAYS = 56
LEAST_DAYS = 7
BURN_DAYS = 7
# Eight of ten months end inside a range of so many standard deviations, were days normally distributed.
_DEVIATIONS = 1.2816
_DAY = timedelta(days=1)
_NONE: Mapping[date, int] = MappingProxyType({})


class Burn(NamedTuple):
    """Nano-dollars a day over so many days, today included; `nano` is None where nothing tells.

    With `unpriced_calls` it is what is known of the cost, and the whole is that or more.
    """

    nano: int | None
    days: int
    unpriced_calls: int = 0


class Forecast(NamedTuple):
    """The month's cost at its end in nano-dollars, and the day on which the expected course reaches the limit.

    With `unpriced_calls` it goes by the known part of the costs, and the month comes to `low_nano` or more.
    """

    low_nano: int
    expected_nano: int
    high_nano: int
    until: date
    limit_reached_on: date | None
    unpriced_calls: int = 0


class Course(NamedTuple):
    """The days of this machine's calls: nano-dollars by day, as far as known, and the day of the first call.

    A day of `daily` had calls, of which `unpriced` counts those without a known cost; days left out had none. `imported` has
    the days of calls from elsewhere. A clock that was set back leaves days behind `today`.
    """

    daily: Mapping[date, int]
    first: date | None
    today: date
    unpriced: Mapping[date, int] = _NONE
    imported: Collection[date] = ()


def burn(course: Course) -> Burn | None:
    """The rate of the last seven days, or since the first call where that is less; None before any call."""
    began = course.first is not None and course.first <= course.today
    days = min(BURN_DAYS, (course.today - course.first).days + 1) if began and course.first else BURN_DAYS
    window = [course.today - offset * _DAY for offset in range(days)]
    if not any(day in course.daily for day in window) and any(day in course.imported for day in window):
        return Burn(None, days)  # what was spent then was spent elsewhere: that is no rate of nothing
    if not began:
        return None
    spent = sum(course.daily.get(day, 0) for day in window)
    return Burn(round(spent / days), days, sum(course.unpriced.get(day, 0) for day in window))


def forecast(course: Course, limit_nano: int | None) -> Forecast | None:
    """What the calendar month will come to; None with less than seven whole days to learn from."""
    history = _history(course)
    if len(history) < LEAST_DAYS:
        return None
    levels = _levels(history)
    rest = _rest(course, levels)
    month = _month(course.today)
    used = sum(nano for day, nano in course.daily.items() if _month(day) == month)
    since = min(history)
    spread = _DEVIATIONS * _deviation(history, levels, len(rest) - 1)
    more = sum(rest.values())
    return Forecast(
        low_nano=used + round(max(0.0, more - spread)),
        expected_nano=used + round(more),
        high_nano=used + round(more + spread),
        until=max(rest),
        limit_reached_on=_reached(used, rest, limit_nano),
        unpriced_calls=sum(calls for day, calls in course.unpriced.items() if day >= since or _month(day) == month),
    )


def _history(course: Course) -> dict[date, int]:
    """Whole days before today, eight weeks at most; the day of the first call is no whole one."""
    if course.first is None:
        return {}
    start = max(course.first + _DAY, course.today - HISTORY_DAYS * _DAY)
    days = (start + offset * _DAY for offset in range((course.today - start).days))
    return {day: course.daily.get(day, 0) for day in days}


def _levels(history: Mapping[date, int]) -> list[float]:
    """What each weekday costs, drawn towards the mean of all days by one day's weight."""
    mean = sum(history.values()) / len(history)
    levels = []
    for weekday in range(7):
        own = [nano for day, nano in history.items() if day.weekday() == weekday]
        levels.append((sum(own) + mean) / (len(own) + 1))
    return levels


def _rest(course: Course, levels: list[float]) -> dict[date, float]:
    """What is still to come by day, from today to the month's end: what each day's level leaves above what it has had."""
    rest = {}
    day = course.today
    while _month(day) == _month(course.today):
        rest[day] = max(0.0, levels[day.weekday()] - course.daily.get(day, 0))
        day += _DAY
    return rest


def _deviation(history: Mapping[date, int], levels: list[float], days: int) -> float:
    """Of the sum of so many days to come: each varies, and the level they vary around is itself an estimate."""
    squares = sum((nano - levels[day.weekday()]) ** 2 for day, nano in history.items())
    variance = squares / (len(history) - 1)
    return float((days * variance + days * days * variance / len(history)) ** 0.5)


def _reached(used: int, rest: Mapping[date, float], limit_nano: int | None) -> date | None:
    if limit_nano is None:
        return None
    so_far = float(used)
    for day, nano in rest.items():
        so_far += nano
        if so_far >= limit_nano:
            return day
    return None


def _month(day: date) -> tuple[int, int]:
    return day.year, day.month
