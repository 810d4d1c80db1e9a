"""Finding the program in an answer: whatever shape a model gives it, the code that is run is the code that was written."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from mrt.bench.extraction import extract

RIGHT = "def solve(n):\n    return n * 2"
F = "```"


def block(code: str, info: str = "python", fence: str = F) -> str:
    return f"{fence}{info}\n{code}\n{fence}"


SHAPES: dict[str, str] = tomllib.loads((Path(__file__).parent / "data" / "bench_answers.toml").read_text("utf-8"))


def doubled(code: str) -> Any:
    names: dict[str, Any] = {"__name__": "answer"}
    exec(code, names)
    return names["solve"](3)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_program_is_found(shape: str) -> None:
    found = extract(SHAPES[shape], "solve")
    assert found.defines, found
    assert doubled(found.code) == 6


@pytest.mark.parametrize("shape", SHAPES)
def test_no_line_of_it_is_made_up(shape: str) -> None:
    written = {line.strip(" \t>-`") for line in SHAPES[shape].splitlines()}
    assert {line.strip(" \t>-`") for line in extract(SHAPES[shape], "solve").code.splitlines()} <= written | {""}


NOTHING = {
    "empty": "",
    "spaces": " \n\t\n",
    "no answer": "(no answer)",
    "prose": "I would write a function that doubles its argument.",
    "prose with a name": "Define `solve`; it returns `n * 2`.",
    "thoughts only": f"<think>{block(RIGHT)}</think>",
    "open thoughts only": f"<think>\n{block(RIGHT)}",
    "an empty block": block(""),
    "a broken block": block("def solve(n:\n    return n * 2"),
    "another language": block("function solve(n) { return 2 * n; }", "js"),
    "numbers": block("8", ""),
}


@pytest.mark.parametrize("shape", NOTHING)
def test_where_there_is_no_program_none_is_found(shape: str) -> None:
    found = extract(NOTHING[shape], "solve")
    assert (found.method, found.code, found.defines) == ("none", "", False)


WRAPPED = {
    "json": json.dumps({"code": RIGHT}),
    "fenced json": block(json.dumps({"language": "python", "code": RIGHT}, indent=1), "json"),
    "a tool call": json.dumps({"name": "write", "arguments": {"files": [{"path": "a.py", "content": RIGHT}]}}),
    "a tool call in tags": f"<tool_call>\n{json.dumps({'arguments': {'code': RIGHT}})}\n</tool_call>",
    "a page's tags on the lines of the code": f'<pre><code class="language-python">{RIGHT}\n</code></pre>',
    "tags on the lines of the code": f"<code>{RIGHT}</code>",
    "a byte order mark within the fence": block(f"\ufeff{RIGHT}"),
    "prose before json": f"Here: {json.dumps({'code': RIGHT})}",
}


@pytest.mark.parametrize("shape", WRAPPED)
def test_a_wrapped_program_is_found_as_it_is(shape: str) -> None:
    found = extract(WRAPPED[shape], "solve")
    assert (found.code.strip(), found.defines) == (RIGHT, True)


@pytest.mark.parametrize(
    "answer",
    ["Use `def solve(n): return n * 2` here.", "| name | code |\n|---|---|\n| solve | `def solve(n): return n * 2` |"],
)
def test_a_program_marked_in_a_line_is_found(answer: str) -> None:
    assert extract(answer, "solve").code == "def solve(n): return n * 2"


def test_a_program_of_another_name_is_given_as_such() -> None:
    found = extract(block("def resolve(n):\n    return n * 2"), "solve")
    assert (found.method, found.defines) == ("fenced", False)


def test_the_reason_says_which_block_and_what_was_put_before_it() -> None:
    found = extract(SHAPES["a helper of a helper"], "solve")
    assert found.method == "fenced with helpers"
    assert found.reason == "block 3 of 3 that parse, with 2 others that it needs"


@pytest.mark.parametrize(
    "answer",
    [
        "```" * 20_000,
        "```python\n" * 5_000,
        "<think>" * 20_000,
        "def f(\n" * 3_000,
        "(" * 50_000,
        block("[" * 5_000),
        "\n".join("> " * 50 + "```" for _ in range(500)),
        "- ```python\nx\n" * 2_000,
        "```python\n(\n```\n" * 3_000,
        "> " * 20_000,
        "solve`" * 20_000,
        "{" * 50_000,
        "<code>solve = (" * 5_000,
    ],
    ids=[
        "backticks",
        "openings",
        "tags",
        "open brackets",
        "one line",
        "deep",
        "quotes",
        "lists",
        "broken",
        "a quote",
        "marks",
        "braces",
        "pages",
    ],
)
def test_hostile_text_ends_in_time(answer: str) -> None:
    """Within the suite's own patience: each of these took minutes when every end was tried with every start."""
    assert extract(answer, "solve").defines is False


@pytest.mark.parametrize(
    "opening",
    [f"{F}python def solve(n):", f"{F}def solve(n):", f"{F} py def solve(n):", "~~~Python3\tdef solve(n):"],
)
def test_a_program_that_begins_on_the_line_of_its_fence(opening: str) -> None:
    closing = opening[:3]
    found = extract(f"Here it is.\n\n{opening}\n    return n * 2\n{closing}\nDone.", "solve")
    assert (found.code, found.method) == (RIGHT, "fenced")


QUOTED = f'"""\n{F}python def solve(n):\n"""\n{RIGHT}'


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        pytest.param(f"{F}python def solve(n)\n{F}", "", id="no program"),
        pytest.param(f"{F}pythondef solve(n):\n  return n * 2\n{F}", "", id="another word"),
        pytest.param(f'{F}python title="def solve(n):"\n{RIGHT}\n{F}', RIGHT, id="a title"),
        pytest.param(block(QUOTED), QUOTED, id="in a text"),
    ],
)  # fmt: skip
def test_a_fence_is_not_split_for_less(answer: str, code: str) -> None:
    found = extract(answer, "solve")
    assert (found.code if found.defines else "") == code
