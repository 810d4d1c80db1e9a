"""The parts of a task as a planner listed them, each with its own complexity and tier."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

# A plan is for a person to read; what comes after so many parts is no plan any more.
MOST_PARTS = 20
_LONGEST_PART = 2000


class PlannedTask(NamedTuple):
    """One part of a task; the last may be a review, which the planner does itself."""

    task: str
    complexity: float
    tier: str
    model: str
    review: bool = False


def parts_of(answer: str) -> tuple[str, ...]:
    """The parts in a planner's answer: a JSON list of texts or of objects with a "task". ValueError when there is none."""
    for start in (place for place, letter in enumerate(answer[:100_000]) if letter == "["):
        try:
            value, _ = json.JSONDecoder().raw_decode(answer, start)
        except (ValueError, RecursionError):
            continue
        parts = tuple(part for item in value[:MOST_PARTS] if (part := _text(item)))
        if parts:
            return parts
    raise ValueError("no JSON list of parts")


def _text(item: Any) -> str:
    text = item.get("task") if isinstance(item, dict) else item
    return " ".join(text.split())[:_LONGEST_PART] if isinstance(text, str) else ""


def rating_of(answer: str) -> float:
    """The number from 1 to 10 under "complexity" in an assessor's answer. ValueError when there is none."""
    for start in (place for place, letter in enumerate(answer[:100_000]) if letter == "{"):
        try:
            value, _ = json.JSONDecoder().raw_decode(answer, start)
        except (ValueError, RecursionError):
            continue
        rating = value.get("complexity")
        if isinstance(rating, int | float) and not isinstance(rating, bool) and 1 <= rating <= 10:
            return float(rating)
    raise ValueError('no JSON object with a "complexity" from 1 to 10')
