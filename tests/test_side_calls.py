"""Questions of mrt's own, beside the cascade: booked under their purpose, held by the same budgets, part of the whole cost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ledger_kit import rows
from rig import asking
from rig.command import Home
from rig.home_setup import configure, says
from rig.loopback import ScriptedServer, in_turn
from rig.responses import json_response

from mrt.cascade import Finished, Job, SideQuestion, Step, World, run, side_call
from mrt.config import load
from mrt.endpoints import resolve
from mrt.ledger import Store, open_store

RATES = {"input_usd_per_mtok": 1000, "output_usd_per_mtok": 2000}
QUESTION = SideQuestion("How hard is this?", "assessor", max_tokens=100, tag="ci", project="web")


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer({"*": says("7")}) as running:
        yield running


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "spend.db")
    yield opened
    opened.close()


def world(home: Home, server: ScriptedServer, store: Store, **more: Any) -> World:
    """One paid endpoint `gw` and one free one `near`, on the same server."""
    tables = {
        "endpoints.gw": {"kind": "openai", "url": server.url, "local": False},
        "endpoints.near": {"kind": "vllm", "url": server.url},
        'prices."gw/m"': RATES,
    }
    configure(home, tables | more)
    config = load(home.environment)
    timers = replace(asking.PATIENT, retries=1)
    return World(config, home.environment, store, asking.World().wire(), timers, lambda *_: None, "one-operation")


def test_a_side_call_is_booked_under_its_purpose(store_home: Home, server: ScriptedServer, store: Store) -> None:
    here = world(store_home, server, store)
    answer = side_call(resolve("gw/m", here.config, {}), QUESTION, "assessor", here)
    assert answer.reply is not None
    assert answer.reply.text == "7"
    (row,) = rows(store)
    assert (row["purpose"], row["tier"], row["endpoint"], row["tag"], row["project"]) == (
        "assessor",
        "assessor",
        "gw",
        "ci",
        "web",
    )
    assert (row["operation_id"], row["cost_state"], row["cost_nano"]) == ("one-operation", "priced", 18_000_000)
    assert (row["decision"], row["state"]) == (None, "settled")
    assert [attempt.cost.nano for attempt in answer.booked] == [18_000_000]
    assert server.requests[0].json()["max_tokens"] == 100


def test_a_budget_stands_in_the_way_of_a_side_call_too(store_home: Home, server: ScriptedServer, store: Store) -> None:
    here = world(store_home, server, store, budget={"daily_usd": 0.01})
    answer = side_call(resolve("gw/m", here.config, {}), QUESTION, "assessor", here)
    assert (answer.reply, server.requests, rows(store)) == (None, [], [])
    assert [attempt.outcome for attempt in answer.booked] == ["refused"]


def test_a_free_side_call_is_free(store_home: Home, server: ScriptedServer, store: Store) -> None:
    here = world(store_home, server, store, budget={"daily_usd": 0.01})
    answer = side_call(resolve("near/m", here.config, {}), QUESTION, "assessor", here)
    assert answer.reply is not None
    assert [(row["purpose"], row["cost_state"]) for row in rows(store)] == [("assessor", "free")]


def test_a_side_call_that_fails_is_booked_and_raises_nothing(
    store_home: Home, server: ScriptedServer, store: Store
) -> None:
    server.routes["*"] = json_response(500, {"error": "it broke"})
    here = world(store_home, server, store)
    answer = side_call(resolve("gw/m", here.config, {}), QUESTION, "assessor", here)
    assert answer.reply is None
    booked = {row["purpose"]: row for row in rows(store)}
    assert sorted(booked) == ["assessor", "retry"]
    assert all(row["cost_nano"] == row["reserved_nano"] > 0 for row in booked.values())
    assert sum(attempt.cost.nano or 0 for attempt in answer.booked) == 2 * booked["retry"]["reserved_nano"]


def test_what_a_side_call_cost_is_part_of_the_whole(store_home: Home, server: ScriptedServer, store: Store) -> None:
    here = world(store_home, server, store, **{"tiers.only": {"model": "gw/m", "max_tokens": 100}})
    server.routes["*"] = in_turn(says("7"), says("Paris."))
    target = resolve("gw/m", here.config, {})
    answer = side_call(target, QUESTION, "assessor", here)
    job = Job("Which city?", (Step(here.config.tiers[0], target),), None, asides=answer.booked)
    *_, last = run(job, here)
    assert isinstance(last, Finished)
    assert (last.result.cost.state, last.result.cost.nano) == ("priced", 36_000_000)
    assert len(last.result.attempts) == 1
    assert [row["purpose"] for row in rows(store)] == ["assessor", "ask"]
