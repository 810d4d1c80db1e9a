"""The real `mrt` command as a subprocess, through pipes or on a pseudo terminal, in a home of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rig import json_contract

# What a process needs of the machine; keys, base URLs and the user's own settings stay outside.
INHERITED = ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH", "COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG")
TERMINAL_ROWS, TERMINAL_COLUMNS = 24, 80


@dataclass(frozen=True)
class Home:
    """A home folder with nothing in it, and an environment that leads nowhere else."""

    path: Path
    environment: Mapping[str, str]

    @property
    def config(self) -> Path:
        """Where the configuration folder of XDG programs is."""
        return self.path / "config"

    @property
    def data(self) -> Path:
        """Where the data folder of XDG programs is."""
        return self.path / "data"


def make_home(path: Path) -> Home:
    """An empty home at `path`."""
    folders = {f"XDG_{name.upper()}_HOME": str(path / name) for name in ("config", "data", "state", "cache")}
    for folder in folders.values():
        Path(folder).mkdir(parents=True, exist_ok=True)
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    fixed = {"HOME": str(path), "USERPROFILE": str(path), "LANG": "C.UTF-8", "TZ": "UTC", "TERM": "xterm-256color"}
    return Home(path, inherited | folders | fixed)


@dataclass(frozen=True)
class Result:
    """What a finished command left. On a terminal `stdout_bytes` holds both streams, as they came, and stderr is empty."""

    stdout_bytes: bytes
    stderr_bytes: bytes
    exit_code: int

    @property
    def stdout(self) -> str:
        return self.stdout_bytes.decode()

    @property
    def stderr(self) -> str:
        return self.stderr_bytes.decode()


@dataclass(frozen=True)
class Command:
    """Runs `python -m mrt` with the environment of one home; the current folder is that home."""

    home: Home

    def __call__(
        self,
        *arguments: str | Path,
        stdin: str | bytes | None = None,
        env: Mapping[str, str] | None = None,
        tty: bool = False,
        timeout: float = 60.0,
    ) -> Result:
        """Run to the end. `env` is added to the home's environment; without `stdin` there is nothing to read.

        With `tty`, stdout and stderr are one terminal of 24 x 80. Raises subprocess.TimeoutExpired after `timeout` seconds, and
        AssertionError for JSON that is not as its schema says.
        """
        data = stdin.encode() if isinstance(stdin, str) else stdin
        if tty:
            return self._on_terminal(arguments, data, env, timeout)
        source: dict[str, Any] = {"stdin": subprocess.DEVNULL} if data is None else {"input": data}
        done = subprocess.run(
            self._words(arguments),
            capture_output=True,
            timeout=timeout,
            env=self._env(env),
            cwd=self.home.path,
            **source,
        )
        result = Result(done.stdout, done.stderr, done.returncode)
        json_contract.check(arguments, result.stdout)
        return result

    @contextlib.contextmanager
    def start(
        self, *arguments: str | Path, env: Mapping[str, str] | None = None, session: bool = True, **streams: Any
    ) -> Iterator[subprocess.Popen[bytes]]:
        """The running command, for tests that signal it or talk to it; ended with the block, children and all, if need be.

        All three streams are pipes unless `streams` says otherwise. It runs in a process group of its own, and in a
        `session` of its own unless told otherwise: then nobody is there to wake it when it stops.
        """
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE) | streams
        with subprocess.Popen(
            self._words(arguments),
            env=self._env(env),
            cwd=self.home.path,
            start_new_session=session,
            process_group=None if session else 0,
            stdin=pipes["stdin"],
            stdout=pipes["stdout"],
            stderr=pipes["stderr"],
        ) as process:
            try:
                yield process
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)

    def _words(self, arguments: tuple[str | Path, ...]) -> list[str]:
        return [sys.executable, "-m", "mrt", *map(str, arguments)]

    def _env(self, env: Mapping[str, str] | None) -> dict[str, str]:
        return {**self.home.environment, **(env or {})}

    def _on_terminal(
        self, arguments: tuple[str | Path, ...], data: bytes | None, env: Mapping[str, str] | None, timeout: float
    ) -> Result:
        screen, terminal = _terminal()
        streams = {
            "stdin": subprocess.DEVNULL if data is None else subprocess.PIPE,
            "stdout": terminal,
            "stderr": terminal,
        }
        try:
            with self.start(*arguments, env=env, **streams) as process:
                os.close(terminal)
                shown: list[bytes] = []
                reader = threading.Thread(target=_read_screen, args=(screen, shown))
                reader.start()
                process.communicate(data, timeout=timeout)
                reader.join(timeout)
                return Result(b"".join(shown), b"", process.returncode)
        finally:
            os.close(screen)


def _terminal() -> tuple[int, int]:
    """Both ends of a pseudo terminal that shows bytes as they are written."""
    import fcntl
    import pty
    import struct
    import termios

    screen, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", TERMINAL_ROWS, TERMINAL_COLUMNS, 0, 0))
    settings = termios.tcgetattr(terminal)
    settings[1] &= ~termios.OPOST
    termios.tcsetattr(terminal, termios.TCSANOW, settings)
    return screen, terminal


def _read_screen(screen: int, shown: list[bytes]) -> None:
    """Read until the last writer has closed the terminal, which Linux reports as an input/output error."""
    with contextlib.suppress(OSError):
        while data := os.read(screen, 65536):
            shown.append(data)
