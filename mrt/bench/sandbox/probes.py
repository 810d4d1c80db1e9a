"""Attacks on the sandbox from inside, each true when it succeeded: the self-test before any foreign code runs.

`orders` names what the parent put up to be attacked: `port` and `udp_port` of its listeners on loopback, a `canary` file outside
the scratch folder, an `outside` folder, the parent's `process` id, a `program` that could be run.
"""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

Attack = Callable[[Mapping[str, Any]], bool]


def _connect(orders: Mapping[str, Any]) -> bool:
    with socket.create_connection(("127.0.0.1", orders["port"]), timeout=1):
        return True


def _send_datagram(orders: Mapping[str, Any]) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        return sender.sendto(b"x", ("127.0.0.1", orders["udp_port"])) == 1


def _unix_socket(_: Mapping[str, Any]) -> bool:
    socket.socket(socket.AF_UNIX).close()
    return True


def _read(orders: Mapping[str, Any]) -> bool:
    return bool(Path(orders["canary"]).read_bytes())


def _overwrite(orders: Mapping[str, Any]) -> bool:
    with Path(orders["canary"]).open("ab") as file:
        return file.write(b"x") == 1


def _create(orders: Mapping[str, Any]) -> bool:
    (Path(orders["outside"]) / "made").write_bytes(b"x")
    return True


def _list(orders: Mapping[str, Any]) -> bool:
    return any(Path(orders["outside"]).iterdir()) or True


def _change_mode(orders: Mapping[str, Any]) -> bool:
    Path(orders["canary"]).chmod(0o777)
    return True


def _change_times(orders: Mapping[str, Any]) -> bool:
    os.utime(orders["canary"], (0, 0))
    return True


def _remove(orders: Mapping[str, Any]) -> bool:
    Path(orders["canary"]).unlink()
    return True


def _fork(_: Mapping[str, Any]) -> bool:
    child = os.fork()
    if child == 0:
        os._exit(0)
    return True


def _execute(orders: Mapping[str, Any]) -> bool:
    os.posix_spawn(orders["program"], [orders["program"]], {})
    return True


def _signal(orders: Mapping[str, Any]) -> bool:
    os.kill(orders["process"], 0)
    os.kill(orders["process"], signal.SIGCONT)  # harmless where it arrives
    return True


def _environment_of_parent(orders: Mapping[str, Any]) -> bool:
    return bool(Path(f"/proc/{orders['process']}/environ").read_bytes())


def _trace(orders: Mapping[str, Any]) -> bool:
    import ctypes

    seize = 0x4206  # attaches without stopping: a self-test must not freeze the program that runs it
    return int(ctypes.CDLL(None).ptrace(seize, orders["process"], 0, 0)) == 0


def _new_namespace(_: Mapping[str, Any]) -> bool:
    import ctypes

    new_user = 0x10000000
    return int(ctypes.CDLL(None).unshare(new_user)) == 0


# In an order that leaves the canary for the others: what removes it comes last.
PROBES: dict[str, Attack] = {
    "connect to a port on loopback": _connect,
    "send a datagram": _send_datagram,
    "open a unix socket": _unix_socket,
    "read a file outside": _read,
    "write to a file outside": _overwrite,
    "create a file outside": _create,
    "list a folder outside": _list,
    "change a file's mode": _change_mode,
    "change a file's times": _change_times,
    "start a process": _fork,
    "run a program": _execute,
    "signal the parent": _signal,
    "read the parent's environment": _environment_of_parent,
    "trace the parent": _trace,
    "make a namespace": _new_namespace,
    "remove a file outside": _remove,
}
