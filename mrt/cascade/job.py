"""What one ask is: the tiers to try, what to send them, and what an answer must pass."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any, Protocol

from mrt.domain import Attempt, Message, Request, Target
from mrt.frozen import frozen

if TYPE_CHECKING:
    from mrt.budget import Limit
    from mrt.config import Config, Tier
    from mrt.endpoints.abilities import Abilities
    from mrt.ledger import Store
    from mrt.providers import Timers, Wire
    from mrt.router import Decision

_GIVE_PROBABILITIES = frozenset({"llamacpp", "vllm", "ollama"})


@frozen
class Step:
    """One tier to try. The target has no key yet: it is fetched when the tier's turn comes."""

    tier: Tier
    target: Target


@frozen
class Wish:
    """What the user asked for beyond the prompt; None means: as the tier or the config has it."""

    system: str | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    effort: str | None = None
    strict: bool = False
    schema: Mapping[str, Any] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    verify: str | None = None
    agree: bool = False
    tests: Callable[[str], str | None] | None = None
    allow_unpriced: bool = False
    seed: int | None = None


@frozen
class Job:
    """One prompt and the steps that may answer it, in order; `decision` is why in that order, None where nothing was decided.

    `below` are the free steps to fall back on when no budget allows any of the others: over budget, work stays local.
    `asides` are side calls that were made for it before, whose cost is part of the whole.
    """

    prompt: str
    steps: tuple[Step, ...]
    decision: Decision | None
    below: tuple[Step, ...] = ()
    wish: Wish = Wish()
    history: tuple[Message, ...] = ()
    conversation: str | None = None
    purpose: str = "ask"
    tag: str | None = None
    project: str | None = None
    asides: tuple[Attempt, ...] = ()


@frozen
class World:
    """Everything outside: configuration, environment, store, wire.

    `warned` has the limits that are known to be nearly used up: each is said once in an operation, whatever it takes.
    """

    config: Config
    environment: Mapping[str, str]
    store: Store
    wire: Wire
    timers: Timers
    run_check: Callable[[str, str, float], str | None]
    operation: str
    warn: Callable[[str], None] = lambda _: None
    warned: set[Limit] = field(default_factory=set)


class Spoken(Protocol):
    """What a request is made of: the prompt, what was wished for beside it, the conversation before."""

    @property
    def prompt(self) -> str: ...
    @property
    def wish(self) -> Wish: ...
    @property
    def history(self) -> tuple[Message, ...]: ...


def messages_for(job: Spoken, tier: Tier) -> tuple[Message, ...]:
    """The conversation as this tier gets it: its persona, its worked examples, the history, the prompt."""
    system = job.wish.system if job.wish.system is not None else tier.system
    persona = (Message("system", system),) if system else ()
    examples = tuple(
        message
        for example in tier.examples
        for message in (Message("user", example.user), Message("assistant", example.assistant))
    )
    return (*persona, *examples, *job.history, Message("user", job.prompt))


def gives_probabilities(target: Target, tools: bool, seen: Abilities | None = None) -> bool:
    """Whether the server gives token probabilities: as it was seen to do with this model, else as its kind does.

    llama.cpp gives none beside streamed tool calls.
    """
    able = seen.logprobs if seen is not None else None
    gives = target.kind in _GIVE_PROBABILITIES if able is None else able
    return gives and not (tools and target.kind == "llamacpp")


def takes_seed(target: Target) -> bool:
    """Whether the protocol has a field for the seed that sampling begins with."""
    return target.protocol != "anthropic"


def request_for(
    job: Spoken, step: Step, config: Config, *, wants_code: bool = False, confidence: bool = False, tools: bool = False
) -> Request:
    """What this step's model is asked.

    A local model writes code at temperature 0 unless told otherwise: small models stray. Reasoning effort means nothing to
    local models and is left out.
    """
    tier, wish, target = step.tier, job.wish, step.target
    temperature = wish.temperature if wish.temperature is not None else tier.temperature
    if temperature is None and target.local and (wants_code or tools):
        temperature = 0.0
    return Request(
        model=target.model,
        messages=messages_for(job, tier),
        max_tokens=wish.max_tokens or tier.max_tokens or config.ask.max_tokens,
        temperature=temperature,
        effort=None if target.local else wish.effort,
        schema=wish.schema,
        offer_escalation=tools,
        logprobs=confidence,
        context_length=tier.context,
        seed=wish.seed,
        options=_options(tier, wish),
    )


def _options(tier: Tier, wish: Wish) -> dict[str, Any]:
    """Further fields of the request: the tier's, and over them those of this ask. A seed asked for is not one of them."""
    options = {**tier.options, **wish.options}
    if wish.seed is not None:
        options.pop("seed", None)
    return options
