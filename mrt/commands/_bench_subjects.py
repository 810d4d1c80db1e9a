"""Who is measured: names to targets, each with a journal, new or gone on with; and how all are asked."""

from __future__ import annotations

import platform
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mrt import __version__
from mrt.bench.answers import Graded
from mrt.bench.cases import SEED
from mrt.bench.grading import NOT_SCORED
from mrt.bench.journal import Journal, Run, path_of, read
from mrt.bench.suites import Suite, suite_of
from mrt.config import Config
from mrt.domain import Target
from mrt.endpoints import resolve
from mrt.errors import UsageError
from mrt.frozen import frozen
from mrt.ledger import Store
from mrt.output import Console

if TYPE_CHECKING:
    from mrt.commands._bench_main import BenchOptions

SAMPLING_TEMPERATURE = 0.7


@frozen
class Subject:
    """One model under test: its run, where that is kept, and what was answered before."""

    target: Target
    run: Run
    journal: Journal
    done: tuple[Graded, ...] = ()

    @property
    def is_new(self) -> bool:
        """Whether its journal is still to be begun."""
        return not self.journal.path.exists()


@frozen
class Plan:
    """What is asked of all subjects, and how."""

    config: Config
    suite: Suite
    options: BenchOptions


def prepare(console: Console, options: BenchOptions, config: Config) -> tuple[tuple[Subject, ...], Plan]:
    """Everything that can be known before a model is asked. Raises UsageError."""
    from mrt.commands._bench_main import runs_folder

    folder = runs_folder(console)
    if options.resume is not None:
        return _resumed(console, options, config, path_of(folder, options.resume))
    suite = suite_of(options.suite or (str(options.tasks) if options.tasks else "coding"), options.variant)
    if not suite.tasks:
        raise UsageError(f"the suite {suite.name} has no tasks", "take --suite coding, or a folder of your own")
    names = options.models or tuple(tier.name for tier in config.tiers)
    targets = {(target := resolve(name, config, console.environment)).name: (name, target) for name in names}
    now = time.time()
    runs = [_run(now, name, target, suite, options, config) for name, target in targets.values()]
    subjects = [_new(folder, run, target) for run, (_, target) in zip(_distinct(runs), targets.values(), strict=True)]
    return tuple(subjects), Plan(config, suite, options)


def _new(folder: Path, run: Run, target: Target) -> Subject:
    return Subject(target, run, Journal(folder / f"{run.id}.jsonl"))


def _distinct(runs: Sequence[Run]) -> Iterator[Run]:
    """Names that differ in marks alone leave the same id: those get a number."""
    seen: set[str] = set()
    for number, run in enumerate(runs):
        identifier = f"{run.id}-{number}" if run.id in seen else run.id
        seen.add(identifier)
        yield replace(run, id=identifier)


def _run(now: float, name: str, target: Target, suite: Suite, options: BenchOptions, config: Config) -> Run:
    moment = time.gmtime(now)
    slug = re.sub(r"[^a-z0-9.]+", "-", target.name.lower()).strip("-.")[-40:] or "model"
    return Run(
        id=f"{time.strftime('%Y%m%d-%H%M%S', moment)}-{int(now * 1000) % 1000:03d}-{slug}",
        model=target.name,
        suite=suite.name,
        digest=suite.digest,
        variant=suite.variant,
        samples=options.samples,
        started=time.strftime("%Y-%m-%dT%H:%M:%SZ", moment),
        environment=_environment(name, target, suite, options, config),
    )


def _environment(name: str, target: Target, suite: Suite, options: BenchOptions, config: Config) -> Mapping[str, Any]:
    """What it runs on and with."""
    return {
        "named": name,
        "endpoint": target.endpoint,
        "kind": target.kind,
        "local": target.local,
        "tiers": [tier.name for tier in config.tiers if _means(tier.name, tier.model, name, target, config)],
        "planned": None if options.quick else len(suite.tasks) * options.samples,
        "quick": options.quick,
        "seed": SEED if options.seed is None else options.seed,
        "temperature": temperature_of(name, options, config),
        "max_tokens": options.max_tokens,
        "context": options.context,
        "executor": options.executor,
        "unsafe": options.unsafe,
        "asked": suite.asked,
        "prompts": suite.prompts,
        "mrt": __version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def _means(tier: str, model: str, name: str, target: Target, config: Config) -> bool:
    return tier == name or config.aliases.get(model, model) == target.name


def temperature_of(name: str, options: BenchOptions, config: Config) -> float:
    """The one asked for; else 0 for a single answer, and for several the tier's own or one at which they can differ."""
    if options.temperature is not None:
        return options.temperature
    if options.samples == 1:
        return 0.0
    own = next((tier.temperature for tier in config.tiers if tier.name == name), None)
    return SAMPLING_TEMPERATURE if own is None else own


def _resumed(console: Console, options: BenchOptions, config: Config, path: Path) -> tuple[tuple[Subject, ...], Plan]:
    """The run in a journal, gone on with as it was begun: only who pays and where code runs may be said anew."""
    run, graded = read(path)
    suite = suite_of(run.suite, run.variant)
    if suite.digest != run.digest:
        raise UsageError(
            f"the tasks of {run.suite} are others now than in run {run.id}", "begin a new run: mrt bench MODEL"
        )
    was = run.environment
    target = resolve(str(was["named"]), config, console.environment)
    if target.name != run.model:
        raise UsageError(f"{was['named']} is {target.name} now, and was {run.model}", f"mrt bench {run.model}")
    done = tuple(one for one in graded if one.status not in NOT_SCORED)
    options = _as_before(options, run)
    return (Subject(target, run, Journal(path), done),), Plan(config, suite, options)


def _as_before(options: BenchOptions, run: Run) -> BenchOptions:
    was = run.environment
    return replace(
        options,
        samples=run.samples,
        variant=run.variant,
        quick=bool(was.get("quick")),
        seed=was.get("seed"),
        temperature=was.get("temperature"),
        max_tokens=was.get("max_tokens"),
        context=was.get("context"),
    )


def open_store_for(console: Console) -> Store:
    """The spend store, or one in memory with a warning."""
    from mrt.commands._world import open_or_memory

    return open_or_memory(console)


def by_endpoint(subjects: Sequence[Subject]) -> list[list[Subject]]:
    """Those on the same server together: they are measured one after the other."""
    groups: dict[str, list[Subject]] = {}
    for subject in subjects:
        groups.setdefault(subject.target.url, []).append(subject)
    return list(groups.values())
