"""Measures of a ranking on cases worked out by hand, and their laws."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrt.router.evaluate import Fixed, Tried, evaluate, tried
from mrt.router.ranking import Outcome, calibration_error, rank


def measured(*rows: tuple[float, float, float]) -> dict[str, float | None]:
    ranking = rank([Outcome(*row) for row in rows], resamples=0)
    return {name: figure.value for name, figure in ranking._asdict().items()}


HAND = {
    # Of four prompts the strong model wins one, ranked first: the gap is closed from the first quarter on.
    "first": (
        [(4, 0, 1), (3, 1, 1), (2, 1, 1), (1, 1, 1)],
        {"apgr": 0.875, "cpt50": 0.125, "cpt80": 0.2, "auroc": 1.0},
    ),
    "last": (
        [(1, 0, 1), (3, 1, 1), (2, 1, 1), (4, 1, 1)],
        {"apgr": 0.125, "cpt50": 0.875, "cpt80": 0.95, "auroc": 0.0},
    ),
    "all tied": ([(0, 0, 1), (0, 1, 1), (0, 0, 1), (0, 1, 1)], {"apgr": 0.5, "cpt50": 0.5, "cpt80": 0.8, "auroc": 0.5}),
    # Fails at ranks 1 and 3 of 4: three of the four pairs are in order.
    "one pair wrong": (
        [(4, 0, 1), (3, 1, 1), (2, 0, 1), (1, 1, 1)],
        {"apgr": 0.625, "cpt50": 0.25, "cpt80": 0.65, "auroc": 0.75},
    ),
    # The strong model loses the first one: two wins make up for it, and the gap of one is closed with the second of them.
    "the strong one loses": (
        [(4, 1, 0), (3, 0, 1), (2, 0, 1), (1, 1, 1)],
        {"apgr": (-0.5 - 0.5 + 0.5 + 1) / 4, "cpt50": 2.5 / 4, "cpt80": 2.8 / 4, "auroc": 0.5},
    ),
    "part marks": ([(2, 0.5, 1), (1, 0.5, 0.5)], {"apgr": 0.75, "cpt50": 0.25, "cpt80": 0.4, "auroc": 0.5}),
    "nobody fails": ([(2, 1, 1), (1, 1, 1)], {"apgr": None, "cpt50": None, "cpt80": None, "auroc": None}),
    "everybody fails": ([(2, 0, 1), (1, 0, 1)], {"apgr": 0.5, "cpt50": 0.5, "cpt80": 0.8, "auroc": None}),
    "the strong one is worse": ([(2, 1, 0), (1, 0, 0)], {"apgr": None, "cpt50": None, "cpt80": None, "auroc": 0.0}),
    "none": ([], {"apgr": None, "cpt50": None, "cpt80": None, "auroc": None}),
}


@pytest.mark.parametrize(("rows", "expected"), HAND.values(), ids=HAND)
def test_worked_out_by_hand(rows: list[tuple[float, float, float]], expected: dict[str, float | None]) -> None:
    found = measured(*rows)
    assert {name: found[name] for name in expected} == pytest.approx(expected)


@pytest.mark.parametrize(
    ("said", "seen", "error"),
    [
        ([0.25] * 4, [1, 1, 1, 0], 0.0),
        ([0.9] * 4, [1, 1, 1, 1], 0.9),
        ([0.05, 0.95], [1, 0], 0.05),
        ([1.0, 0.0], [0, 1], 0.0),
        ([0.15, 0.19, 0.85], [1, 1, 0], (0.15 + 0.19 + 0.15) / 3),
        ([], [], None),
    ],
)
def test_calibration_error(said: list[float], seen: list[float], error: float | None) -> None:
    outcomes = [Outcome(0, weak, 1, chance) for chance, weak in zip(said, seen, strict=True)]
    assert calibration_error(outcomes) == (None if error is None else pytest.approx(error))


def test_no_probability_has_no_calibration() -> None:
    assert calibration_error([Outcome(0, 1, 1, 0.2), Outcome(0, 1, 1)]) is None


ROWS = st.lists(
    st.tuples(st.integers(0, 6), st.sampled_from([0.0, 0.5, 1.0]), st.sampled_from([0.0, 1.0])), min_size=1, max_size=30
)


@given(ROWS, st.randoms(use_true_random=False))
def test_the_order_of_the_lines_does_not_matter(rows: list[tuple[float, float, float]], draw: random.Random) -> None:
    mixed = draw.sample(rows, len(rows))
    assert measured(*rows) == pytest.approx(measured(*mixed))


@given(ROWS)
def test_only_the_order_of_the_scores_matters(rows: list[tuple[float, float, float]]) -> None:
    assert measured(*rows) == pytest.approx(measured(*((2.0**score - 7, weak, strong) for score, weak, strong in rows)))


@given(ROWS)
def test_turning_the_scores_around_turns_the_ranking_around(rows: list[tuple[float, float, float]]) -> None:
    found, turned = measured(*rows), measured(*((-score, weak, strong) for score, weak, strong in rows))
    for name in ("apgr", "auroc"):
        assert (found[name] is None) == (turned[name] is None)
        assert found[name] is None or found[name] + turned[name] == pytest.approx(1)


def test_intervals_hold_the_value_and_repeat() -> None:
    draw = random.Random(3)
    outcomes = [Outcome(draw.gauss(fails, 1), 1 - fails, 1, 0.5) for fails in draw.choices([0, 1], k=300)]
    found = rank(outcomes, resamples=60)
    assert found == rank(outcomes, resamples=60)
    for figure in found:
        assert figure.low <= figure.value <= figure.high
    assert found.auroc.low > 0.6
    assert rank(outcomes, resamples=60, seed=4).auroc != found.auroc


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"prompt": "a", "weak_ok": 1, "strong_ok": 0.5}, Tried("a", 1.0, 0.5, "")),
        ({"prompt": "a", "weak_ok": "0", "strong_ok": True, "set": "s", "more": 1}, Tried("a", 0.0, 1.0, "s")),
        ({"prompt": "", "weak_ok": 1, "strong_ok": 1, "set": None}, Tried("", 1.0, 1.0, "")),
        ([1], "is no JSON object"),
        ({"weak_ok": 1, "strong_ok": 1}, "has no text under prompt"),
        ({"prompt": 3, "weak_ok": 1, "strong_ok": 1}, "has no text under prompt"),
        ({"prompt": "a", "strong_ok": 1}, "has no number from 0 to 1 under weak_ok"),
        ({"prompt": "a", "weak_ok": 1, "strong_ok": "yes"}, "has no number from 0 to 1 under strong_ok"),
        ({"prompt": "a", "weak_ok": 1, "strong_ok": [1]}, "has no number from 0 to 1 under strong_ok"),
        ({"prompt": "a", "weak_ok": 10**400, "strong_ok": 1}, "has no number from 0 to 1 under weak_ok"),
        ({"prompt": "a", "weak_ok": 2, "strong_ok": 1}, "has 2 under weak_ok, which is not from 0 to 1"),
        ({"prompt": "a", "weak_ok": "nan", "strong_ok": 1}, "has nan under weak_ok, which is not from 0 to 1"),
    ],
)
def test_a_line_of_an_evaluation_file(row: object, expected: Tried | str) -> None:
    if isinstance(expected, Tried):
        assert tried(row) == expected
    else:
        with pytest.raises(ValueError, match=expected):
            tried(row)


def test_an_evaluation_has_everything_beside_the_router() -> None:
    hard = "Refactor the architecture of the whole system end to end, across all services."
    rows = [
        Tried(
            "What is the capital of France, and why that one, please, in one sentence of moderate length?", 1, 1, "easy"
        )
    ] * 3
    rows += [Tried(hard, 0, 1, "hard"), Tried(hard, 1, 1, "hard"), Tried("hi", 1, 0, "hard")]
    whole, easy, rest = evaluate(rows, resamples=5)
    assert [(one.group, one.prompts) for one in (whole, easy, rest)] == [("", 6), ("easy", 3), ("hard", 3)]
    assert (whole.weak, whole.strong) == pytest.approx((5 / 6, 5 / 6))
    assert whole.best_fixed == Fixed("weak", pytest.approx(5 / 6), 0.0)
    assert whole.router.auroc.value == pytest.approx(0.9)
    assert whole.length.auroc.value < whole.router.auroc.value
    assert whole.random.auroc.value == 0.5
    assert whole.random.apgr.value is None  # the strong model wins nothing
    assert whole.length.ece.value is None
    assert 0 <= whole.router.ece.value <= 1
    assert easy.router.auroc.value is None
    assert rest.best_fixed.model == "weak"


def test_the_strong_model_is_the_best_fixed_one_where_it_wins() -> None:
    (only,) = evaluate([Tried("hi", 0, 1)], resamples=2)
    assert only.best_fixed == Fixed("strong", 1.0, 1.0)
    assert (only.random.apgr.value, only.random.cpt80.value, only.random.auroc.value) == (0.5, 0.8, None)
    assert evaluate([]) == []
