"""The child's own walls, put up by itself before it reads a line of foreign code; they can never be taken down again."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import struct
import sys
from collections.abc import Mapping
from typing import Any

from mrt.bench.sandbox import landlock, seccomp

_PR_SET_PDEATHSIG = 1
_CAPABILITY_VERSION = 0x20080522
# The one privilege that may stay: the interpreter's own library can lie where only it can read. Landlock holds against it.
_READ_ALL = 1 << 2


def put_up(walls: Mapping[str, Any]) -> dict[str, Any]:
    """Limits first, then files, then system calls; what stands afterwards, by layer.

    `walls` has `readable` paths, the `scratch` folder, `memory_bytes`, `file_bytes`, `cpu_seconds`, and for each of `landlock`
    and `seccomp` whether to put it up. Raises OSError when one cannot be.
    """
    standing: dict[str, Any] = {"limits": _limits(walls), "landlock": 0, "seccomp": False}
    if hasattr(signal, "SIGKILL") and walls["seccomp"]:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if walls["landlock"]:
        standing["landlock"] = landlock.install(walls["readable"], walls["scratch"], walls.get("landlock_at_most"))
    if walls["seccomp"]:
        _drop_privileges()
        seccomp.install()
        standing["seccomp"] = True
    return standing


def _drop_privileges() -> None:
    """What makes root more than a user: gone, but for reading. A user has none, and nothing changes."""
    library = ctypes.CDLL(None, use_errno=True)
    header = struct.pack("=Ii", _CAPABILITY_VERSION, 0)
    now = ctypes.create_string_buffer(24)
    if library.capget(header, now) != 0:
        raise OSError(ctypes.get_errno(), "capget")
    effective, permitted = struct.unpack_from("=II", now)
    if library.capset(header, struct.pack("=6I", effective & _READ_ALL, permitted & _READ_ALL, 0, 0, 0, 0)) != 0:
        raise OSError(ctypes.get_errno(), "capset")


def _limits(walls: Mapping[str, Any]) -> bool:
    os.umask(0o077)
    wanted = {
        "RLIMIT_CPU": walls["cpu_seconds"],
        "RLIMIT_AS": walls["memory_bytes"],
        "RLIMIT_FSIZE": walls["file_bytes"],
        "RLIMIT_NOFILE": 64,
        "RLIMIT_CORE": 0,
    }
    for name, value in wanted.items():
        number = getattr(resource, name, None)
        if number is None or value is None:
            continue
        hard = resource.getrlimit(number)[1]
        limit = value if hard == resource.RLIM_INFINITY else min(value, hard)
        try:
            resource.setrlimit(number, (limit, limit))
        except (OSError, ValueError):
            if sys.platform != "darwin" or name != "RLIMIT_AS":  # macOS refuses to bound a process' memory
                raise
    return True
