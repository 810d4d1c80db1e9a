"""What a run has so far, one line at a time: nothing that was answered is lost when it is stopped."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, field
from pathlib import Path
from typing import Any

from mrt.bench.answers import Graded, from_record, to_record
from mrt.bench.shapes import checked
from mrt.errors import UsageError
from mrt.frozen import frozen

VERSION = 1


@frozen
class Run:
    """What a run is of. `digest` tells suites apart: a run is only gone on with over the same tasks.

    `environment` says what it ran on and with: versions, server, sandbox layers, sampling.
    """

    id: str
    model: str
    suite: str
    digest: str
    variant: int
    samples: int
    started: str
    environment: Mapping[str, Any] = field(default_factory=dict)


class Journal:
    """The file of one run; every line is whole on the disk before the next task is asked."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def path(self) -> Path:
        """Where it is."""
        return self._path

    def begin(self, run: Run) -> None:
        """Write the head. Raises UsageError when the file cannot be written."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            # Answers may hold what a prompt of one's own held: for nobody else to read, like the store.
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(json.dumps({"version": VERSION, "run": asdict(run)}) + "\n")
        except OSError as error:
            raise UsageError(
                f"cannot write {self._path}: {error.strerror}", "free the disk, or set XDG_DATA_HOME"
            ) from None

    def go_on(self) -> None:
        """Make ready to add to what is there: half a line, left by a crash, becomes a line of its own, which is passed over."""
        try:
            with self._path.open("rb+") as file:
                if file.seek(0, 2) and (file.seek(-1, 2), file.read(1))[1] != b"\n":
                    file.write(b"\n")
        except OSError as error:
            raise UsageError(f"cannot write {self._path}: {error.strerror}", "see who owns it") from None

    def add(self, graded: Graded) -> None:
        """Keep one answer with its verdict."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(to_record(graded)) + "\n")
            file.flush()


def read(path: Path) -> tuple[Run, tuple[Graded, ...]]:
    """A run and its answers; a last line that was cut off is left out. Raises UsageError for what is no journal."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
        run = _run(lines[0])
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}", "`mrt bench report` lists the runs") from None
    except (ValueError, KeyError, TypeError):
        raise UsageError(f"{path} is no run of mrt bench", "`mrt bench report` lists the runs") from None
    return run, tuple(_graded(lines[1:]))


def head(path: Path) -> Run | None:
    """What a journal is of, by its first line alone; None for what is no journal."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return _run(file.readline())
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _run(line: str) -> Run:
    """Raises ValueError, KeyError, TypeError for what is no head of a journal."""
    given = dict(json.loads(line)["run"])
    run = Run(**checked(Run, given))
    if not isinstance(run.environment.get("layers", []), list) or run.samples < 1:
        raise TypeError("no run of this kind")
    return run


def _graded(lines: list[str]) -> Iterator[Graded]:
    for line in lines:
        try:
            yield from_record(json.loads(line))
        except (ValueError, KeyError, TypeError):
            continue


def runs_in(folder: Path) -> tuple[Path, ...]:
    """All journals, the oldest first."""
    return tuple(sorted(folder.glob("*.jsonl")))


def path_of(folder: Path, run: str) -> Path:
    """The journal of a run by its id, the beginning of one, "last", or a path. Raises UsageError where there is not one."""
    if run.endswith(".jsonl"):
        return Path(run)
    known = runs_in(folder)
    if run == "last" and known:
        return known[-1]
    found = [path for path in known if path.stem.startswith(run)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise UsageError(f"no run {run!r}", "`mrt bench report` lists the runs")
    raise UsageError(f"{run!r} is the beginning of {len(found)} runs", "write more of it")
