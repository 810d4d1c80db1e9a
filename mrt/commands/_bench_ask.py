"""Ask a model under test: booked with the purpose bench, under the user's budgets; what ends a run is raised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mrt.bench.answers import Ask, Heard
from mrt.cascade import World
from mrt.cascade.attempt import Ended
from mrt.cascade.side import SideQuestion, side_attempt
from mrt.domain import Attempt, Cost, Target
from mrt.errors import AuthError, BudgetError, ModelNotFound, MrtError, QuotaExceeded, UsageError
from mrt.frozen import frozen
from mrt.ledger import new_id

PURPOSE = "bench"
# Every further question would end the same way.
ENDS_THE_RUN = (BudgetError, AuthError, ModelNotFound, QuotaExceeded, UsageError)
_FEWEST_TOKENS = 512
_CONTEXT_STEP = 4096


@frozen
class Manner:
    """How the model is asked. `context` None leaves it to the server, but for one that would cut the prompt without a word."""

    temperature: float = 0.0
    context: int | None = None
    allow_unpriced: bool = False
    tag: str | None = None
    project: str | None = None


def asker(target: Target, world: World, manner: Manner) -> Ask:
    """The `Ask` of a model. Raises what ends the run: a budget, a key, a model that is not there."""

    def ask(prompt: str, max_tokens: int, timeout: float, seed: int | None = None) -> Heard:
        allowed = max_tokens
        while True:
            one = replace(world, operation=new_id(world.wire.now()))
            ended = side_attempt(
                target, replace(_question(prompt, allowed, timeout, target, manner), seed=seed), PURPOSE, one
            )
            if isinstance(ended.error, ENDS_THE_RUN):
                raise ended.error
            if not _too_long(ended.error) or allowed <= _FEWEST_TOKENS:
                return heard_of(ended)
            allowed = max(_FEWEST_TOKENS, allowed // 2)  # the answer's limit and the prompt exceed the served context

    return ask


def _too_long(error: MrtError | None) -> bool:
    return error is not None and error.code == "context"


def _question(prompt: str, max_tokens: int, timeout: float, target: Target, manner: Manner) -> SideQuestion:
    return SideQuestion(
        prompt=prompt,
        tier=PURPOSE,
        max_tokens=max_tokens,
        temperature=manner.temperature,
        timeout=timeout,
        context=manner.context or (_context(prompt, max_tokens) if target.kind == "ollama" else None),
        tag=manner.tag,
        project=manner.project,
        allow_unpriced=manner.allow_unpriced,
    )


def _context(prompt: str, max_tokens: int) -> int:
    """Room for both, in steps, so that a model is not loaded anew for each prompt; no token has less than one character."""
    return -(-(len(prompt) + max_tokens) // _CONTEXT_STEP) * _CONTEXT_STEP


def heard_of(ended: Ended) -> Heard:
    """What is kept of a try."""
    attempt, reply, error = ended.attempt, ended.reply, ended.error
    cost = _sum((attempt, *ended.asides))
    return Heard(
        text=reply.text if reply else "",
        reasoned=bool(reply and (reply.reasoning.strip() or reply.usage.reasoning_tokens)),
        error=error.code if error else None,
        message=error.message if error else "",
        input_tokens=attempt.usage.input_tokens,
        output_tokens=attempt.usage.output_tokens,
        cost_state=cost.state,
        cost_nano=cost.nano,
        seconds=attempt.timing.total_ms / 1000,
        ttft_ms=attempt.timing.ttft_ms,
        tokens_per_second=attempt.timing.tokens_per_second,
        served_model=reply.served_model if reply else None,
    )


def _sum(attempts: Sequence[Attempt]) -> Cost:
    """All of it; unknown when a part is."""
    costs = [attempt.cost for attempt in attempts]
    unknown = next((cost for cost in costs if cost.nano is None), None)
    if unknown is not None:
        return Cost(unknown.state, None)
    return Cost(costs[0].state, sum(cost.nano or 0 for cost in costs))
