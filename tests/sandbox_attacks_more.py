"""More programs that try to leave the sandbox: the kernel's rarer doors, machine code, and what a run could leave behind.

Each is the body of `attack()` as in `sandbox_attacks`; `kernel(on_x86_64, on_aarch64, ...)` makes a system call by its number.
"""

from __future__ import annotations

PRELUDE = (
    "import ctypes, os, platform, sys\n"
    "C = ctypes.CDLL(None, use_errno=True)\n"
    "X86 = platform.machine() == 'x86_64'\n"
    "def kernel(x86, arm, *arguments):\n"
    "    number = x86 if X86 else arm\n"
    "    return -1 if number is None else C.syscall(number, *(ctypes.c_long(a) if type(a) is int else a for a in arguments))\n"
    "def native(code):\n"
    "    import mmap\n"
    "    if not X86: return -1\n"
    "    page = mmap.mmap(-1, 4096, prot=7); page.write(bytes.fromhex(code))\n"
    "    return ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()\n"
    "def text(path): return ctypes.c_char_p(path.encode())\n"
)

# Calls that must be refused: what they would do, and the call. True means that the kernel took it.
CALLS: dict[str, str] = {
    "asks for a key ring": "kernel(250, 219, 0, -3, 1)",
    "adds a key": "kernel(248, 217, text('user'), text('x'), text('y'), 1, -3)",
    "opens a message queue": "kernel(240, 180, text('mrt-attack'), 0o102, 0o600, 0)",
    "makes a message queue": "kernel(68, 186, 4242, 0o1600)",
    "makes a semaphore": "kernel(64, 190, 4242, 1, 0o1600)",
    "opens performance counters": "kernel(298, 241, ctypes.create_string_buffer(b'\\x01\\0\\0\\0\\x70', 128), 0, -1, -1, 0)",
    "opens userfaultfd": "kernel(323, 282, 1)",
    "watches files by inotify": "kernel(294, 26, 0)",
    "watches files by fanotify": "kernel(300, 262, 0, 0)",
    "makes a signal descriptor": "kernel(289, 74, -1, ctypes.create_string_buffer(8), 8, 0)",
    "makes a timer": "kernel(222, 107, 0, 0, ctypes.create_string_buffer(8))",
    "makes a timer descriptor": "kernel(283, 85, 0, 0)",
    "opens a file system": "kernel(430, 430, text('tmpfs'), 0)",
    "clones a tree of mounts": "kernel(428, 428, -100, text('/usr'), 0)",
    "picks a file system": "kernel(433, 433, -100, text('/'), 0)",
    "names a file by its handle": "kernel(303, 264, -100, text('/etc/passwd'), ctypes.create_string_buffer(b'\\x40', 256), ctypes.create_string_buffer(8), 0)",  # noqa: E501
    "opens a file by its handle": "kernel(304, 265, 0, ctypes.create_string_buffer(b'\\x08', 256), 0)",
    "opens by openat2": "kernel(437, 437, -100, text('/etc/passwd'), ctypes.create_string_buffer(24), 24)",
    "makes a hard link": "kernel(265, 37, -100, text({secret!r}), -100, text('mine'), 0)",
    "makes a symbolic link": "kernel(266, 36, text({secret!r}), -100, text('mine'))",
    "copies between descriptors": "kernel(326, 285, 0, 0, 1, 0, 1, 0)",
    "sends a file": "kernel(40, 71, 1, 0, 0, 1)",
    "splices": "kernel(275, 76, 0, 0, 1, 0, 1, 0)",
    "gives pages to a pipe": "kernel(278, 75, 1, ctypes.create_string_buffer(16), 0, 0)",
    "makes a secret memory file": "kernel(447, 447, 0)",
    "executes a descriptor": "kernel(322, 281, os.open('/usr/lib', 0), text(''), 0, 0, 0x1000) ",
    "gets another's descriptor": "kernel(438, 438, 0, 0, 0)",
    "signals by a descriptor": "kernel(424, 424, 0, 0, 0, 0)",
    "signals a thread elsewhere": "kernel(200, 130, {victim}, 0)",
    "signals another's thread": "kernel(234, 131, {victim}, {victim}, 0)",
    "queues a signal for another": "kernel(129, 138, {victim}, 0, ctypes.create_string_buffer(b'\\0' * 8 + b'\\xff' * 4, 128))",
    "signals its session's leader": "kernel(62, 129, -os.getpgrp(), 0)",
    "limits another": "kernel(302, 261, {victim}, 7, ctypes.create_string_buffer(b'\\1', 16), 0)",
    "moves another between processors": "kernel(203, 122, {victim}, 8, ctypes.create_string_buffer(b'\\1', 8))",
    "slows another": "kernel(141, 140, 0, {victim}, 19)",
    "schedules in real time": "kernel(144, 119, 0, 1, ctypes.create_string_buffer(b'\\1', 4))",
    "orders another's input": "kernel(251, 30, 1, {victim}, 0)",
    "moves another's pages": "kernel(256, 238, {victim}, 1, ctypes.create_string_buffer(8), ctypes.create_string_buffer(8))",
    "compares with another": "kernel(312, 272, os.getpid(), {victim}, 0, 0, 0)",
    "leaves its session": "kernel(112, 157)",
    "changes its group": "kernel(109, 154, 0, 0)",
    "gains privileges": "kernel(126, 91, ctypes.create_string_buffer(b'\\x22\\5\\x08\\x20', 8), ctypes.create_string_buffer(24))",
    "outlives its parent": "kernel(157, 167, 1, 0, 0, 0, 0)",
    "lets itself be traced": "kernel(157, 167, 0x59616D61, -1, 0, 0, 0)",
    "asks to be traced": "kernel(101, 117, 0, 0, 0, 0)",
    "filters itself again": "kernel(317, 277, 0, 0, 0)",
    "changes its personality": "kernel(135, 92, 0x0040000)",
    "changes a segment": "kernel(154, None, 0, ctypes.create_string_buffer(64), 64)",
    "opens the machine's ports": "kernel(172, None, 0)",
    "poisons a page": "kernel(28, 233, 0, 0, 100)",
    "takes a page offline": "kernel(28, 233, 0, 0, 101)",
    "merges pages with others": "kernel(28, 233, 0, 0, 12)",
    "pages out what others share": "kernel(28, 233, 0, 0, 21)",
    "locks memory": "kernel(149, 228, 0, 0)",
    "writes all disks out": "kernel(162, 81) + 0 if C.syscall(162 if X86 else 81) == 0 else -1",
    "reads the kernel's log": "kernel(103, 116, 10, 0, 0)",
    "names the machine": "kernel(170, 161, text('x'), 0)",
    "starts accounting": "kernel(163, 89, 0)",
    "asks for quotas": "kernel(179, 60, 0x80000700, 0, 0, 0)",
    "loads a module": "kernel(175, 105, 0, 0, text(''))",
    "takes messages with descriptors": "kernel(47, 212, 0, ctypes.create_string_buffer(56), 0)",
    "sends messages with descriptors": "kernel(46, 211, 0, ctypes.create_string_buffer(56), 0)",
    "sends many messages": "kernel(307, 269, 0, 0, 0, 0)",
    "puts a program on a socket": "__import__('socket').socketpair()[0].setsockopt(1, 26, b'\\0' * 16) or 0",
    "widens a socket": "__import__('socket').socketpair()[0].setsockopt(1, 7, 1 << 24) or 0",
    "widens a pipe": "__import__('fcntl').fcntl(os.pipe()[1], 1031, 1 << 20)",
    "leases a file": "__import__('fcntl').fcntl(open('mine', 'w').fileno(), 1024, 1)",
    "watches a folder": "__import__('fcntl').fcntl(os.open('.', 0), 1026, 2)",
    "a thread in a network of its own": "kernel(56, 220, 0x10900 | 0x40000000, 0, 0, 0, 0)",
    "a thread with mounts of its own": "kernel(56, 220, 0x10900 | 0x00020000, 0, 0, 0, 0)",
    "a process that shares memory": "kernel(56, 220, 0x4111, 0, 0, 0, 0)",
    "a process by clone3": "kernel(435, 435, ctypes.create_string_buffer(88), 88)",
    "exchanges its folder with another": "kernel(316, 276, -100, text('.'), -100, text({folder!r}), 2)",
    "leaves a whiteout": "(open('w', 'w').close(), kernel(316, 276, -100, text('w'), -100, text('v'), 4))[1]",
    "makes a pipe with a name": "kernel(259, 33, -100, text('fifo'), 0o010600, 0)",
    "sets times by descriptor": "kernel(280, 88, os.open('/usr/lib', 0), 0, 0, 0)",
    "sets a mode by descriptor": "kernel(91, 52, os.open('/usr/lib', 0x200000), 0o755)",
}

PROGRAMS: dict[str, str] = {
    "machine code for the 32-bit table": "return native('b814000000cd80c3') > 0",  # getpid by int 0x80
    "machine code that opens a file for 32 bits": "return native('b805000000bb0000000031c9cd80c3') >= 0",
    "machine code for the x32 table": "return native('b827000040' '0f05c3') > 0",
    "machine code that forks": "return native('b8390000000f05c3') >= 0",
    "opens without reading, then through its descriptor": (
        "d = os.open({secret!r}, os.O_PATH); return bool(open('/proc/self/fd/%d' % d).read())"
    ),
    "goes elsewhere, then opens": "os.fchdir(os.open({folder!r}, os.O_PATH)); return bool(open('secret').read())",
    "opens beneath a folder's descriptor": (
        "d = os.open({folder!r}, os.O_PATH); return os.open('secret', os.O_RDONLY, dir_fd=d) >= 0"
    ),
    "makes a nameless file elsewhere": "return os.open({folder!r}, 0x410000 | os.O_RDWR, 0o600) >= 0",
    "opens the terminal": "return os.open('/dev/tty', os.O_RDWR) >= 0",
    "writes to the kernel's log": "return os.open('/dev/kmsg', os.O_WRONLY) >= 0",
    "reads the machine's memory": "return os.open('/dev/mem', os.O_RDONLY) >= 0",
    "lists the processes": "return bool(os.listdir('/proc'))",
    "reads its own memory's map": "return bool(open('/proc/self/maps').read())",
    "offers itself to the memory killer last": "open('/proc/self/oom_score_adj', 'w').write('-999'); return True",
    "reads the parent's command line": "return bool(open({environ!r}.replace('environ', 'cmdline')).read())",
    "follows the parent's descriptors": "return bool(os.readlink({environ!r}.replace('environ', 'fd/0')))",
    "follows the parent's folder": "return bool(os.readlink({environ!r}.replace('environ', 'cwd')))",
    "changes the kernel's settings": "open('/proc/sys/kernel/hostname', 'w').write('x'); return True",
    "looks through /sys": "return bool(os.listdir('/sys/class'))",
    "uses shared memory by name": "open('/dev/shm/mrt-attack', 'w').write('x'); return True",
    "reaches the container engine": "import socket; s = socket.socket(1); s.connect('/run/docker.sock'); return True",
    "finds an inherited descriptor": (
        "found = []\n    for d in range(3, 64):\n        try: s = os.fstat(d).st_mode\n        except OSError: continue\n"
        "        if s & 0o170000 not in (0o010000,): found.append(d)\n    return bool(found)"
    ),
    "reads what it should only write": (
        "for d in range(3, 64):\n        try: \n            if os.read(d, 1): return True\n        except OSError: pass\n"
        "    return False"
    ),
    "imports the grader": "import importlib; return bool(importlib.import_module('mrt.bench.tasks'))",
    "finds the answers in memory": (
        "import gc\n    return any(type(o) is dict and ('expected' in o or 'reference' in o) for o in gc.get_objects())"
    ),
    "walks the frames for what is expected": (
        "frame = sys._getframe(1)\n    while frame:\n"
        "        if any('expected' in name or 'reference' in name for name in (*frame.f_locals, *frame.f_globals)): return True\n"
        "        frame = frame.f_back\n    return False"
    ),
    "becomes many threads": (
        "import threading, time\n    threading.stack_size(32768)\n    for _ in range(3000):\n"
        "        threading.Thread(target=time.sleep, args=(9,), daemon=True).start()\n    time.sleep(1); return True"
    ),
    "fills the disk with many files": (
        "import time\n    for n in range(40): open('f%d' % n, 'wb').write(b'x' * 8_000_000)\n    time.sleep(1); return True"
    ),
    "fills the disk with many small files": (
        "import time\n    for n in range(1200): open('f%d\\n' % n, 'w').close()\n    time.sleep(2); return True"
    ),
    "hides files in a folder that cannot be listed": (
        "import time\n    os.mkdir('d', 0o300); open('d/x', 'w').close()\n    try: os.listdir('d')\n"
        "    except PermissionError: time.sleep(2); return True\n    return False"
    ),
}

MORE: dict[str, str] = {**{name: f"return {call} >= 0" for name, call in CALLS.items()}, **PROGRAMS}
