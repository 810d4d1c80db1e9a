"""The course of a run: what is asked when, with how much, what is asked again, and what ends it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rig.bench import heard, right, run_trusted, tasks, wrong

from mrt.bench.answers import Answer, Graded, Heard
from mrt.bench.run import MOST_SECONDS, Course, Pace, run_suite
from mrt.bench.sandbox.process import Ended
from mrt.bench.staircase import FEWEST, MOST, Staircase
from mrt.errors import RateLimited, SandboxError, UpstreamError

BANDS = {number: 1 + number // 8 for number in range(40)}
TASKS = tasks(BANDS)


class Model:
    """Answers by the task's number, and remembers what it was allowed."""

    def __init__(self, answer: Callable[[int], Heard]) -> None:
        self.answer = answer
        self.asked: list[tuple[int, int, float]] = []

    def __call__(self, prompt: str, max_tokens: int, seconds: float, seed: int | None) -> Heard:
        number = int(prompt.partition("def add_")[2].partition("(")[0])
        self.asked.append((number, max_tokens, seconds))
        return self.answer(number)


def good(number: int, **fields: Any) -> Heard:
    return heard(right(number), **fields)


def run(model: Model, pace: Pace = Pace(), done: tuple[Graded, ...] = (), count: int = 6) -> list[Graded]:  # noqa: B008
    return list(run_suite(TASKS[:count], model, run_trusted, pace, done))


def statuses(found: list[Graded]) -> dict[str, str]:
    return {one.answer.task: one.status for one in found}


def test_each_answer_gets_its_verdict() -> None:
    answers = {
        0: heard(right(0)),
        1: heard(wrong(1)),
        2: heard("I would add them."),
        3: heard("```python\ndef other(n): return n\n```"),
        4: heard(right(4), error="max_tokens", message="cut"),
        5: heard("", error="timeout", message="timeout"),
        6: heard("", error="empty", reasoned=True),
        7: heard("", error="upstream", message="500"),
    }
    found = run(Model(answers.__getitem__), Pace(max_tokens=100), count=8)
    assert statuses(found) == {
        "add-0": "pass",
        "add-1": "wrong",
        "add-2": "no_code",
        "add-3": "name_mismatch",
        "add-4": "truncated",
        "add-5": "gen_timeout",
        "add-6": "empty_after_reasoning",
        "add-7": "endpoint_error",
    }
    assert found[1].rule == "sum"
    assert found[1].detail == "add_1(1): add_1(1) must give 2, and it gave 0"


def test_samples_come_round_by_round() -> None:
    model = Model(good)
    found = run(model, Pace(samples=2), count=3)
    assert [number for number, *_ in model.asked] == [0, 1, 2, 0, 1, 2]
    assert [one.answer.sample for one in found] == [0, 0, 0, 1, 1, 1]


def test_what_is_done_is_not_asked_again() -> None:
    first = run(Model(good), count=3)
    model = Model(good)
    run(model, done=tuple(first), count=5)
    assert [number for number, *_ in model.asked] == [3, 4]


def test_a_model_that_reasons_gets_more_tokens_and_one_more_try() -> None:
    def thinks(number: int) -> Heard:
        allowed = model.asked[-1][1]
        return good(number, reasoned=True) if allowed > 5000 else heard("", reasoned=True, error="max_tokens")

    model = Model(thinks)
    assert {*statuses(run(model, count=2)).values()} == {"pass"}
    assert [allowed for _, allowed, _ in model.asked] == [4096, 16384, 16384]


def test_a_limit_given_by_hand_holds_for_reasoning_too() -> None:
    model = Model(lambda _: heard("", reasoned=True, error="max_tokens"))
    assert {*statuses(run(model, Pace(max_tokens=900), count=2)).values()} == {"truncated"}
    assert [allowed for _, allowed, _ in model.asked] == [900, 900]


@pytest.mark.parametrize(
    ("speeds", "reasons", "seconds"),
    [
        pytest.param([], False, 120, id="nothing measured"),
        pytest.param([90.0], False, 120, id="fast"),
        pytest.param([15.0, 15.0, 200.0], False, 240, id="half as fast: twice the time"),
        pytest.param([1.0], False, MOST_SECONDS, id="very slow: an end all the same"),
        pytest.param([30.0], True, 480, id="more tokens: more time"),
    ],
)
def test_the_time_limit_follows_the_measured_speed(speeds: list[float], reasons: bool, seconds: float) -> None:
    assert Course(reasons=reasons, speeds=speeds).timeout == seconds


def test_three_failures_in_a_row_end_the_run_and_others_do_not() -> None:
    broken = heard(error="upstream", message="the server failed: 500")
    model = Model(lambda number: broken if number in (0, 1, 3, 4, 5) else good(number))
    found: list[Graded] = []
    with pytest.raises(UpstreamError, match="3 times in a row: the server failed: 500") as caught:
        found.extend(run_suite(TASKS, model, run_trusted, Pace()))
    assert len(model.asked) == 6
    assert caught.value.hint == "mend it and go on with --resume"


def test_a_rate_limit_three_times_in_a_row_ends_the_run_as_one() -> None:
    model = Model(lambda _: heard(error="rate_limit", message="slow down (HTTP 429)"))
    with pytest.raises(RateLimited, match="refused 3 times in a row: slow down") as caught:
        list(run_suite(TASKS, model, run_trusted, Pace()))
    assert (len(model.asked), caught.value.exit_code) == (3, 8)


def test_a_sandbox_that_fails_ends_the_run_before_more_is_asked() -> None:
    model = Model(good)
    with pytest.raises(SandboxError, match="no child"):
        list(run_suite(TASKS, model, lambda _: Ended(({"no_walls": "no child"},), 1, False, False, 0.0), Pace()))
    assert len(model.asked) == 3


def test_rest_and_reset_between_answers() -> None:
    events: list[str] = []
    model = Model(lambda number: (events.append(f"ask {number}"), good(number))[1])
    pace = Pace(
        rest_seconds=2.5,
        reset_every=2,
        reset=lambda: events.append("reset"),
        sleep=lambda s: events.append(f"rest {s}"),
    )
    run(model, pace, count=4)
    assert events == ["ask 0", "rest 2.5", "ask 1", "reset", "rest 2.5", "ask 2", "rest 2.5", "ask 3"]


def test_stopping_ends_before_the_next_question() -> None:
    model = Model(good)
    assert len(run(model, Pace(stopped=lambda: len(model.asked) == 2))) == 2


def graded(task: Any, passed: bool) -> Graded:
    return Graded(Answer(task.id, task.band, 0, 1, heard()), "pass" if passed else "wrong")


def walk(edge: int) -> list[int]:
    """The bands that a model which solves all up to `edge` is asked."""
    stairs, bands = Staircase(TASKS), []
    for task in stairs:
        bands.append(task.band)
        stairs.learn(graded(task, task.band <= edge))
    return bands


@given(st.integers(0, 5))
def test_a_quick_run_looks_on_both_sides_of_the_edge(edge: int) -> None:
    bands = walk(edge)
    assert FEWEST <= len(bands) <= MOST
    assert bands[0] == 3
    if 0 < edge < 5:
        assert {edge, edge + 1} <= {*bands[3:]} <= {edge - 1, edge, edge + 1, edge + 2}
    else:
        assert bands[-1] == max(1, edge)


def test_a_quick_run_goes_on_where_it_was() -> None:
    whole = Model(lambda number: good(number) if number < 16 else heard(wrong(number)))
    found = run(whole, Pace(quick=True), count=40)
    again = Model(whole.answer)
    rest = run(again, Pace(quick=True), done=tuple(found[:4]), count=40)
    assert [one.answer.task for one in (*found[:4], *rest)] == [one.answer.task for one in found]
    assert len(again.asked) == len(found) - 4


def test_what_was_not_graded_does_not_move_the_stairs() -> None:
    stairs = Staircase(TASKS)
    first = next(iter(stairs))
    stairs.learn(replace(graded(first, False), status="endpoint_error"))
    second = next(iter(stairs))
    assert (second.band, second.id != first.id) == (first.band, True)
