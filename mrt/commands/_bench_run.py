"""Ask and grade: one model after the other on an endpoint, several endpoints at once; every answer is kept as it comes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from mrt.bench.run import Pace, run_suite
from mrt.cascade import World
from mrt.cascade.job import takes_seed
from mrt.commands._bench_ask import Manner, asker
from mrt.commands._bench_stop import Stop
from mrt.commands._bench_subjects import Plan, Subject, by_endpoint, open_store_for, temperature_of
from mrt.commands._wire import probe_before_asking
from mrt.commands._world import world_of
from mrt.errors import MrtError, SandboxError
from mrt.frozen import frozen
from mrt.ledger import Store
from mrt.output import Console
from mrt.output.bench_progress import Progress

if TYPE_CHECKING:
    from mrt.bench.sandbox.executor import Sandbox

# How long a run that is stopped waits for the answers that others are in the middle of.
PATIENCE_SECONDS = 3.0


@frozen
class Bench:
    """What all measurements of one command share."""

    console: Console
    plan: Plan
    sandbox: Sandbox
    progress: Progress
    stop: Stop


def measure(
    console: Console, subjects: Sequence[Subject], plan: Plan, sandbox: Sandbox, store: Store
) -> MrtError | None:
    """Measure all. Gives the first failure that ended a run early; Ctrl-C is raised once it is said how to go on."""
    planned = None if plan.options.quick else len(plan.suite.tasks) * plan.options.samples * len(subjects)
    progress = Progress(console, planned, sum(len(subject.done) for subject in subjects))
    shared = Bench(console, plan, sandbox, progress, Stop())
    groups = by_endpoint(subjects)
    try:
        failures = [_in_turn(shared, groups[0], store)] if len(groups) == 1 else _at_once(shared, groups)
    except BaseException:
        progress.close()
        _say_how_to_go_on(console, subjects)
        raise
    progress.close()
    return next((failure for failure in failures if failure is not None), None)


def _at_once(shared: Bench, groups: Sequence[Sequence[Subject]]) -> list[MrtError | None]:
    found: list[MrtError | None] = [None] * len(groups)

    def work(number: int) -> None:
        store = open_store_for(shared.console)
        try:
            found[number] = _in_turn(shared, groups[number], store)
        except Exception as error:  # shown by the main thread as what it is
            found[number] = MrtError(f"internal error: {type(error).__name__}: {error}")
        finally:
            store.close()

    threads = [threading.Thread(target=work, args=(number,), daemon=True) for number in range(len(groups))]
    for thread in threads:
        thread.start()
    try:
        while any(thread.is_alive() for thread in threads):
            for thread in threads:
                thread.join(0.1)
    except BaseException:
        shared.stop.set()
        for thread in threads:
            thread.join(PATIENCE_SECONDS / len(threads))
        raise
    return found


def _in_turn(shared: Bench, subjects: Sequence[Subject], store: Store) -> MrtError | None:
    """One after the other; a failure of one keeps the others from nothing, unless their sandbox is what failed."""
    first = None
    for subject in subjects:
        try:
            _measure_one(shared, subject, store)
        except SandboxError as error:
            return first or error
        except MrtError as error:
            first = first or _named(error, subject)
    return first


def _named(error: MrtError, subject: Subject) -> MrtError:
    if subject.target.name not in error.message:
        error.message = f"{subject.target.name}: {error.message}"
    return error


def _measure_one(shared: Bench, subject: Subject, store: Store) -> None:
    plan, console = shared.plan, shared.console
    world = world_of(console, plan.config, store)
    world = replace(world, wire=replace(world.wire, client=shared.stop.client(world.wire.client)))
    digest = probe_before_asking(subject.target, plan.config, console, world.wire, world.timers)
    _begin(shared, subject, digest)
    manner = Manner(
        temperature=temperature_of(str(subject.run.environment["named"]), plan.options, plan.config),
        context=plan.options.context,
        allow_unpriced=plan.options.allow_unpriced,
        tag=plan.options.tag or plan.config.ask.tag,
        project=plan.options.project or plan.config.ask.project,
    )
    ask = asker(subject.target, world, manner)
    for graded in run_suite(plan.suite.tasks, ask, shared.sandbox.run, _pace(shared, subject, world), subject.done):
        subject.journal.add(graded)
        shared.progress.advance(graded)


def _begin(shared: Bench, subject: Subject, digest: str | None) -> None:
    if not subject.is_new:
        subject.journal.go_on()
        return
    layers = list(shared.sandbox.layers)
    found = {"layers": layers, "model_digest": digest}
    subject.journal.begin(replace(subject.run, environment={**subject.run.environment, **found}))


def _pace(shared: Bench, subject: Subject, world: World) -> Pace:
    options = shared.plan.options
    return Pace(
        samples=options.samples,
        rest_seconds=options.rest,
        reset_every=options.reset_every or 0,
        reset=_reset(shared, subject, world),
        quick=options.quick,
        max_tokens=options.max_tokens,
        stopped=shared.stop.is_set,
        seed=int(subject.run.environment["seed"]),
        sampling_seed=_sampling_seed(subject),
    )


def _sampling_seed(subject: Subject) -> int | None:
    """Where there is something to draw, and the protocol has a field for a seed."""
    was = subject.run.environment
    return int(was["seed"]) if was.get("temperature") and takes_seed(subject.target) else None


def _reset(shared: Bench, subject: Subject, world: World) -> Callable[[], None]:
    if not shared.plan.options.reset_every:
        return lambda: None
    from mrt.commands._bench_reset import reset_of

    return reset_of(shared.console, subject.target, world)


def _say_how_to_go_on(console: Console, subjects: Sequence[Subject]) -> None:
    for subject in subjects:
        if subject.journal.path.exists():
            console.note(f"kept what was answered; go on with: mrt bench --resume {subject.run.id}")
