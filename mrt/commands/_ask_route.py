"""Which tiers one ask goes through: the decision of `mrt route`, and what the conversation and the options add to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple

from mrt.cascade import Step, Wish, World
from mrt.cascade.facts import Asking, Circumstances, decide, ladder_of
from mrt.commands._route_world import known_tier, look_again, reports_for
from mrt.config import Config, Tier
from mrt.domain import Attempt
from mrt.endpoints import resolve
from mrt.errors import StoreError, UsageError
from mrt.ledger import Conversation
from mrt.ledger.recent import session_difficulty
from mrt.output import Console
from mrt.router import Decision, Prompt, Rung, Wanted, first_able
from mrt.router import decide as decide_alone

if TYPE_CHECKING:
    from mrt.commands._ask_job import AskOptions

DIRECT = "direct"


class Given(NamedTuple):
    """The prompt as it is sent, and its two parts: what is asked, and the material that came with it."""

    text: str
    ask: str
    pasted: str


class Routing(NamedTuple):
    """What decides over the tiers of one ask; `template_model` is the model that the template names."""

    options: AskOptions
    given: Given
    template_model: str | None
    conversation: Conversation
    wish: Wish
    world: World
    console: Console

    @property
    def model(self) -> str | None:
        """The one model to ask, where one is named."""
        return self.options.model or self.template_model


class Routed(NamedTuple):
    """The steps in order, the decision behind them, and the calls that were made for it."""

    steps: tuple[Step, ...]
    decision: Decision
    asides: tuple[Attempt, ...] = ()


def route(routing: Routing) -> Routed:
    """Decide. Raises UsageError for names that lead nowhere and for options that contradict each other."""
    options, model = routing.options, routing.model
    config, environment = routing.world.config, routing.world.environment
    _refuse_contradictions(options, model, config)
    if model is not None:
        tier = next((tier for tier in config.tiers if tier.name == model), None) or Tier(DIRECT, model)
        decision = decide_alone(routing.given.ask, [Rung(tier.name)], tier.name, "named with -m")
        return Routed((Step(tier, resolve(model, config, environment)),), decision)
    decision, asides = _decision(routing)
    by_name = {tier.name: tier for tier in config.tiers}
    escalate = config.ask.escalate if options.escalate is None else options.escalate
    order = decision.order if escalate else decision.order[:1]
    steps = tuple(Step(by_name[name], resolve(name, config, environment)) for name in order)
    return Routed(steps, replace(decision, order=order), asides)


def _decision(routing: Routing) -> tuple[Decision, tuple[Attempt, ...]]:
    """As `mrt route` decides. Only where something is really sent the reservation has the last word about budgets."""
    options, conversation = routing.options, routing.conversation
    config = routing.world.config
    names = [tier.name for tier in config.tiers]
    start, highest = known_tier(options.tier, config), known_tier(options.max_tier, config)
    policy = config.route
    wanted = Wanted(policy.policy, policy.max_risk, start, "named with --tier", highest, budgets=options.dry_run)
    around = _around(routing)
    asking = Asking(routing.given.text, routing.wish, conversation.messages)
    prompt = Prompt(routing.given.ask, routing.given.pasted, _difficulty(conversation, around))
    prompt, asides = _rated(routing, prompt, asking, around) if start is None else (prompt, ())
    upfront = decide(asking, prompt, around, wanted)
    if not options.dry_run and look_again(routing.console, config, _passed_over(upfront, config), around.now):
        upfront = decide(asking, prompt, around, wanted)
    sticky = conversation.sticky_tier
    if start is None and sticky in names[names.index(upfront.tier) + 1 :]:
        why = "the conversation escalated there (--clear starts over)"
        return decide(asking, prompt, around, replace(wanted, start=sticky, why=why)), asides
    return upfront, asides


def _passed_over(decision: Decision, config: Config) -> list[str]:
    """The tiers that are able enough and do not start all the same."""
    names = [tier.name for tier in config.tiers]
    able = first_able(decision.complexity, [Rung(tier.name, tier.max_complexity) for tier in config.tiers])
    start = names.index(decision.tier)
    return names[able:start] if start >= able and decision.blocked is None else names[able:]


def _rated(
    routing: Routing, prompt: Prompt, asking: Asking, around: Circumstances
) -> tuple[Prompt, tuple[Attempt, ...]]:
    """The prompt with the assessor's rating, where one is configured and due, and what it cost."""
    assessor = around.config.assessor
    if assessor.model is None or assessor.when == "never" or routing.options.dry_run:
        return prompt, ()
    from mrt.cascade.assess import opinion

    rungs, facts = ladder_of(asking, around)
    with routing.console.waiting("the assessor rates the prompt ..."):
        found = opinion(prompt, None, rungs, facts, routing.world)
    return replace(prompt, rating=found.rating), found.booked


def _around(routing: Routing) -> Circumstances:
    """What the decision looks at besides the prompt."""
    options, world = routing.options, routing.world
    now = world.wire.now()
    return Circumstances(
        config=world.config,
        environment=world.environment,
        now=now,
        reports=lambda: reports_for(routing.console, world.config, world.wire.now()),
        store=lambda: (world.store, ""),
        session=routing.conversation.name,
        tag=options.tag or world.config.ask.tag,
        project=options.project or world.config.ask.project,
        allow_unpriced=options.allow_unpriced,
        learn=world.config.route.learn,
    )


def _difficulty(conversation: Conversation, around: Circumstances) -> float | None:
    """What the conversation's last prompt was rated, for asks like "continue"."""
    store = around.store()[0]
    if not conversation.messages or conversation.name is None or store is None:
        return None
    try:
        return session_difficulty(store, conversation.name)
    except StoreError:
        return None


def free_below(steps: Sequence[Step], config: Config, environment: Mapping[str, str]) -> tuple[Step, ...]:
    """The free tiers below steps that all cost money, the nearest first."""
    if any(step.target.local for step in steps):
        return ()
    lower = takewhile(lambda tier: tier.name != steps[0].tier.name, config.tiers)
    found = (Step(tier, resolve(tier.name, config, environment)) for tier in reversed([*lower]))
    return tuple(step for step in found if step.target.local)


def _refuse_contradictions(options: AskOptions, model: str | None, config: Config) -> None:
    names = [tier.name for tier in config.tiers]
    tier, most = (known_tier(name, config) for name in (options.tier, options.max_tier))
    if model is not None and (tier or most):
        raise UsageError("a model named alone takes no --tier and no --max-tier", "leave out -m, or the tiers")
    if tier and most and names.index(tier) > names.index(most):
        raise UsageError(f"--tier {tier} is above --max-tier {most}", "raise --max-tier, or leave one of them out")
