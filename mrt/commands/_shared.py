"""Options that every verb has, and the console they set up."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from mrt.output import Console

Command = Callable[..., Any]


def console() -> Console:
    """The console of this run."""
    return click.get_current_context().find_object(Console) or _missing_console()


def _missing_console() -> Console:
    raise RuntimeError("a verb ran without a console")


def _set(field: str, value_of: Callable[[Any], Any] = lambda value: value) -> Callable[..., None]:
    def callback(context: click.Context, _: click.Parameter, value: Any) -> None:
        target = context.find_object(Console)
        if value and target is not None:
            setattr(target, field, value_of(value))

    return callback


_config = click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    expose_value=False,
    metavar="FILE",
    callback=_set("config_path"),
    help="Read this config file instead of the usual one.",
)
_json = click.option(
    "--json",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_set("mode", lambda _: "json"),
    help="Print one JSON object.",
)
_debug = click.option(
    "--debug",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_set("debug"),
    help="Show the traceback of an internal error.",
)
_no_color = click.option(
    "--no-color", is_flag=True, expose_value=False, is_eager=True, callback=_set("no_color"), help="Never colour."
)
_no_pager = click.option(
    "--no-pager",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_set("no_pager"),
    help="Print what is longer than the screen, too.",
)
_no_input = click.option(
    "--no-input",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_set("no_input"),
    help="Never ask; what would need an answer is refused.",
)
_quiet = click.option(
    "-q",
    "--quiet",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_set("quiet"),
    help="Only results and errors.",
)
_verbose = click.option(
    "-v",
    "--verbose",
    count=True,
    expose_value=False,
    is_eager=True,
    callback=_set("verbosity"),
    help="Say more on stderr; twice for more still.",
)


def common_options(command: Command) -> Command:
    """--config, --json, -q, -v, --no-color, --no-pager, --no-input and --debug, in this order in the help."""
    for option in (_debug, _no_input, _no_pager, _no_color, _verbose, _quiet, _json, _config):
        command = option(command)
    return command


@common_options
def _every_verb() -> None: ...


COMMON_OPTIONS: tuple[str, ...] = tuple(
    option.opts[-1]
    for option in _every_verb.__click_params__  # type: ignore[attr-defined]
)


class ExamplesFirst(click.Command):
    """A command whose help opens with examples, since that is what most people look for."""

    def __init__(self, *args: Any, examples: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.examples = examples

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does. What is wrong with an option is said of this command, and the hint names it."""
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            error.ctx = error.ctx or ctx
            raise

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        write_examples(self.examples, formatter)
        super().format_help(ctx, formatter)


def write_examples(examples: str, formatter: click.HelpFormatter) -> None:
    """The examples block at the top of a help page; blank lines and indentation stay as written."""
    if examples:
        with formatter.section("Examples"):
            for line in examples.strip().splitlines():
                formatter.write(f"  {line.strip()}\n")
        formatter.write("\n")
