"""The live view on a terminal: drawn in place on a screen of its own, which is gone when it ends, however it ends."""

from __future__ import annotations

import os
import select
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, NamedTuple

from mrt.commands._top_show import Options, ring
from mrt.commands._top_watch import Watch
from mrt.output import Console
from mrt.output.console import is_terminal
from mrt.output.top import screen
from mrt.output.top_paint import painted

# Another screen, no cursor, and no wrapping where a terminal takes a character for wider than it is.
ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l"
LEAVE = "\x1b[?7h\x1b[?25h\x1b[?1049l"
QUIT = b"qQ"
_USUAL_SIZE = (80, 24)


class _Keyboard(NamedTuple):
    """Where keys are read, and how its terminal treated them before."""

    number: int
    settings: list[Any]


def redraw(console: Console, watch: Watch, options: Options, interval: float) -> None:
    """Draw, look, draw, until `q` or a signal."""
    with ExitStack() as stack:
        bell = stack.enter_context(_signals())
        # First what stops a process in the background, before it takes the screen from the one in front.
        keyboard = stack.enter_context(_keys(console))
        stack.enter_context(_own_screen(console))
        first = True
        while True:
            found = watch.look()
            draw(console, found.snapshot)
            ring(console, options, found.fresh)
            watch.visit()
            # The first answers of the endpoints are worth an early look.
            until = time.monotonic() + (min(interval, 0.3) if first else interval)
            if _quits(console, bell, keyboard, until, found.snapshot):
                return
            first = False


def draw(console: Console, snapshot: Any) -> None:
    """One picture over the last one, in one write."""
    room = size(console)
    console.stdout.write(painted(screen(snapshot, *room), room, console.color(console.stdout)))
    console.stdout.flush()


def size(console: Console) -> tuple[int, int]:
    """Columns and lines of the terminal."""
    try:
        columns, lines = os.get_terminal_size(console.stdout.fileno())
    except (OSError, ValueError):
        return _USUAL_SIZE
    return columns or _USUAL_SIZE[0], lines or _USUAL_SIZE[1]


def _quits(console: Console, bell: socket.socket, keyboard: _Keyboard | None, until: float, snapshot: Any) -> bool:
    """Wait for the next look; True for a key that ends it. A changed size is drawn at once."""
    sources: list[Any] = [bell] if keyboard is None else [bell, keyboard.number]
    while (left := until - time.monotonic()) > 0:
        ready = select.select(sources, [], [], left)[0]
        if bell in ready:
            if signal.SIGTSTP in bell.recv(4096):
                _rest(console, keyboard)
            draw(console, snapshot)
        if keyboard is not None and keyboard.number in ready and _is_end(os.read(keyboard.number, 1024)):
            return True
    return False


def _is_end(pressed: bytes) -> bool:
    return not pressed or any(key in pressed for key in QUIT)


@contextmanager
def _own_screen(console: Console) -> Iterator[None]:
    console.stdout.write(ENTER)
    console.stdout.flush()
    try:
        yield
    finally:
        with suppress(OSError, ValueError):
            console.stdout.write(LEAVE)
            console.stdout.flush()


@contextmanager
def _keys(console: Console) -> Iterator[_Keyboard | None]:
    """Keys as they are pressed, and not shown; None where there is no keyboard."""
    if console.stdin is None or not is_terminal(console.stdin):
        yield None
        return
    import termios
    import tty

    number = console.stdin.fileno()
    keyboard = _Keyboard(number, termios.tcgetattr(number))
    tty.setcbreak(number, termios.TCSANOW)
    try:
        yield keyboard
    finally:
        with suppress(termios.error):
            termios.tcsetattr(number, termios.TCSANOW, keyboard.settings)


@contextmanager
def _signals() -> Iterator[socket.socket]:
    """A socket with the number of each signal: a changed size, and Ctrl-Z, which must not write into a picture half drawn."""
    ear, bell = socket.socketpair()
    for end in (ear, bell):
        end.setblocking(False)
    wakeup = signal.set_wakeup_fd(bell.fileno(), warn_on_full_buffer=False)
    before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGWINCH, signal.SIGTSTP)}
    try:
        yield ear
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(wakeup)
        ear.close()
        bell.close()


def _rest(console: Console, keyboard: _Keyboard | None) -> None:
    """Ctrl-Z: give the terminal back as it was, and take it again when work goes on."""
    import termios
    import tty

    console.stdout.write(LEAVE)
    console.stdout.flush()
    if keyboard is not None:
        termios.tcsetattr(keyboard.number, termios.TCSANOW, keyboard.settings)
    _stop()
    if keyboard is not None:
        tty.setcbreak(keyboard.number, termios.TCSANOW)
    console.stdout.write(ENTER)
    console.stdout.flush()


def _stop() -> None:
    """Stop as any program does that does not mind Ctrl-Z: not at all where no shell is there to wake it again."""
    import threading

    ours = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
    signal.pthread_kill(threading.get_ident(), signal.SIGTSTP)  # unlike `os.kill` it is over when this returns
    signal.signal(signal.SIGTSTP, ours)
