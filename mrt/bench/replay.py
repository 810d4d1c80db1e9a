"""What a cascade of measured models would have given, from their stored answers: no model is asked again.

A task goes to the first model whose threshold is not below its complexity, the middle of its band; when the quality gate turns
the answer down, the next model answers too, and both are paid for. The last model takes everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations_with_replacement

from mrt.bench.answers import Graded, Heard
from mrt.bench.grading import NOT_SCORED
from mrt.bench.statistics import Rate, wilson
from mrt.bench.threshold import complexity_of
from mrt.domain import Reply
from mrt.errors import IncompleteError
from mrt.frozen import frozen
from mrt.quality import DEFAULT_CHECKS, JudgeContext, judge

# Whether the quality gate lets an answer pass: (prompt, what was heard).
Gate = Callable[[str, Heard], bool]
NO_TASK = 0


@frozen
class Outcome:
    """One cascade over all tasks. `thresholds` are those of all models but the last; `nano` None when a cost is unknown."""

    thresholds: tuple[int, ...]
    rate: Rate
    passed: int
    nano: int | None
    seconds: float
    escalations: int
    first_here: tuple[int, ...]


@frozen
class GateReport:
    """How the gate judged one model's answers: good ones let through and turned down, bad ones let through and turned down."""

    good: int
    false_escalations: int
    bad: int
    false_accepts: int


@frozen
class Played:
    """A task with the answers of all models, in the cascade's order, and whether the gate lets each through."""

    complexity: float
    answers: tuple[Graded, ...]
    accepted: tuple[bool, ...]


def standard_gate(prompt: str, heard: Heard) -> bool:
    """The checks that a tier has by default, as far as a stored answer can be judged: it has no token probabilities."""
    failure = None
    if heard.error is not None:
        failure = IncompleteError(heard.message)
    reply = Reply(text=heard.text, failure=failure)
    return judge(reply, JudgeContext(prompt, tuple(DEFAULT_CHECKS))).accepted


def played(
    runs: Sequence[Sequence[Graded]], prompts: Mapping[str, str], gate: Gate = standard_gate
) -> tuple[Played, ...]:
    """The tasks that all runs have a graded first answer to."""
    by_task = [{one.answer.task: one for one in run if _counts(one)} for run in runs]
    shared = [task for task in by_task[0] if all(task in of for of in by_task) and task in prompts]
    return tuple(_played([of[task] for of in by_task], prompts[task], gate) for task in shared)


def _counts(one: Graded) -> bool:
    return one.answer.sample == 0 and one.status not in NOT_SCORED


def _played(answers: Sequence[Graded], prompt: str, gate: Gate) -> Played:
    accepted = tuple(gate(prompt, one.answer.heard) for one in answers)
    return Played(complexity_of(answers[0].answer.band), tuple(answers), accepted)


def outcomes(tasks: Sequence[Played], models: int) -> Iterator[Outcome]:
    """Every choice of thresholds that do not fall from one model to the next, 0 being a model that gets nothing."""
    for chosen in combinations_with_replacement(range(NO_TASK, 11), models - 1):
        yield cascade(tasks, chosen)


def cascade(tasks: Sequence[Played], chosen: tuple[int, ...]) -> Outcome:
    """One choice of thresholds, played over all tasks."""
    passed, nano, seconds, escalations = 0, 0, 0.0, 0
    unknown = False
    first = [0] * (len(chosen) + 1)
    for task in tasks:
        start = next((number for number, threshold in enumerate(chosen) if task.complexity <= threshold), len(chosen))
        first[start] += 1
        asked = _asked(task, start)
        escalations += len(asked) - 1
        passed += asked[-1].passed
        seconds += sum(one.answer.heard.seconds for one in asked)
        unknown = unknown or any(one.answer.heard.cost_nano is None for one in asked)
        nano += sum(one.answer.heard.cost_nano or 0 for one in asked)
    rate = wilson(passed, len(tasks))
    return Outcome(chosen, rate, passed, None if unknown else nano, seconds, escalations, tuple(first))


def _asked(task: Played, start: int) -> tuple[Graded, ...]:
    """The answers from the model it starts at to the first that the gate lets through, or to the last."""
    last = len(task.answers) - 1
    end = next((number for number in range(start, last) if task.accepted[number]), last)
    return task.answers[start : end + 1]


def gate_report(tasks: Sequence[Played], model: int) -> GateReport:
    """The gate's errors on one model's answers."""
    judged = [(task.answers[model].passed, task.accepted[model]) for task in tasks]
    return GateReport(
        good=sum(passed for passed, _ in judged),
        false_escalations=sum(passed and not accepted for passed, accepted in judged),
        bad=sum(not passed for passed, _ in judged),
        false_accepts=sum(accepted and not passed for passed, accepted in judged),
    )


def frontier(found: Sequence[Outcome]) -> list[Outcome]:
    """Those that no other beats: none passes as much for less money, then less time. Where a cost is unknown, by time alone."""

    def price(one: Outcome) -> tuple[float, float]:
        return (float(one.nano if one.nano is not None else 0), one.seconds)

    best: list[Outcome] = []
    for one in sorted(found, key=lambda one: (price(one), -one.passed)):
        if not best or one.passed > best[-1].passed:
            best.append(one)
    return best
