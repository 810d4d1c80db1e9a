"""Where results and notes go: stdout for results, stderr for everything else, and the colour rules."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TextIO

import click

from mrt.errors import MrtError
from mrt.output.terminal import one_line, safe, within

SCHEMA_VERSION = 1
_MOST_CELLS = 79
_WRITTEN_OVER = "\r\x1b[K"
Mode = Literal["text", "json", "stream-json"]


def is_terminal(stream: TextIO | None) -> bool:
    """True for an open terminal; a closed or missing stream is none."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:
        return False


def _cells(stream: TextIO) -> int:
    """How long a line may be that can be written over: one that is broken at the terminal's edge stays for good."""
    try:
        columns = os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        columns = 0
    return min(_MOST_CELLS, columns - 1) if columns > 1 else _MOST_CELLS  # a terminal may not know its size


@dataclass
class Console:
    """The streams of one run and how to write to them. `stdin` is None when it was closed.

    `shown` is the line of progress that stands on the terminal now.
    """

    stdin: TextIO | None
    stdout: TextIO
    stderr: TextIO
    environment: Mapping[str, str]
    mode: Mode = "text"
    quiet: bool = False
    verbosity: int = 0
    debug: bool = False
    no_color: bool = False
    no_pager: bool = False
    no_input: bool = False
    config_path: Path | None = None
    shown: str = ""

    def color(self, stream: TextIO) -> bool:
        """Whether to colour: --no-color and NO_COLOR, then FORCE_COLOR, then a terminal that is not dumb."""
        environment = self.environment
        if self.no_color or environment.get("NO_COLOR"):
            return False
        if any(environment.get(name, "0") not in ("", "0") for name in ("FORCE_COLOR", "CLICOLOR_FORCE")):
            return True
        return is_terminal(stream) and environment.get("TERM") != "dumb"

    @property
    def can_ask(self) -> bool:
        """Whether a question would be seen and could be answered: both ends are a terminal, and --no-input was not said."""
        return not self.no_input and is_terminal(self.stdin) and is_terminal(self.stderr)

    @contextmanager
    def waiting(self, text: str) -> Iterator[None]:
        """While something takes its time, a line on a terminal's stderr that is gone in the end; nowhere else."""
        self.progress(text)
        try:
            yield
        finally:
            self.progress("")

    @property
    def animates(self) -> bool:
        """Whether stderr may show a line that is written over: a terminal, and no wish for plain text or for quiet."""
        return is_terminal(self.stderr) and self.color(self.stderr) and not self.quiet

    def progress(self, text: str) -> None:
        """Put this line in place of the one that was shown so, where one may be; an empty one takes it away."""
        if self.animates and (text or self.shown):
            line = within(safe(text), _cells(self.stderr))
            with suppress(OSError):
                self.stderr.write(_WRITTEN_OVER + line)
                self.stderr.flush()
            self.shown = line

    def result(self, text: str) -> None:
        """One result for people on stdout, ending in exactly one newline."""
        self.write(text if text.endswith("\n") else text + "\n")

    def report(self, text: str, color: str | None = None) -> None:
        """A result that may be long: through the pager where somebody sits at a terminal that it does not fit on.

        `color` is that of the words before the first colon. Raises OSError where it cannot be written.
        """
        shown = safe(text) if is_terminal(self.stdout) else text
        if color is not None and self.color(self.stdout):
            word, colon, rest = shown.partition(":")
            shown = click.style(word, fg=color, bold=True) + colon + rest
        if not self._paged(shown):
            self.stdout.write(shown if shown.endswith("\n") else shown + "\n")
            self.stdout.flush()

    def _paged(self, text: str) -> bool:
        if self.no_pager or self.no_input or not (is_terminal(self.stdin) and is_terminal(self.stdout)):
            return False
        from mrt.output.pager import is_long, page, pager_of

        words = pager_of(self.environment) if is_long(text, self.stdout) else []
        return bool(words) and page(text, words, self.environment)

    def write(self, text: str) -> None:
        """Raw text on stdout, at once; stripped of control sequences when a terminal shows it."""
        self.stdout.write(safe(text) if is_terminal(self.stdout) else text)
        self.stdout.flush()

    def note(self, text: str, style: str | None = None) -> None:
        """One line for people on stderr, unless they asked for quiet."""
        if not self.quiet:
            self._line(text, style)

    def detail(self, text: str) -> None:
        """A line that only -v shows."""
        if self.verbosity:
            self.note(text, "bright_black")

    def warn(self, text: str) -> None:
        """A warning line; quiet hides it."""
        self.note(f"warning: {text}", "yellow")

    def aside(self, text: str) -> None:
        """Raw foreign text on stderr, made safe."""
        self._tell(safe(text))

    def failure(self, error: MrtError) -> None:
        """What happened in one line, what to do next in another; quiet does not hide a failure."""
        self._line(f"error: {one_line(error.message, 600)}", "red")
        if error.hint:
            self._line(f"hint: {one_line(error.hint, 600)}", "cyan")

    def envelope(self, command: str, data: Mapping[str, Any] | None, errors: Sequence[MrtError] = ()) -> None:
        """The one JSON object of `--json`; on a terminal in ASCII, since a control character may have more than seven bits."""
        document = {
            "schema_version": SCHEMA_VERSION,
            "command": command,
            "data": data,
            "errors": [error_data(error) for error in errors],
        }
        self.stdout.write(json.dumps(document, ensure_ascii=is_terminal(self.stdout), indent=2) + "\n")
        self.stdout.flush()

    def event(self, name: str, fields: Mapping[str, Any]) -> None:
        """One line of `--stream-json`."""
        self.stdout.write(json.dumps({"event": name, **fields}, ensure_ascii=is_terminal(self.stdout)) + "\n")
        self.stdout.flush()

    def table(self, rows: Sequence[Sequence[object]], headers: Sequence[str]) -> None:
        """A plain table on stdout; never cut, whatever the width."""
        from tabulate import tabulate

        self.result(
            tabulate([[str(cell) for cell in row] for row in rows], headers=list(headers), disable_numparse=True)
        )

    def _line(self, text: str, style: str | None) -> None:
        line = one_line(text, 2000)
        self._tell((click.style(line, fg=style) if style and self.color(self.stderr) else line) + "\n")

    def _tell(self, text: str) -> None:
        self.progress("")
        # Nobody reading stderr, or a full disk behind it, must not take the answer away.
        with suppress(OSError):
            self.stderr.write(text)
            self.stderr.flush()


def error_data(error: MrtError) -> dict[str, Any]:
    """An error as scripts read it."""
    return {
        "code": error.code,
        "message": one_line(error.message, 2000),
        "hint": error.hint,
        "exit_code": int(error.exit_code),
    }
