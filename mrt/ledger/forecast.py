"""Where the month's spending is heading: weekdays have their own levels, and the range says how sure that is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import NamedTuple

HISTORY_DAYS = 56
LEAST_DAYS = 7
BURN_DAYS = 7
# Eight of ten months end inside a range of so many standard deviations, were days normally distributed.
_DEVIATIONS = 1.2816
_DAY = timedelta(days=1)


class Forecast(NamedTuple):
    """The month's cost at its end in nano-dollars, and the day on which the expected course reaches the limit."""

    low_nano: int
    expected_nano: int
    high_nano: int
    until: date
    limit_reached_on: date | None


class Course(NamedTuple):
    """Days so far: nano-dollars by day (days left out cost nothing) and the day of the first call."""

    daily: Mapping[date, int]
    first: date | None
    today: date


def burn_nano(course: Course) -> int | None:
    """Nano-dollars a day over the last seven days, today included, or since the first call; None before any."""
    if course.first is None or course.first > course.today:
        return None
    days = min(BURN_DAYS, (course.today - course.first).days + 1)
    spent = sum(course.daily.get(course.today - offset * _DAY, 0) for offset in range(days))
    return round(spent / days)


def forecast(course: Course, limit_nano: int | None) -> Forecast | None:
    """What the calendar month will come to; None with less than seven whole days to learn from."""
    history = _history(course)
    if len(history) < LEAST_DAYS:
        return None
    levels = _levels(history)
    rest = _rest(course, levels)
    used = sum(nano for day, nano in course.daily.items() if _month(day) == _month(course.today))
    spread = _DEVIATIONS * _deviation(history, levels, len(rest) - 1)
    more = sum(rest.values())
    return Forecast(
        low_nano=used + round(max(0.0, more - spread)),
        expected_nano=used + round(more),
        high_nano=used + round(more + spread),
        until=max(rest),
        limit_reached_on=_reached(used, rest, limit_nano),
    )


def _history(course: Course) -> dict[date, int]:
    """Whole days before today, from the first call on, eight weeks at most."""
    if course.first is None:
        return {}
    start = max(course.first, course.today - HISTORY_DAYS * _DAY)
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
    """What is still to come by day: today what its level leaves, then each day to the month's end."""
    today = course.today
    rest = {today: max(0.0, levels[today.weekday()] - course.daily.get(today, 0))}
    day = today + _DAY
    while _month(day) == _month(today):
        rest[day] = levels[day.weekday()]
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
