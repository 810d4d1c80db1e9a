"""What one run of `mrt top` keeps between two looks: the configuration, the endpoints' reports, the log."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

from mrt.commands._wire import real_wire
from mrt.config import Config, load, store_path
from mrt.endpoints.place import Place, places
from mrt.errors import ConfigError, MrtError
from mrt.live.look import HISTORY, Look, Seen, World, look
from mrt.live.lookout import NEAR_EVERY_S, Lookout
from mrt.live.snapshot import Happening
from mrt.output import Console


class Watch:
    """Look after look. A request is stuck from the age of `stuck_after_s` on; between two visits are `least_s` at least."""

    def __init__(self, console: Console, stuck_after_s: float, least_s: float = 0.0) -> None:
        self._console = console
        self._stuck_after_s = stuck_after_s
        # What a connection has to note would be written across the screen.
        self._wire = replace(real_wire(console), note=_say_nothing)
        self._lookout = Lookout(self._wire, least_s)
        self._read_at: float | None = None
        self._config: Config | None = None
        self._errors: tuple[MrtError, ...] = ()
        self._places: tuple[Place, ...] = ()
        self._seen: Seen | None = None
        self._log: deque[Happening] = deque(maxlen=HISTORY)

    def visit(self, *, wait: bool = False) -> None:
        """Send for the endpoints whose turn it is; with `wait` until they have answered."""
        self._configure()
        self._lookout.visit(self._places)
        if wait:
            self._lookout.wait()

    def look(self) -> Look:
        """The next look, with the log so far."""
        self._configure()
        world = World(
            path=store_path(self._console.environment),
            environment=self._console.environment,
            config=self._config,
            now=self._wire.now(),
            stuck_after_s=self._stuck_after_s,
            reports=self._lookout.reports(self._places),
            named=frozenset(place.name for place in self._places if place.named),
            errors=self._errors,
        )
        found = look(world, self._seen)
        self._seen = found.seen
        if found.before:
            self._log.clear()
        self._log.extend(one for one in (*found.before, *found.fresh) if one.kind != "started")
        return replace(found, snapshot=replace(found.snapshot, last=tuple(reversed(self._log))))

    def _configure(self) -> None:
        """Read the configuration again now and then: budgets and endpoints may be changed while somebody watches."""
        now = self._wire.clock()
        if self._read_at is not None and now - self._read_at < NEAR_EVERY_S:
            return
        self._read_at = now
        try:
            self._config = load(self._console.environment, self._console.config_path)
            self._places = places(self._config, self._console.environment)
            self._errors = ()
        except ConfigError as error:
            self._errors = (error,)


def _say_nothing(_: str) -> None:
    pass
