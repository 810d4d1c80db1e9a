"""What the tests of `mrt top` share: stores with work in them, looks at a moment, and a terminal to watch."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import sqlite3
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from ledger_kit import Clock
from rig.command import Command, Home
from rig.home_setup import ladder

from mrt.config import Config
from mrt.domain import Cost, Timing, Usage
from mrt.ledger import Booking, Progress, Settlement, Store, note_progress, open_store, reserve, settle
from mrt.live.look import Look, Seen, World, look

# Nothing of the machine that runs the tests: all usual ports are one where nobody listens.
NOWHERE = {"LOCAL_LLM_BASE_URL": "http://127.0.0.1:9"}
NOON = 1_800_000_000.0  # 2027-01-15 08:00:00 UTC
PATIENCE_S = 30.0
LEAVE = b"\x1b[?7h\x1b[?25h\x1b[?1049l"
ENTER = b"\x1b[?1049h\x1b[?25l\x1b[?7l"
_SEQUENCE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def boxes(**urls: str) -> dict[str, dict[str, Any]]:
    """One tier per URL, whose text is shown as it comes."""
    tables = ladder(**urls)
    for name in urls:
        tables[f"tiers.{name}"]["think"] = "off"
    return tables


class Work:
    """A store whose calls begin and end when told to."""

    def __init__(self, path: Path) -> None:
        self.clock = Clock(NOON)
        self.path = path
        self.store: Store = open_store(path, self.clock)

    def begin(self, **changes: Any) -> str:
        """A call under way, of this process; the id of its reservation."""
        fields: dict[str, Any] = {
            "operation_id": "01920000-0000-7000-8000-000000000001",
            "attempt": 0,
            "purpose": "ask",
            "tier": "local-fast",
            "endpoint": "ollama",
            "model": "llama3.1:8b",
            "local": True,
            "bound_nano": 0,
        }
        return reserve(self.store, Booking(**fields | changes))

    def hear(self, identifier: str, tokens: int, first: float, last: float) -> None:
        """So many tokens have come, between these seconds after noon."""
        progress = Progress(tokens, round((NOON + first) * 1e6), round((NOON + last) * 1e6))
        assert note_progress(self.store, identifier, progress)

    def end(self, identifier: str, **changes: Any) -> None:
        """It ends: accepted, free, 40 tokens in 1.2 seconds, unless told otherwise."""
        fields: dict[str, Any] = {
            "outcome": "accepted",
            "usage": Usage(12, 40, source="reported"),
            "cost": Cost("free", 0),
            "timing": Timing(200, 1200, 40.0),
        }
        settle(self.store, identifier, Settlement(**fields | changes))

    def orphan(self, identifier: str) -> None:
        """The process that began it is gone."""
        with subprocess.Popen(["true"]) as gone:
            gone.wait()
        self.store.connection.execute("UPDATE calls SET pid = ?, pid_started = 1 WHERE id = ?", (gone.pid, identifier))

    def look(self, seen: Seen | None = None, **changes: Any) -> Look:
        """What `mrt top` sees at this moment, with ten minutes until something is stuck."""
        return look_at(self.path, self.clock.now, seen, **changes)


def look_at(path: Path, now: float, seen: Seen | None = None, **changes: Any) -> Look:
    """One look at the store at `path`, in a zone without surprises."""
    fields: dict[str, Any] = {
        "path": path,
        "environment": {"TZ": "UTC"},
        "config": Config(),
        "now": now,
        "stuck_after_s": 600.0,
        "reports": (),
    }
    return look(World(**fields | changes), seen)


def shown(screen: bytes) -> str:
    """What a terminal was sent, without the sequences that place and colour it."""
    return _SEQUENCE.sub("", screen.decode("utf-8", "replace"))


class Terminal:
    """`mrt` on a pseudo terminal: its keys, its size, and the bytes of its screen."""

    def __init__(self, process: subprocess.Popen[bytes], screen: int) -> None:
        self.process = process
        self._screen = screen
        self.received = b""

    def read_until(self, done: Callable[[bytes], bool]) -> bytes:
        """Everything so far, once `done` says so of it; fails when that takes too long."""
        end = time.monotonic() + PATIENCE_S
        while not done(self.received):
            assert time.monotonic() < end, f"not seen in time; the end of the screen: {shown(self.received)[-3000:]}"
            if not self._read(0.05) and self.process.poll() is not None:
                self._read(0)
                assert done(self.received), f"it ended before: {self.received[-2000:]!r}"
        return self.received

    def picture(self) -> str:
        """The last whole picture."""
        return shown(self.received.rpartition(b"\x1b[?2026h")[2])

    def press(self, keys: bytes) -> None:
        """As if typed."""
        os.write(self._screen, keys)

    def resize(self, columns: int, rows: int) -> None:
        """A window of another size; its process hears of it."""
        fcntl.ioctl(self._screen, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.process.send_signal(signal.SIGWINCH)

    def settings(self) -> list[Any]:
        """How the terminal treats keys."""
        return termios.tcgetattr(self._screen)

    def end(self) -> int:
        """Wait for its end; everything it wrote is in `received`."""
        code = self.process.wait(PATIENCE_S)
        while self._read(0):
            pass
        return code

    def _read(self, seconds: float) -> bool:
        if not select.select([self._screen], [], [], seconds)[0]:
            return False
        with suppress(OSError):  # Linux reports the end of the last writer as one
            data = os.read(self._screen, 65536)
            self.received += data
            return bool(data)
        return False


@contextmanager
def terminal(
    mrt: Command, *arguments: str, size: tuple[int, int] = (100, 30), session: bool = True, **env: str
) -> Iterator[Terminal]:
    """The running command on a terminal of so many columns and rows, in a session of its own or as a job of this process."""
    screen, inner = pty.openpty()
    fcntl.ioctl(screen, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))

    streams = dict.fromkeys(("stdin", "stdout", "stderr"), inner)
    try:
        with mrt.start(*arguments, env=env, session=session, **streams) as process:
            os.close(inner)
            yield Terminal(process, screen)
    finally:
        os.close(screen)


def read_lines(process: subprocess.Popen[bytes], wanted: Callable[[Sequence[str]], bool]) -> list[str]:
    """Whole lines of stdout as they come, until they are as `wanted`."""
    assert process.stdout is not None
    end, text = time.monotonic() + PATIENCE_S, ""
    while not wanted(lines := text.splitlines() if text.endswith("\n") else text.splitlines()[:-1]):
        assert time.monotonic() < end, f"not seen in time: {text!r}"
        if select.select([process.stdout], [], [], 0.05)[0]:
            data = os.read(process.stdout.fileno(), 65536)
            assert data, f"it ended before: {text!r}"
            text += data.decode()
    return lines


def interrupt(process: subprocess.Popen[bytes], number: int = signal.SIGINT) -> int:
    """Send a signal and wait for the end."""
    process.send_signal(number)
    return process.wait(PATIENCE_S)


def store_file(home: Home) -> Path:
    """Where the store of a home is."""
    return home.data / "mrt" / "spend.db"


def until_heard(home: Home) -> None:
    """Until the answer of the only call under way has begun, and its process has noted so."""
    end = time.monotonic() + PATIENCE_S
    with closing(sqlite3.connect(f"{store_file(home).as_uri()}?mode=ro", uri=True)) as connection:
        while not connection.execute(
            "SELECT 1 FROM calls WHERE heard_us IS NOT NULL AND state = 'reserved'"
        ).fetchone():
            assert time.monotonic() < end, "no answer began in time"
