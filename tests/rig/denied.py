"""Run Python as on a kernel without a certain system call, or in a container that forbids it."""

from __future__ import annotations

import sys

# System calls by their numbers on x86-64.
LANDLOCK, PRCTL = 444, 157
# Denies one call to itself, for good, and becomes the rest of the command line.
_DENY = """
import ctypes, os, struct, sys
number, rest = int(sys.argv[1]), sys.argv[2:]
lines = [(0x20, 0, 0, 0), (0x15, 0, 1, number), (0x06, 0, 0, 0x00050000 | 38), (0x06, 0, 0, 0x7FFF0000)]
code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in lines))
libc = ctypes.CDLL(None)
libc.prctl(38, 1, 0, 0, 0)
assert libc.prctl(22, 2, struct.pack("HxxxxxxP", len(lines), ctypes.addressof(code)), 0, 0) == 0
os.execv(sys.executable, [sys.executable, *rest])
"""


def python_without(number: int, *arguments: str) -> list[str]:
    """The command that runs this Python with `arguments`, and fails the system call `number` with ENOSYS (x86-64 only)."""
    return [sys.executable, "-c", _DENY, str(number), *arguments]
