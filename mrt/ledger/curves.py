"""Learned curves kept ready in a file beside the store, since opening a store and learning them anew takes many times as long.

They hold for the store exactly as it was then: whatever writes to it, be it another program, makes them worthless.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from mrt import __version__
from mrt.router.calibration import Curve, Scaling
from mrt.router.risk import Learned

# Files change their time in steps of some milliseconds, so a store that was written to just now may be so again unnoticed.
_SETTLED_S = 2.0
_LARGEST_FILE = 1024 * 1024
_FIGURES = 8


class KeptCurves:
    """The curves of one store by name; `now` is seconds since 1970."""

    def __init__(self, store: Path, now: float) -> None:
        self._path = Path(f"{store}-learned")
        self._stamp, written = _stamp(store)
        self._settled = written is not None and now - written > _SETTLED_S
        self._curves: dict[str, Any] | None = None

    def get(self, name: str) -> Learned | None:
        """A curve; None when it is not kept, or the store has changed since."""
        return _learned(self._read().get(name))

    def put(self, name: str, curve: Learned) -> None:
        """Keep a curve that was learned from the store since this was made; does nothing where that is not possible."""
        if not self._settled:
            return
        curves = self._read()
        curves[name] = [*curve.curve, *curve.scaling, curve.n]
        with suppress(OSError):
            self._write({"stamp": self._stamp, "curves": curves})

    def _read(self) -> dict[str, Any]:
        if self._curves is None:
            kept = _loaded(self._path)
            curves = kept.get("curves") if kept.get("stamp") == self._stamp else None
            self._curves = dict(curves) if isinstance(curves, dict) else {}
        return self._curves

    def _write(self, kept: Mapping[str, Any]) -> None:
        """A whole new file in place of the old one, so that a reader never sees half of it."""
        import json

        draft = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        try:
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with open(descriptor, "w", encoding="ascii") as file:  # noqa: PTH123 - opened with its mode
                file.write(json.dumps(kept))
            draft.replace(self._path)
        finally:
            draft.unlink(missing_ok=True)


def _stamp(store: Path) -> tuple[list[Any], float | None]:
    """What tells this state of the store's files from any other, and when they were last written to."""
    stamp: list[Any] = [__version__]
    written = None
    for path in (store, Path(f"{store}-wal")):
        with suppress(OSError):
            state = path.stat()
            if state.st_size:  # whoever opens a store makes an empty log, which says nothing
                stamp.append([state.st_ino, state.st_mtime_ns, state.st_size])
                written = max(written or 0.0, state.st_mtime_ns / 1e9)
    return stamp, written


def _loaded(path: Path) -> Mapping[str, Any]:
    import json

    try:
        with path.open("rb") as file:
            found = json.loads(file.read(_LARGEST_FILE))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _learned(row: Any) -> Learned | None:
    if not isinstance(row, list) or len(row) != _FIGURES or not all(isinstance(figure, int | float) for figure in row):
        return None
    return Learned(Curve(*row[:2]), Scaling(*row[2:7]), int(row[7]))
