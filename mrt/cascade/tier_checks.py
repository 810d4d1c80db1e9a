"""The checks an answer of one tier must pass: the pure ones, then those that need the world."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from mrt.cascade.job import Job, Step, World
from mrt.cascade.verify import schema_checker
from mrt.domain import Reply
from mrt.endpoints import resolve
from mrt.errors import TimedOut, UsageError
from mrt.providers import escalation
from mrt.quality import (
    DEFAULT_CHECKS,
    JudgeContext,
    Verdict,
    agrees,
    external_checks,
    extract_code,
    judge,
    parse_checks,
)

SECOND_SAMPLE_TEMPERATURE = 0.7
# Asks one model once more, outside the cascade; None when no whole answer came.
Sample = Callable[[Job, Step], Reply | None]


class TierChecks:
    """What the tier's `checks`, `--verify`, `--agree` and `--schema` ask for, together."""

    def __init__(self, job: Job, step: Step, world: World, sample: Sample) -> None:
        names = step.tier.checks if step.tier.checks is not None else DEFAULT_CHECKS
        parse_checks(names)
        self._job, self._step, self._world, self._sample = job, step, world, sample
        self._external = (*external_checks(names), *_wished(job))
        for name, model in self._external:
            if name == "agree" and model:
                resolve(model, world.config, world.environment)  # a wrong name is said before anything is asked
        schema = job.wish.schema
        self._context = JudgeContext(job.prompt, tuple(names), schema_checker(schema) if schema is not None else None)
        self.confidence = any(name.startswith("confidence") for name in names)
        self.repetition = "repetition" in names

    def verdict(self, reply: Reply) -> Verdict:
        """The first check that fails names the verdict; the dear ones come last."""
        handed_off = escalation(reply.tool_calls)
        if handed_off:
            return Verdict(False, "handoff", f"the model hands off: {handed_off}")
        verdict = judge(reply, self._context)
        for name, argument in self._external if verdict.accepted else ():
            reason = self._external_reason(name, argument, reply)
            if reason is not None:
                return Verdict(False, name, reason)
        return verdict

    def _external_reason(self, name: str, argument: str, reply: Reply) -> str | None:
        if name == "tests":
            tests = self._job.wish.tests
            return tests(extract_code(reply.text)) if tests else None
        return self._verify(reply, argument) if name == "verify" else self._agree(reply, argument)

    def _verify(self, reply: Reply, command: str) -> str | None:
        deadline = self._world.timers.deadline
        seconds = float("inf") if deadline is None else max(0.0, deadline - self._world.wire.clock())
        objection = self._world.run_check(command, extract_code(reply.text), seconds)
        if objection is not None and deadline is not None and self._world.wire.clock() >= deadline:
            raise TimedOut(f"timeout: `{command}` did not end before --timeout", "raise --timeout")
        return objection

    def _agree(self, reply: Reply, model: str) -> str | None:
        """Ask once more, another local model where there is one, and compare."""
        for step, temperature in self._second_opinions(model):
            second = self._ask(step, temperature)
            if second is not None:
                same, reason = agrees(reply.text, second.text)
                return None if same else f"{reason} (second opinion of {step.target.name})"
        return "no second opinion could be had"

    def _second_opinions(self, model: str) -> list[tuple[Step, float | None]]:
        world = self._world
        own = (self._step, SECOND_SAMPLE_TEMPERATURE)
        if model:
            return [(replace(self._step, target=resolve(model, world.config, world.environment)), None)]
        others = []
        for tier in world.config.tiers:
            try:
                target = resolve(tier.name, world.config, world.environment)
            except UsageError:
                continue  # a tier that is named wrong gives no opinion
            if target.local and target.name != self._step.target.name:
                others.append((Step(tier, target), None))
        return [*others, own]

    def _ask(self, step: Step, temperature: float | None) -> Reply | None:
        wish = replace(self._job.wish, verify=None, agree=False, tests=None)
        if temperature is not None:
            # Another sample, not the same one drawn again.
            wish = replace(wish, temperature=temperature, seed=None if wish.seed is None else wish.seed + 1)
        # The second opinion is only compared: it need not pass checks of its own.
        return self._sample(
            replace(self._job, wish=wish, purpose="agreement"), Step(replace(step.tier, checks=()), step.target)
        )


def _wished(job: Job) -> tuple[tuple[str, str], ...]:
    tests = (("tests", ""),) if job.wish.tests else ()
    verify = (("verify", job.wish.verify),) if job.wish.verify else ()
    return (*tests, *verify, ("agree", "")) if job.wish.agree else (*tests, *verify)
