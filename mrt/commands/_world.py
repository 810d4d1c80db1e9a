"""The real world that a job runs in: the spend store, the wire, how long to wait; the same for every verb that asks models."""

from __future__ import annotations

from mrt.cascade import World
from mrt.cascade.verify import run_check
from mrt.commands._wire import real_wire
from mrt.config import AskSettings, Config, store_path
from mrt.errors import StoreError
from mrt.ledger import Store, memory_store, new_id, open_store
from mrt.output import Console
from mrt.providers import Timers, Wire


def open_or_memory(console: Console, loss: str = "going on without it, so nothing is kept") -> Store:
    """The spend store, or one in memory with a warning when it does not work: local work goes on. `loss` says what that means."""
    try:
        return open_store(store_path(console.environment))
    except StoreError as error:
        console.warn(f"{error.message}; {loss}")
        return memory_store()


def timers_of(ask: AskSettings, wire: Wire, seconds: float | None = None, idle: float | None = None) -> Timers:
    """How long to wait by [ask]. `seconds` are for everything together, from now on; None sets no end.

    An `idle` time given by hand is the patience the user has: it holds for the first token too.
    """
    return Timers(
        connect=ask.connect_timeout,
        first_token=ask.first_token_timeout if idle is None else idle,
        idle=ask.idle_timeout if idle is None else idle,
        deadline=None if seconds is None else wire.clock() + seconds,
        retries=ask.retries,
    )


def world_of(
    console: Console, config: Config, store: Store, wire: Wire | None = None, timers: Timers | None = None
) -> World:
    """A world for one operation, which begins now. Without `timers` each question has to have an end of its own."""
    wire = wire or real_wire(console)
    return World(
        config=config,
        environment=console.environment,
        store=store,
        wire=wire,
        timers=timers or timers_of(config.ask, wire),
        run_check=run_check,
        operation=new_id(wire.now()),
        warn=console.warn,
    )
