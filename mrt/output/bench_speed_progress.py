"""What is being measured just now, in one line on a terminal's stderr that is written over and gone in the end."""

from __future__ import annotations

from contextlib import suppress

from mrt.output.console import Console, is_terminal
from mrt.output.terminal import one_line

_CLEAR = "\r\x1b[K"


class SpeedProgress:
    """Use it as a context. Nothing is written but to a terminal."""

    def __init__(self, console: Console, model: str) -> None:
        self._console = console
        self._model = model
        self._shown = is_terminal(console.stderr) and not console.quiet and console.environment.get("TERM") != "dumb"

    def __enter__(self) -> SpeedProgress:
        return self

    def __exit__(self, *_: object) -> None:
        self._write(_CLEAR)

    def advance(self, what: str) -> None:
        """The next thing."""
        self._write(_CLEAR + one_line(f"{self._model}: {what}", 79))

    def _write(self, text: str) -> None:
        if self._shown:
            with suppress(OSError):
                self._console.stderr.write(text)
                self._console.stderr.flush()
