"""Standard input and output for the protocol alone: a line is a message, and whatever else is printed goes to stderr."""

from __future__ import annotations

import asyncio
import os
import queue
import select
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

from mrt.errors import UsageError

_PIECE = 65536


class Ends(NamedTuple):
    """Descriptors of the protocol's two directions."""

    incoming: int
    outgoing: int


@contextmanager
def claimed() -> Iterator[Ends]:
    """Both directions, out of everybody else's reach: meanwhile 0 is empty, and what is written to 1 comes out at 2.

    Raises UsageError where one is closed.
    """
    if None in (sys.stdin, sys.stdout):  # so they are where the process began without; the numbers may be in use since
        raise UsageError("stdin or stdout is closed", "a client starts `mrt mcp` with a pipe on both")
    _fill_standard()
    ends = Ends(os.dup(0), os.dup(1))
    sys.stdout.flush()
    _point(0, os.open(os.devnull, os.O_RDONLY))
    _point(1, os.dup(2))
    try:
        yield ends
    finally:
        sys.stdout.flush()
        # The copies stay open: a thread may still wait for a line, or be writing one.
        os.dup2(ends.outgoing, 1)
        os.dup2(ends.incoming, 0)


def _fill_standard() -> None:
    """Leave no number up to 2 free, which the next file to be opened would get, and with it what is meant for stderr."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)


def _point(descriptor: int, to: int) -> None:
    os.dup2(to, descriptor)
    os.close(to)


class LinesIn:
    """Lines as they come, to iterate over in the event loop; `end` ends them from outside.

    The thread that waits for them is left behind when the process ends: nothing else gets it out of a read.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._loop = asyncio.get_running_loop()
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        threading.Thread(target=self._read, name="mcp-stdin", daemon=True).start()

    def end(self) -> None:
        """As if the other side had closed its end."""
        self._lines.put_nowait(None)

    def __aiter__(self) -> LinesIn:
        return self

    async def __anext__(self) -> str:
        line = await self._lines.get()
        if line is None:
            raise StopAsyncIteration
        return line

    def _read(self) -> None:
        rest = b""
        with suppress(RuntimeError):  # the loop is closed
            while data := self._piece():
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    self._tell(line)
            self._tell(rest)
            self._loop.call_soon_threadsafe(self.end)

    def _piece(self) -> bytes:
        try:
            return os.read(self._descriptor, _PIECE)
        except OSError:
            return b""

    def _tell(self, line: bytes) -> None:
        if line.strip():
            self._loop.call_soon_threadsafe(self._lines.put_nowait, line.decode("utf-8", "replace"))


class LinesOut:
    """Writes lines, each whole, without keeping the event loop from its work. `broken` is called when nobody reads them."""

    def __init__(self, descriptor: int, broken: Callable[[], None]) -> None:
        self._descriptor = descriptor
        self._broken = broken
        self._loop = asyncio.get_running_loop()
        self._waiting: queue.SimpleQueue[tuple[bytes, asyncio.Future[None]]] = queue.SimpleQueue()
        threading.Thread(target=self._write_all, name="mcp-stdout", daemon=True).start()

    def put(self, text: str) -> asyncio.Future[None]:
        """Hand over a line; the future is done when it is written. What cannot be written any more is dropped."""
        done: asyncio.Future[None] = self._loop.create_future()
        self._waiting.put((text.encode("utf-8", "replace"), done))
        return done

    def is_read(self) -> bool:
        """Whether somebody holds the other end; False where that cannot be told."""
        if not hasattr(select, "poll"):
            return False
        poll = select.poll()
        poll.register(self._descriptor, 0)
        return not poll.poll(0)

    def _write_all(self) -> None:
        with suppress(RuntimeError):  # the loop is closed
            while True:
                data, done = self._waiting.get()
                try:
                    while data:
                        data = data[os.write(self._descriptor, data) :]
                except OSError:
                    self._loop.call_soon_threadsafe(self._broken)
                self._loop.call_soon_threadsafe(_resolve, done)


def _resolve(done: asyncio.Future[None]) -> None:
    if not done.done():
        done.set_result(None)
