"""Programs that try to leave the sandbox, each a function `attack()` that returns True when it got through.

`{...}` stands for what the tests put up outside: `folder` with a `secret` file, `port`, `udp`, `unix` and `abstract` sockets, the
process id `victim`, and an `environ` path.
"""

from __future__ import annotations

from tests.sandbox_attacks_more import MORE, PRELUDE

ATTACKS: dict[str, str] = {
    "reads a file at home": "return bool(open({secret!r}).read())",
    "reads the list of users": "return bool(open('/etc/passwd').read())",
    "reads through a symbolic link": "import os; os.symlink({secret!r}, 'link'); return bool(open('link').read())",
    "reads through a hard link": "import os; os.link({secret!r}, 'link'); return bool(open('link').read())",
    "reads by a relative path": "import os; return bool(open(os.path.relpath({secret!r})).read())",
    "reads through /proc/self/root": "return bool(open('/proc/self/root' + {secret!r}).read())",
    "reads through /proc/self/cwd": "import os; return bool(open('/proc/self/cwd/' + os.path.relpath({secret!r})).read())",
    "lists a folder": "import os; return bool(os.listdir({folder!r}))",
    "writes a file": "open({secret!r}, 'a').write('x'); return True",
    "makes a file": "open({folder!r} + '/new', 'w').write('x'); return True",
    "removes a folder": "import shutil, os; shutil.rmtree({folder!r}); return not os.path.exists({folder!r})",
    "renames a file": "import os; os.rename({secret!r}, {folder!r} + '/other'); return True",
    "moves a file into scratch": "import os; os.rename({secret!r}, 'mine'); return True",
    "truncates a file": "import os; os.truncate({secret!r}, 0); return True",
    "changes a mode": "import os; os.chmod({secret!r}, 0o777); return True",
    "changes an owner": "import os; os.chown({secret!r}, 1, 1); return True",
    "changes times": "import os; os.utime({secret!r}, (0, 0)); return True",
    "sets an attribute": "import os; os.setxattr({secret!r}, 'user.x', b'y'); return True",
    "reads a key in its own environment": "import os; return any('KEY' in name for name in os.environ)",
    "reads the parent's environment": "return bool(open({environ!r}, 'rb').read())",
    "reads the parent's memory": "return bool(open({environ!r}.replace('environ', 'maps')).read())",
    "connects to loopback": "import socket; socket.create_connection(('127.0.0.1', {port}), 1); return True",
    "connects over IPv6": "import socket; socket.create_connection(('::1', {port}), 1); return True",
    "listens on a port": "import socket; socket.create_server(('127.0.0.1', 0)); return True",
    "sends a datagram": (
        "import socket; return socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', {udp})) > 0"
    ),
    "opens a raw socket": "import socket; socket.socket(socket.AF_INET, socket.SOCK_RAW, 1); return True",
    "opens a netlink socket": "import socket; socket.socket(socket.AF_NETLINK, socket.SOCK_RAW); return True",
    "reaches a unix socket": "import socket; s = socket.socket(socket.AF_UNIX); s.connect({unix!r}); return True",
    "reaches an abstract socket": "import socket; s = socket.socket(socket.AF_UNIX); s.connect({abstract!r}); return True",
    "sends from a socket pair elsewhere": (
        "import socket; a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM); a.sendto(b'x', {abstract!r}); return True"
    ),
    "connects a socket pair elsewhere": (
        "import socket; a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM); a.connect({abstract!r}); return True"
    ),
    "signals a process": "import os; os.kill({victim}, 0); return True",
    "signals its group": "import os, signal; os.killpg(0, 0); return True",
    "signals everyone": "import os; os.kill(-1, 0); return True",
    "queues a signal": "import ctypes; return ctypes.CDLL(None).sigqueue({victim}, 0, 0) == 0",
    "traces a process": "import ctypes; return ctypes.CDLL(None).ptrace(0x4206, {victim}, 0, 0) == 0",
    "reads another's memory": (
        "import ctypes; c = ctypes.CDLL(None, use_errno=True); return c.process_vm_readv({victim}, 0, 0, 0, 0, 0) == 0"
    ),
    "opens a process descriptor": "import os; os.pidfd_open({victim}); return True",
    "runs a program": "import subprocess; return subprocess.run(['/bin/true']).returncode == 0",
    "runs a shell": "import os; return os.system('true') == 0",
    "replaces itself": "import os; os.execv('/bin/true', ['true']); return True",
    "runs a program of its own": (
        "import os, sys; open('x', 'w').write('#!/bin/sh\\n'); os.chmod('x', 0o755); os.execv('./x', ['x']); return True"
    ),
    "forks": "import os; p = os.fork(); return os._exit(0) if p == 0 else True",
    "forks by clone": "import ctypes; return ctypes.CDLL(None).syscall(56 if __import__('platform').machine() == 'x86_64' else 220, 17, 0, 0, 0, 0) >= 0",  # noqa: E501
    "forks by vfork": "import ctypes; return ctypes.CDLL(None).syscall(58, 0) >= 0 if __import__('platform').machine() == 'x86_64' else False",  # noqa: E501
    "starts a pool of processes": "import multiprocessing as m; return m.get_context('fork').Pool(1).map(abs, [-1]) == [1]",
    "makes a user namespace": "import ctypes; return ctypes.CDLL(None).unshare(0x10000000) == 0",
    "mounts": "import ctypes; return ctypes.CDLL(None).mount(b'none', b'/tmp', b'tmpfs', 0, 0) == 0",
    "makes a memory file": "import os; os.memfd_create('x'); return True",
    "opens io_uring": "import ctypes; return ctypes.CDLL(None).syscall(425, 1, ctypes.create_string_buffer(256)) >= 0",
    "loads a BPF program": "import ctypes; return ctypes.CDLL(None).syscall(321 if __import__('platform').machine() == 'x86_64' else 280, 0, 0, 0) >= 0",  # noqa: E501
    "uses the 32-bit table": "import ctypes; return ctypes.CDLL(None).syscall(0x40000000 + 39) > 0",
    "raises its limits": "import resource as r; r.setrlimit(r.RLIMIT_AS, (-1, -1)); return True",
    "lifts its own Landlock": "import ctypes; return ctypes.CDLL(None).syscall(444, 0, 0, 1) >= 0",
    "becomes another user": "import os; os.setuid(12345); return True",
    "makes a device": "import os; os.mknod('d', 0o020600, os.makedev(1, 3)); return True",
    "types into the terminal": "import fcntl; fcntl.ioctl(0, 0x5412, b'x'); return True",
    "sets a clock": "import time; time.clock_settime(time.CLOCK_REALTIME, 0); return True",
    "owns a descriptor's signals": "import fcntl; fcntl.fcntl(0, 8, {victim}); return True",
    "changes its root": "import os; os.chroot('.'); return True",
    "shares memory with others": "import ctypes; return ctypes.CDLL(None).shmget(1, 4096, 0o1600) >= 0",
    "fills the disk": "open('big', 'wb').write(b'x' * 20_000_000); return True",
    "takes the memory": "x = bytearray(2_000_000_000); return True",
    "opens many files": "f = [open('/dev/null') for _ in range(1000)]; return True",
    **MORE,
}


def program(name: str, places: dict[str, object]) -> str:
    """The attack as a program that defines `attack`."""
    text = ATTACKS[name]
    for place, value in places.items():
        text = text.replace("{" + place + "!r}", repr(value)).replace("{" + place + "}", str(value))
    return f"{PRELUDE if name in MORE else ''}def attack():\n    {text}\n"
