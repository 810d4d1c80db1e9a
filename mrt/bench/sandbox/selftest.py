"""The self-test: before any foreign code runs, real attacks run inside the sandbox, and every one of them must fail."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from mrt.bench.sandbox.probes import PROBES
from mrt.bench.sandbox.process import Ended, Limits, Walls, results_of, run_child
from mrt.frozen import frozen

_LIMITS = Limits(cpu_seconds=5, wall_seconds=20.0)
# What a container may allow: it stays inside, where processes are counted and there is nothing to reach.
_CONTAINED = frozenset({"start a process", "run a program", "open a unix socket", "make a namespace"})
_CANARY = b"this file lies outside of the sandbox"


@frozen
class SelfTest:
    """What stood during the test, the attacks that succeeded, and why it could not be made at all, if so."""

    standing: dict[str, Any]
    holes: tuple[str, ...]
    failure: str | None = None

    @property
    def tight(self) -> bool:
        """True when every attack was made and none succeeded."""
        return self.failure is None and not self.holes


def self_test(walls: Walls) -> SelfTest:
    """Attack a child behind `walls`; what the child claims is checked against what really happened outside."""
    with _targets() as (orders, holes_outside):
        ended = run_child({"probes": orders}, walls, _LIMITS)
        return _result(ended, holes_outside(), _CONTAINED if walls.container else frozenset())


def _result(ended: Ended, outside: Sequence[str], contained: frozenset[str]) -> SelfTest:
    refused = results_of(ended.messages, "no_walls")
    if refused:
        return SelfTest({}, (), str(refused[0]))
    standing = results_of(ended.messages, "walls")
    made = [message for message in ended.messages if "probe" in message]
    if not standing or len(made) != len(PROBES):
        return SelfTest({}, tuple(outside), f"the test did not end (exit code {ended.exit_code})")
    holes = [
        str(message["probe"]) for message in made if message.get("succeeded") and message["probe"] not in contained
    ]
    return SelfTest(standing[0], tuple(dict.fromkeys((*holes, *outside))))


@contextlib.contextmanager
def _targets() -> Iterator[tuple[dict[str, Any], Any]]:
    """Everything that is attacked, all of it our own; with a function that says what was reached."""
    outside = Path(tempfile.mkdtemp(prefix="mrt-canary-"))
    canary = outside / "canary"
    canary.write_bytes(_CANARY)
    canary.chmod(0o600)
    before = canary.stat()
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver,
    ):
        receiver.bind(("127.0.0.1", 0))
        listener.settimeout(0)
        receiver.settimeout(0)

        def reached() -> tuple[str, ...]:
            found = []
            with contextlib.suppress(BlockingIOError):
                listener.accept()[0].close()
                found.append("connect to a port on loopback")
            with contextlib.suppress(BlockingIOError):
                receiver.recv(10)
                found.append("send a datagram")
            if not canary.exists() or canary.read_bytes() != _CANARY or canary.stat().st_mode != before.st_mode:
                found.append("change a file outside")
            if [path.name for path in outside.iterdir()] not in ([], ["canary"]):
                found.append("create a file outside")
            return tuple(found)

        try:
            yield (
                {
                    "port": listener.getsockname()[1],
                    "udp_port": receiver.getsockname()[1],
                    "canary": str(canary),
                    "outside": str(outside),
                    "process": os.getpid(),
                    "program": shutil.which("true") or "/bin/true",
                },
                reached,
            )
        finally:
            shutil.rmtree(outside, ignore_errors=True)
