"""What is remembered of servers, for how long, and never with a secret."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ledger_kit import Clock

from mrt.ledger import Store, learned, memory_store, new_id, recall, remember

URL = "http://koala:4000/v1"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(clock: Clock) -> Iterator[Store]:
    with closing(memory_store(clock)) as opened:
        yield opened


def test_facts_belong_to_a_server_and_a_model(store: Store) -> None:
    remember(store, URL, "a", "drop:stream_options", "1")
    remember(store, URL, "a", "think", "implicit")
    remember(store, URL, "b", "tools", "no")
    remember(store, "http://panda:4000/v1", "a", "tools", "yes")
    assert learned(store, URL, "a") == {"drop:stream_options": "1", "think": "implicit"}
    assert learned(store, URL, "c") == {}


def test_a_fact_replaces_what_was_known(store: Store, clock: Clock) -> None:
    remember(store, URL, "a", "tools", "no")
    clock.now += 100
    remember(store, URL, "a", "tools", "yes")
    assert learned(store, URL, "a") == {"tools": "yes"}
    assert recall(store, URL, "a", "tools", max_age_s=50) == "yes"


@pytest.mark.parametrize(
    ("age_s", "max_age_s", "known"),
    [(100, None, True), (100, 100, True), (101, 100, False), (0, 0, True), (1, 0, False)],
)
def test_facts_grow_old(store: Store, clock: Clock, age_s: float, max_age_s: float | None, known: bool) -> None:
    remember(store, URL, "a", "tools", "no")
    clock.now += age_s
    assert recall(store, URL, "a", "tools", max_age_s) == ("no" if known else None)


def test_what_was_never_learned(store: Store) -> None:
    assert recall(store, URL, "a", "tools") is None


@pytest.mark.parametrize(
    "url",
    [
        "http://user:secret@koala:4000/v1",
        "http://koala:4000/v1/?key=secret",
        "http://user:se@cret@koala:4000/v1#secret",
        "http://koala:4000/v1/",
    ],
)
def test_addresses_are_kept_without_secrets(store: Store, url: str) -> None:
    remember(store, url, "a", "tools", "no")
    assert store.connection.execute("SELECT endpoint_url FROM learned").fetchall() == [(URL,)]
    assert learned(store, url, "a") == learned(store, URL, "a") == {"tools": "no"}


UUID_7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


@given(st.lists(st.floats(0, 4e9), min_size=2, max_size=20))
def test_ids_are_unique_and_sort_as_they_were_made(moments: list[float]) -> None:
    made: list[str] = []
    for moment in moments:
        made.append(new_id(moment, made[-1] if made else None))
    assert made == sorted(set(made))
    assert all(UUID_7.fullmatch(identifier) for identifier in made)


def test_an_id_tells_its_time() -> None:
    assert int(new_id(1_800_000_000.25).replace("-", "")[:12], 16) == 1_800_000_000_250


def test_a_full_counter_goes_to_the_next_millisecond() -> None:
    last = "01a3185c-5000-7fff-bfff-ffffffffffff"
    assert new_id(0, last).startswith("01a3185c-5001-7000-")
