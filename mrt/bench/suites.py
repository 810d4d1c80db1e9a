"""Which tasks a run is over: those that ship with mrt, the hard ones, or the user's own."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from mrt.bench.tasks import Task, built_in, from_folder, parse
from mrt.errors import UsageError
from mrt.frozen import frozen

HARD_BAND = 6
NAMES = ("coding", "hard", "all")


@frozen
class Suite:
    """Tasks under a name, by which they are found again: a name of ours, or the path of a file or folder."""

    name: str
    tasks: tuple[Task, ...]
    variant: int = 0

    @property
    def digest(self) -> str:
        """Tells suites apart by everything in them: prompts, cases, references."""
        return digest_of(map(repr, self.tasks))

    @property
    def asked(self) -> str:
        """Tells them apart by what models are asked alone."""
        return digest_of(f"{task.id}\n{task.prompt}" for task in self.tasks)

    @property
    def prompts(self) -> dict[str, str]:
        """The same for each task."""
        return {task.id: digest_of([task.prompt]) for task in self.tasks}

    def task(self, name: str) -> Task | None:
        """The task of that id, None where there is none."""
        return next((task for task in self.tasks if task.id == name), None)


def digest_of(texts: Iterable[str]) -> str:
    """Sixteen digits of SHA-256 over texts in their order."""
    whole = hashlib.sha256()
    for text in texts:
        whole.update(text.encode() + b"\0")
    return whole.hexdigest()[:16]


def suite_of(name: str, variant: int = 0) -> Suite:
    """The suite "coding" (bands 1 to 5), "hard" (band 6), "all" of both, or the tasks of a file or folder. Raises UsageError."""
    if name in NAMES:
        return Suite(name, tuple(task for task in built_in(variant) if _belongs(task, name)), variant)
    path = Path(name).expanduser().absolute()
    if path.is_dir():
        return Suite(str(path), _distinct(from_folder(path, variant), name), variant)
    try:
        return Suite(str(path), (parse(path.read_text(encoding="utf-8"), path.name, variant),), variant)
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no UTF-8 text"
        raise UsageError(
            f"no suite {name!r}: {why}", f"one of {', '.join(NAMES)}, a task file, or a folder of them"
        ) from None


def _belongs(task: Task, name: str) -> bool:
    return name == "all" or (task.band == HARD_BAND) is (name == "hard")


def _distinct(tasks: Sequence[Task], name: str) -> tuple[Task, ...]:
    seen: set[str] = set()
    for task in tasks:
        if task.id in seen:
            raise UsageError(f"{name} has two tasks of the id {task.id!r}", "give each file an id of its own")
        seen.add(task.id)
    return tuple(tasks)
