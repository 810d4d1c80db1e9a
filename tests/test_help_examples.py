"""The help of every command there is: examples first, each of which is a command line that mrt takes."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import click
import pytest
from rig.command import Home
from rig.home_setup import run_here

from mrt.cli import VERBS, group
from mrt.commands._tree import context_of, walk

ALL = {context.command_path: context for context in walk(context_of(group, []))}
# A word that is a number in examples, or comes from another command.
STAND_INS = {"$RUN": "20261121"}


def examples(context: click.Context) -> list[str]:
    """The lines of its help that are examples."""
    return [line.strip() for line in getattr(context.command, "examples", "").strip().splitlines()]


def calls(line: str) -> Iterator[list[str]]:
    """The arguments of each `mrt` of a shell line; redirections and what other commands get are left out."""
    for inner in re.findall(r"\$\(([^()]*)\)", line):
        yield from calls(inner)
    words = shlex.shlex(re.sub(r"\$\([^()]*\)", "X", line), posix=True, punctuation_chars="|&;<>")
    words.whitespace_split = True
    words.commenters = ""
    call: list[str] | None = None
    skip = False
    for word in [*words, "|"]:
        if skip:
            skip = False
        elif set(word) <= set("|&;"):
            if call is not None:
                yield call
            call = None
        elif set(word) <= set("<>"):
            skip = True
        elif call is not None:
            call.append(STAND_INS.get(word, word))
        elif word == "mrt":
            call = []


def parse(arguments: list[str]) -> None:
    """Read it with the parser that a run would use, down to the command, without running it."""
    context = group.make_context("mrt", list(arguments), obj=None)
    while isinstance(context.command, click.Group):
        rest = [*context._protected_args, *context.args]
        if not rest:
            return
        name, command, rest = context.command.resolve_command(context, rest)
        assert command is not None
        context = command.make_context(name, rest, parent=context)


@pytest.mark.parametrize("path", ALL)
def test_both_flags_show_the_same_help_with_examples_first(
    store_home: Home, path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    pages = []
    for flag in ("-h", "--help"):
        done = run_here(store_home, *path.split()[1:], flag)
        assert (done.exit_code, done.stdout, done.stderr) == (0, "", "")
        pages.append(capsys.readouterr().out)
    assert pages[0] == pages[1]
    first, *rest = pages[0].splitlines()
    assert first == "Examples:"
    assert [line.strip() for line in rest[: len(examples(ALL[path]))]] == examples(ALL[path])
    assert f"\nUsage: {path} " in pages[0]


@pytest.mark.parametrize("path", ALL)
def test_a_command_says_what_it_is_and_what_each_option_does(path: str) -> None:
    context = ALL[path]
    about = context.command.help or ""
    assert about.split("\n\n", maxsplit=1)[0].strip().endswith(".")
    for item in context.command.get_params(context):
        if isinstance(item, click.Option):
            assert (item.help or "").strip(), f"{item.opts} has no help"


@pytest.mark.parametrize(
    "line", dict.fromkeys(line for context in ALL.values() for line in examples(context) if "mrt " in line)
)
def test_an_example_is_a_command_line_that_mrt_takes(line: str) -> None:
    found = list(calls(line))
    assert found
    for arguments in found:
        parse(arguments)


@pytest.mark.parametrize("path", ALL)
def test_at_least_one_example_is_of_the_command_itself(path: str) -> None:
    found = [call for line in examples(ALL[path]) for call in calls(line)]
    # Some have two names.
    names = [
        name.split()[1:] for name, context in ALL.items() if context.command.callback is ALL[path].command.callback
    ]
    assert [call for call in found for words in names if call[: len(words)] == words]


def test_a_wrong_example_would_be_found() -> None:
    with pytest.raises(click.UsageError):
        parse(["fit", "--no-such-flag"])
    with pytest.raises(click.UsageError):
        parse(["spend", "no-such-command"])
    assert list(calls('git diff | mrt ask "a | b" > out && mrt spend why "$(mrt ask hi)"; x=1')) == [
        ["ask", "hi"],
        ["ask", "a | b"],
        ["spend", "why", "X"],
    ]


def test_every_verb_is_walked() -> None:
    assert {f"mrt {verb}" for verb in VERBS} <= ALL.keys()
    assert {
        "mrt spend import",
        "mrt bench diff",
        "mrt route feedback",
        "mrt config set",
        "mrt probe models",
    } <= ALL.keys()
