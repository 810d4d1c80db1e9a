"""`mrt probe --deep`: ask every tier's model some tiny questions, and keep what they show."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import replace

from mrt.cascade import World
from mrt.cascade.trial import Trial, highest_cost, spent, try_model
from mrt.commands._probe_scope import Scope, View, look_at
from mrt.commands._world import open_or_memory, world_of
from mrt.config import Tier
from mrt.domain import Target
from mrt.endpoints.abilities import Abilities, remember_abilities
from mrt.endpoints.cache import save_cache
from mrt.endpoints.place import place_named
from mrt.endpoints.report import SAID, EndpointReport, ModelReport
from mrt.endpoints.resolve import resolve, resolve_tier
from mrt.errors import ExitCode, MrtError, StoreError, Unreachable, UsageError
from mrt.frozen import frozen
from mrt.ledger import Store, new_id
from mrt.output import Console
from mrt.output.probe_trials import trial_data, trials_text
from mrt.output.spend_money import amount

# The tier's name in the books of a model that is asked by its own name.
DIRECT = "direct"


@frozen
class Candidate:
    """A model to try, as the tier or the name has it."""

    tier: Tier
    target: Target


def deep(console: Console, scope: Scope, model: str | None, seconds: float | None, *, agreed: bool) -> int:
    """Try the models and show what they can do. Raises a UsageError where money would be spent and nobody agreed.

    `seconds` is the most that the questions to one model may take; None means as the tier or the configuration has it. Ends
    with 0 when all could be tried, with the failure's own code when there was one kind of failure, else with 3.
    """
    candidates = _candidates(scope, model)
    scope = _around(scope, candidates)
    with closing(open_or_memory(console, "what is seen is not kept")) as store:
        world = world_of(console, scope.config, store, scope.wire)
        _agree(console, candidates, world, agreed)
        view = look_at(scope)
        trials = [_tried(console, _patient(one, seconds), _report(view, one), world) for one in candidates]
        view = look_at(scope)
        trials = _with_context(trials, view, store)
    save_cache(scope.environment, [_tried_out(report, trials) for report in view.reports], scope.wire.now())
    if console.mode == "json":
        console.envelope(
            "probe", {"trials": [trial_data(one) for one in trials]}, [e for one in trials if (e := one.error)]
        )
    else:
        console.result(trials_text(trials))
        cost = spent(trials)
        if cost.nano:
            console.note(f"spent {amount(cost.nano)}")
    codes = {int(one.error.exit_code) for one in trials if one.error}
    return codes.pop() if len(codes) == 1 else ExitCode.UPSTREAM if codes else ExitCode.OK


def _candidates(scope: Scope, model: str | None) -> list[Candidate]:
    """The model that is named, or those of the tiers in scope; each model once."""
    if model is not None:
        tier = next((tier for tier in scope.config.tiers if tier.name == model), None) or Tier(DIRECT, model)
        return [Candidate(tier, resolve(model, scope.config, scope.environment))]
    tiers = [tier for tier in scope.config.tiers if scope.tier in (None, tier.name)]
    found = [Candidate(tier, resolve_tier(tier, scope.config, scope.environment)) for tier in tiers]
    unique = {one.target.name: one for one in reversed(found)}
    kept = [one for one in found if unique.get(one.target.name) is one]
    kept = [one for one in kept if scope.endpoint in (None, one.target.endpoint)]
    if not kept:
        raise UsageError(f"no tier is at {scope.endpoint}", f"name a model: mrt probe --deep {scope.endpoint}/MODEL")
    return kept


def _patient(candidate: Candidate, seconds: float | None) -> Candidate:
    """The candidate with this limit in place of its tier's own."""
    return candidate if seconds is None else replace(candidate, tier=replace(candidate.tier, timeout=seconds))


def _around(scope: Scope, candidates: Sequence[Candidate]) -> Scope:
    """The places of the candidates alone."""
    names = dict.fromkeys(one.target.endpoint for one in candidates)
    found = tuple(place_named(name, scope.config, scope.environment) for name in names)
    return replace(scope, places=found)


def _agree(console: Console, candidates: Sequence[Candidate], world: World, agreed: bool) -> None:
    paid = [one for one in candidates if not one.target.local]
    if not paid or agreed:
        return
    costs = [highest_cost(one.tier, one.target, world) for one in paid]
    known = sum(cost for cost in costs if cost is not None)
    most = f"up to {amount(known)}" if None not in costs else "an amount that is not known"
    names = ", ".join(one.target.name for one in paid)
    question = f"this spends {most} on {names}"
    if console.mode == "json" or not console.can_ask:
        raise UsageError(f"--deep without --yes: {question}", "add --yes, or name a local model: --deep MODEL")
    console.aside(f"{question}; go on? [y/N] ")
    answer = console.stdin.readline() if console.stdin else ""
    if answer.strip().lower() not in ("y", "yes"):
        raise UsageError("nothing was asked", "name a local model: --deep MODEL")


def _report(view: View, candidate: Candidate) -> EndpointReport | None:
    return next((report for report in view.reports if report.name == candidate.target.endpoint), None)


def _tried(console: Console, candidate: Candidate, report: EndpointReport | None, world: World) -> Trial:
    tier, target = candidate.tier, candidate.target
    if report is None or report.state != "ready":
        what = "was not found" if report is None else f"{SAID[report.state]}: {report.message}"
        failure: MrtError = Unreachable(f"{target.name}: {target.endpoint} {what}", report.hint if report else None)
        return Trial(tier.name, target, Abilities(), (), failure)
    console.detail(f"trying {target.name}")
    deadline = world.wire.clock() + (tier.timeout or world.config.ask.timeout)
    timed = replace(world, timers=replace(world.timers, deadline=deadline))
    return try_model(tier, target, timed, lambda: new_id(time.time()))


def _with_context(trials: Sequence[Trial], view: View, store: Store) -> list[Trial]:
    """The trials with the context that is really served, now that the models are loaded; kept in the store."""
    reports = {report.name: report for report in view.reports}
    done = []
    for trial in trials:
        context = _context(reports.get(trial.target.endpoint), trial.target.model)
        trial = replace(trial, abilities=replace(trial.abilities, context=context))  # noqa: PLW2901
        if trial.abilities.tried_at:
            with suppress(StoreError):
                remember_abilities(store, trial.target, trial.abilities)
        done.append(trial)
    return done


def _tried_out(report: EndpointReport, trials: Sequence[Trial]) -> EndpointReport:
    """The report with what the trials showed, for those who decide by the last report where a prompt goes."""
    tried = [trial for trial in trials if trial.target.endpoint == report.name]
    found = [(report.model(trial.target.model), trial.abilities) for trial in tried]
    shown = {model.id: abilities for model, abilities in found if model is not None}
    return replace(report, models=tuple(_shown(model, shown.get(model.id)) for model in report.models))


def _shown(model: ModelReport, seen: Abilities | None) -> ModelReport:
    if seen is None:
        return model
    tools = model.tools if seen.tools is None else seen.tools
    return replace(model, tools=tools, reasoning=model.reasoning if seen.reasoning is None else seen.reasoning)


def _context(report: EndpointReport | None, model: str) -> int | None:
    if report is None:
        return None
    found = report.model(model) or (report.models[0] if len(report.models) == 1 else None)
    return None if found is None else found.context_served
