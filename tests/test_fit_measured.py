"""A speed that was measured here replaces the estimate."""

from __future__ import annotations

from contextlib import closing

import pytest
from fit_kit import data_of, fit
from ledger_kit import booking, priced
from rig.command import Home
from rig.home_setup import store_path

from mrt.domain import Timing
from mrt.ledger import Store, memory_store, open_store, reserve, settle
from mrt.ledger.owner import host_name
from mrt.ledger.speeds import Measured, measured_speed

MODEL = "qwen2.5:0.5b"


def answered(store: Store, *speeds: float | None, purpose: str = "bench", **changes: object) -> None:
    """So many answers of a local model with these tokens per second."""
    for speed in speeds:
        made = booking(0, **{"endpoint": "ollama", "model": MODEL, "local": True, "purpose": purpose} | changes)
        settle(store, reserve(store, made, None), priced(0, timing=Timing(tokens_per_second=speed)))


def test_quartiles_of_the_benchmark_come_before_other_answers() -> None:
    store = memory_store()
    assert measured_speed(store, MODEL, host_name()) is None
    answered(store, 10, 20, 30, purpose="ask")
    assert measured_speed(store, MODEL, host_name()) == Measured(10, 30, 3, "ask")
    answered(store, 50, 51, 52, 90, None)
    assert measured_speed(store, MODEL, host_name()) == Measured(51, 90, 4, "bench")


@pytest.mark.parametrize("changes", [{"model": "other"}, {"local": False}, {"purpose": "verify"}], ids=str)
def test_other_calls_say_nothing(changes: dict[str, object]) -> None:
    store = memory_store()
    answered(store, 40, **changes)  # type: ignore[arg-type]
    assert measured_speed(store, MODEL, host_name()) is None
    assert measured_speed(store, str(changes.get("model", MODEL)), "another host") is None


def test_fit_shows_what_was_measured_here(store_home: Home) -> None:
    store_path(store_home).parent.mkdir(parents=True, exist_ok=True)
    with closing(open_store(store_path(store_home))) as store:
        answered(store, 31, 33)
    measured = data_of(fit(store_home, MODEL, "--json"))["speed"]
    assert measured["decode"] == {"low": 31.0, "high": 33.0}
    assert measured["source"] == "measured on this machine: 2 answers of mrt bench"
    described = data_of(fit(store_home, MODEL, "--ram", "16GiB", "--json"))["speed"]
    assert described["source"].startswith("bandwidth")


def test_a_broken_store_is_no_reason_to_say_nothing(store_home: Home) -> None:
    store_path(store_home).parent.mkdir(parents=True, exist_ok=True)
    store_path(store_home).write_bytes(b"no database at all, but longer than a header would be" * 40)
    assert data_of(fit(store_home, MODEL, "--json"))["speed"]["source"].startswith("bandwidth")
