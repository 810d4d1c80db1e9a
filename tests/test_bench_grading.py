"""Judging programs: the status says what happened, and no trick makes a wrong program pass."""

from __future__ import annotations

import sys
import textwrap
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mrt.bench.cases import cases_of
from mrt.bench.grading import Grade, grade
from mrt.bench.sandbox.process import Ended, Limits, Walls, run_child
from mrt.bench.tasks import built_in, parse

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Landlock and seccomp are Linux' own")
LIMITS = Limits(cpu_seconds=1, wall_seconds=8, result_bytes=1024**2)

# Sorted without change of the list; an empty list raises. Small enough to write wrong programs for.
TASK = parse(
    '''
id = "ranks"
band = 1
kind = "function"
entry = "solve"
signature = "def solve(numbers: list[int], scale: float) -> list[float]"
summary = "Sort numbers and multiply them."
unchanged = "kept"
rules = [
  { id = "sort", text = "Return the numbers in order, each times `scale`." },
  { id = "empty", text = "An empty list raises `ValueError`." },
  { id = "kept", text = "The list is not changed." },
]
examples = [{ call = "solve([2, 1], 0.5)", result = "[0.5, 1.0]" }, { call = "solve([], 1.0)", result = "raises ValueError" }]
checks = [{ rule = "sort", case = "([3, 1, 2], 2.0)" }, { rule = "empty", case = "([], 1.0)" }]
reference = """
def solve(numbers, scale):
    if not numbers:
        raise ValueError("empty")
    return [number * scale for number in sorted(numbers)]
"""
alternatives = []
bugs = []
[random]
rules = ["sort"]
count = 3
code = "def case(random): return ([random.randint(-9, 9) for _ in range(4)], 1.5)"
''',
    "ranks.toml",
)
CASES = cases_of(TASK)
RIGHT = TASK.reference
COUNT = parse(
    """
id = "count"
band = 1
kind = "function"
entry = "solve"
signature = "def solve(n: int) -> int"
summary = "Add one."
rules = [{ id = "one", text = "Return n + 1." }]
examples = [{ call = "solve(1)", result = "2" }, { call = "solve(2)", result = "3" }]
checks = [{ rule = "one", case = "(0,)" }, { rule = "one", case = "(1,)" }]
reference = "def solve(n): return n + 1"
alternatives = []
bugs = []
[random]
rules = ["one"]
count = 3
code = "def case(random): return (random.randint(2, 99),)"
""",
    "count.toml",
)


def run(orders: Any) -> Ended:
    return run_child(orders, Walls(), LIMITS)


def judged(code: str, **limits: Any) -> Grade:
    return grade(
        TASK, textwrap.dedent(code), CASES, lambda orders: run_child(orders, Walls(), replace(LIMITS, **limits))
    )


def counted(body: str) -> Grade:
    """A program for `solve(n)`, which must give n + 1."""
    return grade(COUNT, textwrap.dedent(body), cases_of(COUNT), run)


STATUSES: dict[str, tuple[str, str, str]] = {
    "right": (RIGHT, "pass", ""),
    "right, with a main guard": (
        f"{RIGHT}\nif __name__ == '__main__':\n    import unittest\n    unittest.main()",
        "pass",
        "",
    ),
    "right, and prints a lot": (f"print('x' * 9_000_000)\n{RIGHT}", "pass", ""),
    "right, with a dataclass in quoted annotations": (
        f"from __future__ import annotations\nfrom dataclasses import dataclass\n@dataclass\nclass A:\n    x: int = 0\n{RIGHT}",
        "pass",
        "",
    ),
    "right, and looks at its own annotations": (
        f"def own(n: int): pass\nassert own.__annotations__ == {{'n': int}}\n{RIGHT}",
        "pass",
        "",
    ),
    "wrong": (
        "def solve(n, s): return [1.0]",
        "wrong",
        "solve([3, 1, 2], 2.0) must give [2.0, 4.0, 6.0], and it gave [1.0]",
    ),
    "no error where one is due": (
        "def solve(n, s): return [x * s for x in sorted(n)]",
        "wrong",
        "solve([], 1.0) must raise ValueError, and it gave []",
    ),
    "another error than the one due": (
        "def solve(n, s):\n    return [x * s for x in sorted(n)] if n else 1 / 0",
        "wrong",
        "solve([], 1.0) must raise ValueError, and it raised ZeroDivisionError: division by zero",
    ),
    "an exception": ("def solve(n, s): return n[9]", "exception", "raised IndexError: list index out of range"),
    "an exception of its own": (
        "class Odd(Exception): pass\ndef solve(n, s): raise Odd('no')",
        "exception",
        "solve([3, 1, 2], 2.0) raised Odd: no",
    ),
    "no Python": ("def solve(n, s:", "load_error", "on loading: SyntaxError"),
    "an import that is not there": (
        f"import numpy\n{RIGHT}",
        "load_error",
        "ModuleNotFoundError: No module named 'numpy'",
    ),
    "another name": ("def resolve(n, s): pass", "name_mismatch", "it defines no solve"),
    "a name that cannot be called": ("solve = 5", "exception", "TypeError: 'int' object is not callable"),
    "other parameters": ("def solve(n): return n", "exception", "TypeError"),
    "an endless loop": ("def solve(n, s):\n    while True: pass", "exec_timeout", "no end in case 1 of 5"),
    "an endless loop on loading": (f"while True: pass\n{RIGHT}", "exec_timeout", "no end on loading"),
    "endless recursion": ("def solve(n, s): return solve(n, s)", "exception", "RecursionError"),
    "too much memory": ("def solve(n, s): return ['x' * 2**20 for _ in range(2**20)]", "exec_memory", "MemoryError"),
    "too much memory on loading": (f"x = bytearray(2**34)\n{RIGHT}", "exec_memory", "on loading: MemoryError"),
    "too long a result": ("def solve(n, s): return 'x' * 5_000_000", "output_flood", "more results than fit"),
    "exits": ("import sys\ndef solve(n, s): sys.exit(0)", "exception", "raised SystemExit: 0"),
    "exits at once": (
        "import os\ndef solve(n, s): os._exit(0)",
        "exception",
        "the program ended by itself in case 1 of 5",
    ),
    "exits on loading": (f"{RIGHT}\nraise SystemExit(0)", "load_error", "SystemExit: 0"),
    "exits at once on loading": (
        f"{RIGHT}\nimport os\nos._exit(0)",
        "load_error",
        "the program ended by itself on loading",
    ),
    "quit, which there is not": (f"{RIGHT}\nquit()", "load_error", "NameError"),
    "its own unittest.main on loading": (f"{RIGHT}\nimport unittest\nunittest.main()", "load_error", "SystemExit"),
    "changes its argument": (
        "def solve(n, s):\n    if not n: raise ValueError\n    n.sort()\n    return [x * s for x in n]",
        "wrong",
        "changed its arguments",
    ),
}


@pytest.mark.parametrize("name", STATUSES)
def test_the_status_says_what_happened(name: str) -> None:
    code, status, detail = STATUSES[name]
    verdict = judged(code)
    assert verdict.status == status, verdict
    assert detail in verdict.detail


def test_a_sleeper_is_stopped_by_the_wall_clock() -> None:
    assert judged("import time\ndef solve(n, s): time.sleep(60)", wall_seconds=1.5).status == "exec_timeout"


def test_the_broken_rule_is_named() -> None:
    assert judged("def solve(n, s): return [1.0]").rule == "sort"
    assert judged("def solve(n, s): return [x * s for x in sorted(n)]").rule == "empty"


def test_a_sandbox_that_does_not_start_says_nothing_of_the_program() -> None:
    ended = Ended(({"no_walls": "Landlock: not permitted"},), 0, False, False, 0.1)
    assert grade(TASK, RIGHT, CASES, lambda _: ended) == Grade("sandbox_error", "Landlock: not permitted", None, 0.1)
    silent = Ended((), 1, False, False, 0.1)
    assert grade(TASK, RIGHT, CASES, lambda _: silent).status == "sandbox_error"


# What the programs below share: the number of the pipe is guessed, all are tried.
FORGE = """
import json, os
def forge(*messages):
    for descriptor in range(3, 64):
        for message in messages:
            try:
                os.write(descriptor, (message if isinstance(message, bytes) else json.dumps(message).encode()) + b"\\n")
            except OSError:
                pass
"""
_PROGRAMS = tomllib.loads((Path(__file__).parent / "data" / "bench_tricks.toml").read_text("utf-8"))
TRICKS: dict[str, str] = {**_PROGRAMS["plain"], **{name: FORGE + code for name, code in _PROGRAMS["forging"].items()}}


@pytest.mark.parametrize("name", TRICKS)
def test_no_trick_passes(name: str) -> None:
    verdict = counted(TRICKS[name])
    assert verdict.status != "pass", verdict
    assert verdict.status not in ("sandbox_error", "endpoint_error"), "what a program does is the program's own"
    assert len(verdict.detail) < 1500


ERRORS = {
    "a class of the same name": "class ValueError(Exception): pass\ndef empty(): raise ValueError",
    "an exception of another kind": "def empty(): raise Exception('ValueError')",
    "the exception returned": "def empty(): return ValueError('empty')",
    "a derived exception of another kind": "class Empty(ArithmeticError): pass\ndef empty(): raise Empty",
}
REST = "\ndef solve(n, s): return [x * s for x in sorted(n)] or empty()"


@pytest.mark.parametrize("name", ERRORS)
def test_only_the_real_exception_counts(name: str) -> None:
    assert judged(ERRORS[name] + REST).status == "wrong"


def test_an_exception_derived_from_the_one_due_counts() -> None:
    assert judged("class Empty(ValueError): pass\ndef empty(): raise Empty" + REST).status == "pass"


def test_an_int_may_stand_for_a_float_but_no_infinity_or_huge_int_does() -> None:
    whole = "def solve(n, s): return [int(x * s) if x * s % 1 == 0 else x * s for x in sorted(n)] or int('')"
    assert judged(whole).status == "pass"
    for value in ("float('inf')", "float('nan')", "10 ** 400", "-10 ** 400", "True"):
        assert judged(f"def solve(n, s): return [{value}] * len(n)").status == "wrong"
    loose = replace(TASK, tolerance=1e-6)
    for value in ("float('inf')", "10 ** 400"):
        assert grade(loose, f"def solve(n, s): return [{value}] * len(n)", CASES, run).status == "wrong"


def test_words_that_a_program_chose_cannot_steer_a_terminal() -> None:
    hostile = "def solve(n, s): raise type('E\\x1b[31m' + 'x' * 5000, (Exception,), {})('a\\nb\\x1b]0;c\\ud800' * 99)"
    verdict = judged(hostile)
    assert verdict.status == "exception"
    assert verdict.detail.isprintable()
    assert len(verdict.detail) < 1000


def test_a_forged_value_is_judged_as_any_other() -> None:
    """Writing to the pipe is another way of returning: a wrong value stays wrong, whoever wrote it."""
    body = (
        "def solve(n):\n"
        "    for c in range(5):\n"
        "        forge({{'case': c, 'outcomes': [{{'value': ['int', {value}], 'arguments': []}}]}})\n"
        "    {end}"
    )
    assert counted(FORGE + body.format(value="hex(1)", end="os._exit(0)")).status == "wrong"
    assert counted(FORGE + body.format(value="hex(1)", end="return 0")).status == "wrong"
    assert counted(FORGE + body.format(value="hex(n + 1)", end="return n + 1")).status == "wrong"


def test_an_object_of_a_class_task_is_used_step_by_step() -> None:
    task = next(task for task in built_in() if task.id == "lru-cache")
    cases = cases_of(task)
    for code, status in (
        (task.alternatives[0], "pass"),
        ("class LRUCache: pass", "wrong"),
        ("def LRUCache(capacity): return None", "wrong"),
        (
            "class LRUCache:\n    def __getattr__(self, name): return lambda *a: None\n    def __init__(self, c): pass",
            "wrong",
        ),
    ):
        assert grade(task, code, cases, run).status == status
