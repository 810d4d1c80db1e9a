"""A small suite of tasks for `mrt bench`, models that answer it as they are told to, and code that is run without a sandbox."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mrt.bench.answers import Heard
from mrt.bench.cases import namespace, outcomes
from mrt.bench.sandbox.process import Ended
from mrt.bench.tasks import Task, parse
from rig.home_setup import says
from rig.loopback import Request, Response
from rig.responses import json_response

_TASK = """
id = "add-{number}"
band = {band}
kind = "function"
entry = "add_{number}"
signature = "def add_{number}(n: int) -> int"
summary = "Add {number} to a number."
rules = [{{ id = "sum", text = "Return the sum of `n` and {number}." }}]
examples = [
  {{ call = "add_{number}(1)", result = "{one}" }},
  {{ call = "add_{number}(0)", result = "{number}" }},
]
checks = [
  {{ rule = "sum", case = "(1,)" }}, {{ rule = "sum", case = "(-5,)" }}, {{ rule = "sum", case = "(0,)" }},
  {{ rule = "sum", case = "(10**30,)" }}, {{ rule = "sum", case = "(-1,)" }},
]
reference = "def add_{number}(n): return n + {number}"
alternatives = ["def add_{number}(n): return {number} + n", "add_{number} = lambda n: n - -{number}"]
bugs = [
  {{ reason = "one more", change = ["+", "+ 1 +"] }},
  {{ reason = "minus", change = ["+", "-"] }},
  {{ reason = "the number alone", change = ["n +", "0 +"] }},
]

[random]
rules = ["sum"]
count = 50
code = "def case(random): return (random.randint(-99, 99),)"
"""


def task_text(number: int, band: int) -> str:
    """The file of the task add-NUMBER, which asks for a function add_NUMBER."""
    return _TASK.format(number=number, band=band, one=number + 1)


def suite_folder(folder: Path, bands: Mapping[int, int]) -> Path:
    """A folder of tasks: {number: band}."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, band in bands.items():
        (folder / f"add-{number}.toml").write_text(task_text(number, band))
    return folder


def tasks(bands: Mapping[int, int]) -> tuple[Task, ...]:
    """The same tasks, read."""
    return tuple(parse(task_text(number, band), f"add-{number}.toml") for number, band in bands.items())


def right(number: int) -> str:
    """An answer that solves the task."""
    return f"Here it is.\n\n```python\ndef add_{number}(n):\n    return n + {number}\n```\n"


def wrong(number: int) -> str:
    """An answer that does not."""
    return f"```python\ndef add_{number}(n):\n    return n - {number}\n```\n"


def number_of(request: Request) -> int:
    """Which task a request asks for."""
    prompt = request.json()["messages"][-1]["content"]
    return int(prompt.partition("def add_")[2].partition("(")[0])


def model(answers: Callable[[int], Response]) -> dict[str, Any]:
    """Routes of a server whose model gives that response to each task."""
    listing = json_response(200, {"object": "list", "data": [{"id": "m", "object": "model"}]})
    return {"/v1/models": listing, "/v1/chat/completions": lambda request: answers(number_of(request))}


def solves(number: int) -> Response:
    """The response of a model that solves everything."""
    return says(right(number), outgoing=40)


def run_trusted(orders: Mapping[str, Any]) -> Ended:
    """Runs code of the tests' own without walls; what it does is told as the sandbox tells it."""
    names = namespace(orders["code"])
    cases = [{"case": number, "outcomes": list(outcomes(steps, names))} for number, steps in enumerate(orders["cases"])]
    return Ended(({"walls": {}}, {"defines": list(names)}, *cases), 0, False, False, 0.0)


def heard(text: str = "", **fields: Any) -> Heard:
    """An answer that cost nothing."""
    return Heard(text, **{"cost_state": "free", "cost_nano": 0, "seconds": 1.0, **fields})
