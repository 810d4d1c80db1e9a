"""What was decided for one prompt: the order of the tiers, what is known of each, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, Protocol

from mrt.frozen import frozen
from mrt.router.complexity import Complexity
from mrt.router.facts import Facts, Money, Prompt, Rung
from mrt.router.gates import Gate
from mrt.router.rules import Contribution

if TYPE_CHECKING:
    from mrt.router.risk import Risk

Blocked = Literal["budget", "unreachable"]


@frozen
class Row:
    """One tier for one prompt. `open` says that no gate closes it; `reason` names the gate that does, or says its place.

    `output_tokens` is how long the answer is taken to be; `seconds`, `money` and `risk` are None where nothing is known or was
    asked.
    """

    tier: str
    model: str
    local: bool
    open: bool
    verdict: str
    reason: str
    gates: tuple[Gate, ...]
    risk: Risk | None
    input_tokens: int
    output_tokens: int | None = None
    money: Money | None = None
    seconds: float | None = None


# Of a call that needs no routing.
UNASSESSED = Complexity(1.0, 1.0, 1.0, 1.0, 1.0, True, (), (), 0)


@frozen
class Decision:
    """Which tier starts, which follow when it fails, and why.

    `rows` has every tier in a whole decision, else the one that starts, or none where money plays no part. `blocked` and
    `obstacle` say what stands in the way where no tier is open; `order` then has those that might be tried all the same.
    `abstains` says that the prompt gives too little to go by: local first, verify, then up. Only a whole decision has `check`,
    the names of the checks an answer must pass, `escalation`, what a step up costs, and `counterfactuals`, what would change
    the tier.
    """

    complexity: float
    order: tuple[str, ...]
    contributions: tuple[Contribution, ...]
    reason: str
    assessed: Complexity = UNASSESSED
    rows: tuple[Row, ...] = ()
    blocked: Blocked | None = None
    obstacle: str = ""
    abstains: bool = False
    check: tuple[str, ...] = ()
    escalation: str = ""
    counterfactuals: tuple[str, ...] = ()

    @property
    def tier(self) -> str:
        """The tier that starts."""
        return self.order[0]

    @property
    def starting(self) -> Row:
        """The row of the tier that starts; where a decision has rows, it has this one."""
        return next(row for row in self.rows if row.tier == self.tier)


class Engine(Protocol):
    """What decides; anything with this shape can take the place of the ladder."""

    def decide(self, prompt: Prompt, rungs: Sequence[Rung], facts: Facts) -> Decision:
        """The decision for a prompt over tiers in rising order, at least one; the same inputs give the same decision."""
        ...
