"""What a checkup finds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

Level = Literal["ok", "warning", "problem"]


class Finding(NamedTuple):
    """One thing examined: `detail` says what was found, `hint` is the command that mends it."""

    area: str
    level: Level
    detail: str
    hint: str | None = None


def problems(findings: Iterable[Finding]) -> list[Finding]:
    """Those that keep something from working."""
    return [finding for finding in findings if finding.level == "problem"]
