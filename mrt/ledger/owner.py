"""Who holds a reservation, and whether that process still lives."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_PROC = Path("/proc")
_DEAD_STATES = (b"Z", b"X")


def host_name() -> str:
    """The name of this machine, "" where the system tells none."""
    return os.uname().nodename if hasattr(os, "uname") else os.environ.get("COMPUTERNAME", "")


def start_of(pid: int, proc: Path = _PROC) -> int | None:
    """When a process started, in clock ticks since boot; None where there is no Linux /proc or no such process."""
    fields = _stat(pid, proc)
    return int(fields[19]) if fields else None


def is_dead(pid: int, started: int | None, proc: Path = _PROC) -> bool:
    """Whether the process with that id and start time is gone; an id alone is not enough, since ids are used again."""
    if not (proc / "self" / "stat").exists():
        return not _answers(pid)
    fields = _stat(pid, proc)
    if fields is None or fields[0] in _DEAD_STATES:
        return True
    return started is not None and int(fields[19]) != started


def _stat(pid: int, proc: Path) -> list[bytes] | None:
    """The fields of /proc/PID/stat from the state on: the name before them may hold spaces and parentheses."""
    try:
        return (proc / str(pid) / "stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return None


def _answers(pid: int) -> bool:
    if sys.platform == "win32":
        return True  # signal 0 would end the process there; a dead one's reservation is left to expire
    try:
        os.kill(pid, 0)
    except OSError as error:
        return not isinstance(error, ProcessLookupError)  # not allowed to signal it: somebody else's, and alive
    return True
