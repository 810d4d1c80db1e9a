"""The cascade: tiers in turn until an answer is accepted."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from mrt.cascade.attempt import Ended, Try, not_asked
from mrt.cascade.events import Escalated, Event, Finished, Refused, Result, Started
from mrt.cascade.job import Job, Step, World
from mrt.cascade.masking import mask_failure
from mrt.domain import Attempt, Cost
from mrt.errors import AuthError, BudgetError, MrtError, TimedOut, Unreachable

START_ONE = "start the server (Ollama: `ollama serve`) or check its address"
NOTHING_RUNS = START_ONE + ", or name another: mrt config set tiers.{tier}.model PROVIDER/MODEL"


def run(job: Job, world: World) -> Generator[Event, None, None]:
    """Yields the events; the last is Finished. Closing the generator stops the server and books what was used.

    Raises KeyboardInterrupt and the like through; every other failure ends in Finished with its error.
    """
    ended: list[Ended] = []
    steps, stayed = list(job.steps), False
    reason = job.decision.reason if job.decision else ""
    while steps:
        step, final = steps.pop(0), not steps
        yield Started(step.tier.name, step.target.name, reason, final)
        outcome = yield from _try(job, step, len(ended), final, world)
        ended.append(outcome)
        if outcome.error is None or _out_of_time(world):
            break
        reason = outcome.error.message
        local = [] if steps or stayed else _staying_local(job, ended)
        if local:
            steps, stayed = local, True
            yield Refused(step.tier.name, step.target.name, outcome.error, steps[0].tier.name)
            continue
        if outcome.attempt.outcome == "refused":
            yield Refused(step.tier.name, step.target.name, outcome.error)
        steps = _worth_trying(steps, step, outcome.error)
        if steps:
            yield Escalated(step.tier.name, steps[0].tier.name, outcome.attempt.check or outcome.error.code, reason)
    yield Finished(_result(ended, world, job.asides))


def _try(job: Job, step: Step, number: int, final: bool, world: World) -> Generator[Event, None, Ended]:
    """The events of one try; gives how it ended, also when it could not even begin."""
    try:
        current = Try(job, step, number, final, world)
        yield from current.events()
    except MrtError as error:
        mask_failure(error, None)
        return Ended(not_asked(step, error), None, error)
    return current.ended


def _staying_local(job: Job, ended: Sequence[Ended]) -> list[Step]:
    """Whom to ask when no budget allows the rest: the free steps below, or the last one that only handed the request on, which
    is not offered to do so again."""
    refused = [isinstance(one.error, BudgetError) for one in ended]
    if all(refused):
        return list(job.below)
    handed = [one.attempt.tier for one in ended if one.attempt.check == "handoff"] if refused[-1] else []
    return [step for step in job.steps if step.tier.name in handed[-1:]]


def _out_of_time(world: World) -> bool:
    deadline = world.timers.deadline
    return deadline is not None and world.wire.clock() >= deadline


def _worth_trying(steps: Sequence[Step], failed: Step, error: MrtError) -> list[Step]:
    """After a context overflow only a tier with a longer context, or one whose context is not known, can do better."""
    limit = failed.tier.context
    if error.code != "context" or limit is None:
        return list(steps)
    return [step for step in steps if step.tier.context is None or step.tier.context > limit]


def _result(ended: Sequence[Ended], world: World, before: Sequence[Attempt]) -> Result:
    attempts = tuple(one.attempt for one in ended)
    asides = [*before, *(aside for one in ended for aside in one.asides)]
    best = next((one for one in reversed(ended) if one.reply is not None and one.reply.text.strip()), None)
    shown = best or ended[-1]
    return Result(
        reply=shown.reply,
        tier=shown.attempt.tier,
        model=shown.attempt.model,
        cost=total_cost([*attempts, *asides]),
        attempts=attempts,
        error=None if ended[-1].error is None else _told(ended, _cause(ended, best), world),
        operation=world.operation,
    )


def _cause(ended: Sequence[Ended], best: Ended | None) -> MrtError:
    """One failure that stands for all: a timeout that ended the run, what is wrong with the best answer there is, else the last
    one that says more than "nobody there"."""
    errors = [one.error for one in ended if one.error is not None]
    if isinstance(errors[-1], TimedOut):
        return errors[-1]
    if best is not None and best.error is not None:
        return best.error
    chosen = next((one for one in reversed(errors) if isinstance(one, BudgetError | TimedOut)), None)
    if chosen is not None:
        return chosen
    spoken = [error for error in errors if not isinstance(error, Unreachable | AuthError)]
    silent = [error for error in errors if isinstance(error, Unreachable)]
    return (spoken or silent or errors)[-1]


def _told(ended: Sequence[Ended], cause: MrtError, world: World) -> MrtError:
    """The cause in a line that names every model that was tried."""
    hint = cause.hint
    if isinstance(cause, Unreachable) and not hint:
        configured = any(tier.name == ended[0].attempt.tier for tier in world.config.tiers)
        hint = NOTHING_RUNS.format(tier=ended[0].attempt.tier) if configured else START_ONE
    if len(ended) == 1:
        return type(cause)(f"{ended[0].attempt.model}: {cause.message}", hint)
    tried = "; ".join(f"{one.attempt.tier} ({one.attempt.model}): {one.error.message}" for one in ended if one.error)
    return type(cause)(f"no tier could answer: {tried}", hint)


def total_cost(attempts: Sequence[Attempt]) -> Cost:
    """What all attempts cost together; unknown as soon as one part is."""
    costs = [attempt.cost for attempt in attempts]
    if any(cost.nano is None for cost in costs):
        return Cost("unknown")
    states = {cost.state for cost in costs if cost.state != "free"}
    state = next((state for state in ("estimated", "priced", "reported") if state in states), "free")
    return Cost(state, sum(cost.nano or 0 for cost in costs))  # type: ignore[arg-type]
