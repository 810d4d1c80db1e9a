"""What `mrt route` asks of models when it is told to: a rating of the prompt, a plan of its parts."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from mrt.cascade import World
from mrt.cascade.assess import opinion
from mrt.cascade.facts import Asking, Circumstances, ladder_of
from mrt.cascade.plan import plan
from mrt.commands._wire import real_wire
from mrt.commands._world import open_or_memory, timers_of, world_of
from mrt.ledger import Store
from mrt.output import Console
from mrt.router.facts import Prompt, Rating

if TYPE_CHECKING:
    from mrt.router.planning import PlannedTask


def rating_for(
    console: Console, asking: Asking, prompt: Prompt, named: str | None, around: Circumstances
) -> Rating | None:
    """The assessor's rating, booked under its purpose; None when it is not due."""
    rungs, facts = ladder_of(asking, around)
    with closing(open_or_memory(console)) as store, console.waiting("the assessor rates the prompt ..."):
        return opinion(prompt, named, rungs, facts, _world(console, store, around)).rating


def plan_for(console: Console, text: str, around: Circumstances) -> Sequence[PlannedTask]:
    """The planner's parts of the task, each with its tier."""
    with closing(open_or_memory(console)) as store, console.waiting("the planner breaks the task down ..."):
        return plan(text, around, _world(console, store, around)).parts


def _world(console: Console, store: Store, around: Circumstances) -> World:
    wire = real_wire(console)
    timers = timers_of(around.config.ask, wire, around.config.ask.timeout)
    return world_of(console, around.config, store, wire, timers)
