"""What `mrt route` asks of models when it is told to: a rating of the prompt, a plan of its parts."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from mrt.cascade import World
from mrt.cascade.assess import opinion
from mrt.cascade.facts import Asking, Circumstances, ladder_of
from mrt.cascade.plan import plan
from mrt.cascade.verify import run_check
from mrt.commands._wire import real_wire
from mrt.config import store_path
from mrt.errors import StoreError
from mrt.ledger import Store, memory_store, new_id, open_store
from mrt.output import Console
from mrt.providers import Timers
from mrt.router.facts import Prompt, Rating

if TYPE_CHECKING:
    from mrt.router.planning import PlannedTask


def rating_for(
    console: Console, asking: Asking, prompt: Prompt, named: str | None, around: Circumstances
) -> Rating | None:
    """The assessor's rating, booked under its purpose; None when it is not due."""
    rungs, facts = ladder_of(asking, around)
    with closing(_store(console)) as store:
        return opinion(prompt, named, rungs, facts, _world(console, store, around)).rating


def plan_for(console: Console, text: str, around: Circumstances) -> Sequence[PlannedTask]:
    """The planner's parts of the task, each with its tier."""
    with closing(_store(console)) as store:
        return plan(text, around, _world(console, store, around)).parts


def _store(console: Console) -> Store:
    try:
        return open_store(store_path(console.environment))
    except StoreError as error:
        console.warn(f"{error.message}; going on without it, so nothing is kept")
        return memory_store()


def _world(console: Console, store: Store, around: Circumstances) -> World:
    ask = around.config.ask
    wire = real_wire(console)
    deadline = wire.clock() + ask.timeout
    timers = Timers(ask.connect_timeout, ask.first_token_timeout, ask.idle_timeout, deadline, ask.retries)
    operation = new_id(time.time())
    return World(around.config, around.environment, store, wire, timers, run_check, operation, console.warn)
