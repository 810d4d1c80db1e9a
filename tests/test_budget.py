"""Budgets: calendar days and months in any zone, limits, and when to warn."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrt.budget import Limit, limits, local_day, microseconds, periods, soft_warnings
from mrt.errors import ConfigError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOUR_US = 3600 * 1_000_000
ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Africa/Cairo",
    "Asia/Kathmandu",
    "America/Havana",  # falls back from 01:00 to 00:00: midnight happens twice
    "America/St_Johns",  # fell back from 00:01 to 23:01 until 2011: a date came back
    "Pacific/Apia",  # had no 30 December 2011
)
moments = st.datetimes(datetime(1971, 1, 1), datetime(2090, 12, 31), timezones=st.just(UTC))


def at(moment_us: int, timezone: str) -> datetime:
    return (EPOCH + timedelta(microseconds=moment_us)).astimezone(UTC if timezone == "UTC" else ZoneInfo(timezone))


def noon(day: str, timezone: str) -> datetime:
    return datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=ZoneInfo(timezone))


def hours(scope: str, day: str, timezone: str) -> float:
    start, end = periods(noon(day, timezone), timezone)[scope]
    return (end - start) / HOUR_US


@settings(deadline=None, max_examples=300)
@given(moments, st.sampled_from(ZONES))
def test_a_moment_is_in_its_periods_and_they_join_without_gap(now: datetime, timezone: str) -> None:
    for scope, (start, end) in periods(now, timezone).items():
        assert start <= microseconds(now) < end
        assert periods(at(end, timezone), timezone)[scope][0] == end
        assert periods(at(start - 1, timezone), timezone)[scope][1] == start


@settings(deadline=None, max_examples=300)
@given(moments, st.sampled_from(ZONES))
def test_periods_begin_with_the_first_moment_of_their_date(now: datetime, timezone: str) -> None:
    spans = periods(now, timezone)
    day, month = (at(spans[scope][0], timezone).date() for scope in ("daily", "monthly"))
    assert at(spans["daily"][0] - 1, timezone).date() < day
    assert at(spans["monthly"][0] - 1, timezone).date() < month
    assert month == day.replace(day=1)
    assert spans["monthly"][0] <= spans["daily"][0] < spans["daily"][1] <= spans["monthly"][1]


@pytest.mark.parametrize(
    ("day", "timezone", "length"),
    [
        ("2026-03-29", "Europe/Berlin", 23),
        ("2026-10-25", "Europe/Berlin", 25),
        ("2026-11-01", "America/New_York", 25),
        ("2026-10-04", "Australia/Lord_Howe", 23.5),
        ("2026-04-05", "Australia/Lord_Howe", 24.5),
        ("2026-04-24", "Africa/Cairo", 23),
        ("2026-06-01", "Asia/Kathmandu", 24),
        ("1919-03-31", "America/Toronto", 23.5),
    ],
)
def test_length_of_days(day: str, timezone: str, length: float) -> None:
    assert hours("daily", day, timezone) == length


@pytest.mark.parametrize(
    ("day", "timezone", "length"),
    [
        ("2026-03-10", "Europe/Berlin", 743),
        ("2026-10-10", "Europe/Berlin", 745),
        ("2026-11-10", "America/New_York", 721),
        ("2026-10-10", "Australia/Lord_Howe", 743.5),
        ("2026-02-28", "UTC", 28 * 24),
        ("2028-02-29", "UTC", 29 * 24),
        ("2026-12-31", "Asia/Kathmandu", 31 * 24),
        ("2011-12-15", "Pacific/Apia", 30 * 24),
    ],
)
def test_length_of_months(day: str, timezone: str, length: float) -> None:
    assert hours("monthly", day, timezone) == length


@pytest.mark.parametrize(
    ("day", "timezone", "begins"),
    [
        pytest.param("2026-04-24", "Africa/Cairo", "2026-04-24T01:00:00+03:00", id="midnight does not exist"),
        pytest.param("1919-03-31", "America/Toronto", "1919-03-31T00:30:00-04:00", id="skipped from before midnight"),
        pytest.param("2026-11-01", "America/Havana", "2026-11-01T00:00:00-04:00", id="the first of two midnights"),
        pytest.param("2011-12-31", "Pacific/Apia", "2011-12-31T00:00:00+14:00", id="after a day that never was"),
        pytest.param("2026-06-01", "Asia/Kathmandu", "2026-06-01T00:00:00+05:45", id="three quarters of an hour"),
    ],
)
def test_where_days_begin(day: str, timezone: str, begins: str) -> None:
    start, _ = periods(noon(day, timezone), timezone)["daily"]
    assert at(start, timezone).isoformat() == begins


def test_a_date_that_comes_back_belongs_to_the_day_begun() -> None:
    again = datetime(2006, 10, 28, 23, 30, fold=1, tzinfo=ZoneInfo("America/St_Johns"))
    start, _ = periods(again, "America/St_Johns")["daily"]
    assert at(start, "America/St_Johns").date() == date(2006, 10, 29)


def test_a_time_without_zone_is_a_defect() -> None:
    with pytest.raises(ValueError, match="zone"):
        periods(datetime(2026, 1, 1), "UTC")


@pytest.mark.parametrize("name", ["", "Europe", "Europe/Nowhere", "../etc/passwd", "/etc/passwd", "nul\0"])
def test_unknown_zones(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        periods(datetime(2026, 1, 1, tzinfo=UTC), name)
    assert "Europe/Berlin" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("timezone", "day"),
    [("UTC", "2026-01-01"), ("Asia/Kathmandu", "2026-01-01"), ("America/New_York", "2025-12-31")],
)
def test_local_day(timezone: str, day: str) -> None:
    assert local_day(microseconds(datetime(2026, 1, 1, 3, tzinfo=UTC)), timezone) == day


NOW = datetime(2026, 5, 17, 12, tzinfo=UTC)
DAY = (microseconds(datetime(2026, 5, 17, tzinfo=UTC)), microseconds(datetime(2026, 5, 18, tzinfo=UTC)))
MONTH = (microseconds(datetime(2026, 5, 1, tzinfo=UTC)), microseconds(datetime(2026, 6, 1, tzinfo=UTC)))


@pytest.mark.parametrize(
    ("daily", "monthly", "expected"),
    [
        pytest.param(
            Decimal("5.0"),
            Decimal(50),
            (Limit("daily", *DAY, 5 * 10**9), Limit("monthly", *MONTH, 50 * 10**9)),
            id="both",
        ),
        pytest.param(None, Decimal("0.000000001"), (Limit("monthly", *MONTH, 1),), id="one nano-dollar"),
        pytest.param(Decimal(0), None, (Limit("daily", *DAY, 0),), id="zero is a limit"),
        pytest.param(Decimal("0.0000000019"), None, (Limit("daily", *DAY, 1),), id="never rounded up"),
        pytest.param(None, None, (), id="none"),
    ],
)
def test_limits(daily: Decimal | None, monthly: Decimal | None, expected: tuple[Limit, ...]) -> None:
    assert limits(daily, monthly, "UTC", NOW) == expected


@pytest.mark.parametrize("amount", ["-1", "NaN", "Infinity"])
def test_impossible_limits(amount: str) -> None:
    with pytest.raises(ConfigError, match="daily budget"):
        limits(Decimal(amount), None, "UTC", NOW)


@pytest.mark.parametrize(
    ("limit_nano", "used_nano", "reserved_nano", "line"),
    [
        pytest.param(5 * 10**9, 4 * 10**9, 0, "80 % of the daily budget of $5 is used: $4", id="at the mark"),
        pytest.param(5 * 10**9, 4 * 10**9 - 1, 0, None, id="a nano-dollar below"),
        pytest.param(10**9, 12 * 10**8, 0, "120 % of the daily budget of $1 is used: $1.2", id="overrun"),
        pytest.param(
            10**9,
            5 * 10**8,
            4 * 10**8,
            "90 % of the daily budget of $1 is used or reserved: $0.5 used, $0.4 reserved",
            id="what is reserved is not used",
        ),
        pytest.param(
            10**9,
            0,
            10**9,
            "100 % of the daily budget of $1 is used or reserved: $0 used, $1 reserved",
            id="nothing used",
        ),
        pytest.param(0, 0, 0, None, id="a closed budget needs no warning"),
    ],
)
def test_soft_warnings(limit_nano: int, used_nano: int, reserved_nano: int, line: str | None) -> None:
    limit = Limit("daily", *DAY, limit_nano)
    assert soft_warnings([(limit, used_nano, reserved_nano)], 80) == ({} if line is None else {limit: line})
