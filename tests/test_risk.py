"""P(the tier fails): the shipped prior, what own outcomes make of it, and how sure it says it is."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import pairwise
from statistics import mean
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrt.router.beta import beta_interval
from mrt.router.calibration import sigmoid
from mrt.router.drift import NEWEST, Judged
from mrt.router.hindsight import hindsight
from mrt.router.risk import ENOUGH, failure_risk, learned, prior_curve, risk_by, strength_of

COMPLEXITIES = (1.0, 2.5, 4.0, 5.5, 7.0, 8.5, 10.0)
judged = st.builds(Judged, st.integers(10, 100).map(lambda tenths: tenths / 10), st.booleans(), st.booleans())


# The prior


@pytest.mark.parametrize(
    ("weaker", "stronger"),
    [
        pytest.param(("qwen2.5:0.5b", True), ("qwen2.5:3b", True), id="half-a-billion-below-three"),
        pytest.param(("llama3.1:8b", True), ("hermes3:70b", True), id="eight-below-seventy"),
        pytest.param(
            ("mixtral:8x7b", True), ("llama3.3:70b-instruct-q4_K_M", True), id="a-mixture-by-the-experts-that-answer"
        ),
        pytest.param(("Qwen3-4B-Q4_K_M.gguf", True), ("Qwen3-32B-Q4_K_M.gguf", True), id="a-file-name"),
        pytest.param(("hermes3:70b", True), ("claude-haiku-4-5", False), id="local-below-paid"),
        pytest.param(("llama3.1:8b", True), ("llama-3.1-8b-instant", False), id="a-paid-one-whatever-its-size"),
    ],
)
def test_a_stronger_model_is_taken_to_fail_less(weaker: tuple[str, bool], stronger: tuple[str, bool]) -> None:
    for complexity in COMPLEXITIES:
        low, high = (failure_risk(complexity, strength_of(*model)) for model in (stronger, weaker))
        assert low.mean < high.mean


@pytest.mark.parametrize("name", ["coder", "b", "0b", "v1.5beta", "8bit", "gpt-oss:latest", "abc8b"])
def test_without_a_size_a_local_model_goes_by_its_place(name: str) -> None:
    strengths = [strength_of(name, True, place) for place in (0.0, 0.3, 1.0)]
    assert strengths == sorted(strengths)
    assert strengths[0] < strengths[-1] < strength_of(name, False)


@given(st.floats(-0.5, 1), st.floats(1, 9.9))
def test_harder_prompts_fail_more_often(strength: float, complexity: float) -> None:
    assert failure_risk(complexity, strength).mean < failure_risk(complexity + 0.1, strength).mean


@pytest.mark.parametrize("count", [0, 1, ENOUGH - 1])
def test_too_few_outcomes_leave_the_prior_alone(count: int) -> None:
    outcomes = [Judged(4.0, True)] * count
    assert failure_risk(4.0, 0.0, outcomes) == failure_risk(4.0, 0.0)
    assert failure_risk(4.0, 0.0, outcomes).n == 0


# What outcomes make of it


@given(st.lists(judged, min_size=ENOUGH, max_size=NEWEST + 5), st.sampled_from(COMPLEXITIES), st.floats(-0.5, 1))
def test_any_outcomes_give_a_probability_in_its_interval(
    outcomes: list[Judged], complexity: float, strength: float
) -> None:
    risk = failure_risk(complexity, strength, outcomes)
    assert 0 <= risk.low <= risk.mean <= risk.high <= 1
    assert 0 < risk.mean < 1
    assert ENOUGH <= risk.n <= min(len(outcomes), NEWEST)
    assert risk == failure_risk(complexity, strength, list(outcomes))


@pytest.mark.parametrize("count", [25, 60, 400])
@pytest.mark.parametrize("complexity", [1.0, 4.0, 10.0])
def test_failures_raise_it_and_successes_lower_it(count: int, complexity: float) -> None:
    good, bad = (failure_risk(complexity, 0.0, [Judged(complexity, failed)] * count) for failed in (False, True))
    prior = failure_risk(complexity, 0.0)
    assert good.mean < prior.mean < bad.mean
    assert good.high - good.low < prior.high - prior.low


def test_only_the_newest_outcomes_count() -> None:
    newest = [Judged(1 + place % 7, place % 3 == 0) for place in range(NEWEST)]
    assert failure_risk(4.0, 0.0, [*newest, *[Judged(4.0, True)] * 300]) == failure_risk(4.0, 0.0, newest)


def test_of_two_halves_the_newer_one_weighs_more() -> None:
    good, bad = ([Judged(4.0, place % 5 < often) for place in range(50)] for often in (2, 3))
    assert failure_risk(4.0, 0.0, good + bad).mean < failure_risk(4.0, 0.0, bad + good).mean


def test_a_model_that_was_replaced_is_learned_anew() -> None:
    before, since = [Judged(4.0, True)] * 300, [Judged(4.0, False)] * 50
    risk = failure_risk(4.0, 0.0, since + before)
    assert risk.n == 50
    assert risk == failure_risk(4.0, 0.0, since)


def test_graded_tasks_do_not_contradict_asks_that_are_judged_by_other_means() -> None:
    asked, graded = [Judged(4.0, False)] * 100, [Judged(4.0, True, graded=True)] * 60
    for outcomes in (asked + graded, graded + asked):
        assert failure_risk(4.0, 0.0, outcomes).n == 160
    since = [Judged(4.0, False, graded=True)] * 50
    assert failure_risk(4.0, 0.0, since + graded + asked).n == 150


# Worlds: what is true of a model, and how good the learned curve is in it


class World(NamedTuple):
    """`truth` gives P(fail) at a complexity, after a share from 0 to 1 of all that will happen; `asked` draws complexities."""

    truth: Callable[[float, float], float]
    asked: Callable[[random.Random], float]


PRIOR = prior_curve(0.0)
SIZES = (25, 50, 100, 200, 400)


def everyday(draw: random.Random) -> float:
    return round(min(10.0, max(1.0, draw.gauss(4.5, 1.8))), 1)


def as_shipped(_: random.Random) -> World:
    return World(lambda complexity, _: sigmoid(PRIOR.logit(complexity)), everyday)


def another_model(draw: random.Random) -> World:
    height, slope = draw.gauss(0, 1), draw.gauss(1, 0.4)
    return World(
        lambda complexity, _: sigmoid(PRIOR.height + height + slope * PRIOR.slope * (complexity - 5)), everyday
    )


def all_good(_: random.Random) -> World:
    return World(lambda *_: 0.0, everyday)


def all_bad(_: random.Random) -> World:
    return World(lambda *_: 1.0, everyday)


def a_coin(_: random.Random) -> World:
    return World(lambda *_: 0.5, lambda _: 4.0)


def upside_down(_: random.Random) -> World:
    return World(lambda complexity, _: sigmoid(PRIOR.height - PRIOR.slope * (complexity - 5)), everyday)


def noisy_labels(_: random.Random) -> World:
    return World(lambda complexity, _: 0.15 + 0.7 * sigmoid(PRIOR.logit(complexity)), everyday)


def replaced(_: random.Random) -> World:
    return World(lambda complexity, time: sigmoid(PRIOR.logit(complexity) + (2 if time < 0.5 else -1)), everyday)


def history(world: World, draw: random.Random, count: int) -> list[Judged]:
    """What happened in a world, newest first."""
    rows = []
    for number in range(count):
        complexity = world.asked(draw)
        rows.append(Judged(complexity, draw.random() < world.truth(complexity, number / count)))
    return rows[::-1]


def mean_error(make: Callable[[random.Random], World], count: int, seeds: int = 20) -> float:
    """How far the learned probability is from the true one on average, for prompts as they are asked there."""
    errors: list[float] = []
    for seed in range(seeds):
        draw = random.Random(1000 * seed + count)
        world = make(draw)
        known = learned(0.0, history(world, draw, count))
        asked = [world.asked(draw) for _ in range(8)]
        errors += [abs(risk_by(known, complexity).mean - world.truth(complexity, 1.0)) for complexity in asked]
    return mean(errors)


@pytest.mark.parametrize("make", [another_model, all_good, all_bad, a_coin, upside_down])
def test_the_error_falls_as_outcomes_grow(make: Callable[[random.Random], World]) -> None:
    errors = [mean_error(make, count) for count in (0, *SIZES)]
    assert errors[-1] < 0.06
    assert all(later < earlier + 0.02 for earlier, later in pairwise(errors))
    assert errors[1] < errors[0]


@pytest.mark.parametrize("count", SIZES)
@pytest.mark.parametrize(
    "make",
    [as_shipped, another_model, all_good, all_bad, a_coin, upside_down, noisy_labels],
    ids=lambda one: one.__name__,
)
def test_it_is_never_worse_than_the_prior_by_more_than_noise(
    make: Callable[[random.Random], World], count: int
) -> None:
    # Even where the prior is the truth itself: a share of 0.3 that is counted in n cases is off by 0.37 / sqrt(n) on average, and
    # a curve has two figures to get wrong.
    assert mean_error(make, count) < mean_error(make, 0) + 0.5 / count**0.5


def test_after_a_replacement_the_error_is_soon_below_the_priors() -> None:
    assert [mean_error(replaced, count) < mean_error(replaced, 0) for count in (50, 100, 200, 400)] == [True] * 4


@pytest.mark.parametrize("count", [0, *SIZES])
def test_the_interval_holds_the_truth_in_about_nine_of_ten_cases(count: int) -> None:
    held = []
    for seed in range(60):
        draw = random.Random(1000 * seed + count)
        world = another_model(draw)
        known = learned(0.0, history(world, draw, count))
        for complexity in [world.asked(draw) for _ in range(5)]:
            risk = risk_by(known, complexity)
            held.append(risk.low <= world.truth(complexity, 1.0) <= risk.high)
    assert 0.84 <= mean(held) <= 0.98


def test_hindsight_tells_what_learning_was_worth() -> None:
    seen = hindsight(0.0, history(all_bad(random.Random(1)), random.Random(1), 200))
    assert seen is not None
    assert seen.over == 175
    assert seen.learned < 0.15
    assert seen.prior > 0.6
    assert hindsight(0.0, [Judged(4.0, True)] * ENOUGH) is None


# The interval's mathematics


@given(st.floats(0.2, 300), st.floats(0.01, 0.2))
def test_the_interval_of_a_beta_distribution_with_a_known_form(shape: float, tail: float) -> None:
    # Beta(a, 1) has the distribution function x ** a, and Beta(1, b) is its mirror image.
    low, high = beta_interval(shape / (shape + 1), shape + 1, tail)
    assert (low, high) == pytest.approx((tail ** (1 / shape), (1 - tail) ** (1 / shape)), abs=1e-5)
    mirrored = beta_interval(1 / (shape + 1), shape + 1, tail)
    assert mirrored == pytest.approx((1 - high, 1 - low), abs=1e-5)


@given(st.floats(0.2, 0.8), st.floats(4, 1000))
def test_more_outcomes_make_the_interval_narrower(chance: float, weight: float) -> None:
    low, high = beta_interval(chance, weight, 0.05)
    surer = beta_interval(chance, 4 * weight, 0.05)
    assert surer[1] - surer[0] <= high - low + 1e-5
