"""A task of the suite: what the model is told, and what its code is judged by; read from one TOML file each.

A file has: `id`, `band` (1 to 6), `kind` ("function" or "class"), `entry` (the name to define), `signature` (a line, or several
for a class), `summary`, `reference` (a right solution), `alternatives` (others, written differently), and

- `[[rules]]` with `id` and `text`: the contract, numbered in the prompt;
- `[[examples]]` with `call` and `result`, in Python; `result` may be "raises ValueError";
- `[[checks]]` with `rule` and `case`: a Python expression. For a function the tuple of its arguments; for a class a list of
  steps: `("new", ...)` first, then `("put", "a", 1)` for a method, `("attribute", "size")` or `("clock", 12.5)`;
- `[random]` with `rules`, `count` and `code`: Python that defines `case(random)`, which returns such a case;
- `[[properties]]` with `rule` and `code`, which defines `holds(arguments, value)`: judged instead of equality with the reference
  when `compare = "properties"` (several answers are right), beside it otherwise;
- `unchanged = "rule id"` when the arguments must be left as they are;
- `tolerance` for floats; `[parameters]`: lists of values that `{{name}}` stands for, the first of each in variant 0; where
  several texts go together a value is a table, and `{{name.key}}` stands for its parts;
- `[[bugs]]`: wrong solutions that people write, with `reason` and `code`, or with `change = [old, new]`, one place of the
  reference; `[[equivalents]]` with `mutant` and `reason`: changes of the reference that no test can tell.

References, alternatives and generators are trusted: they run outside the sandbox.
"""

from __future__ import annotations

import random
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from mrt.errors import UsageError
from mrt.frozen import frozen

LAST_RULE = (
    "Answer with one ```python block. Use the standard library only. Do not read input, print, or add a main program."
)

_LINT = "`mrt bench lint DIR` says all that is wrong with tasks of your own"


@frozen
class Rule:
    """One sentence of the contract, with the id that checks name."""

    id: str
    text: str


@frozen
class Task:
    """One variant of a task, with its parameters filled in; see the module for the fields."""

    id: str
    band: int
    kind: str
    entry: str
    signature: str
    summary: str
    rules: tuple[Rule, ...]
    examples: tuple[tuple[str, str], ...]
    checks: tuple[tuple[str, str], ...]
    random: Mapping[str, Any]
    properties: tuple[tuple[str, str], ...]
    compare: str
    unchanged: str | None
    tolerance: float
    reference: str
    alternatives: tuple[str, ...]
    bugs: tuple[tuple[str, str], ...]
    equivalents: tuple[tuple[str, str], ...]
    variant: int = 0

    @property
    def prompt(self) -> str:
        """What every model is told, word for word."""
        rules = "\n".join(f"{number}. {rule.text}" for number, rule in enumerate(self.rules, 1))
        examples = "\n".join(_example(call, result) for call, result in self.examples)
        signature = f"```python\n{self.signature.strip()}\n```"
        return f"{self.summary}\n\n{signature}\n\nRules:\n{rules}\n\nExamples:\n{examples}\n\n{LAST_RULE}\n"


def _example(call: str, result: str) -> str:
    return f"- `{call}` {result}" if result.startswith("raises ") else f"- `{call}` gives `{result}`"


def built_in(variant: int = 0) -> tuple[Task, ...]:
    """The tasks that ship with mrt, by band and id."""
    folder = files("mrt") / "data" / "tasks"
    texts = [
        (entry.name, entry.read_text(encoding="utf-8")) for entry in folder.iterdir() if entry.name.endswith(".toml")
    ]
    return _in_order([parse(text, name, variant) for name, text in texts])


def from_folder(folder: Path, variant: int = 0) -> tuple[Task, ...]:
    """The user's own tasks. Raises UsageError for a folder without any, and for a file that is no task."""
    paths = sorted(folder.glob("*.toml"))
    if not paths:
        raise UsageError(f"{folder} holds no task (*.toml)", "`mrt bench lint --help` shows what a task file has")
    return _in_order([parse(path.read_text(encoding="utf-8"), path.name, variant) for path in paths])


def _in_order(tasks: list[Task]) -> tuple[Task, ...]:
    return tuple(sorted(tasks, key=lambda task: (task.band, task.id)))


def parse(text: str, name: str, variant: int = 0) -> Task:
    """The task in `text`, its parameters as `variant` draws them. Raises UsageError, with what is wrong, naming the file."""
    try:
        raw = tomllib.loads(text)
        return _task(_filled(raw, _drawn(raw, variant)), variant)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{name}: {error}", _LINT) from None
    except KeyError as error:
        raise UsageError(f"{name}: {error.args[0]!r} is missing", _LINT) from None
    except (TypeError, ValueError, AttributeError) as error:
        raise UsageError(f"{name}: {error}", _LINT) from None


def _drawn(raw: Mapping[str, Any], variant: int) -> dict[str, str]:
    """A value for each parameter; the same variant of the same task always draws the same."""
    generator = random.Random(f"{raw['id']}:{variant}")  # noqa: S311 - reproducible, guards nothing
    choices: Mapping[str, Sequence[Any]] = raw.get("parameters", {})
    drawn = canonical = {name: values[0] for name, values in choices.items()}
    while variant != 0 and drawn == canonical and any(len(values) > 1 for values in choices.values()):
        drawn = {name: generator.choice(values) for name, values in choices.items()}
    return dict(_placeholders(drawn))


def _placeholders(drawn: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in drawn.items():
        if isinstance(value, dict):
            yield from ((f"{name}.{key}", str(text)) for key, text in value.items())
        else:
            yield name, str(value)


def _filled(value: Any, parameters: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        for name, text in parameters.items():
            value = value.replace("{{" + name + "}}", text)
        return value
    if isinstance(value, list):
        return [_filled(item, parameters) for item in value]
    if isinstance(value, dict):
        return {key: item if key == "parameters" else _filled(item, parameters) for key, item in value.items()}
    return value


def _task(raw: Mapping[str, Any], variant: int) -> Task:
    return Task(
        id=raw["id"],
        band=int(raw["band"]),
        kind=raw["kind"],
        entry=raw["entry"],
        signature=raw["signature"],
        summary=raw["summary"].strip(),
        rules=tuple(Rule(rule["id"], rule["text"]) for rule in raw["rules"]),
        examples=tuple((example["call"], example["result"]) for example in raw["examples"]),
        checks=tuple((check["rule"], check["case"]) for check in raw["checks"]),
        random=raw["random"],
        properties=tuple((item["rule"], item["code"]) for item in raw.get("properties", ())),
        compare=raw.get("compare", "reference"),
        unchanged=raw.get("unchanged"),
        tolerance=float(raw.get("tolerance", 0.0)),
        reference=raw["reference"],
        alternatives=tuple(raw["alternatives"]),
        bugs=tuple((bug["reason"], _bug(bug, raw["reference"])) for bug in raw["bugs"]),
        equivalents=tuple((item["mutant"], item["reason"]) for item in raw.get("equivalents", ())),
        variant=variant,
    )


def _bug(bug: Mapping[str, Any], reference: str) -> str:
    """The wrong solution, written out or as one change of the reference. Raises ValueError where that place is not just one."""
    if "change" not in bug:
        return str(bug["code"])
    old, new = bug["change"]
    if reference.count(old) != 1:
        raise ValueError(
            f"the bug {bug['reason']!r} changes {old!r}, which the reference has {reference.count(old)} times"
        )
    return reference.replace(old, new)
