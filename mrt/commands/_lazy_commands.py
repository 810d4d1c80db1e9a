"""Commands of a command, each loaded only to run it or to show its own help: help, errors and completion need none of them."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click
from click.shell_completion import CompletionItem

from mrt.commands._shared import ExamplesFirst, write_examples

# By the command's name: its module in mrt/commands, which calls it `command`, and one line of help.
Commands = Mapping[str, tuple[str, str]]


class LazyGroup(click.Group):
    """What comes after its options is one of its commands; with `invoke_without_command` it does something by itself, too."""

    def __init__(
        self, *args: Any, lazy: Commands, examples: str = "", heading: str = "Commands", **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.lazy = lazy
        self.examples = examples
        self.heading = heading

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which they are written down."""
        return list(self.lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """One command by its name."""
        return load(self.lazy, cmd_name) if cmd_name in self.lazy else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is meant. Raises click's NoSuchCommand, with near names."""
        try:
            return super().resolve_command(ctx, args)
        except click.exceptions.NoSuchCommand as error:
            # click guesses among the commands it has loaded, and it has loaded none.
            raise click.exceptions.NoSuchCommand(error.command_name, possibilities=self.lazy, ctx=ctx) from None

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Examples first."""
        write_examples(self.examples, formatter)
        super().format_help(ctx, formatter)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Without loading any of them."""
        _write(self.lazy, self.heading, formatter)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Commands, then options."""
        return _completed(self.lazy, incomplete) + click.Command.shell_complete(self, ctx, incomplete)


class WordsOrCommand(ExamplesFirst):
    """Takes words, such as a prompt; a first word that is one of its commands is that command, unless it stands in quotes
    together with others."""

    def __init__(self, *args: Any, lazy: Commands, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lazy = lazy

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """The context of the command that is meant."""
        if args and args[0] in self.lazy:
            name = " ".join(filter(None, (info_name, args[0])))
            return load(self.lazy, args[0]).make_context(name, args[1:], parent=parent, **extra)
        return super().make_context(info_name, args, parent=parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run it. Where its first word is refused and looks like one of the commands, the hint says so."""
        from mrt.errors import UsageError

        try:
            return super().invoke(ctx)
        except UsageError as error:
            first = next(iter(next(filter(None, (ctx.params.get(name) for name in self._words())), ())), "")
            near = _near(str(first), self.lazy)
            if near and repr(first) in error.message:
                error.hint = f"did you mean `{ctx.command_path} {near}`?"
            raise

    def _words(self) -> list[str]:
        return [item.name or "" for item in self.params if isinstance(item, click.Argument)]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Options, then the commands."""
        super().format_options(ctx, formatter)
        _write(self.lazy, "Commands", formatter)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Commands in the place of the first word, then options."""
        first = not any(ctx.params.get(name) for name in self._words())
        return (_completed(self.lazy, incomplete) if first else []) + super().shell_complete(ctx, incomplete)


def load(lazy: Commands, name: str) -> click.Command:
    """One of the commands. Raises KeyError."""
    command: click.Command = import_module(f"mrt.commands.{lazy[name][0]}").command
    return command


def _near(word: str, lazy: Commands) -> str | None:
    from mrt.near import nearest

    return next(iter(nearest(word, lazy)), None)


def _write(lazy: Commands, heading: str, formatter: click.HelpFormatter) -> None:
    with formatter.section(heading):
        formatter.write_dl([(name, text) for name, (_, text) in lazy.items()])


def _completed(lazy: Commands, incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(name, help=text) for name, (_, text) in lazy.items() if name.startswith(incomplete)]
