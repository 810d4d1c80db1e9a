"""`mrt top` itself: one picture, a screen that is drawn anew, or a line for each event."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress

from mrt.budget import zone
from mrt.commands._top_watch import Watch
from mrt.errors import ExitCode, UsageError
from mrt.frozen import frozen
from mrt.live.happenings import under_way
from mrt.live.look import Look
from mrt.live.snapshot import Happening
from mrt.output import Console
from mrt.output.console import is_terminal

INTERVAL_S = 1.0
STUCK_MINUTES = 10.0
SHOWN_ONCE = 20
_BELL = "\a"


@frozen
class Options:
    """The command line of `mrt top`, as parsed; `stuck` is in minutes, `interval` in seconds."""

    once: bool
    stream_json: bool
    interval: float | None
    stuck: float
    bell: bool


def show(console: Console, options: Options) -> int:
    """One picture, or look after look until somebody ends it."""
    _refuse_contradictions(console, options)
    interval = INTERVAL_S if options.interval is None else options.interval
    if options.once or console.mode == "json":
        return once(console, Watch(console, 60 * options.stuck))
    watch = Watch(console, 60 * options.stuck, interval)
    try:
        if options.stream_json or not _has_screen(console):
            follow(console, watch, options, interval)
        else:
            from mrt.commands._top_screen import redraw

            redraw(console, watch, options, interval)
    except KeyboardInterrupt as interruption:
        # Ctrl-C is how one leaves; any other signal is told like everywhere.
        if getattr(interruption, "number", None) is not None:
            raise
        return ExitCode.INTERRUPTED
    return ExitCode.OK


def _refuse_contradictions(console: Console, options: Options) -> None:
    if options.stream_json and (options.once or console.mode == "json"):
        other = "--once" if options.once else "--json"
        raise UsageError(f"{other} and --stream-json contradict each other", "leave one of them out")


def _has_screen(console: Console) -> bool:
    return os.name == "posix" and is_terminal(console.stdout) and console.environment.get("TERM") != "dumb"


def once(console: Console, watch: Watch) -> int:
    """All that is known, as a text or as JSON. Ends with the code of what could not be read, if anything."""
    from dataclasses import replace

    watch.visit(wait=True)
    found = watch.look()
    snapshot = replace(found.snapshot, last=found.snapshot.last[:SHOWN_ONCE])
    if console.mode == "json":
        from mrt.output.top_data import top_data

        console.envelope("top", top_data(snapshot), found.errors)
    else:
        from mrt.output.top import top_text

        console.result(top_text(snapshot))
        for error in found.errors:
            console.failure(error)
    return int(found.errors[0].exit_code) if found.errors else ExitCode.OK


def follow(console: Console, watch: Watch, options: Options, interval: float) -> None:
    """A line for each event, as it happens; first for what is under way. What cannot be read is said once."""
    said: tuple[str, ...] = ()
    first = True
    while True:
        watch.visit()
        found = watch.look()
        said = _say(console, found, said)
        _tell(console, found, [*_running(found), *found.fresh] if first else found.fresh)
        ring(console, options, found.fresh)
        first = False
        pause(console, interval)


def _running(found: Look) -> list[Happening]:
    return [under_way(flight) for flight in found.snapshot.flights or ()]


def _say(console: Console, found: Look, said: tuple[str, ...]) -> tuple[str, ...]:
    for error in found.errors:
        if error.message not in said:
            console.warn(error.message)
    return tuple(error.message for error in found.errors)


def _tell(console: Console, found: Look, happenings: Iterable[Happening]) -> None:
    if console.mode == "stream-json":
        from mrt.output.top_data import happening_data

        for one in happenings:
            data = happening_data(one)
            console.event(data.pop("event"), data)
        return
    from mrt.output.top_lines import event_line

    place = zone(found.snapshot.timezone)
    for one in happenings:
        console.result(event_line(one, place))


def pause(console: Console, seconds: float) -> None:
    """Until the next look. Raises BrokenPipeError as soon as nobody reads any more, also while nothing happens."""
    try:
        number = console.stdout.fileno()
        poll = select.poll()
    except (OSError, ValueError, AttributeError):
        time.sleep(seconds)
        return
    poll.register(number, 0)
    if poll.poll(1000 * seconds):
        raise BrokenPipeError


def ring(console: Console, options: Options, fresh: Sequence[Happening]) -> None:
    """The terminal's bell, when something happened that a person should see to."""
    stream = next((one for one in (console.stdout, console.stderr) if is_terminal(one)), None)
    if options.bell and stream is not None and any(one.alarming for one in fresh):
        with suppress(OSError):
            stream.write(_BELL)
            stream.flush()
