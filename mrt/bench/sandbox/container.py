"""A container in front of the child: for machines whose kernel gives the base layers to nobody, and for who wants more."""

from __future__ import annotations

import math
import shutil
import subprocess

from mrt.bench.sandbox.process import Limits, Walls
from mrt.errors import SandboxError

IMAGE = "python:3.12-slim"
PACKAGE = "/package"


def walls(engine: str, limits: Limits) -> Walls:
    """Walls made of a container. Raises SandboxError when the engine is not there or does not answer."""
    if not installed(engine):
        raise SandboxError(f"{engine} is not installed", "`mrt bench doctor` shows what is here")
    if not works(engine):
        raise SandboxError(f"{engine} does not answer", f"`{engine} info` shows why")
    return Walls(False, False, wrapper=command(engine, limits), container=True, package=PACKAGE)


def command(engine: str, limits: Limits) -> tuple[str, ...]:
    """The words in front of the interpreter's arguments: no network, nothing writable but a small scratch, no privilege."""
    return (
        *(engine, "run", "--rm", "--interactive", "--network", "none", "--read-only", "--cap-drop", "ALL"),
        *("--security-opt", "no-new-privileges", "--pids-limit", "64", "--user", "65534:65534"),
        *("--memory", str(limits.memory_bytes), "--memory-swap", str(limits.memory_bytes)),
        *("--tmpfs", f"/tmp:rw,size={limits.file_bytes * 4},mode=1777", "--workdir", "/tmp"),  # noqa: S108 - inside
        # The sandbox alone: the answers to the bench's tasks lie beside it in the package.
        *("--volume", "{package}/bench/sandbox:" + PACKAGE + "/mrt/bench/sandbox:ro", IMAGE),
        # Ending the engine's client does not end the container: this does, from within, where the program cannot reach it.
        *("timeout", "-s", "KILL", str(math.ceil(limits.wall_seconds) + 5)),
    )


def installed(engine: str) -> bool:
    """Whether the engine's program is there; its service may still not run."""
    return shutil.which(engine) is not None


def works(engine: str) -> bool:
    """Whether the engine is installed and answers."""
    program = shutil.which(engine)
    if program is None:
        return False
    try:
        return subprocess.run([program, "info"], capture_output=True, timeout=10).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
