"""`mrt spend log`, `why`, `check` and `summary`, to the letter."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from contextlib import closing
from typing import Any

import pytest
from ledger_kit import DAY_S, Clock, booking, priced
from rig.command import Command, Home
from spend_kit import CENT, LOCAL, PAID, at, march, paid_answer, spend, store_file

from mrt.domain import Usage
from mrt.ledger import Settlement, open_store, reserve, settle, sweep

EURO = {"MRT_BUDGET_TIMEZONE": "UTC"}


@pytest.fixture
def identifiers(store_home: Home) -> list[str]:
    return march(store_file(store_home))


def test_log(store_home: Home, identifiers: list[str]) -> None:
    one, two, three, four = identifiers
    wide = len(one)
    assert spend(store_home, "log").stdout == (
        f"when                       {'id':<{wide}}  tier   model                       outcome             in  out     cost"
        "     ms  decision\n"
        f"-------------------------  {'-' * wide}  -----  --------------------------  ---------------  -----  ---  -------"
        "  -----  --------------------------\n"
        f"2026-03-09 12:00:00+00:00  {four}  cloud  koala/gpt-x                 accepted             ?    ?  unknown      0\n"
        f"2026-03-02 11:00:05+00:00  {three}  cloud  anthropic/claude-haiku-4-5  accepted         1,000  200    $0.03"
        "  2,000\n"
        f"2026-03-02 11:00:00+00:00  {two}  local  ollama/llama3.1:8b          rejected (json)    100   50     free    900\n"
        f"2026-03-02 10:00:00+00:00  {one}  local  ollama/llama3.1:8b          accepted           100   50     free    900"
        "  complexity 3: short prompt\n"
    )


def test_log_of_some(store_home: Home, identifiers: list[str]) -> None:
    data = spend(store_home, "log", "-n", "2", "--json").data
    assert [call["id"] for call in data["calls"]] == [identifiers[3], identifiers[2]]
    data = spend(store_home, "log", "--since", "2026-03-05", "--json").data
    assert [call["id"] for call in data["calls"]] == [identifiers[3]]


def test_log_of_nothing(store_home: Home) -> None:
    assert spend(store_home, "log") == ("", "no call is booked\n", 0)


def test_log_after_the_clock_went_back(store_home: Home) -> None:
    clock = Clock(at("2026-03-02T10:00:00"))
    with closing(open_store(store_file(store_home), clock)) as store:
        first = reserve(store, booking(0, **LOCAL))
        clock.now -= DAY_S
        second = reserve(store, booking(0, **LOCAL))
    calls = spend(store_home, "log", "--json").data["calls"]
    assert [call["id"] for call in calls] == [second, first]
    assert [call["outcome"] for call in calls] == [None, None]


WHY = """\
operation  bbbb-two

1. local (ollama/llama3.1:8b), ask, 2026-03-02 11:00:00+00:00
   id          {one}
   outcome     rejected by json: json: no JSON at all
   tokens      100 in, 50 out, reported
   cost        no API cost
   rates       none
   reserved    nothing: it cannot cost anything
   settled     2026-03-02 11:00:02+00:00

2. cloud (anthropic/claude-haiku-4-5), ask, 2026-03-02 11:00:05+00:00
   id          {two}
   outcome     accepted
   tokens      1,000 in, 200 out (400 cached, 80 reasoning), reported
   cost        $0.03, priced
   rates       input $1, output $5 per million tokens (table 1: anthropic/claude-haiku-4-5)
   reserved    at most $0.05
   settled     2026-03-02 11:00:07+00:00
"""


def test_why(store_home: Home, identifiers: list[str]) -> None:
    expected = WHY.format(one=identifiers[1], two=identifiers[2])
    assert spend(store_home, "why", "bbbb-two") == (expected, "", 0)
    assert spend(store_home, "why", "BBBB").stdout == expected
    assert spend(store_home, "why", identifiers[2]).stdout == expected


def test_why_shows_the_decision(store_home: Home, identifiers: list[str]) -> None:
    assert spend(store_home, "why", "aaaa").stdout.splitlines()[1] == "routed     complexity 3: short prompt"


def test_why_as_json(store_home: Home, identifiers: list[str]) -> None:
    data = spend(store_home, "why", "bbbb", "--json").data
    assert data["operation"] == "bbbb-two"
    assert [call["cost"] for call in data["calls"]] == [
        {"state": "free", "usd": "0"},
        {"state": "priced", "usd": "0.03"},
    ]
    assert data["calls"][1]["started_at"] == "2026-03-02T11:00:05+00:00"
    assert data["calls"][1]["baseline"] == {
        "model": "anthropic/claude-haiku-4-5",
        "low": "0.03",
        "high": "0.03",
        "rates": {"input": "1"},
    }


@pytest.mark.parametrize(
    ("identifier", "error", "hint"),
    [
        ("zzzz", "no call has an id that begins with zzzz", "`mrt spend log` lists the last ones"),
        ("abc", "'abc' is too short for an id", "give at least 4 characters of it"),
        ("019c", "several calls begin with 019c: aaaa-one, bbbb-two, cccc-three", "give more of it"),
    ],
)
def test_an_id_that_names_nothing(
    store_home: Home, identifiers: list[str], identifier: str, error: str, hint: str
) -> None:
    assert spend(store_home, "why", identifier) == ("", f"error: {error}\nhint: {hint}\n", 2)


def _line(store_home: Home, operation: str, label: str) -> str:
    lines = spend(store_home, "why", operation).stdout.splitlines()
    return next(line.partition(label)[2].strip() for line in lines if line.strip().startswith(label))


@pytest.mark.parametrize(
    ("settlement", "label", "expected"),
    [
        (Settlement("failed", reason="timeout: nothing came"), "outcome", "failed: timeout: nothing came"),
        (Settlement("accepted", partial=True, usage=Usage(None, 7, source="estimated")), "outcome", "accepted, cut off"),
        (Settlement("accepted", usage=Usage(None, 7, source="estimated")), "tokens", "? in, 7 out, estimated"),
        (paid_answer(rates=None, price_reference=None, cost=priced(5).cost), "rates", "none"),
        (paid_answer(served_model="other"), "served by", "other"),
        (paid_answer(rates={"source": "config", "cached_input": "0.1"}, price_reference=None), "rates",
         "cached input $0.1 per million tokens (config)"),
    ],
)  # fmt: skip
def test_why_of_unusual_calls(store_home: Home, settlement: Settlement, label: str, expected: str) -> None:
    with closing(open_store(store_file(store_home), Clock())) as store:
        settle(store, reserve(store, booking(CENT, **PAID, operation_id="unusual")), settlement)
    assert _line(store_home, "unusual", label) == expected


def test_why_of_the_servers_own_amount(store_home: Home) -> None:
    from mrt.domain import Cost

    with closing(open_store(store_file(store_home), Clock())) as store:
        end = Settlement("accepted", usage=Usage(1, 1), cost=Cost("reported", 1234))
        settle(store, reserve(store, booking(CENT, **PAID, operation_id="reported")), end)
    assert _line(store_home, "reported", "rates") == "the server's own amount"
    assert _line(store_home, "reported", "cost") == "$0.000001234, reported"


def test_why_of_calls_that_nobody_settled(store_home: Home) -> None:
    clock = Clock(at("2026-03-02T10:00:00"))
    with closing(open_store(store_file(store_home), clock)) as store:
        late = reserve(store, booking(CENT, **PAID, operation_id="late"))
        reserve(store, booking(CENT, **PAID, operation_id="swept"))
        clock.now += 2 * 3600
        assert sweep(store) == 2
        settle(store, late, paid_answer())
        reserve(store, booking(CENT, **PAID, operation_id="open"))
    assert _line(store_home, "swept", "settled") == "never; closed at its upper bound 2026-03-02 12:00:00+00:00"
    assert _line(store_home, "swept", "cost") == "$0.01, estimated"
    assert _line(store_home, "late", "settled") == "2026-03-02 12:00:00+00:00, after it had been given up"
    assert _line(store_home, "open", "outcome") == "under way"
    assert _line(store_home, "open", "cost") == "not settled yet"
    assert _line(store_home, "open", "settled") == "not yet"
    assert spend(store_home, "why", "open", "--json").data["calls"][0]["reserved_until"] == "2026-03-02T13:00:00+00:00"
    costs = [call["cost"] for call in spend(store_home, "log", "--json").data["calls"]]
    assert costs[0] == {"state": None, "usd": None}
    assert "about $0.01" in spend(store_home, "log").stdout


def test_a_damaged_decision_is_left_out(store_home: Home, identifiers: list[str]) -> None:
    with closing(open_store(store_file(store_home))) as store:
        store.connection.execute("UPDATE calls SET decision = '{', rates = '[1]'")
    assert "routed" not in spend(store_home, "why", "aaaa").stdout
    assert spend(store_home, "log").exit_code == 0


def now_spend(home: Home, cents: int, *, reserved: int = 0, unpriced: bool = False) -> None:
    """Calls of this moment."""
    with closing(open_store(store_file(home), time.time)) as store:
        settle(store, reserve(store, booking(cents * CENT, **PAID)), paid_answer(cents))
        if reserved:
            reserve(store, booking(reserved * CENT, **PAID))
        if unpriced:
            settle(store, reserve(store, booking(None, **PAID)), Settlement("accepted"))


UNPRICED = "within: daily unknown of $1.00 (≥ 0 %, 1 call unpriced), monthly unknown of $4.00 (≥ 0 %, 1 call unpriced)"
LIMITS = {"MRT_BUDGET_DAILY_USD": "1", "MRT_BUDGET_MONTHLY_USD": "4"}


@pytest.mark.parametrize(
    ("cents", "more", "arguments", "line", "code"),
    [
        (0, {}, [], "within: daily $0 of $1.00 (0 %), monthly $0 of $4.00 (0 %)", 0),
        (99, {}, [], "within: daily $0.99 of $1.00 (99 %), monthly $0.99 of $4.00 (24 %)", 0),
        (100, {}, [], "over: daily $1.00 of $1.00 (100 %), monthly $1.00 of $4.00 (25 %)", 5),
        (250, {}, [], "over: daily $2.50 of $1.00 (250 %), monthly $2.50 of $4.00 (62 %)", 5),
        (79, {}, ["--warn-at", "80"], "within: daily $0.79 of $1.00 (79 %), monthly $0.79 of $4.00 (19 %)", 0),
        (80, {}, ["--warn-at", "80"], "over: daily $0.80 of $1.00 (80 %), monthly $0.80 of $4.00 (20 %)", 5),
        (0, {"unpriced": True}, [], UNPRICED, 0),
    ],
)  # fmt: skip
def test_check(
    store_home: Home, cents: int, more: Mapping[str, Any], arguments: list[str], line: str, code: int
) -> None:
    now_spend(store_home, cents, **more)
    assert spend(store_home, "check", *arguments, env=LIMITS) == (line + "\n", "", code)


def test_check_counts_what_is_under_way(store_home: Home) -> None:
    with closing(open_store(store_file(store_home), time.time)) as store:
        reserve(store, booking(60 * CENT, **PAID))
        text = "over: daily $0 and $0.60 reserved of $0.50 (120 %), monthly $0 and $0.60 reserved of $4.00 (15 %)\n"
        assert spend(store_home, "check", env={**LIMITS, "MRT_BUDGET_DAILY_USD": "0.5"}) == (text, "", 5)


def test_a_call_under_way_without_a_bound(store_home: Home) -> None:
    with closing(open_store(store_file(store_home), time.time)) as store:
        reserve(store, booking(None, **PAID))
        (daily, _) = spend(store_home, "summary", "--json", env=LIMITS).data["budgets"]
    assert (daily["used_usd"], daily["reserved_usd"], daily["left_usd"]) == ("0", None, None)


def test_check_of_a_budget_of_nothing(store_home: Home) -> None:
    shown = spend(store_home, "check", env={"MRT_BUDGET_DAILY_USD": "0", "MRT_BUDGET_MONTHLY_USD": "none"})
    assert shown == ("over: daily $0 of $0 (100 %)\n", "", 5)


def test_check_as_json(store_home: Home) -> None:
    now_spend(store_home, 100)
    shown = spend(store_home, "check", "--json", env=LIMITS)
    document = json.loads(shown.stdout)
    assert shown.exit_code == 5
    assert document["data"]["within"] is False
    assert document["errors"] == [
        {
            "code": "budget",
            "message": "over: daily $1.00 of $1.00 (100 %), monthly $1.00 of $4.00 (25 %)",
            "hint": "`mrt spend` shows what it went to",
            "exit_code": 5,
        }
    ]
    assert json.loads(spend(store_home, "check", "--json").stdout)["errors"] == []


def test_check_refuses_impossible_percents(store_home: Home) -> None:
    assert spend(store_home, "check", "--warn-at", "0").exit_code == 2


@pytest.mark.parametrize(
    ("cents", "status"), [(0, "within"), (79, "within"), (80, "near"), (99, "near"), (100, "over")]
)
def test_summary(store_home: Home, cents: int, status: str) -> None:
    now_spend(store_home, cents)
    data = spend(store_home, "summary", "--json", env=LIMITS).data
    assert data["status"] == status
    assert data["today"] == data["month"]
    assert data["today"]["cost"]["usd"] == ("0" if not cents else f"{cents / 100:g}")
    assert [group["key"] for group in data["tiers"]] == ["cloud"]
    assert [group["key"] for group in data["models"]] == ["anthropic/claude-haiku-4-5"]
    assert [line["period"] for line in data["budgets"]] == ["daily", "monthly"]


def test_summary_for_people(store_home: Home) -> None:
    now_spend(store_home, 50)
    assert spend(store_home, "summary", env=LIMITS).stdout == (
        "today       $0.50, 1 call, 0 % answered locally\n"
        "this month  $0.50, 1 call, 0 % answered locally\n"
        "budgets     within: daily $0.50 of $1.00 (50 %), monthly $0.50 of $4.00 (12 %)\n"
    )


def test_help_of_every_command_opens_with_examples(mrt: Command) -> None:
    from mrt.commands.spend import COMMANDS

    for name in ("", *COMMANDS):
        shown = mrt("spend", *([name] if name else []), "--help")
        assert shown.stdout.startswith("Examples:\n  mrt spend"), name
