"""`mrt spend`: the report for people, as JSON and as CSV, over stores whose calls are known."""

from __future__ import annotations

import csv
import io
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from ledger_kit import Clock, booking
from rig.command import Command, Home
from spend_kit import CENT, LOCAL, PAID, at, local_answer, march, paid_answer, spend, store_file

from mrt.ledger import open_store, reserve, settle
from mrt.ledger.queries import KEYS, Totals
from mrt.ledger.report import Savings, savings
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
2026-03-09,cloud,,unknown,0,1,1,1,0,0,,,,,1
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
        "used_at_least_usd": "0",
        "reserved_usd": "0",
        "left_usd": "5",
        "left_at_most_usd": "5",
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


def test_an_unknown_zone(home: Home) -> None:
    shown = spend(home, env={"MRT_BUDGET_TIMEZONE": "Mars/Olympus"})
    assert shown.exit_code == 2
    assert shown.stderr.splitlines()[0].startswith("error: MRT_BUDGET_TIMEZONE: ")
    assert "Mars/Olympus" in shown.stderr


def test_another_zone_counts_all_days_anew_once(home: Home) -> None:
    kiritimati = {"MRT_BUDGET_TIMEZONE": "Pacific/Kiritimati"}
    moved = spend(home, *MARCH, "--by", "day", "--json", env=kiritimati)
    assert moved.stderr == ("days are counted in Pacific/Kiritimati now, before in UTC: the sums by day were rebuilt\n")
    assert [group["key"] for group in moved.data["groups"]] == ["2026-03-03", "2026-03-10"]
    assert spend(home, *MARCH, env=kiritimati).stderr == ""
    assert spend(home, "doctor", env=kiritimati).stdout.splitlines()[1] == "roll-up: well"
    again = spend(home, *MARCH, env={"MRT_BUDGET_TIMEZONE": "UTC"})
    assert again.stderr == "days are counted in UTC now, before in Pacific/Kiritimati: the sums by day were rebuilt\n"
    assert again.stdout == REPORT


def test_the_surroundings_do_not_move_the_days(home: Home) -> None:
    before = store_file(home).read_bytes()
    elsewhere = spend(home, *MARCH, "-v", env={"TZ": ":Asia/Tokyo"})
    assert elsewhere.stdout == REPORT
    assert elsewhere.stderr == "days stay counted in UTC; mrt config set budget.timezone Asia/Tokyo changes that\n"
    assert spend(home, *MARCH, env={"TZ": "Asia/Tokyo"}) == (REPORT, "", 0)
    assert store_file(home).read_bytes() == before


@pytest.mark.parametrize("named", ["CET-1CEST,M3.5.0,M10.5.0/3", "Europe/Belin", ":nonsense", "<+03>-3"])
def test_a_zone_of_the_environment_that_is_none_is_told_once(home: Home, named: str) -> None:
    text = f"warning: TZ names no IANA time zone: {named!r}; days are counted in UTC\n"
    assert spend(home, *MARCH, env={"TZ": named}) == (REPORT, text, 0)
    assert spend(home, *MARCH, env={"TZ": named, "MRT_BUDGET_TIMEZONE": "UTC"}).stderr == ""


@pytest.mark.parametrize(
    "named", ["Asia/Tokyo", ":Asia/Tokyo", "/usr/share/zoneinfo/Asia/Tokyo", ":/usr/share/zoneinfo/posix/Asia/Tokyo"]
)
def test_spellings_of_a_zone_in_the_environment(store_home: Home, named: str) -> None:
    assert spend(store_home, "--json", env={"TZ": named}).data["period"]["timezone"] == "Asia/Tokyo"
    assert spend(store_home, "--json", env={"TZ": ""}).data["period"]["timezone"] == "UTC"


def test_a_store_of_before_the_reports(store_home: Home) -> None:
    path = store_file(store_home)
    march(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(
            """
            DROP INDEX calls_by_operation; DROP INDEX calls_by_session; DROP TABLE rollup; DROP TABLE meta;
                DROP TABLE outcomes; DROP INDEX IF EXISTS calls_judged;
            ALTER TABLE calls DROP COLUMN baseline_model; ALTER TABLE calls DROP COLUMN baseline_rates;
            ALTER TABLE calls DROP COLUMN baseline_low_nano; ALTER TABLE calls DROP COLUMN baseline_high_nano;
            ALTER TABLE calls DROP COLUMN first_token_us; ALTER TABLE calls DROP COLUMN heard_us;
            ALTER TABLE calls DROP COLUMN heard_tokens; DROP TABLE refusals; DROP INDEX calls_not_accepted;
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
    assert "2026-03-09  unknown (1 call unpriced)" in shown
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


def test_every_key_has_an_option() -> None:
    from mrt.commands.spend import BY

    assert set(KEYS) - {"baseline"} == set(BY)


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
