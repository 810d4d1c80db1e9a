"""`mrt bench --speed-only`: every question goes out on a connection that is open already, and is booked like any other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from typing import TYPE_CHECKING

from mrt.bench.energy import EnergyMeter, no_energy
from mrt.bench.speed import CONCURRENCY, MAX_TOKENS, PROMPT_TOKENS, REPETITIONS, Speed, SpeedAsk, SpeedPlan, measure
from mrt.bench.speed_trace import Recorder, Trace
from mrt.cascade import World
from mrt.cascade.side import SideQuestion, side_attempt
from mrt.commands._bench_ask import ENDS_THE_RUN, PURPOSE, heard_of
from mrt.commands._wire import probe_before_asking
from mrt.commands._world import world_of
from mrt.config import Config
from mrt.domain import Target
from mrt.endpoints import with_key
from mrt.endpoints.probe import models_url
from mrt.errors import ExitCode, MrtError, UsageError
from mrt.frozen import frozen
from mrt.ledger import Store, new_id
from mrt.output import Console
from mrt.providers import is_loopback, protocol

if TYPE_CHECKING:
    from mrt.commands._bench_main import BenchOptions

_ANSWER_SECONDS = 900.0
_CONTEXT_STEP = 4096
# Templates add to a prompt, and not every tokenizer takes as little for it as it took for the first.
_ROOM = 1.25
_MOST = {"prompt tokens": 1_000_000, "concurrency": 64}


@frozen
class SpeedOptions:
    """What to measure of speed, and who pays. `context` None is room for the longest prompt, where a server must be told."""

    prompt_tokens: tuple[int, ...] = PROMPT_TOKENS
    repetitions: int = REPETITIONS
    max_tokens: int = MAX_TOKENS
    concurrency: tuple[int, ...] = ()
    sweep: tuple[int, ...] = ()
    context: int | None = None
    rest: float = 0.0
    seed: int | None = None
    allow_unpriced: bool = False
    tag: str | None = None
    project: str | None = None

    @property
    def streams(self) -> int:
        """The most that are open at once."""
        return max(self.concurrency, default=1)


def speed_only(console: Console, options: BenchOptions) -> int:
    """Measure the speed of the models that are named, or of all tiers', and show it."""
    from mrt.commands._bench_subjects import open_store_for
    from mrt.commands._settings import configured
    from mrt.endpoints import resolve

    config = configured(console)
    wanted = speed_options(options, config)
    names = options.models or tuple(tier.name for tier in config.tiers)
    targets = {(target := resolve(name, config, console.environment)).name: target for name in names}
    with closing(open_store_for(console)) as store:
        speeds = measure_speed(console, tuple(targets.values()), wanted, config, store)
    return show(console, speeds)


def speed_options(options: BenchOptions, config: Config) -> SpeedOptions:
    """The part of the command line that is about speed."""
    return SpeedOptions(
        prompt_tokens=numbers(options.prompt_tokens, "prompt tokens") or PROMPT_TOKENS,
        repetitions=options.repetitions,
        max_tokens=options.max_tokens or MAX_TOKENS,
        concurrency=numbers(options.concurrency, "concurrency"),
        sweep=numbers(options.ctx_sweep, "prompt tokens"),
        context=options.context,
        rest=options.rest,
        seed=options.seed,
        allow_unpriced=options.allow_unpriced,
        tag=options.tag or config.ask.tag,
        project=options.project or config.ask.project,
    )


def numbers(text: str | None, what: str) -> tuple[int, ...]:
    """`128,1024` as numbers, in order, each once. Raises UsageError."""
    if text is None:
        return ()
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and 1 <= int(part) <= _MOST[what] for part in parts):
        example = ",".join(map(str, CONCURRENCY if what == "concurrency" else PROMPT_TOKENS))
        raise UsageError(f"{text!r} is no list of {what} from 1 to {_MOST[what]}", f"write it like {example}")
    return tuple(sorted({int(part) for part in parts}))


def measure_speed(
    console: Console, targets: Sequence[Target], options: SpeedOptions, config: Config, store: Store
) -> list[Speed]:
    """One model after the other, also on different servers: what shares a machine, or this client, would slow the other down.

    A model that cannot be measured is no reason not to measure the next: its failure is part of what is given.
    """
    return [_one(console, target, options, config, store) for target in targets]


def show(console: Console, speeds: Sequence[Speed]) -> int:
    """All of them; the exit code is that of the first failure."""
    from mrt.output.bench_speed import show_speeds

    failures = [_named(speed.failure, speed.model) for speed in speeds if speed.failure is not None]
    show_speeds(console, speeds, failures)
    for failure in failures:
        console.failure(failure)
    return int(failures[0].exit_code) if failures else ExitCode.OK


def _named(error: MrtError, model: str) -> MrtError:
    if model not in error.message:
        error.message = f"{model}: {error.message}"
    return error


def _one(console: Console, target: Target, options: SpeedOptions, config: Config, store: Store) -> Speed:
    from mrt.output.bench_speed_progress import SpeedProgress

    world = world_of(console, config, store)
    with ExitStack() as stack:
        progress = stack.enter_context(SpeedProgress(console, target.name))
        recorders = [Recorder(world.wire.client, world.wire.clock) for _ in range(options.streams)]
        for recorder in recorders:
            stack.callback(recorder.close)
        asks = [speed_ask(target, world, recorder, options) for recorder in recorders]
        plan = _plan(options, world, target, progress.advance)
        try:
            probe_before_asking(target, config, console, world.wire, world.timers)
            _connect(recorders, with_key(target, config, console.environment))
        except MrtError as error:
            asks = [_never(error)]
        return measure(target, asks, plan)


def _never(error: MrtError) -> SpeedAsk:
    """The door to a model that cannot be asked at all."""

    def ask(*_: object) -> Trace:
        raise error

    return ask


def _plan(options: SpeedOptions, world: World, target: Target, advance: Callable[[str], None]) -> SpeedPlan:
    return SpeedPlan(
        prompt_tokens=options.prompt_tokens,
        repetitions=options.repetitions,
        max_tokens=options.max_tokens,
        concurrency=options.concurrency,
        sweep=options.sweep,
        seed=options.seed,
        rest_seconds=options.rest,
        sleep=world.wire.sleep,
        advance=advance,
        energy=_energy_of(target, world),
    )


def _energy_of(target: Target, world: World) -> Callable[[], EnergyMeter]:
    """The GPUs here say nothing of a model elsewhere."""
    if not (target.local and is_loopback(target.url)):
        return no_energy
    from mrt.machine.world import load_nvml

    return lambda: EnergyMeter(load_nvml, world.wire.clock)


def _connect(recorders: Sequence[Recorder], target: Target) -> None:
    """Open every connection before anything is measured, by asking for the list of models."""
    headers = protocol(target).headers(target)
    for recorder in recorders:
        recorder.hello(models_url(target), headers)


def speed_ask(target: Target, world: World, recorder: Recorder, options: SpeedOptions) -> SpeedAsk:
    """The door for one stream. Raises what ends the measurement: a budget, a key, a model that is not there."""
    recorded = replace(world, wire=replace(world.wire, client=recorder.client))
    context = options.context or (_context(options) if target.kind == "ollama" else None)

    def ask(prompt: str, max_tokens: int) -> Trace:
        recorder.forget()
        question = SideQuestion(
            prompt=prompt,
            tier=PURPOSE,
            max_tokens=max_tokens,
            temperature=0.0,
            timeout=_ANSWER_SECONDS,
            context=context,
            tag=options.tag,
            project=options.project,
            allow_unpriced=options.allow_unpriced,
        )
        ended = side_attempt(target, question, PURPOSE, replace(recorded, operation=new_id(world.wire.now())))
        if isinstance(ended.error, ENDS_THE_RUN):
            raise ended.error
        heard = heard_of(ended)
        return recorder.trace(ended.error, heard.cost_state, heard.cost_nano)

    return ask


def _context(options: SpeedOptions) -> int:
    """One context for all prompts, in steps: another one for each would load the model anew each time."""
    longest = max((*options.prompt_tokens, *options.sweep))
    return -(-(int(_ROOM * longest) + options.max_tokens) // _CONTEXT_STEP) * _CONTEXT_STEP
