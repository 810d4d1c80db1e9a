"""The days a report is about, and its sums over them: whatever is booked, in every zone."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger_kit import Clock, booking, rows
from rig.command import Home
from spend_kit import CENT, LOCAL, PAID, at, local_answer, march, spend, store_file

from mrt.budget import local_day
from mrt.domain import Cost, Usage
from mrt.ledger import Settlement, memory_store, open_store, reserve, settle
from mrt.ledger.queries import Span, Totals, bounds_us, groups, total
from mrt.ledger.report import add

MARCH = ("--since", "2026-03-01", "--until", "2026-03-31")


@pytest.fixture
def home(store_home: Home) -> Home:
    march(store_file(store_home))
    return store_home


@pytest.mark.parametrize("arguments", [("--all",), ("--since", "2026-03-01")])
def test_calls_that_lie_ahead_are_in_and_told(home: Home, arguments: tuple[str, ...]) -> None:
    with closing(open_store(store_file(home), Clock(at("2999-12-31T10:00:00")))) as store:
        settle(store, reserve(store, booking(0, **LOCAL)), local_answer())
    shown = spend(home, *arguments, "--json")
    assert shown.stderr == "calls are booked up to 2999-12-31, after today: was a clock set back?\n"
    assert (shown.data["period"]["to"], shown.data["total"]["calls"]) == ("2999-12-31", 5)
    assert spend(home, *MARCH).stderr == ""


def test_all_reaches_back_to_the_first_call(home: Home) -> None:
    data = spend(home, "--all", "--json").data
    assert data["period"]["from"] is None
    assert data["total"]["calls"] == 4
    assert spend(home, "--all").stdout.startswith("period     the first call to 2")


@pytest.mark.parametrize(
    ("arguments", "error", "hint"),
    [
        pytest.param(
            ["--since", "2026-02-30"],
            "there is no day 2026-02-30",
            "write a day as YYYY-MM-DD, for example --since 2026-01-31",
            id="impossible",
        ),
        pytest.param(
            ["--until", "yesterday"],
            "--until takes a date, not 'yesterday'",
            "write a day as YYYY-MM-DD, for example --until 2026-01-31",
            id="no date",
        ),
        pytest.param(
            ["--since", "0001-01-01"],
            "--since 0001-01-01 is out of reach",
            "take a day from 1970-01-02 to 9998-12-31",
            id="out of reach",
        ),
        pytest.param(
            ["--since", "2026-03-02", "--until", "2026-03-01"],
            "--since 2026-03-02 is after --until 2026-03-01",
            "swap the two",
            id="swapped",
        ),
        pytest.param(
            ["--week", "--since", "2026-03-02"],
            "--week and --since or --until contradict each other",
            "leave one of them out",
            id="two periods",
        ),
        pytest.param(
            ["--today", "--month"],
            "--today and --month contradict each other",
            "name one period",
            id="two calendar periods",
        ),
        pytest.param(
            ["--all", "--since", "2026-03-02"],
            "--all and --since or --until contradict each other",
            "leave one of them out",
            id="all since",
        ),
        pytest.param(
            ["--year", "--all", "--week", "--until", "2026-03-02"],
            "--week, --year and --all contradict each other",
            "name one period",
            id="three periods and a date",
        ),
        pytest.param(
            ["--csv", "--today", "--by", "day", "log"], None, "`mrt spend --help` shows how it is used", id="options"
        ),
        pytest.param(
            ["chek"],
            "No such command 'chek'. Did you mean 'check'?",
            "`mrt spend --help` shows how it is used",
            id="typo",
        ),
    ],
)
def test_what_cannot_be_asked(store_home: Home, arguments: list[str], error: str | None, hint: str) -> None:
    error = error or "the options of the report come without a command: mrt spend --csv --today --by"
    shown = spend(store_home, *arguments)
    assert (shown.stdout, shown.exit_code) == ("", 2)
    assert shown.stderr.splitlines() == [f"error: {error}", f"hint: {hint}"]


def test_a_day_to_come(store_home: Home) -> None:
    shown = spend(store_home, "--since", "9000-01-01")
    assert shown.exit_code == 2
    assert shown.stderr.startswith("error: --since 9000-01-01 is in the future\nhint: today is ")


def test_csv_and_json_at_once(store_home: Home) -> None:
    shown = spend(store_home, "--csv", "--json")
    assert shown.exit_code == 2
    assert shown.stderr == "error: --csv and --json contradict each other\nhint: leave one of them out\n"


@pytest.mark.parametrize("period", ["--today", "--week", "--month", "--year"])
def test_calendar_periods_hold_today(store_home: Home, period: str) -> None:
    data = spend(store_home, period, "--json").data["period"]
    today = spend(store_home, "summary", "--json").data["date"]
    assert data["from"] <= today <= data["to"]


# The clocks of all these zones but Kathmandu's change in these weeks, in each of which a month ends.
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "Asia/Kathmandu")
moments = st.one_of(
    st.integers(int(at(f"{first}T00:00:00")), int(at(f"{last}T00:00:00")))
    for first, last in (
        ("2026-02-27", "2026-03-09"),
        ("2026-03-25", "2026-04-06"),
        ("2026-04-20", "2026-05-02"),
        ("2026-10-01", "2026-10-06"),
        ("2026-10-23", "2026-11-03"),
    )
)
costs = st.one_of(
    st.builds(Cost, st.sampled_from(["priced", "reported", "estimated"]), st.integers(0, 5 * CENT)),
    st.just(Cost("unknown")),
    st.just(Cost("free", 0)),
)
counts = st.none() | st.integers(0, 10_000)
ends = st.builds(
    Settlement,
    outcome=st.sampled_from(["accepted", "rejected", "failed", "interrupted"]),
    cost=costs,
    usage=st.builds(Usage, counts, counts, counts, st.none(), counts),
    partial=st.booleans(),
)
calls = st.tuples(
    moments,
    st.sampled_from([LOCAL, PAID]),
    st.sampled_from([None, "a", "b"]),
    st.sampled_from(["ask", "agreement"]),
    st.sampled_from(ZONES),
    ends,
)


def brute(row: dict[str, Any]) -> Totals:
    """One row as the sums it adds."""
    answer = row["outcome"] == "accepted" and row["purpose"] == "ask"
    unpriced = row["cost_nano"] is None
    return Totals(
        calls=1,
        answers=int(answer),
        local_answers=int(answer and row["local"]),
        input_tokens=row["input_tokens"] or 0,
        output_tokens=row["output_tokens"] or 0,
        cached_tokens=row["cached_tokens"] or 0,
        reasoning_tokens=row["reasoning_tokens"] or 0,
        uncounted_calls=int(row["input_tokens"] is None or row["output_tokens"] is None),
        cost_nano=row["cost_nano"] or 0,
        unpriced_calls=int(unpriced),
        reported_calls=int(row["cost_state"] == "reported"),
        priced_calls=int(row["cost_state"] == "priced"),
        estimated_calls=int(row["cost_state"] == "estimated"),
        held_nano=(row["reserved_nano"] or 0) if unpriced else 0,
        unbounded_calls=int(unpriced and row["reserved_nano"] is None),
        lost_nano=0 if row["outcome"] == "accepted" else row["cost_nano"] or 0,
    )


@settings(max_examples=100, deadline=None)
@given(st.lists(calls, max_size=8), st.lists(st.sampled_from(ZONES), min_size=1, max_size=3))
def test_the_report_is_the_sum_of_the_rows(booked: list[tuple[Any, ...]], zones: list[str]) -> None:
    from mrt.ledger import count_days_in
    from mrt.ledger.doctor import examine

    clock = Clock()
    span = Span(None, bounds_day("2026-04-02"))
    with closing(memory_store(clock)) as store:
        for moment, place, tag, purpose, booked_zone, end in booked:
            clock.now = moment
            settle(store, reserve(store, booking(7, **place, tag=tag, purpose=purpose, timezone=booked_zone)), end)
        for zone in zones:
            count_days_in(store, zone)
        assert [finding.problem for finding in examine(store)] == [None] * 3
        kept = [row for row in rows(store) if local_day(row["started_us"], zone) <= "2026-04-02"] if booked else []
        assert total(store, span) == add(map(brute, kept))
        for key in ("day", "tag", "tier", "model", "purpose"):
            found = {group.keys[0]: group.totals for group in groups(store, span, (key,))}
            named: dict[str, list[Totals]] = {}
            for row in kept:
                value = {
                    "day": local_day(row["started_us"], zone),
                    "model": f"{row['endpoint']}/{row['model']}",
                }.get(key, row.get(key))
                named.setdefault(value or "", []).append(brute(row))
            assert found == {name: add(several) for name, several in named.items()}
            by_session = groups(store, span, (key, "session"))
            assert add(group.totals for group in by_session) == total(store, span)


def bounds_day(text: str) -> Any:
    from datetime import date

    return date.fromisoformat(text)


def test_days_of_a_span_in_microseconds() -> None:
    day = bounds_day("2026-03-29")  # 23 hours long in Berlin
    start, end = bounds_us(Span(day, day), "Europe/Berlin")
    assert end - start == 23 * 3600 * 1_000_000
    assert bounds_us(Span(None, day), "Europe/Berlin") == (0, end)
