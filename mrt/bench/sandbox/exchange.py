"""The two pipes between grader and child: orders go in, results come out, until the end, a limit, or too much of anything."""

from __future__ import annotations

import contextlib
import os
import select
import time
from collections.abc import Callable

from mrt.frozen import frozen

_PIECE = 65536
# How often it is looked at what a running child takes: most runs end before the first time.
_WATCH_EVERY = 0.1


@frozen
class Pipes:
    """The parent's ends."""

    orders: int
    results: int


@frozen
class Bounds:
    """When to stop: the clock's time, the bytes of results, and whether the child takes too much of what no limit counts."""

    deadline: float
    result_bytes: int
    too_much: Callable[[], bool]


@frozen
class Exchanged:
    """What came, and whether the clock or a flood ended it."""

    data: bytes
    timed_out: bool = False
    flooded: bool = False


def exchange(orders: bytes, pipes: Pipes, bounds: Bounds) -> Exchanged:
    """Write the orders while reading results, so that neither waits for the other's full pipe; closes the pipe for orders."""
    os.set_blocking(pipes.orders, False)
    pending, collected = memoryview(orders), bytearray()
    waiting = select.poll()
    waiting.register(pipes.results, select.POLLIN)
    waiting.register(pipes.orders, select.POLLOUT)
    with contextlib.ExitStack() as writing:
        writing.callback(os.close, pipes.orders)
        next_look = time.monotonic() + _WATCH_EVERY
        while True:
            now = time.monotonic()
            if now >= bounds.deadline:
                return Exchanged(bytes(collected), timed_out=True)
            if now >= next_look:
                next_look = now + _WATCH_EVERY
                if bounds.too_much():
                    return Exchanged(bytes(collected), flooded=True)
            ready = dict(waiting.poll(1000 * (min(bounds.deadline, next_look) - now) + 1))
            if pipes.orders in ready and pending:
                pending = _written(pipes.orders, pending)
                if not pending:
                    waiting.unregister(pipes.orders)
                    writing.close()
            if pipes.results in ready:
                piece = os.read(pipes.results, _PIECE)
                collected += piece
                if not piece:
                    return Exchanged(bytes(collected))
                if len(collected) > bounds.result_bytes:
                    return Exchanged(bytes(collected), flooded=True)


def _written(pipe: int, pending: memoryview) -> memoryview:
    """What is left to write; nothing for a child that reads no more."""
    with contextlib.suppress(BlockingIOError):
        try:
            return pending[os.write(pipe, pending[:_PIECE]) :]
        except BrokenPipeError:
            return pending[:0]
    return pending
