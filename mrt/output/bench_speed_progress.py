"""What is being measured just now, in one line on a terminal's stderr that is written over and gone in the end."""

from __future__ import annotations

from mrt.output.console import Console


class SpeedProgress:
    """Use it as a context. Nothing is written but to a terminal."""

    def __init__(self, console: Console, model: str) -> None:
        self._console = console
        self._model = model

    def __enter__(self) -> SpeedProgress:
        return self

    def __exit__(self, *_: object) -> None:
        self._console.progress("")

    def advance(self, what: str) -> None:
        """The next thing."""
        self._console.progress(f"{self._model}: {what}")
