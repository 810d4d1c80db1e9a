"""What the readings of a machine go through: files, drivers, commands. Tests hand in a world of their own."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any

from mrt.frozen import frozen

_COMMAND_TIMEOUT_S = 3.0


def load_nvml() -> Any:
    """NVIDIA's management library for Python; ImportError where the package is missing."""
    import pynvml

    return pynvml


def ram_now() -> tuple[int, int]:
    """RAM of the machine and what of it is available without swapping, in bytes."""
    import psutil

    memory = psutil.virtual_memory()
    return int(memory.total), int(memory.available)


def process_name(pid: int) -> str | None:
    """Name of a running process; None when it has ended or is none of ours to see."""
    import psutil

    try:
        return str(psutil.Process(pid).name())
    except (psutil.Error, ValueError):
        return None


def run_command(command: Sequence[str]) -> str | None:
    """What a command prints; None when it is not there, fails or does not end soon."""
    import subprocess

    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_COMMAND_TIMEOUT_S, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None
    return done.stdout if done.returncode == 0 else None


@frozen
class World:
    """The real machine unless a field says otherwise; `root` is where the file system starts."""

    root: Path = Path("/")
    platform: str = sys.platform
    nvml: Callable[[], Any] = load_nvml
    ram: Callable[[], tuple[int, int]] = ram_now
    process_name: Callable[[int], str | None] = process_name
    run: Callable[[Sequence[str]], str | None] = run_command
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)

    def text(self, path: str) -> str | None:
        """A small file below the root, stripped; None when it cannot be read."""
        try:
            return (self.root / path).read_text(encoding="utf-8", errors="replace").strip()
        except OSError:
            return None

    def number(self, path: str) -> int | None:
        """A file that holds one whole number; None when it cannot be read or holds another thing."""
        text = self.text(path)
        return int(text) if text is not None and text.isdecimal() else None
