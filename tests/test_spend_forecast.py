"""The course of a month: burn rate, weekday shape, range, the day a limit is reached; and the tips."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrt.ledger.forecast import LEAST_DAYS, Burn, Course, Forecast, burn, forecast
from mrt.ledger.queries import Group, Totals
from mrt.ledger.tips import tips
from mrt.output.columns import columns
from mrt.output.spend_money import amount, cost, count, percent

TODAY = date(2026, 3, 17)  # a Tuesday
DAY = timedelta(days=1)


def past(days: int, nano_of: dict[int, int] | int, today: date = TODAY) -> Course:
    """So many whole days before today, each with an amount of its own or of its weekday; today has none yet."""
    spent = {}
    for offset in range(1, days + 1):
        day = today - offset * DAY
        spent[day] = nano_of if isinstance(nano_of, int) else nano_of.get(day.weekday(), 0)
    return Course(spent, min(spent) - DAY if spent else None, today)


def test_even_days_leave_no_doubt() -> None:
    found = forecast(past(56, 100), None)
    # 16 days of March are over, 15 are to come, today included.
    assert found == Forecast(3100, 3100, 3100, date(2026, 3, 31), None)


def test_weekends_have_their_own_level() -> None:
    workdays = dict.fromkeys(range(5), 700)
    found = forecast(past(56, workdays), None)
    assert found is not None
    # 11 workdays and 4 days of weekends are to come; each level is drawn a little towards the mean of 500.
    assert found.expected_nano == 11 * 700 + round(11 * (8 * 700 + 500) / 9 + 4 * 500 / 9)
    assert found.low_nano < found.expected_nano < found.high_nano
    linear = 31 * 500
    assert abs(found.expected_nano - 22 * 700) < abs(linear - 22 * 700)


def test_uneven_days_widen_the_range() -> None:
    calm, wild = (
        forecast(Course({TODAY - n * DAY: 100 + (n % 2) * swing for n in range(1, 57)}, TODAY - 56 * DAY, TODAY), None)
        for swing in (2, 90)
    )
    assert calm is not None
    assert wild is not None
    assert wild.high_nano - wild.low_nano > calm.high_nano - calm.low_nano > 0


@pytest.mark.parametrize(
    ("limit", "reached"),
    [
        (1500, TODAY),
        (1600, TODAY),
        (1700, TODAY),
        (1701, date(2026, 3, 18)),
        (3100, date(2026, 3, 31)),
        (3101, None),
        (0, TODAY),
    ],
)
def test_when_a_limit_is_reached(limit: int, reached: date | None) -> None:
    found = forecast(past(56, 100), limit)
    assert found is not None
    assert found.limit_reached_on == reached


def test_what_today_has_had_is_not_expected_again() -> None:
    course = past(56, 100)
    busy = Course({**course.daily, TODAY: 250}, course.first, TODAY)
    found = forecast(busy, None)
    assert found is not None
    assert found.expected_nano == 1600 + 250 + 14 * 100


@pytest.mark.parametrize("days", range(LEAST_DAYS + 1))
def test_too_little_to_learn_from(days: int) -> None:
    assert (forecast(past(days, 100), 5000) is not None) == (days >= LEAST_DAYS)


def test_the_last_day_of_a_month() -> None:
    found = forecast(past(56, 100, date(2026, 2, 28)), None)
    assert found == Forecast(2800, 2800, 2800, date(2026, 2, 28), None)


BEFORE = TODAY - 9 * DAY


@pytest.mark.parametrize(
    ("course", "expected"),
    [
        pytest.param(Course({}, None, TODAY), None, id="no call"),
        pytest.param(Course({TODAY + DAY: 5}, TODAY + DAY, TODAY), None, id="all calls lie ahead"),
        pytest.param(Course({TODAY: 50}, TODAY, TODAY), Burn(50, 1), id="the first day"),
        pytest.param(Course({TODAY: 50, TODAY - DAY: 100}, TODAY - DAY, TODAY), Burn(75, 2), id="two days"),
        pytest.param(past(56, 70), Burn(60, 7), id="a week, without today's calls"),
        pytest.param(Course({}, BEFORE, TODAY), Burn(0, 7), id="a week without calls"),
        pytest.param(Course({TODAY: 0}, BEFORE, TODAY, {TODAY: 2}), Burn(0, 7, 2), id="only unpriced calls"),
        pytest.param(Course({TODAY: 70}, BEFORE, TODAY, {TODAY: 2}), Burn(10, 7, 2), id="some unpriced calls"),
        pytest.param(Course({BEFORE: 7}, BEFORE, TODAY, {BEFORE: 2}), Burn(0, 7), id="unpriced calls long ago"),
        pytest.param(Course({}, None, TODAY, imported=(TODAY,)), Burn(None, 7), id="only imported calls"),
        pytest.param(Course({}, BEFORE, TODAY, imported=(TODAY,)), Burn(None, 7), id="only imported calls of late"),
        pytest.param(Course({}, BEFORE, TODAY, imported=(BEFORE,)), Burn(0, 7), id="imported calls long ago"),
        pytest.param(Course({TODAY: 7}, BEFORE, TODAY, imported=(TODAY,)), Burn(1, 7), id="own calls beside imported"),
    ],
)
def test_burn_rate(course: Course, expected: Burn | None) -> None:
    assert burn(course) == expected


def test_the_day_of_the_first_call_is_no_whole_one() -> None:
    whole = past(20, 100)
    assert whole.first is not None
    begun_late = Course({**whole.daily, whole.first: 1}, whole.first, TODAY)
    assert forecast(begun_late, None) == forecast(whole, None)


def test_calls_ahead_count_once() -> None:
    course = past(56, 100)
    ahead = Course({**course.daily, TODAY + DAY: 250, date(2026, 4, 1): 9000}, course.first, TODAY)
    found = forecast(ahead, None)
    assert found is not None
    assert found.expected_nano == 1600 + 250 + 14 * 100


@pytest.mark.parametrize(
    ("day", "unpriced"), [(TODAY, 3), (TODAY - 56 * DAY, 3), (TODAY + DAY, 3), (TODAY - 57 * DAY, 0)]
)
def test_a_forecast_goes_by_known_costs(day: date, unpriced: int) -> None:
    course = past(56, 100)
    found = forecast(Course(course.daily, course.first, TODAY, {day: 3}), None)
    assert found is not None
    assert found.unpriced_calls == unpriced


@given(
    st.dictionaries(st.integers(0, 70).map(lambda offset: TODAY - offset * DAY), st.integers(0, 10**12)),
    st.integers(0, 10**13),
)
def test_a_forecast_never_falls_below_what_is_spent(daily: dict[date, int], limit: int) -> None:
    course = Course(daily, min(daily, default=None), TODAY)
    found = forecast(course, limit)
    if found is None:
        return
    assert not found.unpriced_calls
    used = sum(nano for day, nano in daily.items() if (day.year, day.month) == (2026, 3))
    assert used <= found.low_nano <= found.expected_nano <= found.high_nano
    if used >= limit:
        assert found.limit_reached_on == TODAY
    if found.limit_reached_on is None:
        assert found.expected_nano < limit + 1


LESS = "send less context, or keep its long part first and unchanged"


def group(name: str, **sums: int) -> Group:
    return Group((name,), Totals(**sums))


@pytest.mark.parametrize(
    ("total", "tiers", "models", "expected"),
    [
        pytest.param(Totals(), [], [], (), id="nothing"),
        pytest.param(
            Totals(calls=5, answers=5, local_answers=5), [group("fast", calls=5, answers=5)], [], (), id="all is well"
        ),
        pytest.param(
            Totals(calls=2),
            [],
            [group("koala/x", calls=2, unpriced_calls=2)],
            ("2 calls to koala/x could not be priced: `mrt spend prices koala/x` shows what is known",),
            id="unpriced",
        ),
        pytest.param(
            Totals(cost_nano=10**9, lost_nano=10**8),
            [],
            [],
            ("$0.1 of $1 went to attempts whose answer was not used: `mrt spend log` shows why",),
            id="lost",
        ),
        pytest.param(Totals(cost_nano=10**9, lost_nano=10**8 - 1), [], [], (), id="little lost"),
        pytest.param(
            Totals(),
            [group("fast", calls=20, answers=11, local_answers=11)],
            [],
            ("fast answered 11 of 20 prompts: a lower tiers.fast.max_complexity sends the hard ones straight up",),
            id="escalating",
        ),
        pytest.param(Totals(), [group("fast", calls=20, answers=12, local_answers=12)], [], (), id="escalating seldom"),
        pytest.param(Totals(), [group("cloud", calls=20, answers=1, priced_calls=20)], [], (), id="a paid tier"),
        pytest.param(
            Totals(answers=20, priced_calls=20),
            [],
            [],
            ("none of 20 answers came from a local model: a local first tier costs nothing",),
            id="all paid",
        ),
        pytest.param(
            Totals(),
            [],
            [group("a/b", calls=20, priced_calls=20, input_tokens=21_000, output_tokens=1_000)],
            (f"a/b read 21,000 tokens to write 1,000, none of them cached: {LESS}",),
            id="uncached",
        ),
        pytest.param(
            Totals(),
            [],
            [group("a/b", calls=20, priced_calls=20, input_tokens=21_000, output_tokens=1_000, cached_tokens=1)],
            (),
            id="cached",
        ),
    ],
)
def test_tips(total: Totals, tiers: list[Group], models: list[Group], expected: tuple[str, ...]) -> None:
    assert tips(total, tiers, models) == expected


@pytest.mark.parametrize(
    ("nano", "text"),
    [
        (0, "$0"),
        (1, "$0.000000001"),
        (1234, "$0.00000123"),
        (9_996_000, "$0.01"),
        (999_600_000, "$1.00"),
        (10**9, "$1.00"),
        (1_005_000_000, "$1.01"),
        (1_234_567_890_000, "$1,234.57"),
        (-20_000_000, "-$0.02"),
    ],
)
def test_amounts(nano: int, text: str) -> None:
    assert amount(nano) == text


@given(st.integers(1, 10**15))
def test_no_amount_is_a_false_zero(nano: int) -> None:
    for text in (amount(nano), amount(nano, at_least=True)):
        assert float(text.removeprefix("$").replace(",", "")) > 0
    assert float(amount(nano, at_least=True).removeprefix("$").replace(",", "")) <= nano / 10**9


@pytest.mark.parametrize(
    ("totals", "text"),
    [
        (Totals(), "$0"),
        (Totals(calls=2), "no API cost"),
        (Totals(calls=1, priced_calls=1), "$0"),
        (Totals(calls=1, reported_calls=1, cost_nano=10**9), "$1.00"),
        (Totals(calls=2, priced_calls=1, estimated_calls=1, cost_nano=5 * 10**8), "about $0.50"),
        (Totals(calls=3, unpriced_calls=2, priced_calls=1, cost_nano=1_209_000_000), "≥ $1.20 (2 calls unpriced)"),
        (Totals(calls=1, unpriced_calls=1), "unknown (1 call unpriced)"),
    ],
)
def test_costs(totals: Totals, text: str) -> None:
    assert cost(totals) == text


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [(0, 0, "-"), (0, 9, "0 %"), (1, 999, "< 1 %"), (1, 3, "33 %"), (998, 999, "> 99 %"), (999, 999, "100 %")],
)
def test_shares(part: int, whole: int, text: str) -> None:
    assert percent(part, whole) == text


def test_counts() -> None:
    assert [count(number, "call") for number in (0, 1, 1200)] == ["0 calls", "1 call", "1,200 calls"]


def test_columns() -> None:
    assert columns(("a", "long"), [["日本", "1"], ["b\nc", "22"]], (False, True)) == [
        "a     long",
        "----  ----",
        "日本     1",
        "b c     22",
    ]
