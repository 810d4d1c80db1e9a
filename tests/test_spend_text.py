"""The report for people, line by line, from reports made by hand."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from mrt.ledger.forecast import Forecast
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
        (TODAY, "$3.00 to $5.00 by 2026-03-31; the monthly budget is reached"),
        (
            date(2026, 3, 20),
            "$3.00 to $5.00 by 2026-03-31; the monthly budget would be reached on 2026-03-20",
        ),
    ],
)
def test_forecast(reached: date | None, text: str) -> None:
    report = made(forecast=course(reached), burn_nano=DOLLAR // 4)
    assert line(report, "forecast") == text
    assert line(report, "burn rate") == "$0.25 a day over the last 7 days"
    data = report_data(report)
    assert data["burn_usd_per_day"] == "0.25"
    assert data["forecast"] == {
        "low": "3",
        "expected": "4",
        "high": "5",
        "until": "2026-03-31",
        "limit_reached_on": None if reached is None else reached.isoformat(),
    }


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
    BudgetLine("nightly", "monthly", DOLLAR, 3 * DOLLAR, 0, 2),
    BudgetLine("all", "monthly", 0, 0, 0, 0),
)


def test_budgets_in_a_pipe() -> None:
    assert report_text(made(budgets=BUDGETS), terminal=False).split("\n\n")[1].splitlines() == [
        "budget           limit     used  reserved    left  taken",
        "---------------  -----  -------  --------  ------  -----",
        "daily            $5.00    $1.00     $0.50   $3.50   30 %",
        "monthly nightly  $1.00  ≥ $3.00        $0  -$2.00  300 %",
        "monthly             $0       $0        $0      $0  100 %",
    ]


def test_budget_bars_on_a_terminal() -> None:
    shown = report_text(made(budgets=BUDGETS), terminal=True).splitlines()
    bars = [text.rpartition(" %  ")[2] for text in shown if " %  " in text]
    assert bars == ["█████▒▒▒················", "█" * 24, "█" * 24]


GROUPS = (
    Group(("fast",), Totals(calls=3)),
    Group(("",), Totals(calls=1, priced_calls=1, cost_nano=1)),
    Group(("cloud",), Totals(calls=1, priced_calls=1, cost_nano=DOLLAR)),
)


def test_a_chart_on_a_terminal() -> None:
    text = report_text(made(("tag",), groups=GROUPS), terminal=True)
    assert text.split("\n\n")[2].splitlines() == [
        "fast     no API cost",
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
    assert "tokens     at least 5 in, 0 out; 1 call did not say how many" in text
    assert text.splitlines()[-1] == "x         2            0  ≥ 5       ?    ?          ?  no API cost"
    data = report_data(made(total=totals))["total"]
    assert (data["input_tokens"], data["output_tokens"], data["uncounted_calls"]) == (5, None, 1)


def test_tips_come_last() -> None:
    assert report_text(made(tips=("one", "two")), terminal=False).endswith("\n\ntip: one\ntip: two")


def test_since_ever() -> None:
    report = made()
    ever = report._replace(wanted=report.wanted._replace(span=Span(None, TODAY)))
    assert line(ever, "period") == "the first call to 2026-03-17 (UTC)"
