"""The measured speed is the real one: against a server that writes down when it sent what."""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from rig.command import Home
from speed_kit import (
    Pace,
    Sent,
    TimedServer,
    as_ollama_answer,
    measured,
    settle,
    speed,
    with_timings,
    with_usage,
    without_usage,
)

# A busy machine may be late a few times, not half of the time; one that is gets further rounds. What is measured wrongly is wrong
# in every round.
RUNS, ROUNDS = 7, 4
USUAL = Pace(alive=3, end=with_usage)
ANSWERS = {
    "usage": (USUAL, "vllm", "usage"),
    "fewer tokens a chunk, slower": (replace(USUAL, tokens_each=1, between=0.01, chunks=36), "vllm", "usage"),
    "later first token": (replace(USUAL, first=0.22, role_after=0.03), "lm_studio", "usage"),
    "native timings": (replace(USUAL, end=with_timings), "llamacpp", "native"),
    "Ollama": (as_ollama_answer(USUAL), "ollama", "native"),
}


@pytest.fixture(autouse=True)
def punctual() -> Iterator[None]:
    """Client and server go first, where the system allows that: not the rest of the machine's work is to be measured."""
    try:
        before = os.sched_getscheduler(0)
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    except (AttributeError, OSError):
        yield
        return
    yield
    os.sched_setscheduler(0, before, os.sched_param(0))


def close(seen: float, real: float, *, by: float = 0.0, share: float = 0.0) -> bool:
    """Whether a measured value is the real one, to so much or to such a share of it."""
    return abs(seen - real) <= max(by, share * real)


def median(runs: Sequence[Sent], of: Callable[[Sent], float]) -> float:
    return statistics.median(map(of, runs))


def measure(
    home: Home, pace: Pace, kind: str, judge: Callable[[dict[str, Any], list[Sent]], dict[str, bool]]
) -> dict[str, Any]:
    """What was measured in the first round in which all is as `judge` wants it; fails after the last."""
    for _ in range(ROUNDS):
        with TimedServer(pace) as server:
            settle(home, server.url, kind)
            found: dict[str, Any] = speed(home, "--repetitions", str(RUNS))["speed"]
            runs = list(measured(server))
        (row,) = found["lengths"]
        assert len(runs) == RUNS
        assert (row["runs"], row["failed"], row["short"]) == (RUNS, 0, 0)
        verdicts = judge(row, runs)
        if all(verdicts.values()):
            return found
    pytest.fail(f"never right in {ROUNDS} rounds: {verdicts}; at last {row}")


def times_and_rates(row: dict[str, Any], runs: list[Sent]) -> dict[str, bool]:
    return {
        "ttft": close(row["ttft_s"]["median"], median(runs, lambda run: run.ttft), by=0.005),
        "decode": close(row["decode_tps"]["median"], median(runs, lambda run: run.rate), share=0.02),
        "inter-chunk": close(row["inter_chunk_s"]["p50"], median(runs, lambda run: run.between), by=0.002),
    }


@pytest.mark.parametrize(("pace", "kind", "source"), ANSWERS.values(), ids=ANSWERS)
def test_times_and_rates_are_those_of_the_server(store_home: Home, pace: Pace, kind: str, source: str) -> None:
    found = measure(store_home, pace, kind, times_and_rates)
    assert (found["decode_source"], found["lengths"][0]["decode_tps"]["count"]) == (source, RUNS)


def test_chunks_are_counted_where_nobody_counts_tokens_and_are_named_so(store_home: Home) -> None:
    def judge(row: dict[str, Any], runs: list[Sent]) -> dict[str, bool]:
        real = median(runs, lambda run: (len(run.chunks) - 1) / (run.chunks[-1] - run.chunks[0]))
        return {"decode": close(row["decode_tps"]["median"], real, share=0.02)}

    found = measure(store_home, replace(USUAL, end=without_usage), "vllm", judge)
    (row,) = found["lengths"]
    assert found["decode_source"] == "chunks~"
    assert (found["prompt_source"], row["prompt_tps"], row["prompt_tokens"]) == (None, None, None)


def test_the_first_thought_and_the_first_word_of_the_answer_have_times_of_their_own(store_home: Home) -> None:
    def judge(row: dict[str, Any], runs: list[Sent]) -> dict[str, bool]:
        answer = median(runs, lambda run: run.chunks[20] - run.asked)
        return {
            "ttft": close(row["ttft_s"]["median"], median(runs, lambda run: run.ttft), by=0.005),
            "ttfa": close(row["ttfa_s"]["median"], answer, by=0.005),
        }

    found = measure(store_home, replace(USUAL, thoughts=20), "vllm", judge)
    (row,) = found["lengths"]
    assert found["reasoning_seen"] is True
    assert row["ttfa_s"]["median"] > row["ttft_s"]["median"] + 0.05


def test_streams_at_once_are_what_the_server_gave(store_home: Home) -> None:
    """Two lanes give twice as much as one; four streams on them wait, and gain nothing."""
    pace = replace(USUAL, first=0.05, between=0.01, chunks=36)
    for _ in range(ROUNDS):
        with TimedServer(pace, lanes=2) as server:
            settle(store_home, server.url)
            found = speed(store_home, "--repetitions", "1", "--concurrency", "4,1,2")["speed"]["concurrency"]
        assert [step["streams"] for step in found["steps"]] == [1, 2, 4]
        assert (found["loop"], found["source"]) == ("closed", "usage")
        verdicts = [verdict for step in found["steps"] for verdict in _as_given(step, server.sent)]
        if all(verdicts) and found["knee"] == 2:
            return
    pytest.fail(f"never right in {ROUNDS} rounds: {found}")


def _as_given(step: dict[str, Any], sent: Sequence[Sent]) -> tuple[bool, bool]:
    streams = step["streams"]
    at = 3 + 2 * (streams - 1)  # after the first request, the warm-up, one run, and the smaller steps
    runs = sent[at : at + 2 * streams]
    seconds = max(run.chunks[-1] for run in runs) - min(run.asked for run in runs)
    return (
        close(step["aggregate_tps"], sum(run.tokens for run in runs) / seconds, share=0.02),
        close(step["ttft_s"]["median"], median(runs, lambda run: run.ttft), by=0.005),
    )


def test_every_stream_is_connected_before_it_asks(store_home: Home) -> None:
    with TimedServer(replace(USUAL, first=0.02, chunks=12)) as server:
        settle(store_home, server.url)
        speed(store_home, "--repetitions", "1", "--concurrency", "2")
    assert server.sent[0].connection in server.greeted
    assert len(set(server.greeted) & {run.connection for run in server.sent}) == 2
