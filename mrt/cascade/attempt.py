"""One try at one tier: reserve, ask, listen, judge, settle."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import replace

from mrt.cascade.booking import Plan, book_repeat, close_booking, open_booking
from mrt.cascade.confined import keep_secrets
from mrt.cascade.cost import Price, cost_of, may_cost, price_of
from mrt.cascade.events import Chunk, Event, Reasoning, Retracted
from mrt.cascade.job import Job, Step, World, gives_probabilities, request_for
from mrt.cascade.masking import mask_failure, masked, masked_wire
from mrt.cascade.pulse import Pulse
from mrt.cascade.tier_checks import TierChecks
from mrt.domain import Attempt, Cost, Outcome, Reply, Request, Secret, Target, Timing, Usage
from mrt.endpoints import offers_tools, warnings, with_key
from mrt.endpoints.abilities import last_seen
from mrt.errors import MrtError, QualityError, StoreError
from mrt.frozen import frozen
from mrt.ledger import learned, recall, remember
from mrt.providers import Call, Delta, Exchange, Timers
from mrt.quality import LoopWatch, intent

# A server may load another template under the same name.
TOOLS_KNOWN_FOR_S = 24 * 3600
LOOP_HINT = "where repetition is wanted, leave that check out of the tier's checks: `mrt help checks`"


@frozen
class Ended:
    """How a try ended: its record, the reply if one began, the failure unless it was accepted.

    `asides` are the further calls it made: second opinions, and requests that a server failed before they went out again.
    """

    attempt: Attempt
    reply: Reply | None = None
    error: MrtError | None = None
    asides: tuple[Attempt, ...] = ()


class Try:
    """One try. Iterate over `events`, then read `ended`."""

    def __init__(self, job: Job, step: Step, number: int, final: bool, world: World) -> None:
        self._job = job
        self._step = step
        self._number = number
        self._final = final
        self._world = world
        self._checks = TierChecks(job, step, world, self._sample)
        self._asides: list[Attempt] = []
        self._reply: Reply | None = None
        self._key: Secret | None = None
        self._sent_at: float | None = None
        self.ended = Ended(Attempt(step.tier.name, step.target.name, "refused"))

    def events(self) -> Iterator[Event]:
        """Runs the try. Raises an MrtError when nothing was sent: no key, or a budget stands in the way."""
        facts = self._facts(self._step.target)
        if facts.get("remote"):  # a local server's name for a model of a paid service
            self._step = replace(self._step, target=replace(self._step.target, local=False))
        target = with_key(self._step.target, self._world.config, self._world.environment)
        self._key = target.key
        self._world = replace(self._world, wire=masked_wire(self._world.wire, target.key))
        for warning in warnings(target):
            self._world.warn(warning)
        request = self._request(target)
        keep_secrets(request, target, self._world.config)
        price = price_of(request, target, self._world)
        plan = Plan(self._job, target, self._step.tier.name, self._number, price)
        reservation = open_booking(plan, self._world)
        exchange = Exchange(
            target,
            request,
            facts,
            learn=lambda fact, value: self._learn(target, fact, value),
            may_repeat=lambda failure: self._may_repeat(plan, failure),
        )
        call = Call(exchange, self._timers(), self._world.wire)
        self._sent_at = self._world.wire.clock()
        try:
            yield from self._listen(call, Pulse(self._world, reservation))
            self._judge(price)
        except MrtError as error:
            self._reply = self._masked(call.reply()) if call.began else None
            self._end("failed", price, error.code, error)
        except BaseException:
            # Ctrl-C, a closed pipe or a signal: what was used until now is booked before it goes on.
            self._reply = self._masked(call.reply()) if call.began else None
            self._end("interrupted", price)
            raise
        finally:
            close_booking(self._world, reservation, self.ended.attempt, self._reply, price)

    def _facts(self, target: Target) -> dict[str, str]:
        try:
            return learned(self._world.store, target.url, target.model)
        except StoreError:
            return {}  # what was learned is a convenience; whether the call may go out is decided when it is booked

    def _request(self, target: Target) -> Request:
        tools = self._offer_tools(target)
        return request_for(
            self._job,
            replace(self._step, target=target),
            self._world.config,
            wants_code=intent(self._job.prompt).code,
            confidence=self._checks.confidence
            and gives_probabilities(target, tools, last_seen(self._world.store, target)),
            tools=tools,
        )

    def _offer_tools(self, target: Target) -> bool:
        """A local model that can call tools is offered the one that hands the request up, when there is an up."""
        wanted = self._step.tier.tools
        if self._final or not target.local or wanted is False:
            return False
        if wanted is None and self._step.tier.checks is not None and self._checks.confidence:
            return False  # asked for by name, the probabilities go first where a server gives only one of the two
        return bool(wanted) or self._can_call_tools(target)

    def _can_call_tools(self, target: Target) -> bool:
        known = None
        with suppress(StoreError):
            known = recall(self._world.store, target.url, target.model, "tools", TOOLS_KNOWN_FOR_S)
        if known is not None:
            return known == "yes"
        able = offers_tools(target, self._world.wire, self._timers())
        if able is not None:
            self._learn(target, "tools", "yes" if able else "no")
        return bool(able)

    def _learn(self, target: Target, fact: str, value: str) -> None:
        with suppress(StoreError):  # it is learned again next time
            remember(self._world.store, target.url, target.model, fact, value)

    def _may_repeat(self, plan: Plan, failure: MrtError) -> bool:
        """A failed request that may cost is booked before the same goes out again: two that were sent are never one."""
        if not may_cost(plan.target, failure):
            return True
        mask_failure(failure, self._key)
        booked = book_repeat(plan, failure, self._world)
        if booked is not None:
            self._asides.append(booked)
        return booked is not None

    def _timers(self) -> Timers:
        """The timers of the whole run, less when the tier has a limit of its own."""
        timers, limit = self._world.timers, self._step.tier.timeout
        if limit is None:
            return timers
        own = self._world.wire.clock() + limit
        return replace(timers, deadline=own if timers.deadline is None else min(own, timers.deadline))

    def _listen(self, call: Call, pulse: Pulse) -> Iterator[Event]:
        watch = LoopWatch() if self._checks.repetition else None
        loop = None
        with closing(call.deltas()) as deltas:
            for delta in deltas:
                yield _EVENTS[delta.kind](delta)
                pulse.feel(delta)
                loop = watch.feed(delta.text) if watch and delta.kind != "retract" else None
                if loop:
                    break
        self._reply = self._masked(call.reply())
        if loop:
            self._reply = replace(
                self._reply,
                failure=QualityError(f"repetition: {loop}", LOOP_HINT),
            )

    def _notice_remote(self, reply: Reply) -> None:
        target = self._step.target
        if reply.remote and target.local:
            self._learn(target, "remote", "yes")
            self._world.warn(f"{target.name} is no local model: {target.endpoint} passes it on to a paid service")

    def _masked(self, reply: Reply) -> Reply:
        """The reply without the key, which a hostile server may send back in any field that is shown or kept."""
        served, finish = (text and masked(text, self._key) for text in (reply.served_model, reply.finish_reason))
        return replace(reply, served_model=served, finish_reason=finish)

    def _judge(self, price: Price) -> None:
        reply = self._reply
        if reply is None:
            raise RuntimeError("a conversation ended without a reply")
        if isinstance(reply.failure, QualityError):
            self._end("rejected", price, "repetition", reply.failure)
            return
        verdict = self._checks.verdict(reply)
        if verdict.accepted:
            self._end("accepted", price)
        elif reply.failure is not None and verdict.check == "finish":
            self._end("failed", price, reply.failure.code, reply.failure)
        else:
            error = QualityError(
                f"{verdict.check}: {verdict.reason}",
                "a stronger tier may do better; `mrt help checks` says how answers are judged",
            )
            self._end("rejected", price, verdict.check, error)

    def _end(self, outcome: Outcome, price: Price, check: str | None = None, error: MrtError | None = None) -> None:
        step, reply = self._step, self._reply
        if error is not None:
            mask_failure(error, self._key)
        if reply is not None:
            self._notice_remote(reply)
        attempt = Attempt(
            tier=step.tier.name,
            model=step.target.name,
            outcome=outcome,
            check=check,
            reason=error.message if error else None,
            usage=reply.usage if reply else Usage(),
            cost=cost_of(step.target, price, reply, error, self._world),
            timing=reply.timing if reply else self._waited(),
        )
        self.ended = Ended(attempt, reply, error, tuple(self._asides))

    def _waited(self) -> Timing:
        """The time of a request to which nothing came."""
        seconds = 0.0 if self._sent_at is None else self._world.wire.clock() - self._sent_at
        return Timing(total_ms=round(1000 * seconds))

    def _sample(self, job: Job, step: Step) -> Reply | None:
        """One answer outside the cascade; None when it failed."""
        second = alone(job, step, self._world)
        self._asides += [second.attempt, *second.asides]
        return second.reply if second.error is None else None


def alone(job: Job, step: Step, world: World) -> Ended:
    """One try outside the cascade, booked like any other."""
    current = Try(job, step, 0, True, world)
    try:
        for _ in current.events():
            pass
    except MrtError as error:
        mask_failure(error, None)
        return Ended(not_asked(step, error), None, error)
    return current.ended


_EVENTS: dict[str, Callable[[Delta], Event]] = {
    "text": lambda delta: Chunk(delta.text),
    "reasoning": lambda delta: Reasoning(delta.text),
    "retract": lambda delta: Retracted(),
}


def not_asked(step: Step, error: MrtError) -> Attempt:
    """The record of a tier that was never asked."""
    return Attempt(step.tier.name, step.target.name, "refused", error.code, error.message, cost=Cost("free", 0))
