"""The suite's tasks as data: complete, traceable, the same every time, and others with another variant."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from mrt.bench.cases import cases_of
from mrt.bench.lint import faults_of
from mrt.bench.tasks import Task, built_in, from_folder, parse
from mrt.errors import UsageError

TASKS = {task.id: task for task in built_in()}
VARIANTS = {number: {task.id: task for task in built_in(number)} for number in (1, 2, 3)}

# A whole task, small: what a user's own file may look like.
OWN = '''
id = "half"
band = 1
kind = "function"
entry = "{{name}}"
signature = "def {{name}}(n: int) -> int"
summary = "Halve a number."
rules = [{ id = "half", text = "Return half of `n`, rounded down." }]
examples = [{ call = "{{name}}(9)", result = "4" }, { call = "{{name}}(0)", result = "0" }]
checks = [
  { rule = "half", case = "(1,)" }, { rule = "half", case = "(2,)" }, { rule = "half", case = "(-3,)" },
  { rule = "half", case = "(7,)" }, { rule = "half", case = "(10**30,)" },
]
reference = """
def {{name}}(n):
    return n // 2
"""
alternatives = ["def {{name}}(n): return n >> 1", "{{name}} = lambda n: (n - n % 2) // 2"]
parameters = { name = ["half", "halved"] }
bugs = [
  { reason = "a float", change = ["//", "/"] },
  { reason = "rounds up", code = "def {{name}}(n): return (n + 1) // 2" },
  { reason = "towards zero", code = "def {{name}}(n): return int(n / 2)" },
]
[random]
rules = ["half"]
count = 50
code = "def case(random): return (random.randint(-99, 99),)"
'''


def test_the_suite_has_eight_tasks_in_each_of_six_bands() -> None:
    assert Counter(task.band for task in TASKS.values()) == dict.fromkeys(range(1, 7), 8)
    assert [task.band for task in built_in()] == sorted(task.band for task in built_in())


@pytest.mark.parametrize("name", TASKS)
def test_a_task_has_no_fault(name: str) -> None:
    assert faults_of(TASKS[name]) == ()


@pytest.mark.parametrize("name", TASKS)
def test_another_variant_is_another_task_without_fault(name: str) -> None:
    for variant in VARIANTS.values():
        assert faults_of(variant[name]) == ()
        assert variant[name].prompt != TASKS[name].prompt
        assert variant[name].prompt.count("\n") == TASKS[name].prompt.count("\n")


def test_the_same_variant_is_the_same_task_and_gives_the_same_cases() -> None:
    again = {task.id: task for task in built_in(2)}
    assert again == VARIANTS[2]
    for name in ("lru-cache", "csv-row", "build-order"):
        assert cases_of(again[name]) == cases_of(VARIANTS[2][name])
        assert cases_of(again[name], seed=1) != cases_of(again[name], seed=2)


@pytest.mark.parametrize("name", TASKS)
def test_a_prompt_says_what_is_needed_and_nothing_of_the_checks(name: str) -> None:
    task = TASKS[name]
    lines = task.prompt.split("\n")
    assert lines[0] == task.summary
    assert lines[2] == "```python"
    assert f"{len(task.rules)}. {task.rules[-1].text}" in lines
    assert sum(line.startswith("- `") for line in lines) == 2
    assert lines[-2].startswith("Answer with one ```python block.")
    assert "{{" not in task.prompt
    assert not any(line.strip().startswith(("return ", "for ", "while ", "raise ")) for line in lines)


def test_files_of_ones_own_are_read_in_the_same_way(tmp_path: Path) -> None:
    (tmp_path / "half.toml").write_text(OWN)
    (task,) = from_folder(tmp_path)
    assert (task.id, task.entry, faults_of(task)) == ("half", "half", ())
    assert from_folder(tmp_path, variant=1)[0].entry == "halved"
    assert task.bugs[0][1].strip() == "def half(n):\n    return n / 2"


BROKEN: dict[str, tuple[str, str, str]] = {
    "no TOML": ('id = "half"', "id = half", "half.toml: Invalid value (at line 2, column 6)"),
    "a field is missing": ('summary = "Halve a number."', "", "half.toml: 'summary' is missing"),
    "a bug changes what is not there": (
        'change = ["//", "/"]',
        'change = ["**", "/"]',
        "half.toml: the bug 'a float' changes '**', which the reference has 0 times",
    ),
    "a field of another kind": ("band = 1", 'band = "low"', "half.toml: invalid literal for int() with base 10: 'low'"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_file_that_is_no_task_is_refused_with_what_is_wrong(fault: str) -> None:
    old, new, message = BROKEN[fault]
    with pytest.raises(UsageError) as refused:
        parse(OWN.replace(old, new), "half.toml")
    assert str(refused.value) == message


def test_a_folder_without_tasks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no task"):
        from_folder(tmp_path)


LINT: dict[str, tuple[str, str, str]] = {
    "a check of no rule": ('rule = "half", case = "(1,)"', 'rule = "b", case = "(1,)"', "a check names the rule 'b'"),
    "a rule without check": ("rules = [{ id", 'rules = [{ id = "b", text = "x" }, { id', "no check tests the rule 'b'"),
    "a false example": ('result = "4"', 'result = "5"', "the example half(9) gives 4, not 5"),
    "an example that raises": ('call = "{{name}}(0)"', 'call = "{{name}}(None)"', "the example half(None) raises TypeError"),
    "too few random cases": ("count = 50", "count = 49", "49 random cases, not 50 to 200"),
    "the same case again": ("random.randint(-99, 99)", "7", "more than half of the cases are the same"),
    "a broken generator": ("random.randint(-99, 99)", "1 / 0", "the cases cannot be made: ZeroDivisionError"),
    "a bug that is no Python": ("return int(n / 2)", "return int(n / 2", "the bug 'towards zero' is no Python"),
    "another name in the signature": ('"def {{name}}(n: int)', '"def other(n: int)', "the signature does not show half"),
    "an unfilled placeholder": ("Return half of", "Return {{part}} of", "the prompt has a placeholder"),
    "a band of its own": ("band = 1", "band = 7", "band 7 is none of 1 to 6"),
    "another kind": ('kind = "function"', 'kind = "method"', "kind 'method' is neither function nor class"),
    "one alternative": (', "{{name}} = lambda n: (n - n % 2) // 2"]', "]", "1 alternative solutions, 2 are needed"),
}  # fmt: skip


@pytest.mark.parametrize("fault", LINT)
def test_the_lint_names_the_fault(fault: str) -> None:
    old, new, message = LINT[fault]
    assert OWN.count(old) == 1
    faults = faults_of(parse(OWN.replace(old, new), "half.toml"))
    assert any(message in found for found in faults), faults


def test_a_parameter_may_have_several_parts_that_go_together() -> None:
    text = OWN.replace('name = ["half", "halved"]', 'name = [{ a = "half" }, { a = "third" }]').replace(
        "{{name}}", "{{name.a}}"
    )
    assert parse(text, "half.toml").entry == "half"
    assert {parse(text, "half.toml", number).entry for number in range(1, 5)} == {"third"}


def test_only_the_value_types_of_the_pipe_occur() -> None:
    """A generator that gives an object of its own would be compared with nothing."""
    for task in TASKS.values():
        assert "other" not in _tags(task)


def _tags(task: Task) -> set[str]:
    found: set[str] = set()
    pairs = [argument for case in cases_of(task) for step in case.steps for argument in step.get("arguments", ())]
    pairs += [outcome["value"] for case in cases_of(task) for outcome in case.expected if "value" in outcome]
    while pairs:
        tag, content = pairs.pop()
        found.add(tag)
        if tag in ("list", "tuple", "set", "frozenset"):
            pairs += content
        elif tag == "dict":
            pairs += [one for pair in content for one in pair]
    return found
