"""The filter of system calls: a small BPF program that the kernel runs before each call of this process, for good."""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct

from mrt.bench.sandbox.syscalls import (
    ALLOWED,
    ARCHITECTURES,
    CLONE,
    CLONE3,
    CLONE_OF_A_THREAD,
    CLONE_THREAD,
    CONDITIONAL,
    OWN,
)

_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 38, 22, 2
_KILL_PROCESS, _ALLOW, _ERRNO = 0x80000000, 0x7FFF0000, 0x00050000
_LOAD, _EQUAL, _AND_SET, _RETURN = 0x20, 0x15, 0x45, 0x06
_GREATER_EQUAL = 0x35
# Offsets in `struct seccomp_data`: the call's number, the machine, the arguments as 64-bit words (low half first).
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
_X32 = 0x40000000

Instruction = tuple[int, int, int, int]


def install() -> None:
    """Filter this process and all it starts. Raises OSError where the kernel or the machine has no such thing."""
    machine = platform.machine()
    if machine not in ARCHITECTURES:
        raise OSError(errno.ENOSYS, f"no table of system calls for {machine}")
    code = b"".join(struct.pack("HBBI", *instruction) for instruction in program(machine, os.getpid()))
    buffer = ctypes.create_string_buffer(code, len(code))
    filter_program = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(buffer))
    library = ctypes.CDLL(None, use_errno=True)
    if library.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "no_new_privs")
    if library.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, filter_program, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "seccomp")


def program(machine: str, process: int) -> list[Instruction]:
    """The filter for `machine`, for the process with the id `process`: another table kills, an unknown call is denied."""
    column = 0 if machine == "x86_64" else 1
    lines: list[Instruction] = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, ARCHITECTURES[machine]),
        (_RETURN, 0, 0, _KILL_PROCESS),
        (_LOAD, 0, 0, _NUMBER),
    ]
    if machine == "x86_64":
        # The x32 table shares the machine's mark, with this bit in every number.
        lines += [(_GREATER_EQUAL, 0, 1, _X32), (_RETURN, 0, 0, _KILL_PROCESS)]
    for numbers in ALLOWED.values():
        number = numbers[column]
        if number is not None:
            lines += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ALLOW)]
    for name, (first, second, argument, values) in CONDITIONAL.items():
        number = (first, second)[column]
        if number is not None:
            whole = name in ("sendto", "prlimit64")  # a pointer: both halves have to be nothing
            lines += _with_argument(number, argument, [process if value == OWN else value for value in values], whole)
    lines += _thread_only(CLONE[column])
    lines += [(_EQUAL, 0, 1, CLONE3[column]), (_RETURN, 0, 0, _ERRNO | errno.ENOSYS)]
    return [*lines, (_RETURN, 0, 0, _ERRNO | errno.EPERM)]


def _with_argument(number: int, argument: int, values: list[int], whole: bool) -> list[Instruction]:
    low = _ARGUMENTS + 8 * argument
    body: list[Instruction] = []
    if whole:
        body += [(_LOAD, 0, 0, low + 4), (_EQUAL, 1, 0, 0), (_RETURN, 0, 0, _ERRNO | errno.EPERM)]
    body.append((_LOAD, 0, 0, low))
    for value in values:
        body += [(_EQUAL, 0, 1, value), (_RETURN, 0, 0, _ALLOW)]
    body.append((_RETURN, 0, 0, _ERRNO | errno.EPERM))
    return [(_EQUAL, 0, len(body), number), *body]


def _thread_only(number: int) -> list[Instruction]:
    """`clone` with the flag of a thread, and with none that a thread does not need."""
    body: list[Instruction] = [
        (_LOAD, 0, 0, _ARGUMENTS),
        (_AND_SET, 2, 0, 0xFFFFFFFF & ~CLONE_OF_A_THREAD),
        (_AND_SET, 0, 1, CLONE_THREAD),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _ERRNO | errno.EPERM),
    ]
    return [(_EQUAL, 0, len(body), number), *body]
