"""Run the steps of the demo one after the other, as child processes of the real command."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from mrt.demo.steps import Step
from mrt.demo.world import World
from mrt.errors import MrtError, TimedOut
from mrt.frozen import frozen

LONGEST_S = 60.0
Process = subprocess.Popen[bytes]


@frozen
class Played:
    """A step and what came of it. With merged streams `stdout` holds both, in the order in which they were written."""

    step: Step
    exit_code: int
    stdout: str
    stderr: str
    seconds: float


def command_line(step: Step) -> str:
    """The command as it is typed, in any shell: nothing in the words means something within double quotes."""
    source = f" < {step.stdin}" if step.stdin else ""
    words = (word if re.fullmatch(r"[\w.:/=-]+", word) else f'"{word}"' for word in step.words)
    return f"mrt {' '.join(words)}{source}"


def play(steps: Sequence[Step], world: World, *, merged: bool) -> Iterator[Played]:
    """Each step as it ends; a step that ends with another exit code than it should is the last.

    Raises TimedOut when a command takes longer than `LONGEST_S`.
    """
    for step in steps:
        played = _run(step, world, merged)
        yield played
        if played.exit_code != step.code:
            return


def failure(played: Played) -> MrtError | None:
    """What to say of a step that went wrong."""
    if played.exit_code == played.step.code:
        return None
    return MrtError(
        f"`{command_line(played.step)}` ended with exit code {played.exit_code} instead of {int(played.step.code)}",
        "mrt doctor examines this machine; the demo needs nothing but loopback connections and a temporary folder",
    )


def _run(step: Step, world: World, merged: bool) -> Played:
    """In a thread, since a signal is raised in the main one, where it could get in between a process and its name."""
    started: Future[Process] = Future()
    with ThreadPoolExecutor(1) as pool:
        try:
            return pool.submit(_communicate, step, world, merged, started).result()
        except BaseException:
            started.add_done_callback(_kill)
            raise


def _communicate(step: Step, world: World, merged: bool, started: Future[Process]) -> Played:
    start = time.monotonic()
    with subprocess.Popen(
        [sys.executable, "-m", "mrt", *step.words],
        stdin=subprocess.PIPE if step.stdin else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if merged else subprocess.PIPE,
        env=dict(world.environment),
        cwd=world.folder,
    ) as process:
        started.set_result(process)
        try:
            source = (world.folder / step.stdin).read_bytes() if step.stdin else None
            out, err = process.communicate(source, LONGEST_S)
        except subprocess.TimeoutExpired as error:
            process.kill()
            raise TimedOut(f"`{command_line(step)}` took longer than {LONGEST_S:g} s") from error
    return Played(step, process.returncode, _text(out), _text(err), time.monotonic() - start)


def _kill(started: Future[Process]) -> None:
    started.result().kill()


def _text(stream: bytes | None) -> str:
    return (stream or b"").decode("utf-8", "replace").replace("\r\n", "\n")
