"""What the README names exists: verbs, options, files, modules and headings; and every verb and option is named in it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import click
import pytest
from readme_kit import README, ROOT, commands, invocations, mentions, options, prose, spans

from mrt.bench.tasks import built_in
from mrt.commands._mcp_clients import CLIENTS
from mrt.endpoints.kinds import PROVIDERS
from mrt.memory.placing import OVERHEAD
from mrt.router.risk import ENOUGH

USED = sorted({tuple(words) for mention in mentions() for words in invocations(mention)})
# Words that stand for something in a synopsis, such as `good|bad` or FILE, end the search for a command's name.
_NAME = re.compile(r"[a-z][a-z-]*")


COMMANDS = dict(commands())
ALL_OPTIONS = set().union(*map(options, COMMANDS.values()))


def _wrong(words: tuple[str, ...]) -> list[str]:
    """The words of a command line that mrt does not know: its verb, the verb's commands, its options."""
    path, wrong, value_due = "mrt", [], False
    for word in words:
        if word.startswith("-") and word not in {"-", "--"}:
            name = word.partition("=")[0]
            wrong += [] if name in options(COMMANDS[path]) else [f"{path} {name}"]
            value_due = name == word and _takes_a_value(COMMANDS[path], name)
            continue
        if f"{path} {word}" in COMMANDS:
            path = f"{path} {word}"
        elif not value_due and _NAME.fullmatch(word) and _has_commands_alone(COMMANDS[path]):
            wrong.append(f"{path} {word}")
        value_due = False
    return wrong


def _takes_a_value(command: click.Command, name: str) -> bool:
    found = (one for one in command.params if isinstance(one, click.Option))
    return any(name in (*one.opts, *one.secondary_opts) and not (one.is_flag or one.count) for one in found)


def _has_commands_alone(command: click.Command) -> bool:
    return isinstance(command, click.Group) and not any(isinstance(one, click.Argument) for one in command.params)


@pytest.mark.parametrize("words", USED, ids=" ".join)
def test_a_command_that_is_shown_exists(words: tuple[str, ...]) -> None:
    assert _wrong(words) == []


def test_what_does_not_exist_is_found() -> None:
    assert _wrong(("spned",)) == ["mrt spned"]
    assert _wrong(("spend", "whi", "ID")) == ["mrt spend whi"]
    assert _wrong(("spend", "--by", "project", "check")) == []
    assert _wrong(("spend", "check", "--warn-att", "80")) == ["mrt spend check --warn-att"]


def test_an_option_by_itself_is_one_of_some_command() -> None:
    alone = {word for span in spans() if span.startswith("-") for word in re.findall(r"(?<!\S)--?[a-z][\w-]*", span)}
    assert alone
    assert alone - ALL_OPTIONS - {"--quiet", "--editable"} == set()


@pytest.mark.parametrize("path", [path for path in COMMANDS if path != "mrt"])
def test_every_command_and_option_is_documented(path: str) -> None:
    assert re.search(rf"{re.escape(path)}(?![\w-])", README), f"{path} is nowhere in the README"
    missing = [
        name for name in options(COMMANDS[path]) if not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", README)
    ]
    assert missing == []


def _anchor(heading: str) -> str:
    """GitHub's rule."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_links_inside_resolve() -> None:
    headings = re.findall(r"^#+ (.*)$", prose(), re.MULTILINE)
    links = re.findall(r"\]\(#([^)]*)\)", README)
    assert links
    assert set(links) <= {_anchor(heading) for heading in headings}


def test_links_to_files_resolve() -> None:
    links = [link for link in re.findall(r"\]\(([^)]*)\)", prose()) if not link.startswith(("#", "https://"))]
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_files_that_are_named_exist() -> None:
    named = {word for span in spans() for word in span.split() if re.match(r"(tests|mrt|completions|\.ci)/", word)}
    assert named
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


def test_modules_that_are_named_exist() -> None:
    named = {module for span in spans() for module in re.findall(r"python -m ([\w.]+)", span)}
    assert named
    assert [name for name in sorted(named) if find_spec(name) is None] == []


def _lines(path: str) -> int:
    return len((ROOT / "mrt" / "data" / path).read_text(encoding="utf-8").splitlines())


def _tasks(hard: bool) -> int:
    return sum((task.band > 5) == hard for task in built_in())


def _project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


FIGURES: dict[str, Callable[[], object]] = {
    r"a catalog of (\d+) models": lambda: _lines("catalog.jsonl") - 1,
    r"ships (\w+) providers' rates": lambda: {8: "eight"}[len(list((ROOT / "mrt/data/prices").glob("*.jsonl")))],
    r"(\d+ to \d+) MiB per CUDA device": lambda: "{} to {}".format(*OVERHEAD["cuda"]),
    r"replace the shipped prior once there are (\d+)": lambda: ENOUGH,
    r"(\d+) tasks of our own in five bands": lambda: _tasks(hard=False),
    r"\(and (\d+) hard ones\)": lambda: _tasks(hard=True),
    r"llama-swap and LiteLLM, (\w+) clouds": lambda: {8: "eight"}[
        sum(one.needs_key and not one.local for one in PROVIDERS.values())
    ],
    r"need Python (\S+) or newer": lambda: _project()["requires-python"].removeprefix(">="),
    r"(\w+) of the \[demo\]": lambda: {4: "Four"}[len(re.findall(r"^\d+/11 ", README, re.MULTILINE))],
    r"knows (\w+) more clients": lambda: {11: "ten"}[len(CLIENTS)],
}


@pytest.mark.parametrize(("pattern", "counted"), FIGURES.items(), ids=FIGURES)
def test_a_figure_in_the_prose_is_the_programs(pattern: str, counted: Callable[[], object]) -> None:
    assert re.findall(pattern, " ".join(prose().split())) == [str(counted())]
