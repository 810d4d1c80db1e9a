"""Compare what a program gave in one case with what the reference gives, by values that were decoded outside the sandbox."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mrt.bench.cases import Case, namespace
from mrt.bench.sandbox.values import Other, decode, same
from mrt.bench.tasks import Task
from mrt.frozen import frozen

Holds = Callable[[list[Any], Any], bool]
_LONGEST_CASE, _LONGEST_VALUE = 300, 200


@frozen
class Judge:
    """A task's own yardsticks: how values are compared, and the properties that must hold of them."""

    by_reference: bool
    tolerance: float
    unchanged: bool
    properties: tuple[Holds, ...]


@frozen
class Found:
    """One step's outcome, read: what it raised (class names, the nearest first) or its value, and its arguments afterwards."""

    raised: tuple[str, ...] = ()
    message: str = ""
    value: Any = None
    arguments: tuple[Any, ...] | None = None


@frozen
class Objection:
    """Why a case is not passed: "wrong", "exception" or "exec_memory", and the case in words."""

    status: str
    detail: str


def judge_of(task: Task) -> Judge:
    """The yardsticks of `task`; its properties are compiled once for all cases."""
    properties = tuple(namespace(code)["holds"] for _, code in task.properties)
    return Judge(task.compare == "reference", task.tolerance, task.unchanged is not None, properties)


def objection(judge: Judge, case: Case, outcomes: Sequence[Any]) -> Objection | None:
    """The first fault in the outcomes of a case's steps. They come from the candidate's side: they may be anything at all."""
    for step, outcome, expected in zip(case.steps, outcomes, case.expected, strict=True):
        try:
            fault = _fault(judge, step, read(outcome), read(expected))
        except (RecursionError, ValueError, TypeError, OverflowError):
            # Nested too deep, or a number too large for its text or for a float: nothing that a reference gives.
            fault = Objection("wrong", f"{_step_text(step)} gave what cannot be compared")
        if fault is not None:
            return Objection(fault.status, f"{shown(case)}: {fault.detail}")
    return None


def read(outcome: Any) -> Found:
    """An outcome from the pipe; whatever is no such thing is read as a value that equals nothing."""
    if not isinstance(outcome, dict):
        return Found(value=Other("no result"))
    names = outcome.get("raised")
    if isinstance(names, list) and names and all(isinstance(name, str) for name in names):
        return Found(raised=tuple(names), message=str(outcome.get("message") or ""))
    arguments = outcome.get("arguments")
    after = tuple(decode(argument) for argument in arguments) if isinstance(arguments, list | tuple) else None
    return Found(value=decode(outcome.get("value")), arguments=after)


def raised_text(found: Found) -> str:
    """What was raised, as a traceback's last line says it; the program chose the words, so only what can be printed is shown."""
    name = found.raised[0].removeprefix("answer.") if found.raised else "an exception"
    text = f"{name}: {found.message}" if found.message else name
    return "".join(character if character.isprintable() else " " for character in _cut(text, _LONGEST_CASE))


def _fault(judge: Judge, step: Mapping[str, Any], found: Found, expected: Found) -> Objection | None:
    if expected.raised:
        if expected.raised[0] in found.raised:
            return None
        return Objection("wrong", f"{_step_text(step)} must raise {raised_text(Found(expected.raised))}, {_got(found)}")
    if found.raised:
        status = "exec_memory" if "MemoryError" in found.raised else "exception"
        return Objection(status, f"{_step_text(step)} raised {raised_text(found)}")
    if judge.by_reference and not same(found.value, expected.value, judge.tolerance):
        return Objection("wrong", f"{_step_text(step)} must give {_text(expected.value)}, {_got(found)}")
    if not all(_holds(holds, step, found.value) for holds in judge.properties):
        return Objection("wrong", f"{_step_text(step)} gave {_text(found.value)}, which breaks a rule")
    if judge.unchanged and not _unchanged(found, expected):
        return Objection("wrong", f"{_step_text(step)} changed its arguments")
    return None


def _holds(holds: Holds, step: Mapping[str, Any], value: Any) -> bool:
    if step["do"] not in ("call", "method"):
        return True
    given = [decode(argument) for argument in step.get("arguments", ())]
    try:
        return holds(given, value) is True
    except Exception:  # the value has not even the shape that the property speaks of
        return False


def _unchanged(found: Found, expected: Found) -> bool:
    return found.arguments is not None and same(found.arguments, expected.arguments)


def shown(case: Case) -> str:
    """The case's steps as calls, cut where it is long."""
    return _cut(", ".join(map(_step_text, case.steps)), _LONGEST_CASE)


def _step_text(step: Mapping[str, Any]) -> str:
    arguments = ", ".join(_text(decode(argument)) for argument in step.get("arguments", ()))
    return str(step.get("name", step["do"])) if step["do"] == "get" else f"{step.get('name', step['do'])}({arguments})"


def _got(found: Found) -> str:
    return f"and it raised {raised_text(found)}" if found.raised else f"and it gave {_text(found.value)}"


def _text(value: Any) -> str:
    try:
        return _cut(repr(value), _LONGEST_VALUE)
    except (ValueError, RecursionError):  # an integer of thousands of digits has no text
        return "a number too large to show"


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 3]}..."
