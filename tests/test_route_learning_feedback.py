"""`mrt route feedback`: a person's word about an answer takes the place of what the checks said."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from rig.command import Home
from rig.home_setup import configure, ladder, rows, run_here, says, store_path
from rig.loopback import ScriptedServer
from test_route_learning import TIERS, ask, opened, risk, status

LAST = "there is no answer to judge yet"


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as running:
        yield running


@pytest.fixture
def home(store_home: Home) -> Home:
    configure(store_home, TIERS)
    return store_home


def feedback(home: Home, *arguments: str) -> tuple[str, str, int]:
    """What `mrt route feedback` printed, and its exit code."""
    done = run_here(home, "route", "feedback", *arguments)
    return done.stdout, done.stderr, done.exit_code


def test_without_an_id_it_is_about_the_last_answer(home: Home) -> None:
    with opened(home) as store:
        ask(store, 3.0, operation_id="0a0a0a0a-first")
        ask(store, 3.0, operation_id="0b0b0b0b-last")
    assert feedback(home, "bad") == (
        "bad: 0b0b0b0b-last, answered by small (ollama/coder:7b), though the checks accepted it\n",
        "",
        0,
    )
    assert feedback(home, "good") == ("good: 0b0b0b0b-last, answered by small (ollama/coder:7b)\n", "", 0)
    assert status(home)["outcomes"] == {"ask": 1, "feedback": 1, "bench": 0}


def test_of_an_answer_that_went_up_the_accepted_call_is_judged(home: Home) -> None:
    with opened(home) as store:
        ask(store, 3.0, "rejected", operation_id="0c0c0c0c-up", attempt=0)
        ask(store, 3.0, operation_id="0c0c0c0c-up", attempt=1, model="coder:70b", tier="big")
    assert "answered by big (ollama/coder:70b), though the checks accepted it" in feedback(home, "bad", "0c0c0c0c")[0]
    assert status(home)["outcomes"]["feedback"] == 0
    assert status(home, "ollama/coder:70b")["outcomes"]["feedback"] == 1


def test_the_id_of_one_call_judges_that_call(home: Home) -> None:
    with opened(home) as store:
        call = ask(store, 3.0, "rejected", operation_id="zz-up", attempt=0)
        ask(store, 3.0, operation_id="zz-up", attempt=1, model="coder:70b", tier="big")
    said = feedback(home, "good", call)[0]
    assert said == "good: zz-up, answered by small (ollama/coder:7b), though the checks turned it down (code)\n"


def test_feedback_counts_in_place_of_the_check(home: Home) -> None:
    with opened(home) as store:
        calls = [ask(store, 5.0, operation_id=f"{number:08x}-op") for number in range(30)]
    before = risk(home)
    for call in calls[:20]:
        assert feedback(home, "bad", call)[2] == 0
    after = risk(home)
    assert (before["n"], after["n"]) == (30, 30)
    assert after["mean"] > before["mean"]
    for call in calls[:20]:
        feedback(home, "good", call)
    assert risk(home) == before


def test_feedback_counts_where_no_check_did(home: Home) -> None:
    with opened(home) as store:
        call = ask(store, 5.0, decision={"complexity": 5.0, "checked": False}, operation_id="0a1a1a1a-op")
    assert status(home)["outcomes"] == {"ask": 0, "feedback": 0, "bench": 0}
    assert feedback(home, "good", call)[2] == 0
    assert status(home)["outcomes"] == {"ask": 0, "feedback": 1, "bench": 0}


def test_feedback_as_json(home: Home) -> None:
    with opened(home) as store:
        call = ask(store, 3.0, operation_id="0d0d0d0d-op")
    assert json.loads(feedback(home, "bad", "--json")[0])["data"] == {
        "id": "0d0d0d0d-op",
        "call": call,
        "tier": "small",
        "model": "ollama/coder:7b",
        "feedback": "bad",
        "outcome": "accepted",
        "complexity": 3.0,
    }


def make_nothing(home: Home) -> None:
    """No store at all."""


def make_empty(home: Home) -> None:
    with opened(home):
        pass


def make_several(home: Home) -> None:
    with opened(home) as store:
        for number in range(3):
            ask(store, 3.0, operation_id=f"0e0e0e0e-{number}")


def make_unjudgeable(home: Home) -> None:
    with opened(home) as store:
        ask(store, 3.0, "failed", check="unreachable", operation_id="0f0f0f0f-op")
        ask(store, 3.0, purpose="probe", operation_id="0f0f0f0e-op")


ASK = 'ask something first: mrt ask "your question"'
LOG = "`mrt spend log` lists the last calls"


@pytest.mark.parametrize(
    ("made", "words", "error", "hint"),
    [
        pytest.param(make_nothing, ["good"], LAST, ASK, id="no-store"),
        pytest.param(make_nothing, ["good", "0a0a"], LAST, ASK, id="no-store-and-an-id"),
        pytest.param(make_empty, ["bad"], LAST, ASK, id="nothing-asked"),
        pytest.param(make_unjudgeable, ["bad"], LAST, ASK, id="nothing-answered"),
        pytest.param(
            make_several,
            ["bad", "ffff"],
            "no call has an id that begins with ffff",
            "`mrt spend log` lists the last ones",
            id="unknown",
        ),
        pytest.param(
            make_several,
            ["bad", "0e0e"],
            "several calls begin with 0e0e: 0e0e0e0e-0, 0e0e0e0e-1, 0e0e0e0e-2",
            "give more of it",
            id="ambiguous",
        ),
        pytest.param(
            make_several, ["bad", "0e"], "'0e' is too short for an id", "give at least 4 characters of it", id="short"
        ),
        pytest.param(
            make_several, ["bad", ""], "'' is too short for an id", "give at least 4 characters of it", id="empty"
        ),
        pytest.param(
            make_unjudgeable,
            ["good", "0f0f0f0f"],
            "no answer of that id can be judged: none came, or it was no ask",
            LOG,
            id="no-answer-came",
        ),
        pytest.param(
            make_unjudgeable,
            ["good", "0f0f0f0e"],
            "no answer of that id can be judged: none came, or it was no ask",
            LOG,
            id="no-ask",
        ),
    ],
)
def test_what_cannot_be_judged(home: Home, made: Any, words: list[str], error: str, hint: str) -> None:
    made(home)
    existed = store_path(home).exists()
    assert feedback(home, *words) == ("", f"error: {error}\nhint: {hint}\n", 2)
    assert store_path(home).exists() == existed


@pytest.mark.parametrize("words", [["great"], []], ids=["another-word", "no-word"])
def test_only_good_and_bad_are_words_of_feedback(home: Home, words: list[str]) -> None:
    stdout, stderr, code = feedback(home, *words)
    assert (stdout, code) == ("", 2)
    assert stderr.startswith("error: ")


def test_an_answer_that_nothing_is_asked_of_teaches_nothing(store_home: Home, server: ScriptedServer) -> None:
    tables = ladder(small=server.url)
    tables["tiers.small"]["checks"] = []
    configure(store_home, tables)
    server.routes["/v1/chat/completions"] = says("Paris.")
    for words, asks in (((), 0), (("--verify", "true"), 1)):
        assert run_here(store_home, "ask", "--no-stdin", *words, "What is the capital of France?").exit_code == 0
        assert status(store_home, "small/m")["outcomes"]["ask"] == asks


def test_what_ask_books_is_learned_from_and_can_be_judged(store_home: Home, server: ScriptedServer) -> None:
    configure(store_home, ladder(small=server.url))
    server.routes["/v1/chat/completions"] = says("Paris.")
    asked = json.loads(run_here(store_home, "ask", "--json", "--no-stdin", "What is the capital of France?").stdout)
    assert status(store_home, "small/m")["outcomes"] == {"ask": 1, "feedback": 0, "bench": 0}
    assert feedback(store_home, "bad", asked["data"]["id"])[2] == 0
    assert status(store_home, "small/m")["outcomes"] == {"ask": 0, "feedback": 1, "bench": 0}
    complexity = json.loads(
        run_here(store_home, "route", "--json", "--no-stdin", "What is the capital of France?").stdout
    )["data"]["complexity"]
    assert rows(store_home, "SELECT kind, model, complexity, failed FROM outcomes") == [
        {"kind": "feedback", "model": "m", "complexity": complexity, "failed": 1}
    ]
