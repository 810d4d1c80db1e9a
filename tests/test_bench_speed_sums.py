"""Drift, the knee, energy, and the words around the numbers."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrt.bench.energy import Energy, EnergyMeter, area, no_energy
from mrt.bench.speed import First, Speed
from mrt.bench.speed_load import Load, Step, knee
from mrt.bench.speed_prompts import characters_per_token, speed_prompt
from mrt.bench.speed_read import Native, Timed
from mrt.bench.speed_sums import Length, Sources, Spread, drift, length_of, remarks, sources_of
from mrt.errors import Unreachable
from mrt.output.bench_speed import speed_lines


def answer(rate: float, tokens: int = 101, chunks: int = 101, lag: float = 0.0, native: float | None = None) -> Timed:
    """Tokens at a rate, in so many chunks; the engine may say another rate."""
    seconds = (tokens - 1) / rate
    said = Native(tokens, tokens / native) if native else Native()
    return Timed(0.0, 0.5, 0.5, 0.5 + seconds, chunks, (), {"usage": tokens}, native=said, lag=lag)


USAGE = Sources("usage", None)


def test_drift_is_not_what_prompt_lengths_do() -> None:
    """Long prompts are slower all the time; only what changes from turn to turn is drift."""
    steady = [(wanted, answer(100.0 if wanted == 128 else 20.0)) for _ in range(5) for wanted in (128, 4096)]
    tired = [
        (wanted, answer((100.0 if wanted == 128 else 20.0) * (1 - 0.1 * turn)))
        for turn in range(5)
        for wanted in (128, 4096)
    ]
    assert drift(steady, USAGE) == pytest.approx(1.0)
    assert drift(tired, USAGE) == pytest.approx(0.6)
    assert drift(steady[:8], USAGE) is None
    assert drift(steady, Sources(None, None)) is None


# Tokens per second of all streams at 1, 2, 4 and 8 of them, and where it ends.
KNEES = {
    "it grows all the way": ([10.0, 20.0, 40.0, 80.0], 8),
    "two lanes": ([10.0, 20.0, 21.0, 21.0], 2),
    "one lane": ([10.0, 10.1, 10.0, 9.0], 1),
    "just enough": ([100.0, 115.0, 132.0, 132.0], 2),
    "it falls": ([100.0, 50.0, 40.0, 30.0], 1),
    "not all known": ([100.0, None, 300.0, 400.0], None),
}


@pytest.mark.parametrize(("rates", "expected"), KNEES.values(), ids=KNEES)
def test_the_knee_is_the_last_step_worth_it(rates: list[float | None], expected: int | None) -> None:
    gains = [
        None,
        *(now / before - 1 if now and before else None for before, now in pairwise(rates)),
    ]
    steps = [Step(2**n, 2, 0, rate, None, None, gain) for n, (rate, gain) in enumerate(zip(rates, gains, strict=True))]
    assert knee(steps) == expected
    assert knee(steps[:1]) is None


# What runs, then: what must be said of it, None for nothing.
REMARKS: dict[str, tuple[Timed, float | None, str | None]] = {
    "all well": (answer(50.0, native=52.0), 0.1, None),
    "the engine says more": (answer(50.0, native=60.0), None, "the server says 60.0 tokens/s, the client saw 50.0"),
    "several tokens a chunk": (
        answer(50.0, 120, 60),
        None,
        "about 2.0 tokens a chunk: gaps between chunks are no gaps between tokens",
    ),
    "so many that the rate shows it": (
        answer(50.0, 128, 16),
        None,
        "about 8.0 tokens a chunk: gaps between chunks are no gaps between tokens, and the rate reads up to 6 % high",
    ),
    "a slow client": (answer(50.0, lag=0.002), None, "takes 10 % of a token's time"),
    "a busy client": (answer(50.0), 0.8, "kept a processor busy 80 % of the time"),
}


@pytest.mark.parametrize(("run", "cpu", "said"), REMARKS.values(), ids=REMARKS)
def test_what_readers_must_know(run: Timed, cpu: float | None, said: str | None) -> None:
    row = length_of(128, [run, run, run], sources_of([run]))
    row = replace(row, decode_tps=row.decode_tps and Spread(50.0, 50.0, 50.0, 3))
    native = run.native.decode_tps
    row = replace(row, native_tps=Spread(native, native, native, 3) if native else None)
    found = remarks([run] * 3, [row], cpu)
    assert len(found) == (0 if said is None else 1)
    assert said is None or said in found[0]


@given(st.integers(1, 5000), st.integers(0, 2**64 - 1), st.floats(0.5, 12))
def test_a_prompt_has_its_length_and_asks_for_more_than_fits(tokens: int, nonce: int, each: float) -> None:
    prompt = speed_prompt(tokens, nonce, each)
    assert len(prompt) <= max(tokens * each, 90) + 20
    assert len(prompt) >= tokens * each - 20
    assert prompt.endswith("Do not stop.")
    assert prompt[:12] != speed_prompt(tokens, nonce + 1, each)[:12]


def test_a_strange_count_does_not_make_strange_prompts() -> None:
    assert [characters_per_token("x" * 400, counted) for counted in (100, None, 0, 1, 4000)] == [
        4.0,
        4.0,
        4.0,
        12.0,
        0.5,
    ]


class Clock:
    """Goes on by half a second each time it is looked at."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 0.5
        return self.now


def nvml(counter: list[int] | None = None, milliwatts: int | None = None) -> Any:
    """An NVML with one GPU that has a counter, or a power, or neither."""
    left = iter(counter or [])

    def energy(_: Any) -> int:
        if counter is None:
            raise RuntimeError("Not Supported")
        return next(left)

    def power(_: Any) -> int:
        if milliwatts is None:
            raise RuntimeError("Not Supported")
        return milliwatts

    return SimpleNamespace(
        nvmlInit=lambda: None,
        nvmlShutdown=lambda: None,
        nvmlDeviceGetCount=lambda: 1,
        nvmlDeviceGetHandleByIndex=lambda index: index,
        nvmlDeviceGetTotalEnergyConsumption=energy,
        nvmlDeviceGetPowerUsage=power,
    )


def test_energy_by_the_counter() -> None:
    with EnergyMeter(lambda: nvml(counter=[5_000, 65_000]), Clock()) as meter:
        pass
    assert meter.reading(120) == Energy(60.0, 0.5, 0.5, "counter")
    assert meter.reading(0) == Energy(60.0, 0.5, None, "counter")


def missing() -> Any:
    raise ImportError("pynvml")


@pytest.mark.parametrize("load", [nvml, missing, None], ids=["says nothing", "no package", "not here"])
def test_no_energy_where_nothing_tells(load: Any) -> None:
    with EnergyMeter(load, Clock()) as meter:
        pass
    assert meter.reading(100) is None
    assert no_energy().reading(100) is None


def test_energy_of_power_over_time() -> None:
    assert area([(0.0, 100.0), (2.0, 200.0), (3.0, 200.0)]) == 500.0


def same(value: float, runs: int = 5) -> Spread:
    return Spread(value, value * 0.9, value * 1.1, runs)


LENGTH = Length(
    128, 5, 0, 0, 131, same(0.1), same(0.4), same(3.0), same(50.0), None, same(1200.0), 0.02, 0.05, 1.0, 100
)
SPEED = Speed(
    model="box/m",
    repetitions=5,
    max_tokens=128,
    sources=Sources("usage", "~"),
    lengths=(
        LENGTH,
        replace(LENGTH, wanted=4096, prompt_tokens=None, decode_tps=None, failed=1, short=4, problem="gone"),
    ),
    sweep=(),
    load=Load(
        (Step(1, 2, 0, 40.0, same(50.0), same(0.1), None), Step(2, 4, 1, 80.0, same(50.0), same(2.0), 1.0, "gone")),
        2,
        "usage",
    ),
    first=First(2.5, None),
    drift=0.9,
    cpu=0.1,
    reasoned=False,
    remarks=("a remark",),
    energy=Energy(600.0, 10.0, 0.75, "counter"),
    cost_state="free",
    cost_nano=0,
    unpriced_calls=0,
    calls=17,
)
TEXT = """\
box/m  speed: median (min-max) of 5, at most 128 tokens each

prompt             ttft  decode tok/s (usage)  prompt tok/s (~)  inter-chunk p50      p99
------  ---------------  --------------------  ----------------  ---------------  -------
   131  100 ms (90-110)      50.0 (45.0-55.0)  1200 (1080-1320)          20.0 ms  50.0 ms
 ~4096  100 ms (90-110)                   n/a  1200 (1080-1320)          20.0 ms  50.0 ms
~ prompt tokens over ttft: includes queue and network
at 4096 prompt tokens 1 of 5 failed: gone
at 4096 prompt tokens 4 of 5 answers ended before 32 tokens: no rate of them

first request: first token after 2.50 s (it may have waited for the model to load)
drift: last third at 90 % of the first third's speed; it slows down as it works (heat, or other work on the machine): try --rest

concurrency, closed loop: each stream asks 2 times, again as soon as it is answered
streams  all tok/s (usage)    gain  each tok/s (usage)                ttft
-------  -----------------  ------  ------------------  ------------------  -------
      1               40.0            50.0 (45.0-55.0)     100 ms (90-110)
      2               80.0  +100 %    50.0 (45.0-55.0)  2.00 s (1.80-2.20)  <- knee
at 2 streams 1 of 4 failed: gone
knee: 2 streams; more of them gain less than 15 %
note: a remark
energy: 600 J in 10.0 s, 60 W, 0.75 J a token (all GPUs, all their work)
cost: no API cost (17 calls)"""


def test_the_whole_text() -> None:
    assert "\n".join(speed_lines(SPEED)) == TEXT


# A change of the measurement, and a line that then is in the text.
LINES = {
    "reasoning has a column of its own": (
        {"reasoned": True, "lengths": (LENGTH,)},
        "   131  100 ms (90-110)  400 ms (360-440)      50.0 (45.0-55.0)  1200 (1080-1320)          20.0 ms  50.0 ms",
    ),
    "the server says how long it loaded": (
        {"first": First(2.5, 2.25)},
        "first request: first token after 2.50 s; by the server 2.25 s to load the model",
    ),
    "no drift": ({"drift": 1.02}, "drift: last third at 102 % of the first third's speed"),
    "a cost": (
        {"cost_state": "priced", "cost_nano": 12_000_000},
        "cost: $0.012 (17 calls, priced)",
    ),
    "a part of the cost": (
        {"cost_state": "unknown", "cost_nano": 12_000_000, "unpriced_calls": 2},
        "cost: ≥ $0.012 (17 calls, 2 of unknown cost)",
    ),
    "it ended early": ({"failure": Unreachable("gone")}, "!! incomplete: gone"),
    "energy without tokens": (
        {"energy": Energy(600.0, 10.0, None, "samples")},
        "energy: 600 J in 10.0 s, 60 W (all GPUs, all their work)",
    ),
}


@pytest.mark.parametrize(("change", "line"), LINES.values(), ids=LINES)
def test_lines(change: dict[str, Any], line: str) -> None:
    assert line in list(speed_lines(replace(SPEED, **change)))
