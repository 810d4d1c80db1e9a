"""The cascade: tiers in turn until an answer is accepted."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from mrt.cascade.attempt import Ended, Try, not_asked
from mrt.cascade.events import Escalated, Event, Finished, Refused, Result, Started
from mrt.cascade.job import Job, Step, World
from mrt.domain import Attempt, Cost
from mrt.errors import AuthError, BudgetError, MrtError, TimedOut, Unreachable

NOTHING_RUNS = "start a local server (`ollama serve`), or name one: mrt config set tiers.{tier}.model PROVIDER/MODEL"


def run(job: Job, world: World) -> Generator[Event, None, None]:
    """Yields the events; the last is Finished. Closing the generator stops the server and books what was used.

    Raises KeyboardInterrupt and the like through; every other failure ends in Finished with its error.
    """
    ended: list[Ended] = []
    steps = list(job.steps)
    reason = job.decision.reason
    while steps:
        step, final = steps.pop(0), not steps
        yield Started(step.tier.name, step.target.name, reason, final)
        current = Try(job, step, len(ended), final, world)
        try:
            yield from current.events()
            outcome = current.ended
        except MrtError as error:
            outcome = Ended(not_asked(step, error), None, error)
            yield Refused(step.tier.name, step.target.name, error)
        ended.append(outcome)
        if outcome.error is None or _out_of_time(world):
            break
        steps = _worth_trying(steps, step, outcome.error)
        reason = outcome.error.message
        if steps:
            yield Escalated(step.tier.name, steps[0].tier.name, outcome.attempt.check or outcome.error.code, reason)
    yield Finished(_result(ended, world))


def _out_of_time(world: World) -> bool:
    deadline = world.timers.deadline
    return deadline is not None and world.wire.clock() >= deadline


def _worth_trying(steps: Sequence[Step], failed: Step, error: MrtError) -> list[Step]:
    """After a context overflow only a tier with a longer context, or one whose context is not known, can do better."""
    limit = failed.tier.context
    if error.code != "context" or limit is None:
        return list(steps)
    return [step for step in steps if step.tier.context is None or step.tier.context > limit]


def _result(ended: Sequence[Ended], world: World) -> Result:
    attempts = tuple(one.attempt for one in ended)
    best = next((one for one in reversed(ended) if one.reply is not None and one.reply.text.strip()), None)
    error = ended[-1].error
    if error is not None:
        error = best.error if best is not None else _error_of(ended)
    shown = best or ended[-1]
    return Result(
        reply=shown.reply,
        tier=shown.attempt.tier,
        model=shown.attempt.model,
        cost=total_cost(attempts),
        attempts=attempts,
        error=error,
        operation=world.operation,
    )


def _error_of(ended: Sequence[Ended]) -> MrtError:
    """One failure that stands for all: the last one that says more than "nobody there"."""
    errors = [one.error for one in ended if one.error is not None]
    chosen: MrtError | None = next((one for one in reversed(errors) if isinstance(one, BudgetError | TimedOut)), None)
    if chosen is None:
        spoken = [error for error in errors if not isinstance(error, Unreachable | AuthError)]
        silent = [error for error in errors if isinstance(error, Unreachable)]
        chosen = (spoken or silent or errors)[-1]
    first = ended[0].attempt.tier
    hint = NOTHING_RUNS.format(tier=first) if isinstance(chosen, Unreachable) and not chosen.hint else chosen.hint
    if len(ended) == 1:
        return type(chosen)(f"{ended[0].attempt.model}: {chosen.message}", hint)
    tried = "; ".join(f"{one.attempt.tier} ({one.attempt.model}): {one.error.message}" for one in ended if one.error)
    return type(chosen)(f"no tier could answer: {tried}", hint)


def total_cost(attempts: Sequence[Attempt]) -> Cost:
    """What all attempts cost together; unknown as soon as one part is."""
    costs = [attempt.cost for attempt in attempts]
    if any(cost.nano is None for cost in costs):
        return Cost("unknown")
    states = {cost.state for cost in costs if cost.state != "free"}
    state = next((state for state in ("estimated", "priced", "reported") if state in states), "free")
    return Cost(state, sum(cost.nano or 0 for cost in costs))  # type: ignore[arg-type]
