"""Tiers in turn until a reply is accepted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mrt.lazy import exports

if TYPE_CHECKING:
    from mrt.cascade.events import Chunk, Escalated, Event, Finished, Reasoning, Refused, Result, Retracted, Started
    from mrt.cascade.job import Job, Step, Wish, World
    from mrt.cascade.side import SideAnswer, SideQuestion, side_call
    from mrt.cascade.turns import run

__all__ = [
    "Chunk",
    "Escalated",
    "Event",
    "Finished",
    "Job",
    "Reasoning",
    "Refused",
    "Result",
    "Retracted",
    "SideAnswer",
    "SideQuestion",
    "Started",
    "Step",
    "Wish",
    "World",
    "run",
    "side_call",
]

__getattr__ = exports(
    __name__,
    events="Chunk Escalated Event Finished Reasoning Refused Result Retracted Started",
    job="Job Step Wish World",
    turns="run",
    side="SideAnswer SideQuestion side_call",
)
