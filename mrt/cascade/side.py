"""A question of mrt's own to a model, beside the cascade: reserved, sent and settled like any other call, under its purpose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from mrt.cascade.attempt import Ended, alone
from mrt.cascade.job import Job, Step, Wish, World
from mrt.config import Tier
from mrt.domain import Attempt, Reply, Target
from mrt.frozen import frozen


@frozen
class SideQuestion:
    """What to ask. `tier` is the name under which it is booked; limits by tag, project and session count it too."""

    prompt: str
    tier: str
    system: str | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    schema: Mapping[str, Any] | None = None
    timeout: float | None = None
    context: int | None = None
    tag: str | None = None
    project: str | None = None
    session: str | None = None
    allow_unpriced: bool = False
    seed: int | None = None


class SideAnswer(NamedTuple):
    """The reply, None when no whole answer came, and all that was booked: hand it on as the job's `asides`."""

    reply: Reply | None
    booked: tuple[Attempt, ...]


def side_call(target: Target, question: SideQuestion, purpose: str, world: World) -> SideAnswer:
    """Ask a target one question for a purpose such as "assessor". No failure raises: over budget, nothing is sent."""
    ended = side_attempt(target, question, purpose, world)
    return SideAnswer(ended.reply if ended.error is None else None, (ended.attempt, *ended.asides))


def side_attempt(target: Target, question: SideQuestion, purpose: str, world: World) -> Ended:
    """The same with all that is known of it: also the reply that was cut off, and why."""
    tier = Tier(question.tier, target.name, checks=(), timeout=question.timeout, tools=False, context=question.context)
    wish = Wish(
        system=question.system,
        max_tokens=question.max_tokens,
        temperature=question.temperature,
        schema=question.schema,
        allow_unpriced=question.allow_unpriced,
        seed=question.seed,
    )
    job = Job(
        question.prompt,
        (),
        None,
        wish=wish,
        conversation=question.session,
        purpose=purpose,
        tag=question.tag,
        project=question.project,
    )
    return alone(job, Step(tier, target), world)
