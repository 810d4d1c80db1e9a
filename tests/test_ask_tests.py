"""`mrt ask --tests FILE`: code is accepted only when the user's asserts hold for it, in the sandbox."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import pytest
from rig.command import Home
from rig.denied import LANDLOCK, python_without
from rig.home_setup import calls, configure, ladder, run_here, says
from rig.loopback import ScriptedServer, in_turn

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="the sandbox of this system is not tried here"
)

RIGHT = "```python\ndef add(a, b):\n    return a + b\n```"

WRONG = {
    "a wrong value": ("def add(a, b):\n    return a - b", "assert add(1, 2) == 3: it is -1"),
    "a value that claims to be equal": (
        "class Any(int):\n    def __eq__(self, other):\n        return True\n\ndef add(a, b):\n    return Any()",
        "assert add(1, 2) == 3: it is 0",
    ),
    "an exception": ("def add(a, b):\n    raise KeyError('no')", "assert add(1, 2) == 3: raised KeyError: 'no'"),
    "an early exit": (
        "import os\ndef add(a, b):\n    os._exit(0)",
        "the program ended by itself at: assert add(1, 2) == 3",
    ),
    "an exit on loading": ("raise SystemExit(0)", "the code does not load: SystemExit: 0"),
    "no such function": (
        "def sum_of(a, b):\n    return a + b",
        "assert add(1, 2) == 3: raised NameError: name 'add' is not defined",
    ),
    "no code at all": ("", "the code does not load: SyntaxError"),
}


@pytest.mark.parametrize("name", WRONG)
def test_code_that_fails_the_asserts_moves_up(store_home: Home, tmp_path: Path, name: str) -> None:
    code, reason = WRONG[name]
    asserts = tmp_path / "asserts.py"
    asserts.write_text("assert add(1, 2) == 3\n")
    answer = f"```python\n{code}\n```" if code else "I would add the two numbers, really."
    with ScriptedServer({"*": in_turn(says(answer))}) as poor, ScriptedServer({"*": in_turn(says(RIGHT))}) as good:
        tables = ladder(poor=f"{poor.url}/v1", good=f"{good.url}/v1")
        configure(store_home, {**tables, "tiers.poor": {"model": "poor/m", "max_complexity": 10, "checks": []}})
        done = run_here(store_home, "ask", "-x", "--tests", asserts, "--no-stdin", "add two numbers")
    assert (done.exit_code, done.stdout) == (0, "def add(a, b):\n    return a + b\n")
    assert f"escalated to good from poor: tests: {reason}" in done.stderr
    assert [(row["outcome"], row["check_name"]) for row in calls(store_home)] == [
        ("rejected", "tests"),
        ("accepted", None),
    ]


def test_code_that_passes_is_accepted(store_home: Home, tmp_path: Path) -> None:
    asserts = tmp_path / "asserts.py"
    asserts.write_text(
        "import math\nassert add(1, 2) == 3\nassert [1, 2] == add([1], [2])\nassert math.isclose(add(0.1, 0.2), 0.3)\n"
        "def test_words():\n    for word in ('a', 'b'):\n        assert add(word, word) == word * 2\n"
    )
    with ScriptedServer({"*": in_turn(says(RIGHT))}) as server:
        configure(store_home, ladder(only=f"{server.url}/v1"))
        done = run_here(store_home, "ask", "-x", "--tests", asserts, "--no-stdin", "add two numbers")
    assert (done.exit_code, done.stderr) == (0, "")


def test_below_the_bar_everywhere(store_home: Home, tmp_path: Path) -> None:
    asserts = tmp_path / "asserts.py"
    asserts.write_text("def test_it():\n    assert add(1, 1) == 3\n")
    with ScriptedServer({"*": in_turn(says(RIGHT))}) as server:
        configure(store_home, ladder(only=f"{server.url}/v1"))
        done = run_here(store_home, "ask", "-x", "--tests", asserts, "--no-stdin", "add two numbers")
    assert done.exit_code == 7
    assert "tests: test_it(): raised AssertionError" in done.stderr


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read: No such file or directory"),
        ("x = 1\n", "asserts nothing"),
        ("assert (", "is no Python: "),
        ("assert add(1, 2) == 3\0", "looks binary"),
    ],
    ids=["no file", "no assert", "no Python", "binary"],
)
def test_a_file_that_cannot_be_used(store_home: Home, tmp_path: Path, content: str | None, message: str) -> None:
    """Said before anything is asked."""
    asserts = tmp_path / "asserts.py"
    if content is not None:
        asserts.write_text(content)
    with ScriptedServer({"*": in_turn(says(RIGHT))}) as server:
        configure(store_home, ladder(only=f"{server.url}/v1"))
        done = run_here(store_home, "ask", "--tests", asserts, "--no-stdin", "add two numbers")
        assert server.requests == []
    assert done.exit_code == 2
    assert message in done.stderr


@pytest.mark.skipif(platform.machine() != "x86_64", reason="denies a call by its number on x86-64")
def test_without_a_tight_sandbox_nothing_is_asked(store_home: Home, tmp_path: Path) -> None:
    asserts = tmp_path / "asserts.py"
    asserts.write_text("assert add(1, 2) == 3\n")
    words = ["-m", "mrt", "ask", "--tests", str(asserts), "--no-stdin", "add two numbers"]
    with ScriptedServer({"*": in_turn(says(RIGHT))}) as server:
        configure(store_home, ladder(only=f"{server.url}/v1"))
        done = subprocess.run(
            python_without(LANDLOCK, *words), env=store_home.environment, capture_output=True, text=True, timeout=60
        )
        assert server.requests == []
    assert (done.returncode, done.stdout) == (69, "")
    assert done.stderr.startswith("error: no sandbox: ")
    assert "hint: run it with --executor docker" not in done.stderr, "ask has no such option"
