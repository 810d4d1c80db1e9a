"""The tree of all commands, each loaded when it is walked to: for help, man pages, and whoever looks at all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import click

from mrt.commands._lazy_commands import LazyGroup, WordsOrCommand, load


def subcommands(command: click.Command) -> Mapping[str, str]:
    """The names of a command's own commands, each with its line of help; empty where there are none."""
    if isinstance(command, LazyGroup | WordsOrCommand):
        return {name: text for name, (_, text) in command.lazy.items()}
    if isinstance(command, click.Group):
        return {name: one.get_short_help_str(200) for name, one in command.commands.items()}
    return {}


def subcommand(command: click.Command, name: str) -> click.Command:
    """One of them. Raises KeyError."""
    if isinstance(command, LazyGroup | WordsOrCommand):
        return load(command.lazy, name)
    if isinstance(command, click.Group):
        return command.commands[name]
    raise KeyError(name)


def context_of(root: click.Command, path: Sequence[str]) -> click.Context:
    """The context of the command at `path`, below the program mrt: as a run would have it, but for arguments. Raises KeyError."""
    context = click.Context(root, info_name="mrt", **root.context_settings)
    for name in path:
        context = _below(context, name)
    return context


def walk(context: click.Context) -> Iterator[click.Context]:
    """This command and all below it, in the order in which their help lists them."""
    yield context
    for name in subcommands(context.command):
        yield from walk(_below(context, name))


def _below(context: click.Context, name: str) -> click.Context:
    command = subcommand(context.command, name)
    if isinstance(context.command, WordsOrCommand):  # the command stands in place of its words
        return click.Context(command, info_name=f"{context.info_name} {name}", parent=context.parent)
    return click.Context(command, info_name=name, parent=context)
