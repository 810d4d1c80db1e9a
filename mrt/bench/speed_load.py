"""Several streams at once, each asking again as soon as it is answered: how much more a server gives, and where it ends."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from mrt.bench.speed_read import Source, Timed, timed
from mrt.bench.speed_sums import Sources, Spread, sources_of, spread
from mrt.bench.speed_trace import Trace
from mrt.domain import Target
from mrt.errors import MrtError
from mrt.frozen import frozen

# A step that gives less than this much more than the one before is not worth its waiting time.
LEAST_GAIN = 0.15
REQUESTS_EACH = 2
_ROUNDING = 1e-9
_TICK_SECONDS = 0.1
# How long a measurement that is stopped waits for the answers it is in the middle of.
_PATIENCE_SECONDS = 3.0


@frozen
class Step:
    """So many streams at once: tokens per second of all together and of each, seconds to the first token.

    `gain` is how much more all together gave than at the step before, as a share; None where one of them is unknown.
    """

    streams: int
    runs: int
    failed: int
    aggregate_tps: float | None
    stream_tps: Spread | None
    ttft: Spread | None
    gain: float | None
    problem: str | None = None


@frozen
class Load:
    """All steps, and the last of them that was worth it. Closed loop: a stream waits for its answer before it asks again."""

    steps: tuple[Step, ...]
    knee: int | None
    source: Source | None
    requests_each: int = REQUESTS_EACH


def load_of(
    target: Target, ask: Callable[[int], Trace], streams: Sequence[int], advance: Callable[[int], None]
) -> tuple[Load, list[Trace]]:
    """Measure each step, `ask` being given the number of the stream that asks. Raises what ends every further question."""
    found: list[tuple[int, list[Trace]]] = []
    for count in sorted(set(streams)):
        advance(count)
        found.append((count, _at_once(ask, count)))
    timings = [(count, [timed(trace, target) for trace in traces]) for count, traces in found]
    sources = sources_of([run for _, runs in timings for run in runs])
    steps: list[Step] = []
    for count, runs in timings:
        steps.append(_step(count, runs, sources, steps[-1] if steps else None))
    return Load(tuple(steps), knee(steps), sources.decode), [trace for _, traces in found for trace in traces]


def _at_once(ask: Callable[[int], Trace], count: int) -> list[Trace]:
    found: list[list[Trace]] = [[] for _ in range(count)]
    failures: list[BaseException] = []

    def work(stream: int) -> None:
        mine = found[stream]
        try:
            while len(mine) < REQUESTS_EACH and not failures:
                mine.append(ask(stream))
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(stream,), daemon=True) for stream in range(count)]
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            while thread.is_alive():
                thread.join(_TICK_SECONDS)  # with a limit, so that Ctrl-C gets through
    except BaseException as error:
        failures.append(error)
        for thread in threads:
            thread.join(_PATIENCE_SECONDS / count)  # answers that end soon are booked as they came
        raise
    if failures:
        raise failures[0]
    return [trace for mine in found for trace in mine]


def _step(count: int, runs: Sequence[Timed], sources: Sources, before: Step | None) -> Step:
    whole = [run for run in runs if run.error is None]
    total = _aggregate(whole, sources.decode)
    previous = before.aggregate_tps if before else None
    failure: MrtError | None = next((run.error for run in runs if run.error is not None), None)
    return Step(
        streams=count,
        runs=len(runs),
        failed=len(runs) - len(whole),
        aggregate_tps=total,
        stream_tps=_stream_tps(whole, sources.decode),
        ttft=spread(run.first for run in whole),
        gain=total / previous - 1 if total and previous else None,
        problem=failure.message if failure else None,
    )


def _stream_tps(runs: Sequence[Timed], source: Source | None) -> Spread | None:
    return None if source is None else spread(run.decode_tps(source) for run in runs if run.long_enough)


def _aggregate(runs: Sequence[Timed], source: Source | None) -> float | None:
    """All output tokens over the time from the first request to the last token, waiting included."""
    counts = [(run.tokens or {}).get(source) for run in runs] if source else []
    ends = [run.sent + run.last for run in runs if run.last is not None]
    if not ends or None in counts:
        return None
    seconds = max(ends) - min(run.sent for run in runs)
    return sum(filter(None, counts)) / seconds if seconds > 0 else None


def knee(steps: Sequence[Step]) -> int | None:
    """The last step that gave at least 15 % more than the one before; the first one where none did. None of one step."""
    if len(steps) < 2 or any(step.aggregate_tps is None for step in steps):
        return None
    worth = [step.streams for step in steps[1:] if step.gain is not None and step.gain >= LEAST_GAIN - _ROUNDING]
    return worth[-1] if worth else steps[0].streams
