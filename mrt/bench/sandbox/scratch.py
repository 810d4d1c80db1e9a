"""The folder in which a run may write: watched while the run lasts, removed afterwards whatever was left in it."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from mrt.errors import SandboxError

# The kernel limits the size of a file but not their number: far more than any answer writes, far less than a disk holds.
MOST_ENTRIES, MOST_BYTES = 1000, 64 * 1024 * 1024


@contextlib.contextmanager
def folder() -> Iterator[str]:
    """A new folder for one run, by its real path. Raises SandboxError where none can be made."""
    try:
        made = os.path.realpath(tempfile.mkdtemp(prefix="mrt-sandbox-"))
    except OSError as error:
        raise SandboxError(
            f"no folder for a run: {error.strerror or error}", "set TMPDIR to a folder to write in"
        ) from None
    try:
        yield made
    finally:
        remove(made)


def overfull(place: str) -> bool:
    """Whether more lies there than one run may leave; what cannot be looked into counts as too much."""
    waiting, entries, size = [place], 0, 0
    while waiting:
        try:
            with os.scandir(waiting.pop()) as found:
                for entry in found:
                    entries += 1
                    size += entry.stat(follow_symlinks=False).st_blocks * 512
                    if entries > MOST_ENTRIES or size > MOST_BYTES:
                        return True
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
        except FileNotFoundError:
            continue  # gone since it was listed
        except OSError:
            return True
    return False


def remove(place: str) -> None:
    """Remove a folder however deep: what lies two levels down is lifted to the first, so that no path grows too long."""
    number = 0
    with contextlib.suppress(OSError):
        while folders := _without_files(place):
            for inner in folders:
                for deeper in _without_files(inner):
                    number += 1
                    Path(deeper).rename(f"{place}/.lifted-{number}-{os.getpid()}")
                Path(inner).rmdir()
        Path(place).rmdir()


def _without_files(place: str) -> list[str]:
    """Unlink what is no folder; the folders that are left, made ours to change."""
    folders = []
    with os.scandir(place) as found:
        for entry in list(found):
            if not entry.is_dir(follow_symlinks=False):
                Path(entry.path).unlink()
                continue
            if entry.stat(follow_symlinks=False).st_mode & stat.S_IRWXU != stat.S_IRWXU:
                Path(entry.path).chmod(stat.S_IRWXU)
            folders.append(entry.path)
    return folders
