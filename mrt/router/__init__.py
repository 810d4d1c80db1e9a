"""Prompt -> features -> complexity 1..10 -> tier, with reasons."""

from mrt.router.decision import Decision, Rung, decide
from mrt.router.rules import Contribution, contributions

__all__ = ["Contribution", "Decision", "Rung", "contributions", "decide"]
