"""The report for people, line by line, from reports made by hand."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from mrt.ledger.forecast import Burn, Forecast
from mrt.ledger.queries import Group, Span, Totals
from mrt.ledger.report import BudgetLine, Report, Savings, Wanted
from mrt.output.spend import report_text
from mrt.output.spend_data import report_data

DOLLAR = 10**9
TODAY = date(2026, 3, 17)


def made(by: tuple[str, ...] = (), **changes: Any) -> Report:
    """A report of March with nothing in it but what is named."""
    span = Span(date(2026, 3, 1), date(2026, 3, 31))
    empty = Report(Wanted(span, by, "UTC", TODAY, ()), Totals(), (), (), None, None, None, ())
    return empty._replace(**changes)


def line(report: Report, name: str) -> str:
    """One fact of the head."""
    lines = report_text(report, terminal=False).splitlines()
    return next(text[11:] for text in lines if text.startswith(name))


def course(reached: date | None) -> Forecast:
    return Forecast(3 * DOLLAR, 4 * DOLLAR, 5 * DOLLAR, date(2026, 3, 31), reached)


@pytest.mark.parametrize(
    ("reached", "text"),
    [
        (None, "$3.00 to $5.00 by 2026-03-31"),
        (TODAY, "$3.00 to $5.00 by 2026-03-31; the monthly budget would be reached today"),
        (
            date(2026, 3, 20),
            "$3.00 to $5.00 by 2026-03-31; the monthly budget would be reached on 2026-03-20",
        ),
    ],
)
def test_forecast(reached: date | None, text: str) -> None:
    report = made(forecast=course(reached), burn=Burn(DOLLAR // 4, 7))
    assert line(report, "forecast") == text
    assert line(report, "burn rate") == "$0.25 a day over the last 7 days"
    data = report_data(report)
    assert (data["burn_usd_per_day"], data["burn_at_least_usd_per_day"]) == ("0.25", "0.25")
    assert data["forecast"] == {
        "low": "3",
        "expected": "4",
        "high": "5",
        "at_least": "3",
        "unpriced_calls": 0,
        "until": "2026-03-31",
        "limit_reached_on": None if reached is None else reached.isoformat(),
    }


def test_a_budget_that_is_reached() -> None:
    lines = (BudgetLine("all", "monthly", DOLLAR, DOLLAR, 0, 0),)
    text = line(made(forecast=course(TODAY), budgets=lines), "forecast")
    assert text == "$3.00 to $5.00 by 2026-03-31; the monthly budget is reached"


@pytest.mark.parametrize(
    ("found", "text", "known"),
    [
        (Burn(DOLLAR, 1), "$1.00 so far today", ("1", "1")),
        (Burn(DOLLAR, 3), "$1.00 a day over the last 3 days", ("1", "1")),
        (Burn(DOLLAR, 7, 2), "≥ $1.00 a day over the last 7 days (2 calls unpriced)", (None, "1")),
        (Burn(0, 7, 1), "unknown over the last 7 days (1 call unpriced)", (None, "0")),
        (Burn(0, 7), "$0 a day over the last 7 days", ("0", "0")),
        (Burn(None, 7), "unknown: the calls of the last 7 days were imported", (None, None)),
    ],
)
def test_burn_rate(found: Burn, text: str, known: tuple[str | None, str | None]) -> None:
    report = made(burn=found)
    assert line(report, "burn rate") == text
    data = report_data(report)
    assert (data["burn_usd_per_day"], data["burn_at_least_usd_per_day"]) == known


@pytest.mark.parametrize(
    ("low", "reached", "text"),
    [
        (DOLLAR, None, "≥ $1.00 (2 calls unpriced) by 2026-03-31"),
        (0, None, "unknown (2 calls unpriced) by 2026-03-31"),
        (
            DOLLAR,
            date(2026, 3, 20),
            "≥ $1.00 (2 calls unpriced) by 2026-03-31; the monthly budget would be reached on 2026-03-20 or earlier",
        ),
        (DOLLAR, TODAY, "≥ $1.00 (2 calls unpriced) by 2026-03-31; the monthly budget would be reached today"),
    ],
)
def test_a_forecast_that_is_partly_known(low: int, reached: date | None, text: str) -> None:
    report = made(forecast=Forecast(low, 2 * DOLLAR, 3 * DOLLAR, date(2026, 3, 31), reached, 2))
    assert line(report, "forecast") == text
    data = report_data(report)["forecast"]
    assert (data["low"], data["expected"], data["high"], data["unpriced_calls"]) == (None, None, None, 2)
    assert data["at_least"] == ("1" if low else "0")


@pytest.mark.parametrize(
    ("saved", "text"),
    [
        (Savings(DOLLAR, 2 * DOLLAR, ("a/b",), 0), "$1.00 to $2.00 against a/b for every answer"),
        (Savings(-DOLLAR, 2 * DOLLAR, ("a/b",), 0), "-$1.00 to $2.00 against a/b for every answer"),
        (
            Savings(None, DOLLAR, ("a/b", "a/c"), 3),
            "unknown to $1.00 against the strongest paid tier (a/b, a/c) for every answer; 3 answers could not be compared",
        ),
    ],
)
def test_savings(saved: Savings, text: str) -> None:
    report = made(savings=saved)
    assert line(report, "savings") == text
    data = report_data(report)["savings"]
    assert data["baseline_model"] == (saved.models[0] if len(saved.models) == 1 else None)
    assert data["missing_answers"] == saved.missing


BUDGETS = (
    BudgetLine("all", "daily", 5 * DOLLAR, DOLLAR, DOLLAR // 2, 0),
    BudgetLine("nightly", "monthly", DOLLAR, 3 * DOLLAR, 0, 2, 1),
    BudgetLine("all", "monthly", 0, 0, 0, 0),
    BudgetLine("nightly", "daily", DOLLAR, 0, DOLLAR // 10, 1),
)


def test_budgets_in_a_pipe() -> None:
    assert report_text(made(budgets=BUDGETS), terminal=False).split("\n\n")[1].splitlines() == [
        "budget           limit     used  reserved      left    taken",
        "---------------  -----  -------  --------  --------  -------",
        "daily            $5.00    $1.00     $0.50     $3.50     30 %",
        "monthly nightly  $1.00  ≥ $3.00   unknown  ≤ -$2.00  ≥ 300 %",
        "monthly             $0       $0        $0        $0    100 %",
        "daily nightly    $1.00  unknown     $0.10     $0.90   ≥ 10 %",
    ]
    data = report_data(made(budgets=BUDGETS))["budgets"]
    assert [(one["used_usd"], one["used_at_least_usd"]) for one in data] == [
        ("1", "1"),
        (None, "3"),
        ("0", "0"),
        (None, "0"),
    ]
    assert [one["left_usd"] for one in data] == ["3.5", None, "0", "0.9"]
    assert [one["reserved_usd"] for one in data] == ["0.5", None, "0", "0.1"]
    assert data[1]["left_at_most_usd"] == "-2"


def test_budget_bars_on_a_terminal() -> None:
    shown = report_text(made(budgets=BUDGETS), terminal=True).splitlines()
    bars = [text.rpartition(" %  ")[2] for text in shown if " %  " in text]
    assert bars == ["█████▒▒▒················", "█" * 24, "█" * 24, "▒▒▒·····················"]


GROUPS = (
    Group(("fast",), Totals(calls=3)),
    Group(("",), Totals(calls=1, priced_calls=1, cost_nano=1)),
    Group(("cloud",), Totals(calls=1, priced_calls=1, cost_nano=DOLLAR)),
)


def test_a_chart_on_a_terminal() -> None:
    text = report_text(made(("tag",), groups=GROUPS), terminal=True)
    assert text.split("\n\n")[2].splitlines() == [
        "fast    no API cost",
        "(none)  █ $0.000000001",
        "cloud   ████████████████████████ $1.00",
    ]


@pytest.mark.parametrize(
    ("by", "groups"),
    [
        (("tier", "tag"), (Group(("a", "b"), Totals(calls=1, priced_calls=1, cost_nano=5)),)),
        (("tier",), GROUPS[:1]),
        ((), ()),
    ],
)
def test_no_chart_where_it_would_say_nothing(by: tuple[str, ...], groups: tuple[Group, ...]) -> None:
    assert "█" not in report_text(made(by, groups=groups), terminal=True)


def test_counts_that_are_partly_known() -> None:
    totals = Totals(calls=2, uncounted_calls=1, input_tokens=5)
    text = report_text(made(("tier",), total=totals, groups=(Group(("x",), totals),)), terminal=False)
    assert "tokens     at least 5 in, ? out; 1 call did not say how many" in text
    assert text.splitlines()[-1] == "x         2            0  ≥ 5       ?    ?          ?  no API cost"
    data = report_data(made(total=totals))["total"]
    assert (data["input_tokens"], data["output_tokens"], data["uncounted_calls"]) == (5, None, 1)


def test_tips_come_last() -> None:
    assert report_text(made(tips=("one", "two")), terminal=False).endswith("\n\ntip: one\ntip: two")


def test_a_chart_of_wide_and_wild_names() -> None:
    groups = (Group(("長い",), Totals(calls=1, cost_nano=DOLLAR)), Group(("a\x1b[1mb\n",), Totals(calls=1)))
    assert report_text(made(("tag",), groups=groups), terminal=True).split("\n\n")[2].splitlines() == [
        f"長い  {'█' * 24} no API cost",
        "ab    no API cost",
    ]


def test_since_ever() -> None:
    report = made()
    ever = report._replace(wanted=report.wanted._replace(span=Span(None, TODAY)))
    assert line(ever, "period") == "the first call to 2026-03-17 (UTC)"
