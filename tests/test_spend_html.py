"""`mrt spend --html`: every figure of the page is that of `--json`, and whatever stands in the store is text on it."""

from __future__ import annotations

import json
import os
import stat
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from ledger_kit import Clock, booking
from page_kit import Page
from rig.command import Command, Home
from spend_kit import LOCAL, PAID, Shown, at, local_answer, march, paid_answer, spend, store_file

from mrt.domain import Cost, Usage
from mrt.ledger import Settlement, open_store, reserve, settle
from mrt.ledger.detail import course
from mrt.ledger.queries import Span, total
from mrt.ledger.report import add
from mrt.output.svg import nice_ticks

MARCH = ("--since", "2026-03-01", "--until", "2026-03-31")
SUMS = ("cost", "calls", "answers", "input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens")
EVIL = "</title></style></svg><script>alert(1)</script><img src=x onerror=alert(1)>\" onload='x' "
HOSTILE = EVIL + "\x1b[31m\x00\u202egro\u2066 \ud800&lt;"
TAGS = (
    "html head meta title style body header main footer section h1 h2 p span dl div dt dd table thead tbody tr th td data bdi svg"
    " desc rect line text g details summary ul li"
)
ATTRIBUTES = (
    "lang charset name content http-equiv class value scope tabindex role aria-label aria-hidden width height x y dx x1 x2 y1 y2"
    " rx text-anchor"
)
# Escape and other controls, and the marks that turn the direction of text.
FORBIDDEN = {*range(10), *range(11, 32), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)}


@pytest.fixture
def home(store_home: Home) -> Home:
    march(store_file(store_home))
    return store_home


def book(home: Home, *calls: tuple[str, dict[str, Any], Settlement]) -> None:
    """Calls at their times."""
    clock = Clock()
    with closing(open_store(store_file(home), clock)) as store:
        for moment, fields, settlement in calls:
            clock.now = at(moment)
            settle(store, reserve(store, booking(0 if fields["local"] else 10, **fields)), settlement)


def page_of(home: Home, *arguments: str, env: dict[str, str] | None = None) -> Page:
    """The page on stdout, parsed."""
    result = spend(home, *arguments, "--html", "-", env=env)
    assert (result.stderr, result.exit_code) == ("", 0)
    return Page(result.stdout)


def exact_sums(sums: dict[str, Any]) -> list[str | None]:
    """The figures of `--json` as the page's cells hold them: the known part of a cost where there is one, unknown as none."""
    cost = sums["cost"]
    known = cost["usd"] if cost["usd"] is not None else cost["at_least_usd"] if cost["at_least_usd"] != "0" else None
    return [known, *(None if sums[name] is None else str(sums[name]) for name in SUMS[1:])]


@pytest.mark.parametrize("days", [MARCH, ("--all",), ("--since", "2026-03-09", "--until", "2026-03-09")], ids=str)
@pytest.mark.parametrize("key", ["tier", "model", "project", "tag", "session", "day", "host"])
def test_the_sums_are_those_of_json(home: Home, days: tuple[str, ...], key: str) -> None:
    groups = spend(home, *days, "--by", key, "--json").data["groups"]
    page = page_of(home, *days, "--by", key)
    if key in ("project", "tag") and all(group["key"] is None for group in groups):
        assert f"Sums by {key}" not in page.tables
        return
    rows = page.tables[f"Sums by {key}"][1:]
    assert [row[0].text for row in rows] == [group["key"] or "(none)" for group in groups]
    assert [[cell.value for cell in row[2:]] for row in rows] == [exact_sums(group) for group in groups]


def test_the_figures_are_those_of_json(home: Home) -> None:
    sums = spend(home, *MARCH, "--json").data["total"]
    figures = page_of(home, *MARCH).figures
    assert figures["cost"] == ("≥ $0.03", "0.03")
    assert figures["tokens in"] == ("≥ 1,200", "1200")
    names = ("cost", "calls", "answers", "tokens in", "tokens out")
    whole = dict(zip(SUMS, exact_sums(sums), strict=True))
    assert [figures[name].value for name in names] == [whole[name] for name in (*SUMS[:4], "output_tokens")]
    assert figures["savings"].text == "unknown to $0.06"


def test_the_course_is_that_of_json(home: Home) -> None:
    groups = spend(home, *MARCH, "--by", "day", "--by", "tier", "--json").data["groups"]
    rows = page_of(home, *MARCH).tables["Cost and calls per day and tier"][1:]
    parts = [row for row in rows if row[1].text != "all"]
    assert {(row[0].text, row[1].text): [cell.value for cell in row[2:]] for row in parts} == {
        (group["keys"]["day"], group["keys"]["tier"]): exact_sums(group)[:2] for group in groups
    }
    assert sum(int(row[3].value or 0) for row in rows if row[1].text == "all") == 4


def test_several_keys_make_one_table(home: Home) -> None:
    data = spend(home, *MARCH, "--by", "tier", "--by", "model", "--json").data["groups"]
    rows = page_of(home, *MARCH, "--by", "tier", "--by", "model").tables["Sums by tier and model"][1:]
    assert [f"{row[0].text} / {row[1].text}" for row in rows] == [group["key"] for group in data]
    assert [[cell.value for cell in row[3:]] for row in rows] == [exact_sums(group) for group in data]


def test_budgets_are_those_of_json(home: Home) -> None:
    env = {"MRT_BUDGET_DAILY_USD": "2.5", "MRT_BUDGET_MONTHLY_USD": "0"}
    lines = spend(home, *MARCH, "--json", env=env).data["budgets"]
    rows = page_of(home, *MARCH, env=env).tables["Budgets"][1:]
    assert [[cell.value for cell in row[2:6]] for row in rows] == [
        [line["limit_usd"], line["used_usd"], line["reserved_usd"], line["left_usd"]] for line in lines
    ]


def test_how_calls_ended_and_how_costs_are_known(home: Home) -> None:
    book(
        home,
        ("2026-03-03T10:00:00", PAID, paid_answer(2, outcome="rejected", check="loop", reason="one line 9 times", baseline=None)),
        ("2026-03-04T10:00:00", PAID, paid_answer(4, outcome="rejected", check="loop", reason="one line 7 times", baseline=None)),
        ("2026-03-04T11:00:00", PAID, Settlement("failed", check="upstream", reason="HTTP 503")),
        ("2026-03-04T12:00:00", PAID, paid_answer(1, cost=Cost("reported", 10_000_000))),
        ("2026-04-01T12:00:00", PAID, Settlement("failed", check="timeout", reason="of another month")),
    )  # fmt: skip
    data = spend(home, *MARCH, "--json").data
    assert data["outcomes"] == [
        ending("accepted", None, 4, None, "0.04", 1, None),
        ending("rejected", "loop", 2, "0.06", "0.06", 0, "one line 7 times"),
        ending("failed", "upstream", 1, None, "0", 1, "HTTP 503"),
        ending("rejected", "json", 1, "0", "0", 0, "json: no JSON at all"),
    ]
    assert data["known"] == {"reported": 1, "priced": 3, "estimated": 0, "unknown": 2, "free": 2}
    page = page_of(home, *MARCH)
    assert [[cell.text for cell in row if cell.text] for row in page.tables["How the calls ended"][1:]] == [
        ["accepted", "4", "≥ $0.04"],
        ["rejected", "loop", "2", "$0.06", "one line 7 times"],
        ["failed", "upstream", "1", "unknown", "HTTP 503"],
        ["rejected", "json", "1", "$0", "json: no JSON at all"],
    ]
    known = {row[0].text: row[1].value for row in page.tables["How the costs are known"][1:]}
    assert known == {name: str(calls) for name, calls in data["known"].items() if calls}


def ending(*values: object) -> dict[str, object]:
    names = ("outcome", "check", "calls", "cost_usd", "at_least_usd", "unpriced_calls", "last_reason")
    return dict(zip(names, values, strict=True))


def test_the_forecast_is_that_of_json(store_home: Home) -> None:
    import time

    now = time.time()
    clock = Clock(now)
    with closing(open_store(store_file(store_home), clock)) as store:
        for days in range(20, -1, -1):
            clock.now = now - days * 86_400
            settle(store, reserve(store, booking(10, **PAID)), paid_answer(2 + days % 3))
    data = spend(store_home, "--json").data
    page = page_of(store_home)
    low, high = (Decimal(data["forecast"][end]) for end in ("low", "high"))
    shown = [Decimal(amount.removeprefix("$")) for amount in page.figures["forecast"].text.split(" to ")]
    assert shown == [pytest.approx(low, rel=Decimal("0.02")), pytest.approx(high, rel=Decimal("0.02"))]
    assert page.figures["burn rate"].text.startswith("$0.0")
    assert "Where the month is heading" in spend(store_home, "--html", "-").stdout


def test_nothing_of_the_store_is_markup(store_home: Home) -> None:
    hostile = {"tier": HOSTILE, "model": HOSTILE, "project": HOSTILE, "tag": HOSTILE, "session": HOSTILE}
    paid = paid_answer(5, outcome="rejected", check=HOSTILE, reason=HOSTILE, baseline=None)
    book(store_home, ("2026-03-02T10:00:00", {**PAID, **hostile}, paid))
    book(
        store_home, ("2026-03-02T11:00:00", {**PAID, **hostile}, Settlement("accepted", usage=Usage(source="unknown")))
    )
    text = spend(store_home, *MARCH, "--by", "session", "--html", "-").stdout
    page = Page(text)
    assert set(page.tags) <= {*TAGS.split()}
    assert {name for _, name, _ in page.attributes} <= {*ATTRIBUTES.split()}
    assert page.open == []
    assert not FORBIDDEN & set(map(ord, text))
    assert text.encode().decode() == text
    (row,) = page.tables["Sums by session"][1:]
    assert row[0].text.startswith(EVIL)


def test_the_page_forbids_everything_but_its_own_style(home: Home) -> None:
    page = page_of(home, *MARCH)
    assert page.policy.split("; ")[:2] == ["default-src 'none'", "style-src 'unsafe-inline'"]
    text = spend(home, *MARCH, "--html", "-").stdout
    assert not any(mark in text for mark in ("http:", "https:", "url(", "@import", "src=", "href="))


def test_a_period_without_calls(home: Home) -> None:
    result = spend(home, "--since", "2026-02-01", "--until", "2026-02-28", "--html", "-")
    page = Page(result.stdout)
    assert "<h1>Spend, February 2026</h1>" in result.stdout
    assert "No call is booked in this period" in result.stdout
    assert page.figures["cost"].text == "$0"
    assert set(page.tables) == {"Budgets"}
    assert "slot" not in {value for _, name, value in page.attributes if name == "class"}


@pytest.mark.parametrize(
    ("arguments", "title"),
    [
        (("--since", "2026-03-02", "--until", "2026-03-02"), "2 March 2026"),
        (("--since", "2026-03-02", "--until", "2026-03-08"), "2 March 2026 to 8 March 2026"),
        (("--since", "2026-01-01", "--until", "2026-12-31"), "2026"),
        (("--until", "2026-03-31"), "everything to 31 March 2026"),
    ],
)
def test_the_title_names_the_period(home: Home, arguments: tuple[str, ...], title: str) -> None:
    assert f"<title>Spend, {title}</title>" in spend(home, *arguments, "--html", "-").stdout


@pytest.mark.parametrize(
    ("first", "last", "unit", "slots"),
    [
        ("2026-03-01", "2026-03-31", "day", 31),
        ("2026-03-01", "2026-05-01", "day", 62),
        ("2026-03-01", "2026-05-02", "week", 10),
        ("2026-01-01", "2026-12-31", "week", 53),
        ("2025-01-01", "2026-12-31", "month", 24),
        ("1980-01-01", "2026-12-31", "day", 8),  # far beyond the calls: from the first to the last of them
        (None, "2026-12-31", "day", 8),
    ],
)
def test_long_periods_are_folded(home: Home, first: str | None, last: str, unit: str, slots: int) -> None:
    span = Span(None if first is None else date.fromisoformat(first), date.fromisoformat(last))
    with closing(open_store(store_file(home))) as store:
        found = course(store, span)
        assert (found.unit, len(found.slots)) == (unit, slots)
        assert {group.keys[0] for group in found.groups} <= set(found.slots)
        assert add(group.totals for group in found.groups) == total(store, span)


def test_decades_are_folded_to_years(home: Home) -> None:
    book(home, ("1999-12-31T23:00:00", LOCAL, local_answer()))
    with closing(open_store(store_file(home))) as store:
        found = course(store, Span(None, date(2026, 12, 31)))
        assert (found.unit, found.slots[0], found.slots[-1]) == ("year", "1999", "2026")
        assert add(group.totals for group in found.groups).calls == 5


def test_many_groups_are_summed_up(store_home: Home) -> None:
    calls = [("2026-03-02T10:00:00", {**PAID, "project": f"p{number}"}, paid_answer(1)) for number in range(230)]
    book(store_home, *calls)
    rows = page_of(store_home, *MARCH).tables["Sums by project"][1:]
    assert len(rows) == 201
    assert [cell.text for cell in rows[-1][:4]] == ["30 others", "", "$0.30", "30"]


@pytest.mark.parametrize("most", [0, 1, 3, 4, 5, 99, 1000, 1001, 123_456_789, 7 * 10**18])
def test_a_scale_reaches_the_most(most: int) -> None:
    ticks = nice_ticks(most)
    assert ticks[0] == 0
    assert ticks[-1] >= most
    assert len(ticks) <= 5
    assert ticks == list(range(0, ticks[-1] + 1, ticks[1])) if most else ticks == [0]


def test_the_report_is_printed_as_well(home: Home, tmp_path: Path) -> None:
    for more in ((), ("--json",), ("--csv",)):
        file = tmp_path / f"{len(more)}{''.join(more)}.html"
        plain, both = spend(home, *MARCH, *more), spend(home, *MARCH, *more, "--html", file)
        assert both == Shown(plain.stdout, f"the page: {file}\n", 0)
        assert Page(file.read_text()).figures["calls"].value == "4"


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (("nowhere/a.html",), "cannot write nowhere/a.html: there is no directory ", "make it first: mkdir -p "),
        (("",), "cannot write .: it is a directory", "name a file in it: report"),
        (("-", "--json"), "--html - and --json both want stdout", "name a file: --html spend.html"),
        (("-", "--csv"), "--html - and --csv both want stdout", "name a file: --html spend.html"),
    ],
)
def test_what_cannot_be_written_is_refused_at_once(
    store_home: Home, mrt: Command, arguments: tuple[str, ...], message: str, hint: str
) -> None:
    result = mrt("spend", "--html", *arguments)
    if "--json" in arguments:
        assert json.loads(result.stdout)["errors"][0]["message"] == message
    else:
        assert result.stderr.startswith(f"error: {message}")
        assert f"\nhint: {hint}" in result.stderr
    assert result.exit_code == 2
    assert not store_file(store_home).exists()


def test_a_file_is_replaced_in_one_step(home: Home, tmp_path: Path) -> None:
    real, link = tmp_path / "real.html", tmp_path / "link.html"
    real.write_text("old")
    real.chmod(0o640)
    link.symlink_to(real)
    assert spend(home, *MARCH, "--html", link).exit_code == 0
    assert link.is_symlink()
    assert real.read_text().startswith("<!doctype html>")
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix) == ["link.html", "real.html"]


def test_a_new_file_obeys_the_mask(home: Home, tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        spend(home, *MARCH, "--html", tmp_path / "new.html")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new.html").stat().st_mode) == 0o640


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_disk_is_said(home: Home) -> None:
    result = spend(home, *MARCH, "--html", "/dev/full")
    assert (result.stdout, result.exit_code) == ("", 2)
    assert result.stderr == "error: cannot write /dev/full: No space left on device\nhint: name a file elsewhere\n"


def test_endings_need_no_call_to_be_read(home: Home) -> None:
    """The calls that were not accepted come from an index that covers them."""
    from mrt.ledger.endings import endings

    with closing(open_store(store_file(home))) as store:
        statements: list[str] = []
        store.connection.set_trace_callback(statements.append)
        assert len(endings(store, Span(None, date(2026, 12, 31)))) == 1
        store.connection.set_trace_callback(None)
        (query,) = [statement for statement in statements if "FROM calls" in statement]
        plan = " ".join(row[3] for row in store.connection.execute(f"EXPLAIN QUERY PLAN {query}"))
    assert "USING COVERING INDEX calls_not_accepted" in plan
    assert "SCAN calls" not in plan


def test_more_tiers_than_colours_share_the_last(store_home: Home) -> None:
    calls = [("2024-01-02T10:00:00", {**PAID, "tier": f"t{number}"}, paid_answer(9 - number)) for number in range(8)]
    book(store_home, *calls, ("2026-03-02T10:00:00", {**PAID, "tier": "t0"}, paid_answer()))
    text = spend(store_home, "--all", "--html", "-").stdout
    assert text.count("<bdi>others</bdi>") == 2
    chart = text[text.index("Cost per month by tier") : text.index("Calls per month by tier")]
    assert {f'class="{color}"' in chart for color in ("s1", "s2", "s3", "s4", "s5", "s6", "s0")} == {True}
    assert "2024-01: $0.44, 8 calls\nt0: $0.09, 1 call\n" in chart


def test_an_overrun_budget_is_all_of_one_colour(store_home: Home) -> None:
    import time

    book(store_home, (at_now(time.time()), PAID, paid_answer(9)))
    env = {"MRT_BUDGET_DAILY_USD": "0.05", "MRT_BUDGET_MONTHLY_USD": "0.10"}
    text = spend(store_home, "--html", "-", env=env).stdout
    budgets = text[text.index('aria-label="Budgets"') : text.index("</table>")]
    assert budgets.count('width="100%" height="10" class="over"') == 1
    assert budgets.count('width="90%" height="10" class="used"') == 1


def at_now(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None).isoformat()


def test_a_file_that_cannot_be_replaced_leaves_nothing_behind(tmp_path: Path) -> None:
    from mrt.config.files import replace_file

    (tmp_path / "folder" / "inside").mkdir(parents=True)
    with pytest.raises(OSError, match="directory"):
        replace_file(tmp_path / "folder", b"text", 0o600)
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]
