"""Judge a program by a task's cases: it runs in the sandbox, what is expected of it stays here."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, cast

from mrt.bench.cases import Case
from mrt.bench.judging import Found, judge_of, objection, raised_text, read, shown
from mrt.bench.sandbox.process import Ended, results_of
from mrt.bench.tasks import Task
from mrt.frozen import frozen

Status = Literal[
    "pass",
    "wrong",
    "exception",
    "load_error",
    "name_mismatch",
    "no_code",
    "truncated",
    "empty_after_reasoning",
    "gen_timeout",
    "exec_timeout",
    "exec_memory",
    "output_flood",
    "endpoint_error",
    "sandbox_error",
]
# What says nothing about the model; such tasks are left out of every rate.
NOT_SCORED: frozenset[Status] = frozenset({"endpoint_error", "sandbox_error"})
# Runs orders in the sandbox: {"code", "cases"}.
Run = Callable[[Mapping[str, Any]], Ended]


@frozen
class Grade:
    """The verdict over one program. `rule` is what it broke, `detail` the case in words; `seconds` the time of the run."""

    status: Status
    detail: str = ""
    rule: str | None = None
    seconds: float = 0.0


def grade(task: Task, code: str, cases: Sequence[Case], run: Run) -> Grade:
    """Run `code` on all cases and compare; the first case that it fails gives the verdict."""
    ended = run({"code": code, "cases": [list(case.steps) for case in cases]})
    status, detail, rule = _verdict(task, ended, cases)
    return Grade(status, detail, rule, ended.seconds)


def _verdict(task: Task, ended: Ended, cases: Sequence[Case]) -> tuple[Status, str, str | None]:
    """Status, detail and broken rule. Messages after the walls stood may be the candidate's own: none is taken at its word."""
    if not results_of(ended.messages, "walls"):
        why = results_of(ended.messages, "no_walls")
        return "sandbox_error", str(why[0]) if why else "the sandbox did not start", None
    unloaded = _unloaded(task, ended)
    if unloaded is not None:
        return (*unloaded, None)
    numbers = range(len(cases))
    finished = {
        case: message for message in ended.messages if type(case := message.get("case")) is int and case in numbers
    }
    judge = judge_of(task)
    for number, case in enumerate(cases):
        found = finished.get(number, {}).get("outcomes")
        if not isinstance(found, list) or len(found) != len(case.steps):
            return (*_stopped(ended, f"in case {number + 1} of {len(cases)}: {shown(case)}"), None)
        fault = objection(judge, case, found)
        if fault is not None:
            return cast("Status", fault.status), fault.detail, case.rules[0] if len(case.rules) == 1 else None
    return "pass", "", None


def _unloaded(task: Task, ended: Ended) -> tuple[Status, str] | None:
    """Why no case could begin; None when the program was loaded and has the name."""
    loading = results_of(ended.messages, "load_error")
    if loading:
        error = read(loading[0])
        return _of_loading(error), f"on loading: {raised_text(error)}"
    defines = results_of(ended.messages, "defines")
    if not defines:
        return _stopped(ended, "on loading", "load_error")
    if not isinstance(defines[0], list) or task.entry not in defines[0]:
        return "name_mismatch", f"it defines no {task.entry}"
    return None


def _of_loading(error: Found) -> Status:
    return "exec_memory" if "MemoryError" in error.raised else "load_error"


def _stopped(ended: Ended, where: str, by_itself: Status = "exception") -> tuple[Status, str]:
    """Why the run ended too early: a limit, or the program itself."""
    if ended.flooded:
        return "output_flood", f"more results than fit, {where}"
    if ended.timed_out or ended.exit_code in (-signal.SIGXCPU, -signal.SIGKILL):
        return "exec_timeout", f"no end {where}"
    return by_itself, f"the program ended by itself {where}"
