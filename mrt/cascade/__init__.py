"""Tiers in turn until a reply is accepted."""

from mrt.cascade.events import Chunk, Escalated, Event, Finished, Reasoning, Refused, Result, Retracted, Started
from mrt.cascade.job import Job, Step, Wish, World
from mrt.cascade.run import run
from mrt.cascade.side import SideAnswer, SideQuestion, side_call

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
