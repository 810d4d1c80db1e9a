"""Prompt -> features -> complexity 1..10 -> tier, with reasons."""

from __future__ import annotations

from mrt.router.complexity import Complexity, assess_prompt
from mrt.router.decision import Decision, Engine, Row
from mrt.router.facts import Facts, Known, Money, Pace, Prompt, Rating, Rung, Unknown, Wanted
from mrt.router.ladder import Ladder, decide, first_able
from mrt.router.rules import Contribution

__all__ = [
    "Complexity",
    "Contribution",
    "Decision",
    "Engine",
    "Facts",
    "Known",
    "Ladder",
    "Money",
    "Pace",
    "Prompt",
    "Rating",
    "Row",
    "Rung",
    "Unknown",
    "Wanted",
    "assess_prompt",
    "decide",
    "first_able",
]
