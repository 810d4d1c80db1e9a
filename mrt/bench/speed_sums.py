"""Medians and ranges over timed answers: one source of token counts for a whole column, and nothing where nothing is known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from mrt.bench.report import drift_of
from mrt.bench.speed_read import SOURCES, Source, Timed
from mrt.bench.statistics import median_of, percentile
from mrt.frozen import frozen

PromptSource = Literal["native", "~"]
# The client and the engine measure the same thing; beyond this share they disagree.
MOST_DISAGREEMENT = 0.10
# The client matters when what it takes for a chunk is so much of a token's time, or when it is busy for so much of the time.
MOST_LAG, MOST_CPU = 0.05, 0.7
MOST_DRIFT = 0.05
# From here on chunks are no tokens, and from this share of all on the first chunk's further tokens show in the rate.
BUNCHED, MOST_BUNCHED = 1.5, 0.02


class Spread(NamedTuple):
    """The median, the least and the most of so many runs."""

    median: float
    low: float
    high: float
    runs: int


def spread(values: Iterable[float | None]) -> Spread | None:
    """Over what is known; None of nothing."""
    known = [value for value in values if value is not None]
    middle = median_of(known)
    return None if middle is None else Spread(middle, min(known), max(known), len(known))


@frozen
class Length:
    """All runs with prompts of one length: `wanted` tokens, `prompt_tokens` as the server counted them.

    Times are in seconds. `short` runs ended before a rate could be made of them. Percentiles are None below 20 gaps.
    """

    wanted: int
    runs: int
    failed: int
    short: int
    prompt_tokens: int | None
    ttft: Spread | None
    ttfa: Spread | None
    e2e: Spread | None
    decode_tps: Spread | None
    native_tps: Spread | None
    prompt_tps: Spread | None
    inter_chunk_p50: float | None
    inter_chunk_p99: float | None
    tokens_per_chunk: float | None
    chunks: float | None = None
    problem: str | None = None


@frozen
class Sources:
    """Who counted, for all lengths alike."""

    decode: Source | None
    prompt: PromptSource | None


def sources_of(runs: Sequence[Timed]) -> Sources:
    """The best count that every run has: numbers of two origins do not belong in one column."""
    whole = [run for run in runs if run.error is None]
    counted = [run.tokens or {} for run in whole if run.long_enough]
    decode = next((source for source in SOURCES if counted and all(source in run for run in counted)), None)
    prompt: PromptSource | None = None
    if any(run.native.prompt_tps for run in whole):
        prompt = "native"
    elif any(run.prompt_tps_seen for run in whole):
        prompt = "~"
    return Sources(decode, prompt)


def length_of(wanted: int, runs: Sequence[Timed], sources: Sources) -> Length:
    """One line of the table. Runs that failed or were too short are counted, not averaged."""
    whole = [run for run in runs if run.error is None]
    long = [run for run in whole if run.long_enough]
    gaps = [gap for run in whole for gap in run.gaps]
    failure = next((run.error for run in runs if run.error is not None), None)
    return Length(
        wanted=wanted,
        runs=len(runs),
        failed=len(runs) - len(whole),
        short=len(whole) - len(long),
        prompt_tokens=_whole_number(median_of([run.prompt_tokens for run in whole if run.prompt_tokens])),
        ttft=spread(run.first for run in whole),
        ttfa=spread(run.answer for run in whole),
        e2e=spread(run.last for run in whole),
        decode_tps=spread(run.decode_tps(sources.decode) for run in long) if sources.decode else None,
        native_tps=spread(run.native.decode_tps for run in long),
        prompt_tps=spread(prompt_tps(run, sources.prompt) for run in whole),
        inter_chunk_p50=percentile(gaps, 0.5),
        inter_chunk_p99=percentile(gaps, 0.99),
        tokens_per_chunk=_tokens_per_chunk(long, sources.decode),
        chunks=median_of([run.chunks for run in long]),
        problem=failure.message if failure else None,
    )


def prompt_tps(run: Timed, source: PromptSource | None) -> float | None:
    """By the engine's clock, or by the client's with network and queue in it; never one in place of the other."""
    if source == "native":
        return run.native.prompt_tps
    return run.prompt_tps_seen if source == "~" else None


def _whole_number(value: float | None) -> int | None:
    return None if value is None else round(value)


def _tokens_per_chunk(runs: Sequence[Timed], source: Source | None) -> float | None:
    if source in (None, "chunks~"):
        return None
    return median_of([tokens / run.chunks for run in runs if (tokens := (run.tokens or {}).get(source)) and run.chunks])


def drift(runs: Sequence[tuple[int, Timed]], sources: Sources) -> float | None:
    """The last third's decode rate over the first third's, each run relative to its own prompt length; None of too few."""
    if sources.decode is None:
        return None
    rates = [(wanted, run.decode_tps(sources.decode)) for wanted, run in runs if run.error is None and run.long_enough]
    known = [(wanted, rate) for wanted, rate in rates if rate]
    usual = {wanted: median_of([rate for other, rate in known if other == wanted]) for wanted, _ in known}
    return drift_of([rate / (usual[wanted] or rate) for wanted, rate in known])


def remarks(runs: Sequence[Timed], lengths: Sequence[Length], cpu: float | None) -> tuple[str, ...]:
    """What a reader of the numbers must know, in sentences."""
    return tuple(
        filter(None, (*map(_disagreement, lengths), _bunched(lengths), _lagging(runs, cpu), _unstreamed(runs)))
    )


def _disagreement(length: Length) -> str | None:
    seen, said = length.decode_tps, length.native_tps
    if seen is None or said is None or abs(seen.median / said.median - 1) <= MOST_DISAGREEMENT:
        return None
    return (
        f"at {length.wanted} prompt tokens the server says {said.median:.1f} tokens/s, the client saw {seen.median:.1f}: "
        "something between them holds chunks back or bunches them"
    )


def _bunched(lengths: Sequence[Length]) -> str | None:
    """The rate's definition takes one token for the first chunk: with k of them in each of c chunks it reads (ck-1)/(ck-k)."""
    bunched = [(length.tokens_per_chunk or 1.0, length.chunks or 0.0) for length in lengths]
    each, chunks = max(bunched, default=(1.0, 0.0))
    if each < BUNCHED:
        return None
    excess = (each - 1) / (each * (chunks - 1)) if chunks > 1 else 0.0
    high = f", and the rate reads up to {100 * excess:.0f} % high" if excess > MOST_BUNCHED else ""
    return f"about {each:.1f} tokens a chunk: gaps between chunks are no gaps between tokens{high}"


def _lagging(runs: Sequence[Timed], cpu: float | None) -> str | None:
    share = median_of([part for run in runs if (part := lag_share(run)) is not None])
    if share is not None and share > MOST_LAG:
        return f"what this client does with a chunk takes {round(100 * share)} % of a token's time: read with care"
    if cpu is not None and cpu > MOST_CPU:
        return f"this client kept a processor busy {round(100 * cpu)} % of the time: a part of what is seen is its own"
    return None


def lag_share(run: Timed) -> float | None:
    """What the client took for a chunk, as a share of the time between tokens."""
    tokens = run.output_tokens or 0
    if run.lag is None or run.first is None or run.last is None or run.last <= run.first or tokens < 2:
        return None
    return run.lag / ((run.last - run.first) / (tokens - 1))


def _unstreamed(runs: Sequence[Timed]) -> str | None:
    whole = [run for run in runs if run.error is None]
    if not whole or any(run.streamed for run in whole):
        return None
    return "the server does not stream: there is no first token to wait for, and no rate but its own"
