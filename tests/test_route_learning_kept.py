"""Learned curves are kept ready beside the store, and never outlive the store they were learned from."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from rig.command import Home
from rig.home_setup import configure, run_here, store_path
from test_route_learning import TIERS, ask, asks, opened, risk, routed


def kept(home: Home) -> Path:
    """Where they are kept."""
    return Path(f"{store_path(home)}-learned")


def rest(home: Home) -> None:
    """As if nothing had been written for a while."""
    state = store_path(home).stat()
    os.utime(store_path(home), ns=(state.st_atime_ns, state.st_mtime_ns - 60_000_000_000))


@pytest.fixture
def home(store_home: Home) -> Home:
    """With forty outcomes, and curves that were kept by a first decision."""
    configure(store_home, TIERS)
    asks(store_home, 40, lambda complexity: complexity / 9)
    rest(store_home)
    return store_home


def test_what_is_kept_is_what_would_be_learned(home: Home) -> None:
    assert not kept(home).exists()
    first = routed(home)
    assert kept(home).stat().st_mode & 0o777 == 0o600
    assert routed(home) == first
    kept(home).unlink()
    assert routed(home) == first


def test_what_is_kept_is_used(home: Home) -> None:
    routed(home)
    file = json.loads(kept(home).read_text())
    for curve in file["curves"].values():
        curve[-1] = 39
    kept(home).write_text(json.dumps(file))
    assert risk(home)["n"] == 39


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("", id="empty"),
        pytest.param("\x00\xff", id="no-text"),
        pytest.param("[]", id="another-shape"),
        pytest.param('{"stamp": null, "curves": {}}', id="no-stamp"),
        pytest.param('{"stamp": STAMP, "curves": []}', id="no-curves"),
        pytest.param('{"stamp": STAMP, "curves": {"NAME": [1, 2]}}', id="too-few-figures"),
        pytest.param('{"stamp": STAMP, "curves": {"NAME": [1, 2, 3, 4, 5, 6, 7, null]}}', id="no-figure"),
        pytest.param("[" * 100_000, id="nested-without-end"),
    ],
)
def test_a_damaged_file_is_as_good_as_none(home: Home, content: str) -> None:
    first = routed(home)
    file = json.loads(kept(home).read_text())
    text = content.replace("STAMP", json.dumps(file["stamp"])).replace("NAME", next(iter(file["curves"])))
    kept(home).write_text(text, encoding="latin-1")
    assert routed(home) == first


def test_a_new_outcome_counts_at_once(home: Home) -> None:
    assert risk(home)["n"] == 40
    with opened(home) as store:
        ask(store, 5.0)
    assert risk(home)["n"] == 41


def test_another_store_in_its_place_is_not_taken_for_it(home: Home) -> None:
    assert risk(home)["n"] == 40
    store_path(home).unlink()
    asks(home, 30)
    rest(home)
    assert risk(home)["n"] == 30


def test_nothing_is_kept_of_a_store_that_was_just_written_to(home: Home) -> None:
    with opened(home) as store:
        ask(store, 5.0)
    routed(home)
    assert not kept(home).exists()


def test_nothing_is_kept_without_a_store_or_without_learning(home: Home, tmp_path: Path) -> None:
    routed(home, "--no-learn")
    assert not kept(home).exists()
    elsewhere = tmp_path / "none.db"
    assert run_here(home, "route", "--explain", "--no-stdin", "hello", env={"MRT_DB": str(elsewhere)}).exit_code == 0
    assert list(tmp_path.glob("none.db*")) == []
