"""Show a text that is longer than the screen in the user's pager; only where somebody sits at a terminal."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from typing import TextIO

USUAL = "less"
# As git has it: leave at once what fits, pass colours through, leave the text on the screen.
LESS_OPTIONS = "FRX"
_FOR_A_SHELL = frozenset("|&;<>()$`*?[#~=%")


def pager_of(environment: Mapping[str, str]) -> list[str]:
    """The words of the pager's command: MRT_PAGER, then PAGER, then less; none where the first of them is empty or `cat`.

    POSIX has PAGER as a line for the shell, which is asked only where there is more to it than words: it could not say quietly
    that there is no such program.
    """
    import shlex

    named = next((environment[name] for name in ("MRT_PAGER", "PAGER") if name in environment), USUAL)
    if environment.get("TERM", "") in ("", "dumb"):
        return []
    try:
        words = shlex.split(named)
    except ValueError:  # a quote without its other half
        return []
    if os.name == "posix" and _FOR_A_SHELL & set(named):
        return ["sh", "-c", named]
    return [] if words == ["cat"] else words


def is_long(text: str, stdout: TextIO) -> bool:
    """Whether it takes more lines than this terminal has, those that are broken at its edge counted as they are broken."""
    try:
        columns, rows = os.get_terminal_size(stdout.fileno())
    except (OSError, ValueError):
        return False
    if not rows:  # a terminal that does not know its size
        return False
    return sum(1 + max(0, len(line) - 1) // max(1, columns) for line in text.splitlines()) >= rows


def page(text: str, words: list[str], environment: Mapping[str, str]) -> bool:
    """Hand the text over and wait until the reader is done; False when there is no such pager, and nothing was shown.

    A pager that is closed before the end has shown what its reader wanted. Ctrl-C is the pager's own to understand.
    """
    import signal
    import subprocess

    try:
        process = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            env={"LESS": LESS_OPTIONS, "LV": "-c", **environment},
            encoding="utf-8",
            errors="replace",
        )
    except OSError:
        return False
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with suppress(BrokenPipeError):
            process.communicate(text)
        process.wait()
    except BaseException:  # ended by a signal, mrt does not leave the pager alone with the terminal
        process.terminate()
        raise
    finally:
        signal.signal(signal.SIGINT, before)
    return process.returncode not in (126, 127)
