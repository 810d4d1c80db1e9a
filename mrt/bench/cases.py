"""The cases of a task: fixed ones, then seeded random ones, each with the rule it tests and what the reference makes of it."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any

from mrt.bench.sandbox.steps import Step, failure, take
from mrt.bench.sandbox.values import Clock, decode, encode
from mrt.bench.tasks import Task
from mrt.frozen import frozen

SEED = 20261121
MODULE = "answer"  # a program's own exceptions are named with it, here as in the sandbox


@frozen
class Case:
    """Steps with encoded arguments, the rules they test, and the outcome of each step for the reference."""

    rules: tuple[str, ...]
    steps: tuple[Step, ...]
    expected: tuple[dict[str, Any], ...]


def cases_of(task: Task, seed: int = SEED) -> tuple[Case, ...]:
    """All cases; the same task and seed give the same ones."""
    names = namespace(task.reference)
    return tuple(Case(rules, steps, outcomes(steps, names)) for rules, steps in _all_steps(task, seed))


def namespace(code: str) -> dict[str, Any]:
    """The names that trusted code defines: a reference, an alternative, a generator of the suite."""
    names: dict[str, Any] = {"__name__": MODULE, "Clock": Clock}
    exec(compile(code, "<task>", "exec", dont_inherit=True), names)  # noqa: S102 - the suite's own code, or the user's own tasks
    return names


def outcomes(steps: Sequence[Step], names: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    """What trusted code makes of the steps, in the form in which the sandbox reports it."""
    held: dict[str, Any] = {}
    found = []
    for step in steps:
        arguments = [decode(argument) for argument in step.get("arguments", ())]
        try:
            outcome: dict[str, Any] = {"value": encode(take(step, arguments, names, held))}
        except Exception as error:
            outcome = failure(error)
        found.append({**outcome, "arguments": [encode(argument) for argument in arguments]})
    return tuple(found)


def _all_steps(task: Task, seed: int) -> Iterator[tuple[tuple[str, ...], tuple[Step, ...]]]:
    for rule, expression in task.checks:
        case = eval(expression, {"Clock": Clock})  # noqa: S307 - the suite's own data
        yield (rule,), steps_of(task, case)
    generate = namespace(task.random["code"])["case"]
    for number in range(int(task.random["count"])):
        generator = random.Random(f"{task.id}:{task.variant}:{seed}:{number}")  # noqa: S311 - reproducible
        yield tuple(task.random["rules"]), steps_of(task, generate(generator))


def steps_of(task: Task, case: Any) -> tuple[Step, ...]:
    """A case as the task file writes it, as steps."""
    if task.kind == "function":
        return ({"do": "call", "name": task.entry, "arguments": [encode(item) for item in case]},)
    return tuple(_class_step(task.entry, *step) for step in case)


def _class_step(entry: str, name: str, *arguments: Any) -> Step:
    encoded = [encode(argument) for argument in arguments]
    if name == "new":
        return {"do": "new", "name": entry, "arguments": encoded}
    if name == "clock":
        return {"do": "clock", "arguments": encoded}
    if name == "attribute":
        return {"do": "get", "name": str(arguments[0])}
    return {"do": "method", "name": name, "arguments": encoded}
