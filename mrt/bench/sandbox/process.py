"""Start the child, feed it, collect what it writes within the wall clock, and leave nothing of it behind."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import mrt
from mrt.bench.sandbox import scratch
from mrt.bench.sandbox.exchange import Bounds, Pipes, exchange
from mrt.bench.sandbox.messages import read_messages, results_of
from mrt.errors import SandboxError

__all__ = ["Ended", "Limits", "Walls", "readable_paths", "results_of", "run_child"]
from mrt.frozen import frozen

MEBIBYTE = 1024**2
MOST_THREADS = 256
# Where the package itself lies: the one thing that the child reads before the walls stand.
ROOT = str(Path(mrt.__file__).resolve().parents[1])
_BOOT = (
    "import sys; sys.path.insert(0, sys.argv[3]); from mrt.bench.sandbox.child import main; "
    "main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])"
)


@frozen
class Limits:
    """What one run may use: seconds of CPU and of the wall clock, bytes of memory, of a file, of results."""

    cpu_seconds: int = 5
    wall_seconds: float = 10.0
    memory_bytes: int = 512 * MEBIBYTE
    file_bytes: int = 8 * MEBIBYTE
    result_bytes: int = 8 * MEBIBYTE


@frozen
class Walls:
    """Which layers to put up around the child, and what to put in front of its command (bubblewrap, a container).

    In the words of `wrapper`, {scratch} and {package} stand for the run's own folder and for this package's. `package` is where
    the package lies for the child: in a container, which is spoken to over its standard streams, somewhere else than here.
    """

    landlock: bool = True
    seccomp: bool = True
    landlock_at_most: int | None = None
    wrapper: tuple[str, ...] = ()
    container: bool = False
    package: str = ROOT


@frozen
class Ended:
    """What came of one run: the child's messages in order, how it ended, and whether a limit ended it."""

    messages: tuple[dict[str, Any], ...]
    exit_code: int
    timed_out: bool
    flooded: bool
    seconds: float


def run_child(orders: Mapping[str, Any], walls: Walls, limits: Limits) -> Ended:
    """One child from start to end; `orders` without its walls, which are added here. Raises SandboxError where none can start."""
    with contextlib.ExitStack() as held:
        place = held.enter_context(scratch.folder())
        whole = json.dumps({**orders, "walls": _walls(walls, limits, place)}).encode()
        started = time.monotonic()
        child, pipes = _started(walls, place, held)
        bounds = Bounds(started + limits.wall_seconds, limits.result_bytes, lambda: _takes_too_much(child.pid, place))
        found = exchange(whole, pipes, bounds)
    messages = tuple(read_messages(found.data))
    return Ended(messages, child.returncode, found.timed_out, found.flooded, time.monotonic() - started)


def _started(walls: Walls, place: str, held: contextlib.ExitStack) -> tuple[subprocess.Popen[bytes], Pipes]:
    """The child and our ends of its pipes; leaving `held` ends it. Our end for the orders is closed by the exchange."""
    orders_read, orders_write = os.pipe()
    results_read, results_write = os.pipe()
    held.callback(os.close, results_read)
    try:
        child = _start(walls, place, orders_read, results_write)
    except BaseException as error:
        os.close(orders_write)
        if isinstance(error, OSError):
            raise SandboxError(f"no child can be started: {error}", "`mrt bench doctor` shows the layers") from None
        raise
    finally:
        os.close(orders_read)
        os.close(results_write)
    held.callback(_end, child)
    return child, Pipes(orders_write, results_read)


def _takes_too_much(process: int, place: str) -> bool:
    """Files by their number, and threads: what the kernel's own limits do not count, or not for root."""
    return scratch.overfull(place) or _threads(process) > MOST_THREADS


def _threads(process: int) -> int:
    try:
        return int(Path(f"/proc/{process}/stat").read_bytes().rpartition(b")")[2].split()[17])
    except (OSError, IndexError, ValueError):
        return 0  # ended, or a system that does not tell


def _walls(walls: Walls, limits: Limits, place: str) -> dict[str, Any]:
    return {
        "landlock": walls.landlock,
        "seccomp": walls.seccomp,
        "landlock_at_most": walls.landlock_at_most,
        "readable": readable_paths(),
        "scratch": place,
        "cpu_seconds": limits.cpu_seconds,
        "memory_bytes": limits.memory_bytes,
        "file_bytes": limits.file_bytes,
    }


def readable_paths(package: str = ROOT) -> list[str]:
    """What computing in Python reads: the interpreter's own library, shared libraries, time zones; nothing under home else.

    Where `package` is installed beneath one of these, it is left out: the answers to the bench's tasks lie in it.
    """
    own = {sys.base_prefix, sys.base_exec_prefix}
    folders = [*(f"{prefix}/lib" for prefix in sorted(own)), "/usr/lib", "/usr/lib64", "/lib", "/lib64"]
    return [
        *(path for folder in folders for path in _without(folder, Path(package).resolve())),
        "/usr/share/zoneinfo",
        *("/dev/null", "/dev/urandom", "/dev/random", "/etc/localtime", "/etc/ld.so.cache"),
    ]


def _without(folder: str, hidden: Path) -> Iterator[str]:
    """The folder, or its parts beside the way to `hidden` when that lies within."""
    place = Path(folder).resolve()
    if not hidden.is_relative_to(place):
        yield folder
    elif hidden != place:
        for part in sorted(Path(folder).iterdir()):
            yield from _without(str(part), hidden)


def _start(walls: Walls, place: str, orders: int, results: int) -> subprocess.Popen[bytes]:
    filled = {"{scratch}": place, "{package}": f"{ROOT}/mrt"}
    wrapper = [_filled(word, filled) for word in walls.wrapper]
    streams = (0, 1) if walls.container else (orders, results)
    python = "python" if walls.container else sys.executable
    return subprocess.Popen(
        [*wrapper, python, "-I", "-S", "-B", "-c", _BOOT, *map(str, streams), walls.package],
        stdin=orders if walls.container else subprocess.DEVNULL,
        stdout=results if walls.container else subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=() if walls.container else (orders, results),
        cwd=place,
        env=None if walls.container else {"PATH": "/usr/bin:/bin", "PYTHONHASHSEED": "0", "TMPDIR": place},
        start_new_session=True,
    )


def _filled(word: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        word = word.replace(name, value)
    return word


def _end(child: subprocess.Popen[bytes]) -> None:
    """Nothing outlives the run: the whole session is killed, whether it had ended or not."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
