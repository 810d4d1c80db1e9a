"""What the router is told of a prompt, of the tiers, and of each tier at this moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

from mrt.domain import Cost
from mrt.frozen import frozen

if TYPE_CHECKING:
    from mrt.router.risk import Risk

Policy = Literal["capability", "min_cost"]


@frozen
class Rung:
    """A tier as the router sees it: its name and the highest complexity that may start on it (None: any).

    `checks` are the names of the checks that its answers must pass.
    """

    name: str
    max_complexity: float | None = None
    model: str = ""
    local: bool = False
    checks: tuple[str, ...] = ()


@frozen
class Rating:
    """What the assessor made of the prompt: a rating from 1 to 10, or None and the reason why there is none."""

    value: float | None
    model: str
    problem: str = ""


@frozen
class Prompt:
    """What is asked, what was pasted beside it, the session's difficulty so far, and a second rating where there is one."""

    ask: str
    pasted: str = ""
    inherited: float | None = None
    rating: Rating | None = None


@frozen
class Wanted:
    """How to choose. `start` names where to begin, for the reason `why`; `highest` is the last tier that may be asked.

    Without `budgets` none closes a tier: who sends the request reserves first, and is refused there. Only a `whole` decision
    looks at the money of every tier, and says what would change it.
    """

    policy: Policy = "capability"
    max_risk: float | None = None
    start: str | None = None
    why: str = ""
    highest: str | None = None
    budgets: bool = True
    whole: bool = False


@frozen
class Known:
    """What is known of one tier now; None is "not known" and closes nothing.

    `input_tokens` are those of the whole request by estimate, `output_tokens` the token limit of the answer. `state` is that
    of the endpoint's last report, `age_s` seconds ago; `listed` and `loaded` are about the model. `context` is the context in
    tokens as it is served, `context_from` who says so. `needed_bytes` and `free_bytes` are what loading the model with this
    context takes and what is free for it. `lacks` names what the prompt needs and the model has not; `confined` why it must
    stay local.
    """

    input_tokens: int
    output_tokens: int
    age_s: float | None = None
    state: str | None = None
    trouble: str = ""
    listed: bool | None = None
    loaded: bool | None = None
    load_seconds: float | None = None
    context: int | None = None
    context_from: str = ""
    needed_bytes: int | None = None
    free_bytes: int | None = None
    memory: str = ""
    lacks: tuple[str, ...] = ()
    confined: str = ""


@frozen
class Money:
    """What one request costs and may cost, and what the tightest budget has left, before it, in nano-dollars.

    `expected_tokens` is how long the answer is taken to be. `refusal` says which budget does not allow it, and why.
    """

    expected: Cost
    bound: Cost
    expected_tokens: int
    left_nano: int | None = None
    refusal: str = ""


FREE_MONEY = Money(Cost("free", 0), Cost("free", 0), 0)


@frozen
class Pace:
    """How fast a tier has been lately: milliseconds to the first token, tokens/s after it, over `calls` calls."""

    ttft_ms: float
    tokens_per_second: float
    calls: int


class Facts(Protocol):
    """Where the router asks about tiers, by name; only what it asks for is looked up."""

    def known(self, tier: str) -> Known:
        """What closes a tier, money aside."""
        ...

    def money(self, tier: str, complexity: float) -> Money:
        """What its answer to a prompt of that complexity costs."""
        ...

    def pace(self, tier: str) -> Pace | None:
        """How fast it is; None when that was never measured."""
        ...

    def risk(self, tier: str, complexity: float, strength: float) -> Risk:
        """How likely it fails a prompt of that complexity."""
        ...


class Unknown:
    """Facts of which nothing is known: complexity alone decides."""

    def known(self, tier: str) -> Known:  # noqa: ARG002 - the shape of Facts
        """Nothing closes it."""
        return Known(0, 0)

    def money(self, tier: str, complexity: float) -> Money:  # noqa: ARG002
        """Nothing is asked of it."""
        return FREE_MONEY

    def pace(self, tier: str) -> Pace | None:  # noqa: ARG002
        """Never measured."""
        return None

    def risk(self, tier: str, complexity: float, strength: float) -> Risk:  # noqa: ARG002
        """The prior."""
        from mrt.router.risk import failure_risk

        return failure_risk(complexity, strength)
