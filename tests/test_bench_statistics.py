"""What the bench's statistics say of few tasks, and that they promise no more than holds."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrt.bench.statistics import all_pass, bootstrap, compare, holm, median_of, percentile, wilson
from mrt.bench.threshold import LEVELS, Thresholds, Trial, complexity_of, thresholds


@pytest.mark.parametrize(
    ("passed", "count", "low", "high"),
    [
        (40, 40, 91, 100),
        (38, 40, 83, 99),
        (36, 40, 77, 96),
        (32, 40, 65, 90),
        (20, 40, 35, 65),
        (10, 10, 72, 100),
        (5, 5, 57, 100),
        (4, 5, 38, 96),
        (3, 3, 44, 100),
        (0, 8, 0, 32),
    ],
    ids=str,
)
def test_wilsons_interval(passed: int, count: int, low: int, high: int) -> None:
    rate = wilson(passed, count)
    assert (round(100 * rate.low), round(100 * rate.high)) == (low, high)
    assert rate.value == passed / count


def test_nothing_graded_is_no_rate() -> None:
    assert wilson(0, 0).value is None
    assert bootstrap([], 1).value is None
    assert median_of([]) is None
    assert percentile([1.0] * 19, 0.5) is None


@pytest.mark.parametrize("rate", [0.05, 0.3, 0.5, 0.8, 0.95])
def test_wilsons_interval_covers_as_stated(rate: float) -> None:
    generator = random.Random(7)
    draws = 4000
    covered = 0
    for _ in range(draws):
        found = wilson(sum(generator.random() < rate for _ in range(40)), 40)
        covered += found.low <= rate <= found.high
    assert covered / draws >= 0.93


def test_all_k() -> None:
    assert all_pass(2, 4, 2) == pytest.approx(1 / 6)
    assert all_pass(5, 4, 4) is None


@given(st.integers(2, 12), st.data())
def test_all_of_more_is_never_likelier(samples: int, data: st.DataObject) -> None:
    passed = data.draw(st.integers(0, samples))
    k = data.draw(st.integers(2, samples))
    fewer, more = all_pass(k - 1, samples, passed), all_pass(k, samples, passed)
    assert fewer is not None and more is not None
    assert 0 <= more <= fewer <= passed / samples


def test_the_bootstrap_draws_tasks_and_repeats_itself() -> None:
    by_task = [1.0, 1.0, 0.0, 0.5, 1.0, 0.0, 1.0, 1.0]
    assert bootstrap(by_task, 3) == bootstrap(by_task, 3)
    found = bootstrap(by_task, 3)
    assert found.low < found.value < found.high  # type: ignore[operator]
    assert bootstrap([1.0] * 8, 3) == (1.0, 1.0, 1.0, 8)


@pytest.mark.parametrize(
    ("first", "second", "p", "mid_p"),
    [(6, 0, 0.031, 0.016), (7, 1, 0.070, 0.039), (3, 0, 0.25, 0.125), (0, 0, 1.0, 1.0), (4, 4, 1.0, 1.0)],
    ids=["6-0", "7-1", "3-0", "none", "4-4"],
)
def test_mcnemar(first: int, second: int, p: float, mid_p: float) -> None:
    ours = {**{f"a{n}": True for n in range(first)}, **{f"b{n}": False for n in range(second)}, "same": True}
    theirs = {
        **{f"a{n}": False for n in range(first)},
        **{f"b{n}": True for n in range(second)},
        "same": True,
        "other": True,
    }
    found = compare(ours, theirs)
    assert (found.p, found.mid_p) == (pytest.approx(p, abs=6e-4), pytest.approx(mid_p, abs=6e-4))
    assert found.only_first == tuple(f"a{n}" for n in range(first))
    assert (found.both, found.neither) == (1, 0)


def test_the_verdict_says_no_more_than_the_tasks_can_carry() -> None:
    ours = {f"task{n}": n < 36 for n in range(40)}
    theirs = {f"task{n}": n < 33 for n in range(40)}
    assert compare(ours, theirs).verdict == "no evidence of a difference (p = 0.25); about 40 more tasks could tell"
    assert compare(ours, ours).verdict == "no evidence of a difference (p = 1.00); neither is ahead"
    assert compare(ours, {f"task{n}": n < 20 for n in range(40)}).verdict == "the first is better (p < 0.001)"


def test_holm_looks_at_all_comparisons_at_once() -> None:
    assert holm({"a": 0.01, "b": 0.04, "c": 0.03}) == {
        "a": pytest.approx(0.03),
        "b": pytest.approx(0.06),
        "c": pytest.approx(0.06),
    }
    assert holm({}) == {}


def answers(middle: float, width: float, generator: random.Random, samples: int = 1) -> list[Trial]:
    """Eight tasks a band, each somewhat easier or harder than its band says."""
    trials = []
    for band in range(1, 6):
        for _ in range(8):
            complexity = complexity_of(band)
            chance = 1 / (1 + math.exp((complexity + generator.gauss(0, 0.7) - middle) / width))
            trials += [Trial(complexity, generator.random() < chance) for _ in range(samples)]
    return trials


def over_promised(certainty: str, samples: int) -> float:
    """How often the recommended level lies above the last one that truly holds, over simulated models."""
    generator, models, over = random.Random(11), 300, 0
    for _ in range(models):
        middle, width = generator.uniform(1, 11), generator.choice([0.3, 0.6, 1.0, 1.5, 2.5])
        holds = [level for level in LEVELS if 1 / (1 + math.exp((level - middle) / width)) >= 0.8]
        found = thresholds(answers(middle, width, generator, samples))
        over += (getattr(found, certainty) or 0) > max(holds, default=0)
    return over / models


@pytest.mark.parametrize(
    ("certainty", "samples", "most"), [("safe", 1, 0.10), ("safe", 3, 0.10), ("bold", 1, 0.25)], ids=str
)
def test_the_tier_rule_seldom_promises_too_much(certainty: str, samples: int, most: float) -> None:
    assert over_promised(certainty, samples) <= most


def test_the_thresholds_of_clear_cases() -> None:
    everything = thresholds([Trial(complexity_of(band), True) for band in range(1, 6) for _ in range(8)])
    nothing = thresholds([Trial(complexity_of(band), False) for band in range(1, 6) for _ in range(8)])
    half = thresholds([Trial(complexity_of(band), band <= 3) for band in range(1, 6) for _ in range(8)])
    assert everything.safe is not None and everything.safe >= 8
    assert (nothing.safe, nothing.bold) == (None, None)
    assert half.safe in (4, 5) and half.bold in (5, 6)
    assert thresholds([]).safe is None


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([1.5, 3.5, 5.5, 7.5, 9.0]), st.booleans()), max_size=40), st.integers(0, 39))
def test_one_more_solved_task_never_lowers_a_threshold(trials: list[tuple[float, bool]], at: int) -> None:
    before = thresholds([Trial(*trial) for trial in trials])
    better = [
        (complexity, True) if number == at else (complexity, passed)
        for number, (complexity, passed) in enumerate(trials)
    ]
    assert _levels(thresholds([Trial(*trial) for trial in better])) >= _levels(before)


def _levels(found: Thresholds) -> tuple[int, int]:
    return found.safe or 0, found.bold or 0


@given(st.lists(st.tuples(st.sampled_from([1.5, 5.5, 9.0]), st.booleans()), max_size=20))
@settings(max_examples=20, deadline=None)
def test_the_bold_level_is_never_below_the_safe_one(trials: list[tuple[float, bool]]) -> None:
    found = thresholds([Trial(*trial) for trial in trials])
    assert (found.bold or 0) >= (found.safe or 0)
    means = [level.mean for level in found.levels]
    assert means == sorted(means, reverse=True)
    assert all(level.low <= level.mean <= level.high for level in found.levels)
