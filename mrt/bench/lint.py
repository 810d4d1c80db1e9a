"""Faults of a task file that can be seen without running an answer: what is missing, untrue or not traceable to a rule."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from mrt.bench.cases import cases_of, namespace
from mrt.bench.sandbox.values import same
from mrt.bench.tasks import Task

FEWEST_ALTERNATIVES, FEWEST_BUGS, FEWEST_CHECKS = 2, 3, 5
RANDOM_CASES = range(50, 201)
BANDS = range(1, 7)


def faults_of(task: Task) -> tuple[str, ...]:
    """Every fault as a sentence; empty for a task that can be used."""
    broken = tuple(_code(task))
    return (*_form(task), *_traceability(task), *(broken or (*_examples(task), *_cases(task))))


def _form(task: Task) -> Iterator[str]:
    if task.band not in BANDS:
        yield f"band {task.band} is none of 1 to 6"
    if task.kind not in ("function", "class"):
        yield f"kind {task.kind!r} is neither function nor class"
    if task.entry not in task.signature:
        yield f"the signature does not show {task.entry}"
    if len(task.alternatives) < FEWEST_ALTERNATIVES:
        yield f"{len(task.alternatives)} alternative solutions, {FEWEST_ALTERNATIVES} are needed"
    if len(task.bugs) < FEWEST_BUGS:
        yield f"{len(task.bugs)} wrong solutions, {FEWEST_BUGS} are needed"
    if len(task.checks) < FEWEST_CHECKS:
        yield f"{len(task.checks)} fixed checks, {FEWEST_CHECKS} are needed"
    if len({rule.id for rule in task.rules}) < len(task.rules):
        yield "two rules have the same id"
    if int(task.random["count"]) not in RANDOM_CASES:
        yield f"{task.random['count']} random cases, not {RANDOM_CASES[0]} to {RANDOM_CASES[-1]}"
    if "{{" in task.prompt:
        yield "the prompt has a placeholder that no parameter fills"


def _code(task: Task) -> Iterator[str]:
    """Python that does not compile, in any part of the task."""
    parts = (
        ("the signature", _signature(task)),
        ("the reference", task.reference),
        *((f"alternative {number}", code) for number, code in enumerate(task.alternatives, 1)),
        *((f"the bug {reason!r}", code) for reason, code in task.bugs),
        *((f"the property of {rule!r}", code) for rule, code in task.properties),
        ("the generator", str(task.random["code"])),
    )
    for name, code in parts:
        try:
            compile(code, f"<{task.id}>", "exec", dont_inherit=True)
        except SyntaxError as error:
            yield f"{name} is no Python: {error.msg}, line {error.lineno}"


def _signature(task: Task) -> str:
    return task.signature if task.kind == "class" else f"{task.signature}: ..."


def _traceability(task: Task) -> Iterator[str]:
    """Every check names a rule that the prompt states, and every rule is checked."""
    known = {rule.id for rule in task.rules}
    named = [rule for rule, _ in task.checks] + list(task.random["rules"]) + [rule for rule, _ in task.properties]
    if task.unchanged is not None:
        named.append(task.unchanged)
    yield from (
        f"a check names the rule {rule!r}, which the prompt does not state" for rule in sorted({*named} - known)
    )
    yield from (f"no check tests the rule {rule!r}" for rule in sorted(known - {*named}))
    if not task.random["rules"]:
        yield "the random cases name no rule"


def _examples(task: Task) -> Iterator[str]:
    """The examples of the prompt are true of the reference."""
    if len(task.examples) != 2:
        yield f"{len(task.examples)} examples instead of 2"
    for call, result in task.examples:
        names = namespace(task.reference)
        try:
            value = eval(call, names)  # noqa: S307 - the suite's own data
        except Exception as error:
            if result != f"raises {type(error).__name__}":
                yield f"the example {call} raises {type(error).__name__}"
            continue
        if result.startswith("raises ") or not same(value, ast.literal_eval(result), task.tolerance):
            yield f"the example {call} gives {value!r}, not {result}"


def _cases(task: Task) -> Iterator[str]:
    try:
        cases = cases_of(task)
    except Exception as error:  # a broken generator or case fails in its own way
        yield f"the cases cannot be made: {type(error).__name__}: {error}"
        return
    if len({repr(case.steps) for case in cases}) < len(cases) // 2:
        yield "more than half of the cases are the same"
    if not any("value" in outcome for case in cases for outcome in case.expected):
        yield "the reference never returns a value"
