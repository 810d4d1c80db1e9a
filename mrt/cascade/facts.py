"""Gather what the router asks of each tier: its request, its server's last report, its memory, its money, its record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field, replace
from typing import TYPE_CHECKING

from mrt.cascade.job import Step, Wish, request_for
from mrt.config import Config
from mrt.domain import OLLAMA_CONTEXT, Message, Request, Target
from mrt.endpoints import resolve
from mrt.frozen import frozen
from mrt.router.facts import FREE_MONEY, Known, Money, Pace, Prompt, Rung, Wanted
from mrt.router.ladder import Ladder

if TYPE_CHECKING:
    from pathlib import Path

    from mrt.cascade.experience import Experience
    from mrt.cascade.sighted import Sighted
    from mrt.config import Tier
    from mrt.endpoints.cache import CachedReport
    from mrt.ledger import Store
    from mrt.router.decision import Decision, Engine
    from mrt.router.risk import Risk

# A guess until some answers of a model are booked: an answer grows with its question's difficulty, from a third of a page to
# two pages. Stated as an estimate wherever it shows.
_LEAST_ANSWER, _ANSWER_PER_POINT = 150, 100
_ENOUGH_ANSWERS = 25
# Below this no model in the price tables has too small a context, so the table need not be read.
_FITS_EVERY_CLOUD = 8_000


def no_store() -> tuple[None, str]:
    """There is no store yet: nothing was spent."""
    return None, ""


@frozen
class Circumstances:
    """Everything around a prompt. `now` is seconds since 1970; `store` opens the spend store, or says why it does not work.

    `context` is a context length to judge by in place of what servers say; `needs` what the model must be able to do.
    `deep` also looks up what only an explanation needs: how fast a tier was, and how long its answers are. With `learn` the
    user's own outcomes count beside the shipped probabilities; `store_file` says where the store is, so that it need not be
    opened for them each time. `engine` decides.
    """

    config: Config
    environment: Mapping[str, str]
    now: float
    reports: Callable[[], tuple[CachedReport, ...]] = tuple
    store: Callable[[], tuple[Store | None, str]] = no_store
    context: int | None = None
    needs: tuple[str, ...] = ()
    session: str | None = None
    tag: str | None = None
    project: str | None = None
    allow_unpriced: bool = False
    deep: bool = False
    learn: bool = True
    store_file: Path | None = None
    engine: Callable[[Wanted], Engine] = Ladder


@frozen
class Asking:
    """What is to be sent, before a tier makes a request of it."""

    prompt: str
    wish: Wish = Wish()
    history: tuple[Message, ...] = field(default=())


class TierFacts:
    """The router's questions about one prompt, answered; each thing is looked up once."""

    def __init__(self, asking: Asking, around: Circumstances, steps: Mapping[str, Step]) -> None:
        self._asking = asking
        self._around = around
        self._steps = steps
        self._requests: dict[str, tuple[Request, int]] = {}
        self._reports: tuple[CachedReport, ...] | None = None
        self._experience: Experience | None = None

    def known(self, tier: str) -> Known:
        """What closes a tier, money aside."""
        request, tokens = self._request(tier)
        step = self._steps[tier]
        seen = self._seen(step.target)
        context, said_by = self._context(step, request, tokens, seen)
        known = Known(
            input_tokens=tokens,
            output_tokens=request.max_tokens,
            context=context,
            context_from=said_by,
            lacks=_lacking(self._needs(step), seen),
            confined=self._confined(step.target, seen),
        )
        if seen is None:
            return known
        known = replace(known, age_s=seen.age_s, state=seen.state, trouble=seen.trouble)
        reloads = seen.kind == "ollama" and seen.loaded is True and seen.context not in (None, context)
        loaded = False if reloads else seen.loaded
        known = replace(known, listed=seen.listed, loaded=loaded, load_seconds=seen.load_seconds)
        return self._with_memory(known, step, seen)

    def money(self, tier: str, complexity: float) -> Money:
        """What its answer to a prompt of that complexity costs."""
        request, tokens = self._request(tier)
        target = self._paying(self._steps[tier].target)
        expected = min(request.max_tokens, self._answer_tokens(target, complexity))
        if target.local:
            return replace(FREE_MONEY, expected_tokens=expected)
        from mrt.cascade.money import Bill, money_of

        return money_of(Bill(tier, target, request, tokens, expected), self._around)

    def pace(self, tier: str) -> Pace | None:
        """How fast it was lately, by the store."""
        store = self._around.store()[0] if self._around.deep else None
        if store is None:
            return None
        from mrt.ledger.recent import recent

        target = self._steps[tier].target
        seen = recent(store, target.endpoint, target.model)
        if not seen.tokens_per_second or seen.ttft_ms is None:
            return None
        return Pace(seen.ttft_ms, seen.tokens_per_second, seen.calls)

    def risk(self, tier: str, complexity: float, strength: float) -> Risk:
        """How likely it fails: the prior, and what own outcomes with its model made of it."""
        if self._experience is None:
            from mrt.cascade.experience import Experience

            self._experience = Experience(self._around)
        target = self._steps[tier].target
        seen = self._seen(target)
        return self._experience.risk(target, strength, seen.quantization if seen else None, complexity)

    def _paying(self, target: Target) -> Target:
        """An Ollama on this machine may pass a model's prompts on to a paid service."""
        seen = self._seen(target) if target.local and target.kind == "ollama" else None
        return replace(target, local=False) if seen is not None and seen.remote else target

    def _seen(self, target: Target) -> Sighted | None:
        if self._reports is None:
            self._reports = self._around.reports()
        if not self._reports:
            return None
        from mrt.cascade.sighted import sighted

        return sighted(target, self._reports)

    def _request(self, tier: str) -> tuple[Request, int]:
        if tier not in self._requests:
            from mrt.providers.estimate import estimate_prompt

            request = request_for(self._asking, self._steps[tier], self._around.config)
            self._requests[tier] = (request, estimate_prompt(request))
        return self._requests[tier]

    def _answer_tokens(self, target: Target, complexity: float) -> int:
        guess = round(_LEAST_ANSWER + _ANSWER_PER_POINT * complexity)
        store = self._around.store()[0] if self._around.deep or not target.local else None
        if store is None:
            return guess
        from mrt.ledger.recent import recent

        seen = recent(store, target.endpoint, target.model)
        return round(seen.output_tokens) if seen.calls >= _ENOUGH_ANSWERS and seen.output_tokens else guess

    def _needs(self, step: Step) -> tuple[str, ...]:
        return (*self._around.needs, *(("tools",) if step.tier.tools else ()))

    def _confined(self, target: Target, seen: Sighted | None) -> str:
        """Why the prompt may not leave for this tier; empty when it may."""
        if self._around.config.route.secrets != "local" or (target.local and not (seen and seen.remote)):
            return ""
        from mrt.router.secrets import secret_in

        found = secret_in(self._asking.prompt)
        return f"the prompt holds {found}, and route.secrets keeps it local" if found else ""

    def _context(self, step: Step, request: Request, tokens: int, seen: Sighted | None) -> tuple[int | None, str]:
        """The context in tokens that this request gets, and who says so."""
        if self._around.context is not None:
            return self._around.context, "by --context"
        if step.target.kind == "ollama":  # reloads a model whose context is another than the one asked for
            asked = step.tier.context or OLLAMA_CONTEXT
            trained = seen.context_trained if seen else None
            return (asked if trained is None else min(asked, trained)), "asked of Ollama"
        if seen is not None and seen.context is not None:
            return seen.context, "served"
        if step.tier.context is not None:
            return step.tier.context, "configured"
        if step.target.local or (tokens + request.max_tokens <= _FITS_EVERY_CLOUD and not self._around.deep):
            return None, ""
        return _listed_context(step.target, self._around), "of the price table"

    def _with_memory(self, known: Known, step: Step, seen: Sighted) -> Known:
        """A model in memory has its KV cache already; one that is still to be loaded must find room, on this machine."""
        from mrt.providers import is_loopback

        if known.loaded is not False or not is_loopback(step.target.url) or seen.remote:
            return known
        from mrt.cascade.room import room_for

        room = room_for(step.target, known.context, seen)
        if room is None:
            return known
        return replace(known, needed_bytes=room.needed_bytes, free_bytes=room.free_bytes, memory=room.what)


def decide(asking: Asking, prompt: Prompt, around: Circumstances, wanted: Wanted) -> Decision:
    """The decision that `route` shows and `ask` acts on. Raises UsageError for a tier that leads nowhere."""
    rungs, facts = ladder_of(asking, around)
    return around.engine(wanted).decide(prompt, rungs, facts)


def ladder_of(asking: Asking, around: Circumstances) -> tuple[tuple[Rung, ...], TierFacts]:
    """The tiers as the router sees them, and its source of facts about them."""
    steps = steps_of(around.config, around.environment)
    rungs = tuple(
        Rung(
            name,
            step.tier.max_complexity,
            step.target.name,
            step.target.local,
            checks_of(step.tier) if around.deep else (),
        )
        for name, step in steps.items()
    )
    return rungs, TierFacts(asking, around, steps)


def checks_of(tier: Tier) -> tuple[str, ...]:
    """The checks that a tier's answers must pass, as configured."""
    if tier.checks is not None:
        return tier.checks
    from mrt.quality.check_names import DEFAULT_CHECKS

    return DEFAULT_CHECKS


def steps_of(config: Config, environment: Mapping[str, str]) -> dict[str, Step]:
    """The tiers with their targets, by name and in order. Raises UsageError for a tier that leads nowhere."""
    return {tier.name: Step(tier, resolve(tier.name, config, environment)) for tier in config.tiers}


def _listed_context(target: Target, around: Circumstances) -> int | None:
    from mrt.cascade.prices import price_tables
    from mrt.pricing import find_listed

    table = price_tables(target, around.config, around.environment).get(target.endpoint)
    listed = find_listed(table, target.model) if table else None
    context = listed.get("context") if listed else None
    return context if isinstance(context, int) else None


def _lacking(needs: tuple[str, ...], seen: Sighted | None) -> tuple[str, ...]:
    if seen is None:
        return ()
    return tuple(dict.fromkeys(need for need in ("chat", *needs) if seen.able.get(need) is False))
