"""Which files this process may still reach: Landlock, the kernel's own path rules, needing no privilege."""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Sequence
from pathlib import Path

_CREATE, _ADD_RULE, _RESTRICT = 444, 445, 446
_VERSION_FLAG, _PATH_BENEATH = 1, 1
_PR_SET_NO_NEW_PRIVS = 38
_READ_FILE, _READ_FOLDER = 1 << 2, 1 << 3
# Rights on files that each version of the interface knows: 13 at first, then refer, truncate, and ioctl on devices.
_FILE_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
_ON_FILES = (1 << 0) | (1 << 1) | _READ_FILE | (1 << 14) | (1 << 15)
# Plain files and folders only: write, read, list, remove both, make a folder, a file; move between folders, truncate.
_IN_SCRATCH = (1 << 1) | _READ_FILE | _READ_FOLDER | (1 << 4) | (1 << 5) | (1 << 7) | (1 << 8) | (1 << 13) | (1 << 14)
_TCP = 0b11  # bind, connect; from version 4
_SCOPES = 0b11  # abstract sockets, signals; from version 6


def version(library: ctypes.CDLL | None = None) -> int:
    """The version of the kernel's interface, 0 where there is none or it is forbidden."""
    library = library or ctypes.CDLL(None, use_errno=True)
    return max(0, int(library.syscall(_CREATE, None, 0, _VERSION_FLAG)))


def install(readable: Sequence[str], scratch: str, most: int | None = None) -> int:
    """Let this process read beneath `readable` and work with files and folders beneath `scratch`; the version used.

    `most` leaves out what came after that version. Raises OSError where Landlock is missing or refuses.
    """
    library = ctypes.CDLL(None, use_errno=True)
    known = version(library)
    used = known if most is None else min(known, most)
    if used < 1:
        raise OSError(ctypes.get_errno(), "Landlock is not available")
    rights = _FILE_RIGHTS[max(level for level in _FILE_RIGHTS if level <= used)]
    ruleset = _call(library, _CREATE, *_attributes(rights, used), 0)
    try:
        for path in readable:
            _allow(library, ruleset, path, (_READ_FILE | _READ_FOLDER) & rights)
        _allow(library, ruleset, scratch, rights & _IN_SCRATCH)
        if library.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "no_new_privs")
        _call(library, _RESTRICT, ruleset, 0)
    finally:
        os.close(ruleset)
    return used


def _attributes(rights: int, used: int) -> tuple[ctypes.Array[ctypes.c_char], int]:
    words = [rights]
    if used >= 4:
        words.append(_TCP)
    if used >= 6:
        words.append(_SCOPES)
    size = 8 * len(words)
    return ctypes.create_string_buffer(struct.pack(f"{len(words)}Q", *words), size), size


def _allow(library: ctypes.CDLL, ruleset: int, path: str, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # what is not there needs no rule
    try:
        allowed = rights if Path(path).is_dir() else rights & _ON_FILES
        _call(library, _ADD_RULE, ruleset, _PATH_BENEATH, struct.pack("=Qi", allowed, place), 0)
    finally:
        os.close(place)


def _call(library: ctypes.CDLL, number: int, *arguments: object) -> int:
    result = int(library.syscall(number, *arguments))
    if result < 0:
        raise OSError(ctypes.get_errno(), "Landlock")
    return result
