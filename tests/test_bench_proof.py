"""Proof of the suite's checks: right programs pass, changed and wrong ones are rejected, and the verdict is always the same."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

import pytest

from mrt.bench.cases import cases_of
from mrt.bench.grading import grade
from mrt.bench.mutants import bounded, mutants_of
from mrt.bench.proof import accepted_bugs, controls, prove, refused, summary
from mrt.bench.sandbox.process import Ended, Limits, Walls, run_child
from mrt.bench.tasks import built_in

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Landlock and seccomp are Linux' own")
TASKS = {task.id: task for task in built_in()}
LIMITS = Limits(cpu_seconds=1, wall_seconds=20)


def run(orders: Any) -> Ended:
    return run_child(orders, Walls(), LIMITS)


@pytest.mark.parametrize("name", TASKS)
def test_a_task_tells_right_from_wrong(name: str) -> None:
    proof = prove(TASKS[name], run)
    assert proof.faults == ()
    assert proof.right >= 3
    assert proof.bugs >= 3
    assert proof.killed + proof.equivalent == proof.mutants
    assert proof.cases >= 55


@pytest.mark.parametrize("name", TASKS)
def test_another_variant_tells_right_from_wrong(name: str) -> None:
    task = next(task for task in built_in(1) if task.id == name)
    cases = cases_of(task)
    assert [*refused(task, cases, run), *accepted_bugs(task, cases, run)] == []


@pytest.mark.parametrize("name", ["build-order"])
def test_twenty_runs_give_the_same_verdict(name: str) -> None:
    task = TASKS[name]
    cases = cases_of(task)
    programs = (task.alternatives[0], task.bugs[0][1])
    verdicts = [{replace(grade(task, code, cases, run), seconds=0.0) for _ in range(20)} for code in programs]
    assert [len(found) for found in verdicts] == [1, 1]
    assert [next(iter(found)).status == "pass" for found in verdicts] == [True, False]


def test_the_sums_of_all_proofs() -> None:
    proofs = [prove(TASKS[name], run) for name in ("clamp", "swap-ends")]
    total = summary(proofs)
    assert (total.tasks, total.right, total.faults) == (2, 6, ())
    assert total.mutants == proofs[0].mutants + proofs[1].mutants
    assert total.kill_rate == 1.0
    assert summary([]).kill_rate is None
    assert summary([replace(proofs[0], faults=("survives: x => y",))]).faults == ("clamp: survives: x => y",)


def test_a_weak_task_is_seen() -> None:
    """What the proof is for: with one check left of `clamp`, changes survive and bugs are accepted."""
    task = replace(TASKS["clamp"], checks=TASKS["clamp"].checks[:1], random={**TASKS["clamp"].random, "count": 0})
    faults = prove(task, run).faults
    assert "accepted: exchanges the limits instead of raising" in faults
    assert "survives: if low > high: => if False:" in faults
    assert any(fault.startswith("accepted: its own argument") for fault in faults)


def test_a_wrong_reference_and_a_false_equivalent_are_seen() -> None:
    task = TASKS["clamp"]
    wrong = replace(
        task, alternatives=(task.bugs[2][1],), equivalents=(("if low > high: => if low < high:", "untrue"),)
    )
    faults = prove(wrong, run).faults
    assert any(fault.startswith("alternative 1 is refused: wrong: clamp(") for fault in faults)
    assert "listed as equivalent, but it does not survive: if low > high: => if low < high:" in faults


def test_a_bug_that_cannot_be_loaded_proves_nothing() -> None:
    task = replace(TASKS["clamp"], bugs=(("no Python", "def clamp(:"), ("another name", "def lamp(): pass")))
    assert list(accepted_bugs(task, cases_of(task), run)) == [
        "no fair bug, it cannot be loaded: no Python",
        "no fair bug, it cannot be loaded: another name",
    ]


def test_changes_are_single_small_and_different() -> None:
    code = 'def f(a, b):\n    if a < b and b:\n        raise ValueError("text")\n    return max(a, 1) + b'
    changes = {mutant.change for mutant in mutants_of(code)}
    assert {
        "if a < b and b: => if a <= b and b:",
        "if a < b and b: => if a < b or b:",
        "if a < b and b: => if False:",
        "return max(a, 1) + b => return min(a, 1) + b",
        "return max(a, 1) + b => return max(a, 2) + b",
        "return max(a, 1) + b => return max(a, 1) - b",
        "return max(a, 1) + b => return",
    } <= changes
    assert not any("text" in change.partition(" => ")[2] for change in changes)
    assert len({mutant.code for mutant in mutants_of(code)}) == len(mutants_of(code))


def test_an_endless_change_is_seen_without_waiting() -> None:
    names: dict[str, Any] = {}
    exec(bounded("def f():\n    while True:\n        pass"), names)
    with pytest.raises(TimeoutError, match="endless"):
        names["f"]()


def test_the_controls_are_answers_that_solve_nothing() -> None:
    answers = dict(controls(TASKS["clamp"]))
    assert {"empty", "(no answer)", "prose", "a stub", "the prompt's example", "the prompt"} <= answers.keys()
    assert answers["the examples by heart"].count("return") == 2
