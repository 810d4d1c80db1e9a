"""`mrt route` learns from outcomes: whose count, how far, and how to go back."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from ledger_kit import Clock, booking
from rig.command import Home
from rig.home_setup import configure, run_here, store_path

from mrt.domain import Cost, Timing, Usage
from mrt.ledger import Graded, Settlement, Store, open_store, record_outcomes, reserve, settle
from mrt.router.risk import failure_risk, strength_of

HARD = "Plan the migration of the whole billing pipeline across services and explain each step to the team"
TIERS = {
    "tiers.small": {"model": "ollama/coder:7b", "max_complexity": 4},
    "tiers.big": {"model": "ollama/coder:70b"},
}


@pytest.fixture
def home(store_home: Home) -> Home:
    configure(store_home, TIERS)
    return store_home


def ask(store: Store, complexity: float, outcome: str = "accepted", **changes: Any) -> str:
    """An ask that ended so, of coder:7b; gives the id of its call."""
    check = changes.pop("check", None if outcome == "accepted" else "code")
    fields = {
        "tier": "small",
        "endpoint": "ollama",
        "model": "coder:7b",
        "local": True,
        "decision": {"complexity": complexity, "reason": "as told"},
    }
    identifier = reserve(store, booking(0, **fields | changes))
    usage, timing = Usage(40, 700, source="reported"), Timing(120, 3_000, 55.5)
    settle(store, identifier, Settlement(outcome, usage, Cost("free", 0), timing, check))  # type: ignore[arg-type]
    return identifier


def opened(home: Home, clock: Callable[[], float] | None = None) -> Any:
    """The store of a home, to be closed with the block."""
    return closing(open_store(store_path(home), clock or Clock()))


def asks(home: Home, count: int, chance: Callable[[float], float] = lambda _: 0.5, **changes: Any) -> None:
    """So many asks of complexities from 1 to 9, each a second after the one before; `chance` is P(fail)."""
    draw, clock = random.Random(count), Clock()
    with opened(home, clock) as store:
        for number in range(count):
            clock.now += 1
            complexity = round(draw.uniform(1, 9), 1)
            outcome = "rejected" if draw.random() < chance(complexity) else "accepted"
            ask(store, complexity, outcome, **{"operation_id": f"{number:08x}-op"} | changes)


def routed(home: Home, *arguments: str) -> bytes:
    """All that `mrt route --json` prints for a hard prompt."""
    return printed(home, "--json", *arguments)


def printed(home: Home, *arguments: str) -> bytes:
    """All that `mrt route` prints for a hard prompt."""
    done = run_here(home, "route", "--no-stdin", *arguments, HARD)
    assert done.exit_code == 0
    return done.stdout_bytes


def risk(home: Home, tier: str = "small", *arguments: str) -> Any:
    """`p_fail` of a tier."""
    rows = json.loads(routed(home, *arguments))["data"]["tiers"]
    return next(row["p_fail"] for row in rows if row["tier"] == tier)


def status(home: Home, model: str = "ollama/coder:7b") -> Any:
    """What `mrt route learn --json` tells of a model."""
    models = json.loads(run_here(home, "route", "learn", "--json").stdout)["data"]["models"]
    return next(row for row in models if row["model"] == model)


# Learning and going back


def test_from_25_outcomes_on_they_move_the_probability(home: Home) -> None:
    prior = risk(home)
    asks(home, 24, lambda _: 1.0)
    assert risk(home) == prior
    assert prior["n"] == 0
    with opened(home) as store:
        ask(store, 5.0, "rejected")
    learned = risk(home)
    assert learned["n"] == 25
    assert learned["mean"] > prior["mean"]
    assert learned["high"] - learned["low"] < prior["high"] - prior["low"]


@pytest.mark.parametrize("form", ["--json", "--explain"])
def test_rolled_back_decisions_are_byte_for_byte_those_from_before_learning(home: Home, form: str) -> None:
    before = printed(home, form)
    asks(home, 60, lambda complexity: complexity / 9)
    with opened(home) as store:
        record_outcomes(store, [Graded("ollama", "coder:70b", band, band > 2) for band in (1, 2, 3, 4, 5, 6)] * 5)
    learned = printed(home, form)
    assert learned != before
    assert learned == printed(home, form)
    done = run_here(home, "route", "learn", "--rollback")
    assert done.stdout == "outcomes up to now are ignored; to let them count again: mrt route learn --resume\n"
    assert (done.stderr, done.exit_code) == ("", 0)
    assert printed(home, form) == before
    assert run_here(home, "route", "learn", "--resume").stdout == "all outcomes count again\n"
    assert printed(home, form) == learned
    assert run_here(home, "route", "learn", "--resume").stdout == "all outcomes count already\n"


def test_after_a_rollback_new_outcomes_count_from_25_on(home: Home) -> None:
    asks(home, 60, lambda _: 1.0)
    run_here(home, "route", "learn", "--rollback")
    later = Clock(Clock().now + 1e9)
    with opened(home, later) as store:
        for _ in range(25):
            later.now += 1
            ask(store, 5.0)
    assert risk(home)["n"] == 25
    assert status(home)["outcomes"] == {"ask": 25, "feedback": 0, "bench": 0}


def test_no_learn_and_the_config_leave_the_prior_alone(home: Home) -> None:
    prior = risk(home)
    asks(home, 40, lambda _: 1.0)
    assert risk(home)["n"] == 40
    assert risk(home, "small", "--no-learn") == prior
    configure(home, {**TIERS, "route": {"learn": False}})
    assert risk(home) == prior
    assert run_here(home, "route", "learn").stdout.splitlines()[-1] == (
        "learning is off; to switch it on: mrt config set route.learn true"
    )


def test_learning_can_change_the_tier(home: Home) -> None:
    configure(home, {**TIERS, "route": {"max_risk": 0.5}, "tiers.small": {"model": "ollama/coder:7b"}})
    asks(home, 200, lambda _: 0.0)
    assert json.loads(routed(home))["data"]["tier"] == "small"
    assert json.loads(routed(home, "--no-learn"))["data"]["tier"] == "big"


@pytest.mark.parametrize(
    "chance",
    [
        pytest.param(lambda complexity: 0.9 - complexity / 30, id="mostly-failing"),
        pytest.param(lambda _: 0.0, id="all-good"),
        pytest.param(lambda _: 1.0, id="all-bad"),
        pytest.param(lambda _: 0.5, id="a-coin"),
    ],
)
def test_the_calibration_error_falls_as_the_store_grows(home: Home, chance: Callable[[float], float]) -> None:
    errors = []
    for count in (50, 100, 350):
        store_path(home).unlink(missing_ok=True)
        asks(home, count, chance)
        errors.append(status(home)["calibration_error"])
    assert errors[-1]["learned"] < errors[0]["learned"]
    assert all(error["learned"] < error["prior"] for error in errors)
    assert [error["over"] for error in errors] == [25, 75, 325]


# Whose outcomes count


@pytest.mark.parametrize(
    ("changes", "counts"),
    [
        pytest.param({}, True, id="an-ask"),
        pytest.param({"outcome": "rejected", "check": "code"}, True, id="turned-down"),
        pytest.param({"outcome": "failed", "check": "refusal"}, True, id="a-refusal"),
        pytest.param({"outcome": "failed", "check": "empty"}, True, id="an-empty-answer"),
        pytest.param({"outcome": "failed", "check": "unreachable"}, False, id="a-server-that-was-not-there"),
        pytest.param({"outcome": "failed", "check": "max_tokens"}, False, id="cut-at-a-limit"),
        pytest.param({"outcome": "interrupted"}, False, id="interrupted"),
        pytest.param({"purpose": "agreement"}, False, id="a-second-opinion"),
        pytest.param({"purpose": "probe"}, False, id="a-trial"),
        pytest.param({"model": "coder:70b"}, False, id="another-model"),
        pytest.param({"endpoint": "koala"}, False, id="another-server"),
        pytest.param({"decision": {"complexity": 5.0, "checked": False}}, False, id="accepted-without-a-check"),
        pytest.param({"decision": None}, False, id="no-decision-kept"),
        pytest.param({"decision": {"complexity": "high"}}, False, id="no-complexity-kept"),
        pytest.param({"decision": {"complexity": 1e300}}, False, id="a-complexity-that-is-none"),
    ],
)
def test_what_counts_as_an_outcome(home: Home, changes: dict[str, Any], counts: bool) -> None:
    with opened(home) as store:
        for _ in range(30):
            ask(store, 5.0, **changes)
    assert status(home)["n"] == (30 if counts else 0)


@pytest.mark.parametrize(
    ("measured", "counted"),
    [
        pytest.param(["Q4_K_M"] * 30, 30, id="one"),
        pytest.param(["Q8_0"] * 30 + ["Q4_K_M"] * 26, 26, id="the-one-that-was-measured-last"),
        pytest.param(["q4_k_m"] * 20 + ["Q4_K_M"] * 6, 26, id="in-any-case"),
        pytest.param([None] * 26 + ["Q4_K_M"] * 4, 30, id="unknown-counts-for-any"),
    ],
)
def test_outcomes_of_another_quantization_do_not_count(home: Home, measured: list[str | None], counted: int) -> None:
    clock = Clock()
    with opened(home, clock) as store:
        for quantization in measured:
            clock.now += 1
            record_outcomes(store, [Graded("ollama", "coder:7b", 3, True, quantization)])
    assert status(home)["n"] == counted


def test_bench_outcomes_count_at_the_complexity_of_their_band(home: Home) -> None:
    with opened(home) as store:
        record_outcomes(store, [Graded("ollama", "coder:7b", band, band > 3) for band in range(1, 7)] * 20)
    learned = risk(home)
    assert learned["n"] == 120
    assert learned["low"] > 0.9
    assert status(home)["outcomes"] == {"ask": 0, "feedback": 0, "bench": 120}


def test_a_long_run_of_the_bench_leaves_room_for_what_was_asked(home: Home) -> None:
    asks(home, 150)
    with opened(home, Clock(Clock().now + 1e6)) as store:
        record_outcomes(store, [Graded("ollama", "coder:7b", 1, False)] * 500)
    assert status(home)["outcomes"] == {"ask": 150, "feedback": 0, "bench": 200}


def test_a_band_that_there_is_not_is_refused_and_nothing_kept(home: Home) -> None:
    with opened(home) as store, pytest.raises(ValueError, match="no band 7"):
        record_outcomes(store, [Graded("ollama", "coder:7b", 1, False), Graded("ollama", "coder:7b", 7, False)])
    assert status(home)["outcomes"]["bench"] == 0


# What is shown


def prior_text(model: str) -> str:
    """How the shipped P(fail) at complexity 5 is shown."""
    return f"{failure_risk(5.0, strength_of(model, True)).mean:.2f} (prior)"


def test_status_without_a_store_makes_none(home: Home) -> None:
    done = run_here(home, "route", "learn", "--status")
    assert done.stdout.splitlines() == [
        "model             tiers  asks  feedback  bench  counted  P(fail) at 5  calibration error  newest",
        "----------------  -----  ----  --------  -----  -------  ------------  -----------------  ------",
        f"ollama/coder:7b   small     0         0      0        0  {prior_text('coder:7b')}  -                  -",
        f"ollama/coder:70b  big       0         0      0        0  {prior_text('coder:70b')}  -                  -",
        "",
        "a model's outcomes count from 25 on; until then the shipped prior speaks alone",
    ]
    assert not store_path(home).exists()


def test_a_rollback_without_a_store_makes_none(home: Home) -> None:
    assert run_here(home, "route", "learn", "--rollback").stdout == "nothing was learned yet\n"
    assert not store_path(home).exists()


def test_status_names_models_that_no_tier_has_any_more(home: Home) -> None:
    asks(home, 30, lambda _: 0.0, model="old:13b", tier="gone")
    line = run_here(home, "route", "learn").stdout.splitlines()[-3]
    prior = prior_text("old:13b").partition(" ")[0]
    assert line.startswith(f"ollama/old:13b    -        30         0      0       30  {prior} -> 0.0")
    assert line.endswith("over 5  2027-01-15")


def test_status_says_that_outcomes_are_ignored(home: Home) -> None:
    asks(home, 30)
    run_here(home, "route", "learn", "--rollback")
    done = run_here(home, "route", "learn", "--json")
    assert json.loads(done.stdout)["data"]["ignored_before"] is not None
    text = run_here(home, "route", "learn").stdout.splitlines()[-1]
    assert text.startswith("outcomes up to 20")
    assert text.endswith("are ignored; to let them count again: mrt route learn --resume")


def test_status_and_rollback_contradict_each_other(home: Home) -> None:
    done = run_here(home, "route", "learn", "--status", "--rollback")
    assert (done.stdout, done.exit_code) == ("", 2)
    assert done.stderr == ("error: --status, --rollback and --resume contradict each other\nhint: give one of them\n")
