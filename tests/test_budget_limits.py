"""Limits on some of the calls: which apply, what counts for them, and that they hold whatever the clock does."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger_kit import BEGIN_US, DAY_S, END_US, Clock, booking, priced, rows

from mrt.budget import Allowance, Limit, limits_on, microseconds, periods, soft_warnings, standing_limits
from mrt.config import Budget, LimitSettings
from mrt.domain import Cost
from mrt.errors import BudgetError, ConfigError
from mrt.ledger import Store, Sums, memory_store, open_store, reserve, settle, sweep, taken, used

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
NO_BUDGET = Budget(None, None)
CALL = {
    "tier": "cloud",
    "model": "anthropic/claude-opus-5",
    "tag": "ci-nightly",
    "project": None,
    "session": "ask-1",
}
ONE = Decimal(1)


def limit_settings(**fields: object) -> LimitSettings:
    return LimitSettings(**{"name": "n", "daily_usd": ONE} | fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fields", "applies"),
    [
        pytest.param({}, True, id="for all calls"),
        pytest.param({"tier": "cloud"}, True, id="its tier"),
        pytest.param({"tier": "clou"}, False, id="another tier"),
        pytest.param({"model": "anthropic/*"}, True, id="its provider"),
        pytest.param({"model": "anthropic/claude-opus"}, False, id="the beginning of its model"),
        pytest.param({"model": "*opus*"}, True, id="a part of its model"),
        pytest.param({"model": "anthropic.claude-opus-5"}, False, id="a dot is a dot"),
        pytest.param({"model": "anthropic?claude*"}, False, id="a question mark is one"),
        pytest.param({"tag": "ci-*"}, True, id="its tag"),
        pytest.param({"tier": "cloud", "tag": "web"}, False, id="one of two does not fit"),
        pytest.param({"project": "*"}, False, id="it has no project"),
        pytest.param({"session": "ask-1"}, True, id="its session"),
        pytest.param({"session": "ask-*"}, False, id="sessions are named in full"),
    ],
)
def test_which_limits_apply(fields: dict[str, str], applies: bool) -> None:
    found = limits_on(CALL, NO_BUDGET, {"n": limit_settings(**fields)}, "UTC", NOW)
    assert [(limit.name, limit.scope) for limit in found] == ([("n", "daily")] if applies else [])


def test_all_limits_of_a_call() -> None:
    budget = Budget(ONE, ONE, per_session_usd=Decimal("0.5"), per_call_usd=Decimal("0.25"))
    named = {"n": limit_settings(monthly_usd=ONE, per_session_usd=ONE, per_call_usd=ONE, tag="ci-*")}
    found = limits_on(CALL, budget, named, "UTC", NOW)
    assert [limit.setting for limit in found] == [
        "budget.daily_usd",
        "budget.monthly_usd",
        "limits.n.daily_usd",
        "limits.n.monthly_usd",
        "budget.per_session_usd",
        "budget.per_call_usd",
        "limits.n.per_session_usd",
        "limits.n.per_call_usd",
    ]
    by_setting = {limit.setting: limit for limit in found}
    assert by_setting["budget.per_session_usd"].match == (("session", "ask-1"),)
    assert by_setting["limits.n.per_session_usd"].match == (("tag", "ci-*"), ("session", "ask-1"))
    assert by_setting["limits.n.per_call_usd"].limit_nano == 10**9
    assert by_setting["limits.n.daily_usd"].title == "daily limit n"
    assert by_setting["budget.per_call_usd"].title == "per-call budget"
    standing = [limit.setting for limit in standing_limits(budget, named, "UTC", NOW)]
    assert standing == ["budget.daily_usd", "budget.monthly_usd", "limits.n.daily_usd", "limits.n.monthly_usd"]


def test_a_call_without_a_session_has_no_limit_of_one() -> None:
    budget = Budget(None, None, per_session_usd=ONE)
    assert limits_on({**CALL, "session": None}, budget, {}, "UTC", NOW) == ()


def test_an_impossible_limit_on_a_call() -> None:
    with pytest.raises(ConfigError, match="the per-call budget must be an amount of 0 or more, not -1"):
        limits_on(CALL, Budget(None, None, per_call_usd=Decimal(-1)), {}, "UTC", NOW)


def test_a_warning_names_the_limit() -> None:
    limit = Limit("daily", 0, 1, 10**9, "ci", (("tag", "ci"),))
    assert soft_warnings([(limit, 9 * 10**8, 0)], 80) == {limit: "90 % of the daily limit ci of $1 is used: $0.9"}


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW.timestamp())


@pytest.fixture
def store(clock: Clock) -> Store:
    return memory_store(clock)


def spend(store: Store, nano: int, **changes: object) -> None:
    settle(store, reserve(store, booking(nano, **changes)), priced(nano))


DAY = periods(NOW, "UTC")["daily"]


@pytest.mark.parametrize(
    ("match", "nano"),
    [
        pytest.param((), 1111, id="all"),
        pytest.param((("tag", "ci"),), 101, id="tag"),
        pytest.param((("tag", "c*"),), 1101, id="tags that begin so"),
        pytest.param((("tag", "c?"),), 0, id="a question mark is one"),
        pytest.param((("model", "anthropic/claude-haiku-4-5"),), 1101, id="model"),
        pytest.param((("model", "open*"),), 10, id="provider"),
        pytest.param((("tier", "cloud"), ("tag", "ci")), 101, id="both"),
        pytest.param((("project", "p[1]*"),), 1000, id="brackets are brackets"),
        pytest.param((("session", "s"),), 100, id="session"),
        pytest.param((("session", "*"),), 0, id="sessions are named in full"),
    ],
)
@pytest.mark.parametrize(
    "span", [pytest.param(DAY, id="from the roll-up"), pytest.param((DAY[0] + 1, DAY[1]), id="rows")]
)
def test_what_counts(store: Store, span: tuple[int, int], match: tuple[tuple[str, str], ...], nano: int) -> None:
    spend(store, 1, tag="ci")
    spend(store, 10, endpoint="openai", model="gpt-5")
    spend(store, 100, tag="ci", session="s")
    spend(store, 1000, tag="cd", project="p[1]x")
    limit = Limit("daily", *span, 10**9, "n", match)
    assert taken(store, limit).settled_nano == nano
    held = reserve(store, booking(7, tag="ci", project="p[1]", session="s"))
    under_way = taken(store, limit).reserved_nano
    settle(store, held, priced(0, cost=Cost("unknown")))
    ended = taken(store, limit)
    assert (under_way, ended.settled_nano) == (ended.reserved_nano, nano)
    assert ended.unpriced_calls == (1 if under_way else 0)


def refused(store: Store, bound: int | None, *limits: Limit, **changes: object) -> str | None:
    try:
        reserve(store, booking(bound, **changes), Allowance(limits, allow_unpriced=True))
    except BudgetError as error:
        return error.message
    return None


def test_the_limit_of_a_call(store: Store) -> None:
    limit = Limit("per_call", 0, END_US, 500)
    spend(store, 400)
    assert refused(store, 500, limit) is None
    assert refused(store, None, limit) is None
    assert refused(store, 501, limit) == (
        "the per-call budget of $0.0000005 does not allow this call: this call may cost up to $0.000000501"
    )


def test_the_limit_of_a_conversation_lasts_for_days(store: Store, clock: Clock) -> None:
    limit = Limit("per_session", 0, END_US, 1000, "", (("session", "s"),))
    spend(store, 600, session="s")
    clock.now += 40 * DAY_S
    assert refused(store, 1000, Limit("per_session", 0, END_US, 1000, "", (("session", "t"),)), session="t") is None
    assert refused(store, 400, limit, session="s") is None
    assert "per-session budget" in (refused(store, 1, limit, session="s") or "")


def test_a_limit_holds_for_its_calls_alone(store: Store) -> None:
    limit = Limit("daily", *DAY, 1000, "ci", (("tag", "ci"),))
    spend(store, 5000, tag="web")
    assert refused(store, 1000, limit, tag="ci") is None
    message = refused(store, 1, limit, tag="ci")
    assert message is not None
    assert message.startswith("the daily limit ci of $0.000001 does not allow this call: $0 used, $0.000001 reserved")


# The clock --------------------------------------------------------------------------------------------------------


def day_limit(clock: Clock, timezone: str, nano: int) -> Limit:
    return Limit("daily", *periods(datetime.fromtimestamp(clock.now, UTC), timezone)["daily"], nano)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.floats(-3 * DAY_S, 3 * DAY_S), st.integers(1, 400)), min_size=1, max_size=12),
    st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "Asia/Kathmandu"]),
    st.sampled_from(["2026-03-29", "2026-10-25", "2026-11-01", "2026-04-05", "2026-04-24", "2026-12-31", "2027-02-28"]),
)
def test_no_day_is_overspent_whatever_the_clock_does(
    jumps: list[tuple[float, int]], timezone: str, around: str
) -> None:
    clock = Clock(datetime.fromisoformat(f"{around}T12:00").replace(tzinfo=UTC).timestamp())
    with closing(memory_store(clock)) as store:
        for jump, nano in jumps:
            clock.now += jump
            limit = day_limit(clock, timezone, 1000)
            if refused(store, nano, limit, timezone=timezone) is None:
                assert used(store, limit.start_us, limit.end_us).reserved_nano <= 1000
        by_day: dict[tuple[int, int], int] = {}
        for row in rows(store):
            span = periods(datetime.fromtimestamp(row["started_us"] / 1e6, UTC), timezone)["daily"]
            by_day[span] = by_day.get(span, 0) + row["reserved_nano"]
        assert all(total <= 1000 for total in by_day.values())


def test_a_clock_set_back_keeps_what_was_spent_and_the_order_of_calls(store: Store, clock: Clock) -> None:
    spend(store, 900)
    clock.now -= 3600
    assert "daily budget" in (refused(store, 200, day_limit(clock, "UTC", 1000)) or "")
    assert refused(store, 100, day_limit(clock, "UTC", 1000)) is None
    booked = rows(store)
    assert booked[0]["started_us"] > booked[1]["started_us"]
    assert sweep(store) == 0
    assert used(store, BEGIN_US, END_US) == Sums(900, 100, 0, 1)


def test_a_new_month_begins_anew(store: Store, clock: Clock) -> None:
    clock.now = datetime(2026, 10, 31, 22, 59, 59, tzinfo=UTC).timestamp()  # a second before November in Berlin
    for _ in range(2):
        now = datetime.fromtimestamp(clock.now, UTC)
        limit = Limit("monthly", *periods(now, "Europe/Berlin")["monthly"], 1000)
        assert refused(store, 1000, limit, timezone="Europe/Berlin") is None
        assert refused(store, 1, limit, timezone="Europe/Berlin") is not None
        clock.now += 1


def test_another_zone_counts_the_same_rows_over_its_own_days(tmp_path: Path) -> None:
    clock = Clock(datetime(2026, 11, 20, 20, tzinfo=UTC).timestamp())  # 01:45 of the 21st in Kathmandu
    with closing(open_store(tmp_path / "store.db", clock)) as store:
        spend(store, 300, timezone="UTC")
        assert used(store, *_span(clock)).settled_nano == 300
        clock.now -= 3 * 3600  # 22:45 of the 20th there, still the 20th in UTC
        assert used(store, *_span(clock)).settled_nano == 0
        assert used(store, *periods(datetime.fromtimestamp(clock.now, UTC), "UTC")["daily"]).settled_nano == 300


def _span(clock: Clock) -> tuple[int, int]:
    limit = day_limit(clock, "Asia/Kathmandu", 1)
    return limit.start_us, limit.end_us


def test_microseconds_at_the_edge_of_a_day(store: Store, clock: Clock) -> None:
    start = periods(NOW, "UTC")["daily"][0]
    clock.now = (start - 1) / 1e6
    spend(store, 5)
    clock.now = start / 1e6
    spend(store, 7)
    assert used(store, *DAY).settled_nano == 7
    assert microseconds(NOW) > start
