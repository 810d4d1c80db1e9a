"""What the tests of `mrt route` share: the verb in this process, and tiers whose facts are made up."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rig.command import Home

from mrt.cli import run
from mrt.domain import Cost
from mrt.output import Console
from mrt.router import Known, Ladder, Money, Pace, Prompt, Rung, Wanted
from mrt.router.decision import Decision
from mrt.router.risk import Risk

FREE = Money(Cost("free", 0), Cost("free", 0), 300)


@dataclass(frozen=True)
class Shown:
    """What a run printed, and its exit code."""

    stdout: str
    stderr: str
    exit_code: int

    @property
    def data(self) -> Any:
        """The `data` of `--json`."""
        return json.loads(self.stdout)["data"]

    def tier(self, name: str) -> dict[str, Any]:
        """The row of a tier in `--json`."""
        return next(row for row in self.data["tiers"] if row["tier"] == name)

    def gate(self, tier: str, gate: str) -> dict[str, Any]:
        """One gate of a tier in `--json`."""
        return next(found for found in self.tier(tier)["gates"] if found["gate"] == gate)


def route(home: Home, *arguments: str | Path, env: Mapping[str, str] | None = None) -> Shown:
    """`mrt route ...` in this process, with closed standard input."""
    stdout, stderr = io.StringIO(), io.StringIO()
    console = Console(None, stdout, stderr, {**home.environment, **(env or {})})
    code = run(["route", *map(str, arguments)], console)
    return Shown(stdout.getvalue(), stderr.getvalue(), int(code))


def paid(cents: float, left_cents: float | None = None, refusal: str = "") -> Money:
    """An answer that is expected to cost so much, and may cost twice that."""
    nano = round(cents * 10_000_000)
    left = None if left_cents is None else round(left_cents * 10_000_000)
    return Money(Cost("estimated", nano), Cost("estimated", 2 * nano), 300, left, refusal)


@dataclass
class MadeUp:
    """Facts as a test wants them; `looked_up` says what the router asked."""

    knowns: Mapping[str, Known] = field(default_factory=dict)
    moneys: Mapping[str, Money] = field(default_factory=dict)
    risks: Mapping[str, float] = field(default_factory=dict)
    paces: Mapping[str, Pace] = field(default_factory=dict)
    looked_up: list[str] = field(default_factory=list)

    def known(self, tier: str) -> Known:
        """100 tokens in, 1000 out at most, and nothing that closes it."""
        self.looked_up.append(f"known {tier}")
        return self.knowns.get(tier, Known(100, 1000))

    def money(self, tier: str, complexity: float) -> Money:
        """Free."""
        self.looked_up.append(f"money {tier}")
        return self.moneys.get(tier, FREE)

    def pace(self, tier: str) -> Pace | None:
        """Never measured."""
        return self.paces.get(tier)

    def risk(self, tier: str, complexity: float, strength: float) -> Risk:
        """Without an interval, from nobody's outcomes."""
        mean = self.risks.get(tier, 0.3)
        return Risk(mean, mean, mean, 0)


LADDER = (
    Rung("fast", 4.0, "box/fast", True, ("refusal",)),
    Rung("heavy", 7.0, "box/heavy", True, ("refusal",)),
    Rung("cheap", 9.0, "cloud/cheap", False),
    Rung("strong", None, "cloud/strong", False),
)
# Prompts that stand clearly between the thresholds above.
EASY = "say hi"
HARD = "refactor the architecture across all files and migrate every service end to end"


def decided(facts: MadeUp | None = None, prompt: str = EASY, **wanted: Any) -> Decision:
    """What the ladder decides."""
    return Ladder(Wanted(**wanted)).decide(Prompt(prompt), LADDER, facts or MadeUp())
