"""One prompt routed: read it, gather the facts, decide, show."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mrt.cascade.facts import Asking, Circumstances, decide
from mrt.commands._input import ask_and_pasted, join_prompt, read_files, read_stdin
from mrt.commands._route_world import OpenedStore, known_tier, reports_for
from mrt.commands._settings import configured
from mrt.config import Config, store_path
from mrt.errors import BudgetError, MrtError, StoreError, Unreachable, UsageError
from mrt.frozen import frozen
from mrt.output import Console
from mrt.output.route import Beside, show_decision
from mrt.router.complexity import assess_prompt
from mrt.router.facts import Prompt, Rung, Wanted

if TYPE_CHECKING:
    from mrt.ledger.measured import Measured
    from mrt.router.decision import Decision


@frozen
class RouteOptions:
    """The command line of `mrt route` for one prompt, as parsed."""

    prompt: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()
    explain: bool = False
    tier: str | None = None
    max_tier: str | None = None
    context: int | None = None
    needs: tuple[str, ...] = ()
    session: str | None = None
    probe: bool = False
    offline: bool = False
    assess: str | None = None
    plan: bool = False
    no_learn: bool = False
    diff: Path | None = None
    no_stdin: bool = False
    stdin_timeout: float | None = None
    encoding: str = "utf-8"


@frozen
class Read:
    """The whole text as it would be sent, and its two parts."""

    text: str
    ask: str
    pasted: str


def route(console: Console, options: RouteOptions, clock: Callable[[], float] = time.time) -> int:
    """Decide and print; the exit code says whether a tier can answer."""
    config = configured(console)
    if options.probe and options.offline:
        raise UsageError("--probe and --offline contradict each other", "leave one of them out")
    read = _read(console, options, config)
    if options.diff is not None:
        from mrt.commands._route_batch import diff_one

        return diff_one(console, config, options.diff, read.ask, read.pasted)
    with OpenedStore(console.environment) as store:
        return _route(console, options, config, read, clock(), store)


def _route(console: Console, options: RouteOptions, config: Config, read: Read, now: float, store: OpenedStore) -> int:
    prompt = Prompt(read.ask, read.pasted, store.difficulty(options.session))
    whole = options.explain or console.mode == "json"
    around = replace(around_of(console, options, config, now, store), deep=whole)
    asking = Asking(read.text)
    if options.assess:
        from mrt.commands._route_models import rating_for

        prompt = replace(prompt, rating=rating_for(console, asking, prompt, options.assess, around))
        if prompt.rating and prompt.rating.value is None:
            console.warn(f"rules alone: {prompt.rating.problem}")
    decision = decide(asking, prompt, around, wanted_of(options, config, whole))
    plan = None
    if options.plan:
        from mrt.commands._route_models import plan_for

        plan = plan_for(console, read.text, around)
    problem = problem_of(decision)
    measured = _measured(decision, config, console, store) if whole else None
    unasked = None if options.assess or options.tier else assessor_of(prompt, config)
    found = Beside(problem, plan, measured, unasked)
    show_decision(console, decision, found, explain=options.explain)
    if problem is None:
        return 0
    console.failure(problem)
    return int(problem.exit_code)


def around_of(console: Console, options: RouteOptions, config: Config, now: float, store: OpenedStore) -> Circumstances:
    """What the decision looks at besides the prompt, all that an explanation needs included."""
    return Circumstances(
        config=config,
        environment=console.environment,
        now=now,
        reports=lambda: reports_for(console, config, now, probe=options.probe, offline=options.offline),
        store=store.open,
        context=options.context,
        needs=options.needs,
        session=options.session,
        tag=config.ask.tag,
        project=config.ask.project,
        deep=True,
        learn=config.route.learn and not options.no_learn,
        store_file=store_path(console.environment),
    )


def _measured(decision: Decision, config: Config, console: Console, at: OpenedStore) -> dict[str, Measured]:
    """What `mrt bench --apply` recorded of each tier's model; nothing where the store does not work."""
    store = at.open()[0]
    if store is None:
        return {}
    from mrt.endpoints import resolve
    from mrt.ledger.measured import measured

    found = {}
    for row in decision.rows:
        target = resolve(row.tier, config, console.environment)
        try:
            of_model = measured(store, target.endpoint, target.model, decision.complexity)
        except StoreError:
            return {}
        if of_model is not None:
            found[row.tier] = of_model
    return found


def wanted_of(options: RouteOptions, config: Config, whole: bool) -> Wanted:
    """What the options and [route] ask of the decision."""
    tier, highest = known_tier(options.tier, config), known_tier(options.max_tier, config)
    names = [one.name for one in config.tiers]
    if tier and highest and names.index(tier) > names.index(highest):
        raise UsageError(f"--tier {tier} is above --max-tier {highest}", "raise --max-tier, or leave one of them out")
    why = "named with --tier" if tier else ""
    return Wanted(config.route.policy, config.route.max_risk, tier, why, highest, whole=whole)


def assessor_of(prompt: Prompt, config: Config) -> str | None:
    """The model that `mrt ask` lets rate this prompt before it decides; None where it asks none."""
    settings = config.assessor
    if settings.model is None or settings.when == "never":
        return None
    from mrt.router.rating import worth_asking

    if settings.when == "always":
        return settings.model
    rungs = tuple(Rung(tier.name, tier.max_complexity) for tier in config.tiers)
    return settings.model if worth_asking(assess_prompt(prompt.ask, prompt.pasted, prompt.inherited), rungs) else None


def problem_of(decision: Decision) -> MrtError | None:
    """Why no tier can answer; None when one can."""
    if decision.blocked is None:
        return None
    why = f"no tier is open: {decision.obstacle}"
    if decision.blocked == "budget":
        return BudgetError(why, "see where it went: mrt spend; raise the limit: mrt config set budget.daily_usd AMOUNT")
    if " context: " in decision.obstacle:
        return Unreachable(why, "send less, or ask for fewer tokens: mrt config set ask.max_tokens N")
    return Unreachable(why, "start a server, then: mrt probe")


def _read(console: Console, options: RouteOptions, config: Config) -> Read:
    given = " ".join(word for word in options.prompt if word != "-")
    explicit = "-" in options.prompt
    files = read_files(options.files, options.encoding)
    stdin = None
    if not options.no_stdin:
        waits = bool(given or files)
        patience = config.ask.stdin_timeout if options.stdin_timeout is None else options.stdin_timeout
        stdin = read_stdin(console, explicit, waits, patience, options.encoding)
    text = join_prompt(given, files, stdin)
    if not text.strip():
        raise UsageError("there is no prompt", 'mrt route "your question", or pipe one in')
    return Read(text, *ask_and_pasted(given, files, stdin))
