"""Measure how fast a model answers: time to the first token, decode and prompt rates, at several prompt lengths."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field

from mrt.bench.energy import Energy, EnergyMeter, no_energy
from mrt.bench.speed_load import Load, load_of
from mrt.bench.speed_prompts import CHARACTERS_PER_TOKEN, characters_per_token, speed_prompt
from mrt.bench.speed_read import Timed, timed
from mrt.bench.speed_sums import Length, Sources, drift, length_of, remarks, sources_of
from mrt.bench.speed_trace import Trace
from mrt.domain import Target
from mrt.errors import ContextOverflow, MrtError
from mrt.frozen import frozen

PROMPT_TOKENS = (128, 1024, 4096)
CONCURRENCY = (1, 2, 4, 8)
REPETITIONS, SWEEP_REPETITIONS = 5, 2
MAX_TOKENS = 128
MOST_FAILURES = 3

# Asks one prompt with at most so many tokens. Raises what would end every further question too.
SpeedAsk = Callable[[str, int], Trace]


@frozen
class SpeedPlan:
    """What to measure. `concurrency` and `sweep` are left out when empty; `seed` makes the prompts, a random one new ones."""

    prompt_tokens: Sequence[int] = PROMPT_TOKENS
    repetitions: int = REPETITIONS
    max_tokens: int = MAX_TOKENS
    concurrency: Sequence[int] = ()
    sweep: Sequence[int] = ()
    seed: int | None = None
    rest_seconds: float = 0.0
    sleep: Callable[[float], None] = time.sleep
    cpu_clock: Callable[[], float] = time.process_time
    clock: Callable[[], float] = time.monotonic
    advance: Callable[[str], None] = lambda _: None
    energy: Callable[[], EnergyMeter] = no_energy


@frozen
class First:
    """The first request of all, which may have waited for the model to load: seconds to its first token, and to load if said."""

    ttft: float | None
    load_seconds: float | None


@frozen
class Speed:
    """All that was measured of one model. `drift` is the last third's decode rate over the first third's.

    `cpu` is the client's share of a processor while it listened. `failure` ended the measurement early.
    """

    model: str
    repetitions: int
    max_tokens: int
    sources: Sources
    lengths: tuple[Length, ...]
    sweep: tuple[Length, ...]
    load: Load | None
    first: First | None
    drift: float | None
    cpu: float | None
    reasoned: bool
    remarks: tuple[str, ...]
    energy: Energy | None
    cost_state: str
    cost_nano: int
    unpriced_calls: int
    calls: int
    failure: MrtError | None = None


@dataclass
class _Course:
    """A measurement on its way."""

    target: Target
    plan: SpeedPlan
    nonces: random.Random
    characters: float = CHARACTERS_PER_TOKEN
    runs: list[tuple[int, Timed]] = field(default_factory=list)
    traces: list[Trace] = field(default_factory=list)
    in_a_row: int = 0
    first: First | None = None
    sweep: list[Length] = field(default_factory=list)
    load: Load | None = None
    cpu: float | None = None
    failure: MrtError | None = None

    def prompt(self, tokens: int) -> str:
        return speed_prompt(tokens, self.nonces.getrandbits(64), self.characters)

    def once(self, ask: SpeedAsk, tokens: int) -> Timed:
        """One question."""
        trace = ask(self.prompt(tokens), self.plan.max_tokens)
        self.traces.append(trace)
        found = timed(trace, self.target)
        failed = found.error is not None and not isinstance(found.error, ContextOverflow)
        self.in_a_row = self.in_a_row + 1 if failed else 0
        if self.plan.rest_seconds:
            self.plan.sleep(self.plan.rest_seconds)
        return found


def measure(target: Target, asks: Sequence[SpeedAsk], plan: SpeedPlan) -> Speed:
    """Measure one model: one request that may load it, one to warm up, then the repetitions, their lengths in turn.

    `asks` has one door for each stream that is to run at once, the first of them for all that runs alone. Nothing is raised for
    an endpoint that fails: what was measured until then counts, and `failure` says why it ended.
    """
    seed = random.SystemRandom().getrandbits(64) if plan.seed is None else plan.seed
    course = _Course(target, plan, random.Random(seed))  # noqa: S311 - to differ, not to guard
    meter = plan.energy()
    try:
        course.first = _start(course, asks[0])
        began, cpu_began = plan.clock(), plan.cpu_clock()
        with meter:
            _repeat(course, asks[0])
        course.cpu = (plan.cpu_clock() - cpu_began) / max(1e-9, plan.clock() - began)
        course.sweep.extend(_sweep(course, asks[0]))
        course.load = _load(course, asks) if plan.concurrency else None
    except MrtError as error:
        course.failure = error
    return _sum_up(course, meter)


def _start(course: _Course, ask: SpeedAsk) -> First:
    """The first request and one to warm up; the first also tells how many characters a token has."""
    shortest = min(course.plan.prompt_tokens)
    course.plan.advance("first request")
    prompt = course.prompt(shortest)
    trace = ask(prompt, course.plan.max_tokens)
    course.traces.append(trace)
    found = timed(trace, course.target)
    course.characters = characters_per_token(prompt, found.prompt_tokens)
    course.plan.advance("warm-up")
    course.once(ask, shortest)
    return First(found.first, found.native.load_seconds)


def _repeat(course: _Course, ask: SpeedAsk) -> None:
    """Every length once, then all once more: what changes with time then shows, and does not look like a length's doing."""
    too_long: set[int] = set()
    for turn in range(course.plan.repetitions):
        for wanted in course.plan.prompt_tokens:
            if wanted in too_long:
                continue
            course.plan.advance(f"{wanted} prompt tokens, {turn + 1} of {course.plan.repetitions}")
            found = course.once(ask, wanted)
            course.runs.append((wanted, found))
            _go_on_after(course, found)
            if isinstance(found.error, ContextOverflow):
                too_long.add(wanted)


def _sweep(course: _Course, ask: SpeedAsk) -> Iterator[Length]:
    """The same at growing lengths, up to the first that does not fit."""
    for wanted in sorted(course.plan.sweep):
        runs = []
        for _ in range(SWEEP_REPETITIONS):
            course.plan.advance(f"context of {wanted} tokens")
            runs.append(course.once(ask, wanted))
            if runs[-1].error is not None:
                break
        yield length_of(wanted, runs, sources_of(runs))
        if isinstance(runs[-1].error, ContextOverflow):
            return


def _load(course: _Course, asks: Sequence[SpeedAsk]) -> Load:
    tokens = min(course.plan.prompt_tokens)

    def one(stream: int) -> Trace:
        return asks[stream](course.prompt(tokens), course.plan.max_tokens)

    def say(streams: int) -> None:
        course.plan.advance(f"{streams} at once")

    load, traces = load_of(course.target, one, course.plan.concurrency, say)
    course.traces.extend(traces)
    return load


def _sum_up(course: _Course, meter: EnergyMeter) -> Speed:
    runs = [run for _, run in course.runs]
    sources = sources_of(runs)
    wanted = [tokens for tokens in course.plan.prompt_tokens if any(tokens == of for of, _ in course.runs)]
    lengths = tuple(
        length_of(tokens, [run for of, run in course.runs if of == tokens], sources) for tokens in dict.fromkeys(wanted)
    )
    nanos = [trace.cost_nano for trace in course.traces]
    return Speed(
        model=course.target.name,
        repetitions=course.plan.repetitions,
        max_tokens=course.plan.max_tokens,
        sources=sources,
        lengths=lengths,
        sweep=tuple(course.sweep),
        load=course.load,
        first=course.first,
        drift=drift(course.runs, sources),
        cpu=course.cpu,
        reasoned=any(run.reasoned for run in runs),
        remarks=remarks(runs, lengths, course.cpu),
        energy=meter.reading(sum(run.output_tokens or 0 for run in runs)),
        cost_state=_state(course.traces),
        cost_nano=sum(nano or 0 for nano in nanos),
        unpriced_calls=nanos.count(None),
        calls=len(nanos),
        failure=course.failure,
    )


def _state(traces: Sequence[Trace]) -> str:
    """How the cost is known: as the least certain part of it."""
    states = {trace.cost_state for trace in traces}
    return next(
        (state for state in ("unknown", "estimated", "priced", "reported", "free") if state in states), "unknown"
    )


def _go_on_after(course: _Course, found: Timed) -> None:
    """Raises the failure, with its own exit code, when so many came in a row that no other end is in sight."""
    if found.error is not None and course.in_a_row >= MOST_FAILURES:
        last = copy(found.error)
        last.message = f"{course.in_a_row} questions in a row failed: {found.error.message}"
        raise last
