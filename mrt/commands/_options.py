"""What options of several verbs have in common: numbers that are some, seeds, and what is read from standard input."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click


class Finite(click.FloatRange):
    """A number in a range; nan, which no comparison keeps out, is none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number: float = super().convert(value, param, ctx)
        if number != number:  # noqa: PLR0124 - only nan differs from itself
            self.fail(f"{value!r} is not a number", param, ctx)
        return number


LONGEST_S = 7 * 24 * 3600
SECONDS = Finite(min=0, min_open=True, max=LONGEST_S)
# What every server takes for one: Ollama's and llama.cpp's are of 32 bits, and negative ones draw another each time.
SEED = click.IntRange(0, 2**31 - 1)

_no_stdin = click.option("--no-stdin", is_flag=True, help="Do not look at stdin.")
_stdin_timeout = click.option(
    "--stdin-timeout",
    type=SECONDS,
    metavar="SECONDS",
    help="With a prompt, wait so long for a pipe to say something (1).",
)
_encoding = click.option("--encoding", default="utf-8", metavar="NAME", help="Encoding of stdin and files (utf-8).")


def stdin_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--no-stdin, --stdin-timeout and --encoding."""
    for option in (_encoding, _stdin_timeout, _no_stdin):
        command = option(command)
    return command
