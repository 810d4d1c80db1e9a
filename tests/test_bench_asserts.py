"""Files of asserts in the forms that people write them, and answers that mean to pass them without being right."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import pytest

from mrt.bench.asserts import objection
from mrt.bench.expectations import read_asserts
from mrt.bench.sandbox.process import Ended, Limits, Walls, run_child
from mrt.errors import UsageError

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="the sandbox of this system is not tried here"
)


def complaint(code: str, tests: str) -> str | None:
    def run(orders: Mapping[str, Any]) -> Ended:
        return run_child(orders, Walls(), Limits(wall_seconds=10))

    return objection(code, read_asserts(tests, "tests.py"), run)


ADD = "def add(a, b):\n    return a + b\n"
CLASS = (
    "class TestAdd:\n    def setup_method(self): self.one = 1\n    def test_it(self): assert add(self.one, 1) == {}\n"
)
UNITTEST = (
    "import unittest\nclass Adds(unittest.TestCase):\n    def setUp(self): self.one = 1\n"
    "    def test_it(self): self.assertEqual(add(self.one, 1), {})\n"
)
COUNTED = "from collections import Counter\ndef count(text): return Counter(text)\n"
POINT = "from collections import namedtuple\nP = namedtuple('P', 'x y')\ndef f(): return [P(1, 2)]\n"
DATA = "from dataclasses import dataclass\n@dataclass\nclass P:\n    x: int\ndef f(): return P(1)\n"
EQUAL = "class E:\n    def __eq__(self, other): return True\ndef f(): return E()\n"
EQUAL_LIST = "class E(list):\n    def __eq__(self, other): return True\ndef f(): return E([1])\n"

FORMS: dict[str, tuple[str, str, str | None]] = {
    "a chain": (ADD, "assert 1 < add(1, 1) < 3", None),
    "a chain that breaks": (ADD, "assert 1 < add(1, 1) < 2", "assert 1 < add(1, 1) < 2: it is False"),
    "is": (EQUAL, "assert f() is None", "assert f() is None: it is a E"),
    "is not": (ADD, "assert add(1, 1) is not None", None),
    "in": (ADD, "assert add(1, 1) in {1, 2}", None),
    "a float": (ADD, "assert add(.1, .2) == .3", "assert add(0.1, 0.2) == 0.3: it is 0.30000000000000004"),
    "both sides computed": (
        ADD,
        "assert add(1, 1) == sum([1, 2])",
        "assert add(1, 1) == sum([1, 2]): the left is 2, the right 3",
    ),
    "a loop": (ADD, "for n in (1, 2):\n    assert add(n, 1) == n + 1", None),
    "a loop that fails": (
        ADD,
        "for n in (1, 2):\n    assert add(n, 1) == 2",
        "for n in (1, 2): raised AssertionError",
    ),
    "an exception that must come": (
        ADD,
        "try:\n    add(1, 'a')\nexcept TypeError:\n    pass\nelse:\n    assert False",
        None,
    ),
    "an exception that does not come": (
        ADD,
        "try:\n    add(1, 1)\nexcept TypeError:\n    pass\nelse:\n    assert False",
        "try: raised AssertionError",
    ),
    "a class": (ADD, CLASS.format(2), None),
    "a class that fails": (ADD, CLASS.format(3), "TestAdd.test_it(): raised AssertionError"),
    "a case of unittest": (ADD, UNITTEST.format(2), None),
    "a case of unittest that fails": (ADD, UNITTEST.format(3), "Adds.test_it(): raised AssertionError: 2 != 3"),
    "asynchronous": ("async def f(): return 3", "async def test_f():\n    assert await f() == 3", None),
    "asynchronous and wrong": (
        "async def f(): return 3",
        "async def test_f():\n    assert await f() == 4",
        "test_f(): raised AssertionError",
    ),
    "the answer as a module": (ADD, "from answer import add as plus\nassert plus(1, 1) == 2", None),
    "a counter is a dict": (COUNTED, "assert count('aab') == {'a': 2, 'b': 1}\nassert count('a') == dict(a=1)", None),
    "a named tuple is a tuple": (POINT, "assert f() == [(1, 2)]\nassert f()[0] == P(1, 2)", None),
    "data classes": (DATA, "assert f() == P(1)\nassert f() != P(2)", None),
    "data classes that differ": (
        DATA,
        "assert f() == P(2)",
        "assert f() == P(2): the left is a P, the right a P",
    ),
    "claims to equal a computed value": (
        EQUAL,
        "x = 3\nassert f() == x",
        "assert f() == x: the left is a E, the right 3",
    ),
    "a list that claims to equal all": (EQUAL_LIST, "assert f() == [2]", "assert f() == [2]: it is [1]"),
    "a number without a text": (
        "def f(): return 10 ** 5000",
        "assert f() == 1",
        "assert f() == 1: it is a number too large to show",
    ),
    "an error with control characters": (
        "def f(): raise ValueError('\\x1b[31mred\\n')",
        "assert f() == 1",
        "assert f() == 1: raised ValueError:  [31mred ",
    ),
    "recursion without end": (
        "def f(n): return f(n + 1)",
        "assert f(1) == 1",
        "assert f(1) == 1: raised RecursionError: maximum recursion depth exceeded",
    ),
    "too many files": (
        "import time\ndef f():\n    for n in range(1200): open(str(n), 'w').close()\n    time.sleep(5)",
        "assert f() == 1",
        "it takes more than one run may at: assert f() == 1",
    ),
}


@pytest.mark.parametrize("name", FORMS)
def test_a_form_of_assert(name: str) -> None:
    code, tests, expected = FORMS[name]
    assert complaint(code, f"{tests}\n") == expected


WRITTEN = [
    '{"no_walls": "x"}',
    '{"walls": {}}',
    '{"case": [0], "outcomes": []}',
    '{"case": 0, "outcomes": 5}',
    '{"case": 0, "outcomes": [5]}',
    '{"case": 0, "outcomes": [{"raised": 5}]}',
    '{"case": 0, "outcomes": [{"value": ["int", 5]}]}',
    '{"case": 0, "outcomes": [{"value": ["set", [["list", []]]]}]}',
    '{"load_error": {"raised": {"a": 1}}}',
    '{"defines": [], "done": true}',
]


@pytest.mark.parametrize("line", WRITTEN)
def test_what_a_program_writes_itself_is_no_pass(line: str) -> None:
    code = (
        "import os\ndef f():\n    for d in range(3, 64):\n"
        f"        try: os.write(d, {line.encode()!r} + b'\\n')\n        except OSError: pass\n    os._exit(0)\n"
    )
    assert complaint(code, "assert f() == 1\n") is not None


@pytest.mark.parametrize(
    ("tests", "message"),
    [
        ("from solution import add\nassert add(1, 2) == 3\n", "imports 'solution'"),
        ("def test_it():\n    import pytest\n    assert 1\n", "imports 'pytest'"),
        ("from . import add\nassert add(1, 2) == 3\n", "imports '.'"),
        ("def test_it(tmp_path):\n    assert 1\n", "test_it takes arguments"),
        ("class Helper:\n    def test_it(self): assert 1\n", "asserts nothing"),
        ("for n in (1, 2):\n    add(n, n)\n", "asserts nothing"),
    ],
    ids=[
        "the answer by another name",
        "a package",
        "a relative import",
        "a fixture",
        "a class that is no test",
        "a loop",
    ],
)
def test_a_file_that_cannot_work_is_refused(tests: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as refused:
        read_asserts(tests, "tests.py")
    assert refused.value.hint
