"""`mrt spend`: the report for people, as JSON and as CSV, over stores whose calls are known."""

from __future__ import annotations

import csv
import io
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger_kit import Clock, booking, rows
from rig.command import Command, Home
from spend_kit import CENT, LOCAL, PAID, at, local_answer, march, paid_answer, spend, store_file

from mrt.budget import local_day
from mrt.domain import Cost, Usage
from mrt.ledger import Settlement, memory_store, open_store, reserve, settle
from mrt.ledger.queries import KEYS, Span, Totals, bounds_us, groups, total
from mrt.ledger.report import Savings, add, savings
from mrt.ledger.rollup import METRICS

MARCH = ("--since", "2026-03-01", "--until", "2026-03-31")

REPORT = """\
period     2026-03-01 to 2026-03-31 (UTC)
cost       ≥ $0.03 (1 call unpriced)
calls      4 calls, 1 escalation
answers    3 answers, 33 % of them local
tokens     at least 1,200 in (400 cached), 300 out (80 reasoning); 1 call did not say how many
savings    unknown to $0.06 against anthropic/claude-haiku-4-5 for every answer; 1 answer could not be compared

budget    limit  used  reserved    left  taken
-------  ------  ----  --------  ------  -----
daily     $5.00    $0        $0   $5.00    0 %
monthly  $50.00    $0        $0  $50.00    0 %

model                       calls  escalations     in  cached  out  reasoning                       cost
--------------------------  -----  -----------  -----  ------  ---  ---------  -------------------------
anthropic/claude-haiku-4-5      1            1  1,000     400  200         80                      $0.03
ollama/llama3.1:8b              2            0    200       0  100          0                no API cost
koala/gpt-x                     1            0      ?       ?    ?          ?  unknown (1 call unpriced)

tip: 1 call to koala/gpt-x could not be priced: `mrt spend prices koala/gpt-x` shows what is known
"""
CSV = """\
day,tier,cost_usd,cost_state,at_least_usd,unpriced_calls,calls,answers,local_answers,escalations,input_tokens,output_tokens,\
cached_tokens,reasoning_tokens,uncounted_calls
2026-03-02,cloud,0.03,priced,0.03,0,1,1,0,1,1000,200,400,80,0
2026-03-02,local,0,free,0,0,2,1,1,0,200,100,0,0,0
2026-03-09,cloud,,unknown,0,1,1,1,0,0,,,0,0,1
"""
EMPTY = """\
period     2026-02-01 to 2026-02-28 (UTC)
cost       $0
calls      0 calls, 0 escalations
answers    0 answers
tokens     0 in, 0 out
"""


@pytest.fixture
def home(store_home: Home) -> Home:
    march(store_file(store_home))
    return store_home


def test_the_report_for_people(home: Home) -> None:
    assert spend(home, *MARCH) == (REPORT, "", 0)


def test_a_period_without_calls(home: Home) -> None:
    shown = spend(home, "--since", "2026-02-01", "--until", "2026-02-28", env={"MRT_BUDGET_DAILY_USD": "none"})
    assert shown.stdout.startswith(EMPTY)
    assert "model" not in shown.stdout
    assert "daily" not in shown.stdout


def test_without_any_budget(home: Home) -> None:
    none = {"MRT_BUDGET_DAILY_USD": "none", "MRT_BUDGET_MONTHLY_USD": "none"}
    assert "budget" not in spend(home, *MARCH, env=none).stdout
    assert spend(home, "check", env=none) == ("within: no budget is set\n", "", 0)


def test_json(home: Home) -> None:
    data = spend(home, *MARCH, "--json").data
    assert data["period"] == {"from": "2026-03-01", "to": "2026-03-31", "timezone": "UTC"}
    assert data["total"]["cost"] == {"state": "unknown", "usd": None, "at_least_usd": "0.03"}
    assert (data["total"]["calls"], data["total"]["unpriced_calls"], data["total"]["input_tokens"]) == (4, 1, 1200)
    by_key = {group["key"]: group for group in data["groups"]}
    assert by_key["koala/gpt-x"]["input_tokens"] is None
    assert by_key["koala/gpt-x"]["cost"]["usd"] is None
    assert by_key["ollama/llama3.1:8b"]["cost"] == {"state": "free", "usd": "0", "at_least_usd": "0"}
    assert data["budgets"][0] == {
        "scope": "all",
        "period": "daily",
        "limit_usd": "5",
        "used_usd": "0",
        "reserved_usd": "0",
        "left_usd": "5",
        "unpriced_calls": 0,
    }
    assert data["forecast"] is None
    assert data["savings"] == {
        "low": None,
        "high": "0.06",
        "baseline_model": "anthropic/claude-haiku-4-5",
        "baseline_models": ["anthropic/claude-haiku-4-5"],
        "missing_answers": 1,
    }


def test_csv(home: Home) -> None:
    assert spend(home, *MARCH, "--csv", "--by", "day", "--by", "tier") == (CSV, "", 0)
    (total_row,) = csv.DictReader(io.StringIO(spend(home, *MARCH, "--csv").stdout))
    assert (total_row["calls"], total_row["cost_usd"], total_row["cost_state"]) == ("4", "", "unknown")


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("day", ["2026-03-02", "2026-03-09"]),
        ("week", ["2026-03-02", "2026-03-09"]),
        ("month", ["2026-03"]),
        ("model", ["anthropic/claude-haiku-4-5", "ollama/llama3.1:8b", "koala/gpt-x"]),
        ("provider", ["anthropic", "ollama", "koala"]),
        ("tier", ["cloud", "local"]),
        ("tag", ["nightly", None]),
        ("project", ["web", None]),
        ("session", [None, "talk"]),
        ("purpose", ["ask"]),
    ],
)
def test_by(home: Home, key: str, expected: list[str | None]) -> None:
    data = spend(home, *MARCH, "--by", key, "--json").data
    assert [group["keys"][key] for group in data["groups"]] == expected
    assert sum(group["calls"] for group in data["groups"]) == 4


def test_by_host(home: Home) -> None:
    (group,) = spend(home, *MARCH, "--by", "host", "--json").data["groups"]
    assert group["key"]


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
            ["--csv", "--today", "--by", "day", "log"], None, "`mrt spend --help` shows how it is used", id="options"
        ),
        pytest.param(["chek"], "No such command 'chek'.", "`mrt spend --help` shows how it is used", id="typo"),
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


def test_an_unknown_zone(home: Home) -> None:
    shown = spend(home, env={"MRT_BUDGET_TIMEZONE": "Mars/Olympus"})
    assert shown.exit_code == 2
    assert shown.stderr.splitlines()[0].startswith("error: MRT_BUDGET_TIMEZONE: ")
    assert "Mars/Olympus" in shown.stderr


def test_another_zone_counts_all_days_anew_once(home: Home) -> None:
    kathmandu = {"MRT_BUDGET_TIMEZONE": "Pacific/Kiritimati"}
    moved = spend(home, *MARCH, "--by", "day", "--json", env=kathmandu)
    assert moved.stderr == ("days are counted in Pacific/Kiritimati now, before in UTC: the sums by day were rebuilt\n")
    assert [group["key"] for group in moved.data["groups"]] == ["2026-03-03", "2026-03-10"]
    assert spend(home, *MARCH, env=kathmandu).stderr == ""
    assert spend(home, "doctor", env=kathmandu).stdout.splitlines()[1] == "roll-up: well"
    assert spend(home, *MARCH).stderr.startswith("days are counted in UTC now, before in Pacific/Kiritimati")
    assert spend(home, *MARCH).stdout == REPORT


def test_a_store_of_before_the_reports(store_home: Home) -> None:
    path = store_file(store_home)
    march(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(
            """
            DROP INDEX calls_by_operation; DROP INDEX calls_by_session; DROP TABLE rollup; DROP TABLE meta;
            ALTER TABLE calls DROP COLUMN baseline_model; ALTER TABLE calls DROP COLUMN baseline_rates;
            ALTER TABLE calls DROP COLUMN baseline_low_nano; ALTER TABLE calls DROP COLUMN baseline_high_nano;
            ALTER TABLE calls DROP COLUMN imported_us; CREATE TABLE rollup (day TEXT) STRICT;
            UPDATE calls SET timezone = 'Asia/Tokyo' WHERE attempt = 1;
            DELETE FROM _sqlite_migrations WHERE name != 'first tables'; PRAGMA user_version = 1;
            """
        )
    shown = spend(store_home, *MARCH)
    assert shown.stderr == "days are counted in UTC now, before in several zones: the sums by day were rebuilt\n"
    assert "calls      4 calls, 1 escalation\n" in shown.stdout
    assert "savings" not in shown.stdout
    assert spend(store_home, "doctor").exit_code == 0


def test_bars_only_on_a_terminal(home: Home, mrt: Command) -> None:
    shown = mrt("spend", *MARCH, "--by", "day", tty=True).stdout
    assert "2026-03-02  ████████████████████████ $0.03" in shown
    assert "2026-03-09   unknown (1 call unpriced)" in shown
    assert "0 %  ························" in shown
    assert "█" not in mrt("spend", *MARCH, "--by", "day").stdout


def test_wide_text_is_neither_cut_nor_misaligned(store_home: Home) -> None:
    with closing(open_store(store_file(store_home), Clock(at("2026-03-02T10:00:00")))) as store:
        for project in ("長い名前", "x" * 300, "ring\x1b[31m\x07red"):
            settle(store, reserve(store, booking(0, **LOCAL, project=project)), local_answer())
    lines = spend(store_home, *MARCH, "--by", "project").stdout.splitlines()
    table = [line for line in lines if line.endswith("no API cost")][1:]
    assert any("x" * 300 in line for line in table)
    assert any(line.startswith("長い名前" + " " * 292) for line in table)
    assert not any("\x1b" in line or "\x07" in line for line in lines)


def test_a_budget_of_its_own(home: Home) -> None:
    config = home.config / "mrt" / "config.toml"
    config.parent.mkdir(exist_ok=True)
    config.write_text('[limits.nightly]\ntag = "nightly"\nmonthly_usd = 1.0\n')
    lines = spend(home, *MARCH, "--json").data["budgets"]
    assert [(line["scope"], line["period"]) for line in lines] == [
        ("all", "daily"),
        ("all", "monthly"),
        ("nightly", "monthly"),
    ]
    assert "monthly nightly" in spend(home, *MARCH).stdout


def test_totals_are_the_metrics_of_the_roll_up() -> None:
    assert Totals._fields == tuple(METRICS)


@pytest.mark.parametrize(
    ("totals", "expected"),
    [
        pytest.param(Totals(answers=2), None, id="nothing to compare with"),
        pytest.param(
            Totals(answers=1, baseline_calls=1, baseline_low_nano=5, baseline_high_nano=9, cost_nano=2),
            (3, 7, 0),
            id="saved",
        ),
        pytest.param(Totals(answers=1, baseline_calls=1, cost_nano=2), (-2, -2, 0), id="lost"),
        pytest.param(
            Totals(
                answers=3, baseline_calls=1, baseline_low_nano=9, baseline_high_nano=9, unpriced_calls=1, held_nano=4
            ),
            (5, 9, 2),
            id="an unpriced call may have cost its bound",
        ),
        pytest.param(
            Totals(answers=1, baseline_calls=1, baseline_high_nano=9, unpriced_calls=1, unbounded_calls=1),
            (None, 9, 0),
            id="an unbounded call may have cost anything",
        ),
    ],
)
def test_savings(totals: Totals, expected: tuple[int | None, int, int] | None) -> None:
    found = savings(totals, [])
    assert found == (None if expected is None else Savings(expected[0], expected[1], (), expected[2]))


moments = st.integers(int(at("2026-03-25T00:00:00")), int(at("2026-04-05T00:00:00")))
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
    st.sampled_from(["UTC", "Europe/Berlin", "Australia/Lord_Howe"]),
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


@settings(max_examples=40, deadline=None)
@given(st.lists(calls, max_size=8), st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kathmandu", "Africa/Cairo"]))
def test_the_report_is_the_sum_of_the_rows(booked: list[tuple[Any, ...]], zone: str) -> None:
    from mrt.ledger import count_days_in

    clock = Clock()
    span = Span(None, bounds_day("2026-04-02"))
    with closing(memory_store(clock)) as store:
        for moment, place, tag, purpose, booked_zone, end in booked:
            clock.now = moment
            settle(store, reserve(store, booking(7, **place, tag=tag, purpose=purpose, timezone=booked_zone)), end)
        count_days_in(store, zone)
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


def test_every_key_has_an_option() -> None:
    from mrt.commands.spend import BY

    assert set(KEYS) - {"baseline"} == set(BY)


def test_days_of_a_span_in_microseconds() -> None:
    day = bounds_day("2026-03-29")  # 23 hours long in Berlin
    start, end = bounds_us(Span(day, day), "Europe/Berlin")
    assert end - start == 23 * 3600 * 1_000_000
    assert bounds_us(Span(None, day), "Europe/Berlin") == (0, end)


def test_a_report_without_a_store_makes_one(store_home: Home) -> None:
    assert spend(store_home, "--today").exit_code == 0
    assert store_file(store_home).is_file()


def test_paid_only_has_a_saving_of_nothing(store_home: Home) -> None:
    with closing(open_store(store_file(store_home), Clock(at("2026-03-02T10:00:00")))) as store:
        settle(store, reserve(store, booking(5 * CENT, **PAID)), paid_answer())
    data = spend(store_home, *MARCH, "--json").data
    assert (data["savings"]["low"], data["savings"]["high"]) == ("0", "0")
    assert data["total"]["cost"] == {"state": "priced", "usd": "0.03", "at_least_usd": "0.03"}


def test_completion_of_commands(mrt: Command) -> None:
    words = {"_MRT_COMPLETE": "bash_complete", "COMP_WORDS": "mrt spend d", "COMP_CWORD": "2"}
    assert mrt(env=words).stdout == "plain,doctor\n"


def test_reports_of_a_path_given_by_the_environment(store_home: Home, tmp_path: Path) -> None:
    march(tmp_path / "other.db")
    assert spend(store_home, *MARCH, env={"MRT_DB": str(tmp_path / "other.db")}).stdout == REPORT


def test_a_zone_of_the_environment_that_is_none(store_home: Home) -> None:
    assert spend(store_home, "--json", env={"TZ": "Mars/Olympus"}).data["period"]["timezone"] != "Mars/Olympus"


def test_the_help_topic(mrt: Command) -> None:
    shown = mrt("help", "budgets")
    assert shown.exit_code == 0
    assert shown.stdout.startswith("A budget is a promise: ")
    assert max(map(len, shown.stdout.splitlines())) <= 130
