"""The system calls that computing in Python needs; every other one is denied. Numbers by machine, from Linux' own tables."""

from __future__ import annotations

# AUDIT_ARCH_* of the machine, by `platform.machine()`.
ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

# name: (x86-64, AArch64); None where the machine has no such call.
ALLOWED: dict[str, tuple[int | None, int | None]] = {
    # Files. Which ones is Landlock's business; what a file is (mode, owner, times, attributes) stays as it is.
    "read": (0, 63),
    "write": (1, 64),
    "open": (2, None),
    "close": (3, 57),
    "stat": (4, None),
    "fstat": (5, 80),
    "lstat": (6, None),
    "poll": (7, None),
    "lseek": (8, 62),
    "pread64": (17, 67),
    "pwrite64": (18, 68),
    "readv": (19, 65),
    "writev": (20, 66),
    "access": (21, None),
    "pipe": (22, None),
    "select": (23, None),
    "dup": (32, 23),
    "dup2": (33, None),
    "fsync": (74, 82),
    "fdatasync": (75, 83),
    "ftruncate": (77, 46),
    "getcwd": (79, 17),
    "chdir": (80, 49),
    "fchdir": (81, 50),
    "rename": (82, None),
    "mkdir": (83, None),
    "rmdir": (84, None),
    "unlink": (87, None),
    "readlink": (89, None),
    "umask": (95, 166),
    "statfs": (137, 43),
    "fstatfs": (138, 44),
    "getdents64": (217, 61),
    "fadvise64": (221, 223),
    "openat": (257, 56),
    "mkdirat": (258, 34),
    "newfstatat": (262, 79),
    "unlinkat": (263, 35),
    "renameat": (264, 38),
    "readlinkat": (267, 78),
    "faccessat": (269, 48),
    "pselect6": (270, 72),
    "ppoll": (271, 73),
    "dup3": (292, 24),
    "pipe2": (293, 59),
    "preadv": (295, 69),
    "pwritev": (296, 70),
    "statx": (332, 291),
    "close_range": (436, 436),
    "faccessat2": (439, 439),
    # Memory.
    "mmap": (9, 222),
    "mprotect": (10, 226),
    "munmap": (11, 215),
    "brk": (12, 214),
    "mremap": (25, 216),
    # Threads and time of this process.
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "sched_yield": (24, 124),
    "pause": (34, None),
    "nanosleep": (35, 101),
    "getitimer": (36, 102),
    "alarm": (37, None),
    "setitimer": (38, 103),
    "getpid": (39, 172),
    "exit": (60, 93),
    "uname": (63, 160),
    "gettimeofday": (96, 169),
    "getrlimit": (97, 163),
    "getrusage": (98, 165),
    "sysinfo": (99, 179),
    "times": (100, 153),
    "getuid": (102, 174),
    "getgid": (104, 176),
    "geteuid": (107, 175),
    "getegid": (108, 177),
    "getppid": (110, 173),
    "getpgrp": (111, None),
    "rt_sigtimedwait": (128, 137),
    "rt_sigsuspend": (130, 133),
    "sigaltstack": (131, 132),
    "arch_prctl": (158, None),
    "gettid": (186, 178),
    "futex": (202, 98),
    "sched_getaffinity": (204, 123),
    "set_tid_address": (218, 96),
    "clock_gettime": (228, 113),
    "clock_getres": (229, 114),
    "clock_nanosleep": (230, 115),
    "exit_group": (231, 94),
    "set_robust_list": (273, 99),
    "getcpu": (309, 168),
    "getrandom": (318, 278),
    "membarrier": (324, 283),
    "rseq": (334, 293),
    "epoll_wait": (232, None),
    "epoll_ctl": (233, 21),
    "epoll_pwait": (281, 22),
    "eventfd2": (290, 19),
    "epoll_create1": (291, 20),
    # The two ends of a socket pair: asyncio wakes itself through one. They lead nowhere else.
    "recvfrom": (45, 207),
    "shutdown": (48, 210),
    "getsockname": (51, 204),
    "getpeername": (52, 205),
    "getsockopt": (55, 209),
}

# Calls that are allowed with certain arguments only: (argument index, allowed values). OWN stands for this process' id.
OWN = -1
_TERMINAL_QUESTIONS = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)  # TCGETS TIOCGWINSZ FIONREAD FIONBIO FIO(N)CLEX
# Copying a descriptor, its flags, its status flags, record locks; not sending signals or leases (F_SETOWN, F_SETSIG, F_SETLEASE).
_DESCRIPTOR_QUESTIONS = (0, 1, 2, 3, 4, 5, 6, 7, 1030)
_UNIX = 1
# How memory will be used, given back, or guarded; not poisoning a page of the machine, paging out what others share, merging.
_MEMORY_ADVICE = (0, 1, 2, 3, 4, 8, 14, 15, 102, 103)
CONDITIONAL: dict[str, tuple[int | None, int | None, int, tuple[int, ...]]] = {
    "madvise": (28, 233, 2, _MEMORY_ADVICE),
    "renameat2": (316, 276, 4, (0, 1, 2)),  # replace, do not, exchange; no whiteout, which is a device
    "ioctl": (16, 29, 1, _TERMINAL_QUESTIONS),
    "fcntl": (72, 25, 1, _DESCRIPTOR_QUESTIONS),
    "socketpair": (53, 199, 0, (_UNIX,)),
    "sendto": (44, 206, 4, (0,)),  # no address: only along the pair
    "kill": (62, 129, 0, (OWN,)),
    "tgkill": (234, 131, 0, (OWN,)),
    "prlimit64": (302, 261, 2, (0,)),  # no new limit: only a question
}

# A thread, not a process: glibc tries clone3 first, whose flags no filter can read, and falls back on ENOSYS.
CLONE, CLONE3 = (56, 220), (435, 435)
CLONE_THREAD = 0x10000
# What starting a thread asks for, in glibc and musl: sharing all with its process; anything more would be a new namespace.
CLONE_OF_A_THREAD = 0x7D0F00
