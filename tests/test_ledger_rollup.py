"""The roll-up and the zone of its days: sums that follow the rows wherever the days go."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from ledger_kit import Clock, booking, priced, rollup, rows, summed_rows

from mrt.domain import Usage
from mrt.errors import ConfigError
from mrt.ledger import Settlement, Store, count_days_in, open_store, reserve, settle, zone_of_store
from mrt.ledger.rollup import rebuild
from mrt.ledger.store import writing

HOUR_S = 3600


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    with closing(open_store(tmp_path / "store.db", clock)) as opened:
        yield opened


def test_the_roll_up_has_days_of_one_zone(store: Store, clock: Clock) -> None:
    clock.now = 1_800_000_000 + 12 * HOUR_S  # 2027-01-15 20:00 UTC
    for zone, model in (("UTC", "a"), ("Asia/Kathmandu", "a"), ("UTC", "b"), ("UTC", "a")):
        settle(store, reserve(store, booking(model=model, timezone=zone)), priced(5))
    assert rollup(store) == {
        ("2027-01-15", "cloud", "a"): (3, 3, 6, 0, 15, 0),
        ("2027-01-15", "cloud", "b"): (1, 1, 2, 0, 5, 0),
    }


def test_the_roll_up_counts_what_is_not_known(store: Store) -> None:
    settle(store, reserve(store, booking()), Settlement("accepted", usage=Usage(7, None)))
    settle(store, reserve(store, booking()), priced(5))
    ((*_, uncounted, cost, unpriced),) = rollup(store).values()
    assert (uncounted, cost, unpriced) == (1, 5, 1)


def every_hour(store: Store, clock: Clock, hours: int) -> None:
    for _ in range(hours):
        settle(store, reserve(store, booking(timezone="UTC")), priced(5))
        clock.now += HOUR_S


def written(store: Store) -> int:
    return store.connection.total_changes


def test_only_calls_on_another_date_are_written(store: Store, clock: Clock) -> None:
    every_hour(store, clock, 72)
    before = {row["id"]: row["day"] for row in rows(store)}
    changes = written(store)
    assert count_days_in(store, "Europe/Berlin") == "UTC"  # an hour ahead in January
    moved = [row for row in rows(store) if row["day"] != before[row["id"]]]
    assert len(moved) == 3
    # Each of three stretches takes a sum out, dates its call and puts a sum in; then the zone is noted.
    assert written(store) - changes == 3 * 3 + 1
    assert rollup(store) == summed_rows(store)
    assert count_days_in(store, "Europe/Berlin") is None


def test_a_change_of_zone_that_is_interrupted_changes_nothing(store: Store, clock: Clock) -> None:
    every_hour(store, clock, 72)
    before, sums = rows(store), rollup(store)

    def interrupt(statement: str) -> None:
        if statement.startswith("UPDATE calls SET day"):
            store.connection.set_trace_callback(None)
            store.connection.interrupt()

    store.connection.set_trace_callback(interrupt)
    with pytest.raises(Exception, match="interrupted"):
        count_days_in(store, "Asia/Kathmandu")
    assert (rows(store), rollup(store)) == (before, sums)
    assert zone_of_store(store, None, {"TZ": "Asia/Tokyo"}) == "UTC"


def test_an_unknown_zone_changes_nothing(store: Store, clock: Clock) -> None:
    every_hour(store, clock, 2)
    before = rows(store)
    with pytest.raises(ConfigError):
        count_days_in(store, "Mars/Olympus")
    assert rows(store) == before


def test_sums_made_anew_reach_over_years(store: Store, clock: Clock) -> None:
    for _ in range(4):
        every_hour(store, clock, 3)
        clock.now += 400 * 24 * HOUR_S
    sums = rollup(store)
    with writing(store) as connection:
        connection.execute("UPDATE rollup SET calls = calls + 1, cost_nano = 0")
        rebuild(connection)
    assert rollup(store) == sums == summed_rows(store)


def test_an_empty_store_has_no_sums(store: Store) -> None:
    with writing(store) as connection:
        rebuild(connection)
    assert rollup(store) == {}
    assert count_days_in(store, "Asia/Tokyo") is None
    assert zone_of_store(store, None, {"TZ": "Asia/Tokyo"}) == "Asia/Tokyo"
    assert zone_of_store(store, "Asia/Kathmandu", {"TZ": "Asia/Tokyo"}) == "Asia/Kathmandu"
