"""Reserve, settle, sweep, sum: a budget holds, a sent call is not forgotten, an unknown price is not zero."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger_kit import BEGIN_US, DAY_S, END_US, Clock, allowance, booking, priced, rollup, rows, summed_rows

from mrt.domain import Cost, Timing, Usage
from mrt.errors import BudgetError, ConfigError, ExitCode, UnpricedError
from mrt.ledger import (
    Allowance,
    Limit,
    Settlement,
    Store,
    Sums,
    memory_store,
    open_store,
    reserve,
    settle,
    sweep,
    used,
)

HOUR_S = 3600


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    with closing(open_store(tmp_path / "store.db", clock)) as opened:
        yield opened


def total(store: Store) -> Sums:
    return used(store, BEGIN_US, END_US)


def test_a_reservation_counts_until_the_settlement_takes_its_place(store: Store) -> None:
    identifier = reserve(store, booking(1_000), allowance(5_000))
    assert total(store) == Sums(0, 1_000, 0, 0)
    settle(store, identifier, priced(400))
    assert total(store) == Sums(400, 0, 0, 1)


@pytest.mark.parametrize(
    ("settled", "reserved", "bound", "limit", "fits"),
    [
        pytest.param(0, 0, 1_000, 1_000, True, id="exactly the limit"),
        pytest.param(0, 0, 1_001, 1_000, False, id="a nano-dollar too much"),
        pytest.param(400, 0, 600, 1_000, True, id="what is settled counts"),
        pytest.param(401, 0, 600, 1_000, False, id="what is settled counts, to the nano-dollar"),
        pytest.param(0, 400, 601, 1_000, False, id="what is reserved counts"),
        pytest.param(300, 300, 401, 1_000, False, id="both count"),
        pytest.param(0, 0, 1, 0, False, id="a limit of zero"),
        pytest.param(0, 0, 0, 0, True, id="a free call under a limit of zero"),
        pytest.param(9_000, 0, 0, 1_000, True, id="a free call over an overrun budget"),
        pytest.param(999, 0, None, 1_000, True, id="of unknown price, allowed, something left"),
        pytest.param(1_000, 0, None, 1_000, False, id="of unknown price, allowed, nothing left"),
    ],
)
def test_limits(store: Store, settled: int, reserved: int, bound: int | None, limit: int, fits: bool) -> None:
    settle(store, reserve(store, booking(settled)), priced(settled))
    reserve(store, booking(reserved))
    before = len(rows(store))
    allowed = allowance(limit, allow_unpriced=True)
    if fits:
        reserve(store, booking(bound), allowed)
    else:
        with pytest.raises(BudgetError):
            reserve(store, booking(bound), allowed)
    assert len(rows(store)) == before + fits


def test_a_refusal_says_which_limit_and_how_far(store: Store) -> None:
    settle(store, reserve(store, booking()), priced(48 * 10**8))
    reserve(store, booking(10**8))
    with pytest.raises(BudgetError) as caught:
        reserve(store, booking(2 * 10**8), allowance(5 * 10**9))
    assert caught.value.message == (
        "the daily budget of $5 does not allow this call: $4.8 used, $0.1 reserved, this call may cost up to $0.2"
    )
    assert caught.value.hint == (
        "see where it went: mrt spend; raise the limit: mrt config set budget.daily_usd AMOUNT; "
        "or stay local: --max-tier"
    )
    assert caught.value.exit_code is ExitCode.BUDGET


def test_the_limit_in_the_way_is_the_one_named(store: Store) -> None:
    wide, narrow = Limit("daily", BEGIN_US, END_US, 10_000), Limit("monthly", BEGIN_US, END_US, 500)
    with pytest.raises(BudgetError, match="monthly"):
        reserve(store, booking(1_000), Allowance((wide, narrow)))


def test_only_the_calls_of_a_limits_period_count(store: Store, clock: Clock) -> None:
    settle(store, reserve(store, booking(1_000)), priced(1_000))
    yesterday_us = store.now_us()
    clock.now += DAY_S
    today = Limit("daily", yesterday_us + 1, END_US, 1_000)
    month = Limit("monthly", yesterday_us, END_US, 1_500)
    reserve(store, booking(1_000), Allowance((today,)))
    with pytest.raises(BudgetError, match="monthly"):
        reserve(store, booking(1_000), Allowance((Limit("daily", yesterday_us + 1, END_US, 2_000), month)))


def test_a_call_belongs_to_the_period_it_was_reserved_in(store: Store, clock: Clock) -> None:
    identifier = reserve(store, booking())
    midnight_us = store.now_us() + 1
    clock.now += 60
    settle(store, identifier, priced(700))
    assert used(store, BEGIN_US, midnight_us).settled_nano == 700
    assert used(store, BEGIN_US, midnight_us - 1) == Sums(0, 0, 0, 0)  # the end of a period is outside it
    assert used(store, midnight_us, END_US) == Sums(0, 0, 0, 0)


def test_an_unknown_price_is_refused_under_a_budget(store: Store) -> None:
    with pytest.raises(UnpricedError, match="price of anthropic/claude-haiku-4-5 is not known") as caught:
        reserve(store, booking(None), allowance(5_000))
    assert caught.value.hint == (
        'state its price in the configuration: [prices."anthropic/claude-haiku-4-5"]; '
        "or see which are known: mrt spend prices anthropic/claude-haiku-4-5"
    )
    assert rows(store) == []


@pytest.mark.parametrize(
    ("local", "allowed"),
    [
        pytest.param(False, allowance(5_000, allow_unpriced=True), id="the user allows it"),
        pytest.param(False, Allowance(), id="no limits"),
        pytest.param(False, None, id="no budget"),
        pytest.param(True, allowance(0), id="a local call needs no price"),
    ],
)
def test_an_unknown_price_is_let_through(store: Store, local: bool, allowed: Allowance | None) -> None:
    reserve(store, booking(None, local=local), allowed)
    assert rows(store)[0]["reserved_nano"] == (0 if local else None)


@pytest.mark.parametrize(("bound", "failure"), [(-1, ValueError), (10**15 + 1, BudgetError), (2**80, BudgetError)])
def test_impossible_bounds(store: Store, bound: int, failure: type[Exception]) -> None:
    with pytest.raises(failure):
        reserve(store, booking(bound))
    assert rows(store) == []


def test_an_unknown_zone_books_nothing(store: Store) -> None:
    with pytest.raises(ConfigError):
        reserve(store, booking(timezone="Europe/Nowhere"))
    assert rows(store) == []


def test_a_row_keeps_what_was_booked_and_how_it_ended(store: Store, clock: Clock) -> None:
    booked = booking(
        5_000,
        operation_id="op-7",
        attempt=2,
        purpose="verify",
        input_tokens_estimate=11,
        session="talk",
        tag="nightly",
        project="mrt",
        decision={"complexity": 7, "reasons": ["several files"], "odd": Path("x")},
        timezone="Asia/Kathmandu",
    )
    identifier = reserve(store, booked)
    clock.now += 2
    settlement = Settlement(
        "rejected",
        usage=Usage(10, 20, 3, 4, 5, "reported"),
        cost=Cost("reported", 4_321),
        timing=Timing(150, 2_000, 12.5),
        check="loops",
        reason="repeats itself",
        served_model="claude-haiku-4-5-20251001",
        finish_reason="stop",
        rates={"input": "1", "output": "5"},
        price_reference="snapshot 2026-11-12",
    )
    settle(store, identifier, settlement)
    (row,) = rows(store)
    assert json.loads(row.pop("decision")) == {"complexity": 7, "reasons": ["several files"], "odd": "x"}
    assert json.loads(row.pop("rates")) == {"input": "1", "output": "5"}
    assert row.items() >= {
        "id": identifier, "operation_id": "op-7", "attempt": 2, "purpose": "verify", "state": "settled",
        "tier": "cloud", "endpoint": "anthropic", "model": "claude-haiku-4-5", "local": 0, "reserved_nano": 5_000,
        "input_tokens_estimate": 11, "session": "talk", "tag": "nightly", "project": "mrt",
        "started_us": 1_800_000_000_000_000, "settled_us": 1_800_000_002_000_000, "swept_us": None,
        "day": "2027-01-15", "timezone": "Asia/Kathmandu",
        "outcome": "rejected", "check_name": "loops", "reason": "repeats itself", "finish_reason": "stop",
        "served_model": "claude-haiku-4-5-20251001", "price_reference": "snapshot 2026-11-12",
        "input_tokens": 10, "output_tokens": 20, "cached_tokens": 3, "cache_write_tokens": 4, "reasoning_tokens": 5,
        "usage_source": "reported", "cost_state": "reported", "cost_nano": 4_321,
        "ttft_ms": 150, "total_ms": 2_000, "tokens_per_second": 12.5,
    }.items()  # fmt: skip


@pytest.mark.parametrize(
    ("settlement", "state", "cost_state", "cost_nano"),
    [
        pytest.param(priced(5), "settled", "priced", 5, id="accepted"),
        pytest.param(priced(5, outcome="rejected"), "settled", "priced", 5, id="rejected by a check"),
        pytest.param(priced(5, outcome="failed"), "failed", "priced", 5, id="failed"),
        pytest.param(priced(5, outcome="interrupted"), "failed", "priced", 5, id="interrupted"),
        pytest.param(priced(5, outcome="interrupted", partial=True), "partial", "priced", 5, id="cut off"),
        pytest.param(priced(5, outcome="refused"), "settled", "priced", 5, id="refused, but it cost"),
        pytest.param(priced(0, outcome="refused"), "void", "priced", 0, id="refused, nothing owed"),
        pytest.param(priced(0, cost=Cost("free")), "settled", "free", 0, id="free is 0"),
        pytest.param(priced(0, cost=Cost("estimated", 900)), "settled", "estimated", 900, id="estimated"),
        pytest.param(Settlement("accepted"), "settled", "unknown", None, id="nothing known"),
        pytest.param(priced(0, cost=Cost("unknown", 5)), "settled", "unknown", None, id="unknown has no amount"),
        pytest.param(priced(0, cost=Cost("priced")), "settled", "unknown", None, id="no amount is unknown"),
        pytest.param(priced(-1), "settled", "unknown", None, id="a negative amount is unknown"),
        pytest.param(priced(2**70), "settled", "unknown", None, id="an absurd amount is unknown"),
        pytest.param(Settlement("refused"), "settled", "unknown", None, id="refused at an unknown cost"),
    ],
)
def test_how_a_call_ends(
    store: Store, settlement: Settlement, state: str, cost_state: str, cost_nano: int | None
) -> None:
    settle(store, reserve(store, booking()), settlement)
    (row,) = rows(store)
    assert (row["state"], row["cost_state"], row["cost_nano"]) == (state, cost_state, cost_nano)
    ended = state != "void"
    unknown = cost_nano is None
    assert total(store) == Sums(cost_nano or 0, 1_000 if unknown else 0, int(unknown), int(ended))
    assert rollup(store) == summed_rows(store)


def test_a_call_that_ended_at_an_unknown_cost_keeps_its_bound_in_the_budget(store: Store) -> None:
    settle(store, reserve(store, booking(700), allowance(1_000)), Settlement("accepted"))
    with pytest.raises(BudgetError, match=r"\$0 used, \$0.0000007 reserved"):
        reserve(store, booking(700), allowance(1_000))
    reserve(store, booking(300), allowance(1_000))


def test_an_overrun_lands_in_full(store: Store) -> None:
    settle(store, reserve(store, booking(1_000), allowance(1_000)), priced(9_000))
    assert total(store).settled_nano == 9_000


def test_a_call_is_settled_once(store: Store) -> None:
    identifier = reserve(store, booking())
    settle(store, identifier, priced(5))
    with pytest.raises(ValueError, match="already settled"):
        settle(store, identifier, priced(7))
    assert total(store).settled_nano == 5
    assert rollup(store) == summed_rows(store)


def test_an_unknown_reservation_is_a_defect(store: Store) -> None:
    with pytest.raises(ValueError, match="no reservation"):
        settle(store, "nonsense", priced(5))


def test_nonsense_from_a_server_does_not_stop_the_booking(store: Store) -> None:
    usage = Usage(-5, 2**70, cached_tokens=2**53, reasoning_tokens=7)
    settle(store, reserve(store, booking(session="\udcff")), priced(5, usage=usage, reason="\ud800" + "x" * 900))
    (row,) = rows(store)
    counts = [row[name] for name in ("input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens")]
    assert counts == [None, None, None, 7]
    assert row["session"] == "?"
    assert row["reason"] == "?" + "x" * 499


def test_ids_sort_in_the_order_of_booking_whatever_the_clock_does(store: Store, clock: Clock) -> None:
    booked = []
    for step in (0, 0, 1, -DAY_S, 0, 2 * DAY_S):
        clock.now += step
        booked.append(reserve(store, booking()))
    assert booked == sorted(set(booked))
    assert [row["id"] for row in rows(store)] == booked


@pytest.mark.parametrize(
    ("bound", "state", "cost_state", "sums"),
    [
        pytest.param(1_000, "failed", "estimated", Sums(1_000, 0, 0, 1), id="paid: at most its bound"),
        pytest.param(None, "failed", "unknown", Sums(0, 0, 1, 1, 1), id="of unknown price: unknown"),
        pytest.param(0, "void", "free", Sums(0, 0, 0, 0), id="free: nothing"),
    ],
)
def test_an_expired_reservation_is_swept(
    store: Store, clock: Clock, bound: int | None, state: str, cost_state: str, sums: Sums
) -> None:
    reserve(store, booking(bound))
    clock.now += HOUR_S - 1
    assert sweep(store) == 0
    clock.now += 1
    assert sweep(store) == 1
    assert sweep(store) == 0
    (row,) = rows(store)
    assert (row["state"], row["cost_state"], row["cost_nano"]) == (state, cost_state, bound)
    assert (row["outcome"], row["swept_us"], row["settled_us"]) == ("interrupted", store.now_us(), None)
    assert total(store) == sums
    assert rollup(store) == summed_rows(store)


@pytest.mark.parametrize("bound", [1_000, None, 0])
def test_a_late_settlement_still_lands(store: Store, clock: Clock, bound: int | None) -> None:
    identifier = reserve(store, booking(bound))
    clock.now += HOUR_S
    sweep(store)
    settle(store, identifier, priced(300))
    (row,) = rows(store)
    assert (row["state"], row["cost_nano"]) == ("settled", 300)
    assert row["swept_us"] is not None
    assert total(store) == Sums(300, 0, 0, 1)
    assert rollup(store) == summed_rows(store)
    with pytest.raises(ValueError, match="already settled"):
        settle(store, identifier, priced(300))


def test_reserving_sweeps_first_even_when_it_is_refused(store: Store, clock: Clock) -> None:
    reserve(store, booking(0))
    clock.now += HOUR_S
    with pytest.raises(BudgetError):
        reserve(store, booking(1_000), allowance(0))
    assert [row["state"] for row in rows(store)] == ["void"]


@pytest.mark.parametrize(
    ("change", "swept"),
    [
        pytest.param("pid_started = pid_started + 1", 1, id="another process has its id now"),
        pytest.param("pid = 2147483647", 1, id="no such process"),
        pytest.param("pid = 2147483647, host = 'elsewhere'", 0, id="on another machine nobody can tell"),
        pytest.param("pid_started = NULL", 0, id="its start is not known, the process lives"),
        pytest.param("host = host", 0, id="its process lives"),
    ],
)
def test_whose_reservations_are_swept(store: Store, change: str, swept: int) -> None:
    reserve(store, booking())
    store.connection.execute(f"UPDATE calls SET {change}")
    assert sweep(store) == swept


costs = st.one_of(
    st.builds(Cost, st.sampled_from(["priced", "reported", "estimated"]), st.integers(0, 2_000)),
    st.sampled_from([Cost("unknown"), Cost("free")]),
)
settlements = st.builds(
    Settlement,
    st.sampled_from(["accepted", "rejected", "failed", "interrupted", "refused"]),
    usage=st.builds(Usage, st.none() | st.integers(0, 99), st.none() | st.integers(0, 99)),
    cost=costs,
    partial=st.booleans(),
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("reserve"), st.none() | st.integers(0, 2_000)),
        st.tuples(st.just("settle"), settlements),
        st.tuples(st.just("pass"), st.integers(0, 2 * HOUR_S)),
    ),
    max_size=25,
)


@settings(deadline=None, max_examples=80)
@given(steps, st.integers(0, 6_000))
def test_whatever_happens_the_sums_agree_and_reserving_keeps_the_limit(plan: list[tuple[str, Any]], limit: int) -> None:
    clock, unsettled = Clock(), []
    with closing(memory_store(clock)) as store:
        for what, value in plan:
            if what == "pass":
                clock.now += value
            elif what == "settle" and unsettled:
                settle(store, unsettled.pop(), value)
            elif what == "reserve":
                before = total(store)
                try:
                    unsettled.append(reserve(store, booking(value), allowance(limit, allow_unpriced=True)))
                except BudgetError:
                    assert value != 0
                else:
                    taken = before.settled_nano + before.reserved_nano
                    assert value == 0 or taken + (value or 1) <= limit
        ended = [row for row in rows(store) if row["state"] in ("settled", "partial", "failed")]
        reserved = [row["reserved_nano"] or 0 for row in rows(store) if row["cost_nano"] is None]
        costs_known = [row["cost_nano"] for row in ended if row["cost_nano"] is not None]
        unbounded = [row for row in rows(store) if row["cost_nano"] is None and row["reserved_nano"] is None]
        expected = Sums(sum(costs_known), sum(reserved), len(ended) - len(costs_known), len(ended), len(unbounded))
        assert total(store) == expected
        assert rollup(store) == summed_rows(store)
