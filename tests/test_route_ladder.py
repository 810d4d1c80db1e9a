"""The engine: thresholds, gates, risk, money, and what is decided when nothing is open."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from route_kit import EASY, HARD, LADDER, MadeUp, decided, paid

from mrt.domain import Cost
from mrt.router import Engine, Known, Ladder, Money, Prompt, Rating, Rung, Wanted, decide, first_able

CLOSED = Known(100, 1000, age_s=60, state="down", trouble="connection refused")
SMALL = Known(100, 1000, context=1000, context_from="served")
BROKE = paid(2, 1, "daily budget has $0.01 left, this may cost $0.04")
UNKNOWN = Money(Cost("unknown"), Cost("unknown"), 300)


@pytest.mark.parametrize(
    ("complexity", "place"),
    [(1.0, 0), (4.0, 0), (4.1, 1), (7.0, 1), (7.1, 2), (9.0, 2), (9.1, 3), (10.0, 3)],
)
def test_the_first_tier_whose_threshold_reaches_starts(complexity: float, place: int) -> None:
    assert first_able(complexity, LADDER) == place


@pytest.mark.parametrize("count", range(1, 6))
def test_the_last_tier_takes_what_no_threshold_reaches(count: int) -> None:
    rungs = [Rung(f"t{number}", float(number)) for number in range(1, count + 1)]
    assert first_able(10.0, rungs) == count - 1


OPEN: dict[str, tuple[dict[str, Any], list[str]]] = {
    "nothing-known": ({}, ["fast", "heavy", "cheap", "strong"]),
    "first-down": ({"knowns": {"fast": CLOSED}}, ["heavy", "cheap", "strong"]),
    "first-too-small": ({"knowns": {"fast": SMALL}}, ["heavy", "cheap", "strong"]),
    "later-one-down": ({"knowns": {"heavy": CLOSED}}, ["fast", "cheap", "strong"]),
    "locals-down": ({"knowns": {"fast": CLOSED, "heavy": CLOSED}}, ["cheap", "strong"]),
    "memory": ({"knowns": {"fast": Known(1, 1, needed_bytes=9, free_bytes=8)}}, ["heavy", "cheap", "strong"]),
    "memory-unknown": ({"knowns": {"fast": Known(1, 1, needed_bytes=9)}}, ["fast", "heavy", "cheap", "strong"]),
    "no-such-model": (
        {"knowns": {"fast": Known(1, 1, age_s=1, state="ready", listed=False)}},
        ["heavy", "cheap", "strong"],
    ),
    "no-tools": ({"knowns": {"fast": Known(1, 1, lacks=("tools",))}}, ["heavy", "cheap", "strong"]),
    "secret": (
        {"knowns": {name: Known(1, 1, confined="it holds a key") for name in ("cheap", "strong")}},
        ["fast", "heavy"],
    ),
}


@pytest.mark.parametrize(("facts", "order"), OPEN.values(), ids=OPEN)
def test_a_closed_gate_sends_the_prompt_on(facts: dict[str, Any], order: list[str]) -> None:
    decision = decided(MadeUp(**facts))
    assert (list(decision.order), decision.blocked) == (order, None)


def test_the_reason_names_the_gate_with_its_figure() -> None:
    reason = decided(MadeUp({"fast": CLOSED})).reason
    assert reason.endswith("; fast is closed: endpoint: connection refused (checked 1 min ago)")
    reason = decided(MadeUp({"fast": SMALL})).reason
    assert reason.endswith("; fast is closed: context: 100 + 1000 tokens do not fit 1000 served")


def test_over_budget_work_stays_local() -> None:
    decision = decided(MadeUp(moneys={"cheap": BROKE, "strong": BROKE}), HARD)
    assert decision.order == ("heavy", "fast")
    assert decision.reason.endswith("; staying local")
    assert "cheap is closed: budget: daily budget has $0.01 left" in decision.reason


def test_a_budget_alone_in_the_way_is_told_from_no_server() -> None:
    down = {"fast": CLOSED, "heavy": CLOSED}
    broke = decided(MadeUp(down, {"cheap": BROKE, "strong": BROKE}), HARD)
    assert (broke.blocked, broke.order) == ("budget", ("cheap", "strong"))
    gone = decided(MadeUp({**down, "cheap": CLOSED, "strong": CLOSED}, {"cheap": BROKE, "strong": BROKE}), HARD)
    assert gone.blocked == "unreachable"
    assert "strong is closed: endpoint: connection refused" in gone.obstacle


def test_where_the_reservation_decides_no_budget_closes_a_tier() -> None:
    facts = MadeUp(moneys={"cheap": BROKE, "strong": BROKE})
    assert decided(facts, HARD, budgets=False).order[-1] == "strong"
    assert not [asked for asked in facts.looked_up if asked.startswith("money")]


def test_only_what_decides_is_looked_up() -> None:
    facts = MadeUp()
    decided(facts)
    assert "money fast" in facts.looked_up
    assert not {"money heavy", "money cheap", "money strong"} & set(facts.looked_up)


@pytest.mark.parametrize(
    ("risks", "limit", "tier"),
    [
        ({"fast": 0.1}, 0.2, "fast"),
        ({"fast": 0.5, "heavy": 0.1}, 0.2, "heavy"),
        ({"fast": 0.5, "heavy": 0.5, "cheap": 0.15, "strong": 0.05}, 0.2, "cheap"),
        ({"fast": 0.5, "heavy": 0.5, "cheap": 0.4, "strong": 0.3}, 0.2, "strong"),
    ],
    ids=["first", "second", "cheapest-paid", "least-risk"],
)
def test_max_risk_picks_the_cheapest_tier_whose_risk_is_acceptable(
    risks: dict[str, float], limit: float, tier: str
) -> None:
    facts = MadeUp(moneys={"cheap": paid(1), "strong": paid(9)}, risks=risks)
    assert decided(facts, max_risk=limit).tier == tier


def test_cost_changes_the_route_only_where_it_is_asked_to() -> None:
    moneys = {"fast": paid(9), "heavy": paid(1), "cheap": paid(20), "strong": paid(30)}
    facts = MadeUp(moneys=moneys, risks={"fast": 0.1, "heavy": 0.1})
    assert decided(facts).tier == "fast"
    assert decided(facts, policy="min_cost").tier == "heavy"


def test_the_least_expected_cost_counts_escalations() -> None:
    moneys = {"fast": paid(1), "heavy": paid(1.5), "cheap": paid(100), "strong": paid(100)}
    likely_to_fail = MadeUp(moneys=moneys, risks={"fast": 0.9, "heavy": 0.0})
    assert decided(likely_to_fail, policy="min_cost").tier == "heavy"
    unknown = MadeUp(moneys=moneys | {"fast": UNKNOWN})
    assert decided(unknown, policy="min_cost").tier == "heavy"


@pytest.mark.parametrize(
    ("prompt", "wanted", "order"),
    [
        (EASY, {"start": "cheap"}, ("cheap", "strong")),
        (EASY, {"highest": "heavy"}, ("fast", "heavy")),
        (HARD, {"highest": "fast"}, ("fast",)),
        (EASY, {"start": "heavy", "highest": "heavy"}, ("heavy",)),
    ],
    ids=["start", "highest", "above-the-highest", "both"],
)
def test_the_users_word_on_where_to_start_and_end(prompt: str, wanted: dict[str, Any], order: tuple[str, ...]) -> None:
    assert decided(prompt=prompt, **wanted).order == order


def test_a_named_tier_starts_though_it_is_closed_and_that_is_said() -> None:
    decision = decided(MadeUp({"heavy": CLOSED}), start="heavy", why="named")
    assert (decision.tier, decision.reason, decision.blocked) == ("heavy", "named", "unreachable")
    assert decision.obstacle.startswith("heavy is closed: endpoint: connection refused")


def test_no_signal_never_means_cheap_by_default() -> None:
    decision = decided(whole=True)
    assert decision.abstains
    assert decision.starting.verdict == "local first, verify, then up"
    assert decision.check == ("refusal",)


def test_a_whole_decision_has_a_row_for_every_tier() -> None:
    facts = MadeUp({"cheap": CLOSED}, {"cheap": paid(1, 50), "strong": paid(4, 50)})
    decision = decided(facts, whole=True)
    rows = {row.tier: (row.open, row.verdict) for row in decision.rows}
    assert list(rows) == ["fast", "heavy", "cheap", "strong"]
    assert rows["cheap"] == (False, "closed")
    assert rows["heavy"] == rows["strong"] == (True, "next")
    assert decision.escalation == "escalating to heavy: no API cost"


def test_tiers_below_the_threshold_say_so() -> None:
    rows = {row.tier: row.verdict for row in decided(prompt=HARD, whole=True).rows}
    assert rows["fast"].startswith("complexity ")
    assert rows["fast"].endswith(" is above 4")


@pytest.mark.parametrize(
    ("moneys", "note"),
    [
        ({"cheap": paid(2), "strong": paid(5)}, "escalating to strong adds about $0.05, 2.5 times what cheap costs"),
        ({"cheap": paid(2), "strong": UNKNOWN}, "escalating to strong: cost unknown"),
        ({"cheap": UNKNOWN, "strong": paid(5)}, "escalating to strong adds about $0.05 (cheap: cost unknown)"),
        ({"strong": paid(5)}, "escalating to strong adds about $0.05 (cheap: no API cost)"),
    ],
    ids=["times", "unknown", "from-unknown", "from-free"],
)
def test_what_escalating_costs(moneys: dict[str, Money], note: str) -> None:
    assert decided(MadeUp(moneys=moneys), start="cheap", whole=True).escalation == note


def test_what_would_change_the_tier() -> None:
    context = {"fast": Known(100, 1000, context=3100, context_from="served")}
    assert "would go to heavy above 2.1k tokens" in decided(MadeUp(context), whole=True).counterfactuals
    told = " ".join(decided(prompt="Fix the login and refactor the provider layer", whole=True).counterfactuals)
    assert "without 'refactor'" in told
    broke = decided(MadeUp(moneys={"cheap": BROKE, "strong": BROKE}), HARD, whole=True)
    assert any(one.startswith("with more budget cheap would be open") for one in broke.counterfactuals)


def test_an_assessor_that_gave_nothing_leaves_the_rules_alone() -> None:
    rating = Rating(None, "a/b", "a/b gave no JSON")
    decision = Ladder().decide(Prompt(EASY, rating=rating), LADDER, MadeUp())
    assert decision.complexity == decided().complexity
    assert "rules alone: a/b gave no JSON" in decision.reason


@given(
    prompt=st.text(min_size=1, max_size=200),
    closed=st.sets(st.sampled_from([rung.name for rung in LADDER])),
    broke=st.sets(st.sampled_from([rung.name for rung in LADDER])),
)
def test_the_same_inputs_give_the_same_decision_whole_or_not(prompt: str, closed: set[str], broke: set[str]) -> None:
    facts = MadeUp(dict.fromkeys(closed, CLOSED), dict.fromkeys(broke, BROKE))
    first, again = decided(facts, prompt), decided(facts, prompt)
    assert first == again
    whole = decided(facts, prompt, whole=True)
    assert (whole.order, whole.reason, whole.blocked) == (first.order, first.reason, first.blocked)
    if first.blocked is None:
        assert first.tier not in closed | broke
        assert not set(first.order) & closed
    else:
        assert closed | broke >= {rung.name for rung in LADDER[first_able(first.complexity, LADDER) :]}


def test_any_engine_of_that_shape_will_do() -> None:
    class Backwards:
        def decide(self, prompt: Prompt, rungs: Any, facts: Any) -> Any:
            upwards = Ladder().decide(prompt, rungs, facts)
            return replace(upwards, order=upwards.order[::-1])

    engine: Engine = Backwards()
    assert engine.decide(Prompt(EASY), LADDER, MadeUp()).tier == "strong"
    assert decide(EASY, LADDER).tier == "fast"
    assert Wanted().policy == "capability"
