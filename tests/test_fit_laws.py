"""Laws of `mrt fit`: a larger card never fits less, the frontier is a frontier, siblings are told when they help."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fit_kit import GIB, LLAMA, MOE, gpu, machine
from hypothesis import given, settings
from hypothesis import strategies as st

from mrt.memory.advisory import advisory
from mrt.memory.answer import answer
from mrt.memory.frontier import CONTEXT_STEP, Case, frontier, requantized
from mrt.memory.hardware import Gpu
from mrt.memory.ranking import Wish, ranked, wanted
from mrt.memory.settings import RunSettings
from mrt.memory.shape import ModelShape
from mrt.memory.together import projector
from mrt.memory.verdict import judge
from mrt.models.catalog import packaged

FROM_BEST_TO_WORST = ("fits", "tight", "partial", "ram", "no")

BASE = RunSettings(8192, outputs=1)
SHAPES = {"dense": LLAMA, "experts": MOE}
cards = st.floats(0.5, 48)


def verdict(shape: ModelShape, run: RunSettings, card: Gpu) -> str:
    return Case(shape, run, machine(card)).planned()[1].verdict


MODELS = st.sampled_from(packaged().names()).map(lambda name: packaged().find(name) or LLAMA)
RUNS = st.builds(
    lambda context, kv, slots: replace(BASE, context=context, type_k=kv, type_v=kv, parallel=slots, outputs=slots),
    st.sampled_from((512, 8192, 40000)),
    st.sampled_from(("F16", "Q8_0", "Q4_0")),
    st.integers(1, 4),
)


def order(shape: ModelShape, run: RunSettings, size: float) -> int:
    """0 for the best verdict."""
    return FROM_BEST_TO_WORST.index(verdict(shape, run, gpu(size)))


@settings(max_examples=60, deadline=None)
@given(cards, cards, MODELS, RUNS)
def test_a_larger_card_never_fits_less(one: float, other: float, shape: ModelShape, run: RunSettings) -> None:
    small, large = sorted((one, other))
    assert order(shape, run, large) <= order(shape, run, small)


@settings(max_examples=60, deadline=None)
@given(cards, MODELS, RUNS, st.integers(256, 60000), st.integers(1, 4))
def test_a_longer_context_or_more_slots_never_fit_more(
    size: float, shape: ModelShape, run: RunSettings, tokens: int, slots: int
) -> None:
    assert order(shape, run, size) <= order(shape, replace(run, context=run.context + tokens), size)
    assert order(shape, run, size) <= order(shape, replace(run, parallel=run.parallel + slots), size)


@settings(max_examples=30, deadline=None)
@given(cards, MODELS, RUNS)
def test_more_bits_never_fit_more(size: float, shape: ModelShape, run: RunSettings) -> None:
    found = [order(requantized(shape, name), run, size) for name in ("Q2_K", "Q4_K_M", "Q6_K", "Q8_0", "F16")]
    assert found == sorted(found)


@settings(max_examples=25, deadline=None)
@given(cards, st.sampled_from(sorted(SHAPES)))
def test_every_point_of_the_frontier_fits_and_the_next_one_does_not(size: float, kind: str) -> None:
    case = Case(SHAPES[kind], BASE, machine(gpu(size)))
    for option in frontier(case):
        assert judge(option.plan, case.machine) == option.judgement
        assert option.judgement.verdict in (
            ("fits", "tight") if option.kind in ("context", "quantization", "slots") else ("partial",)
        )
        if option.ended_by != "memory" or not isinstance(option.value, int):
            continue
        more = {
            "context": {
                "context": option.value + CONTEXT_STEP,
                "type_k": option.plan.settings.type_k,
                "type_v": option.plan.settings.type_v,
            },
            "slots": {"parallel": option.value + 1, "outputs": option.value + 1},
        }
        if option.kind in more:
            assert not case.whole(**more[option.kind])[1].fits
        elif option.kind == "layers":
            assert case.planned(gpu_layers=option.value + 1)[1].verdict != "partial"


MACHINES = {
    "8": machine(gpu(8)),
    "24x2": machine(gpu(24), gpu(24)),
    "8+16": machine(gpu(8), gpu(16)),
    "apple": machine(gpu(48, backend="metal", unified=True)),
    "cpu": machine(ram=32),
}


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(packaged().names()), st.sampled_from(sorted(MACHINES)), st.sampled_from((1, 4)))
def test_what_the_frontier_says_of_any_model_holds_when_it_is_asked_for(name: str, there: str, slots: int) -> None:
    shape, there_is = packaged().find(name), MACHINES[there]
    assert shape is not None
    run = replace(BASE, context=min(8192, shape.context_trained or 8192), parallel=slots, outputs=slots)
    case = Case(shape, run, there_is, projector(shape, run, there_is))
    for option in frontier(case):
        told = option.plan.settings
        wanted_shape = requantized(shape, str(option.value)) if option.kind == "quantization" else None
        asked = {"context": told.context, "type_k": told.type_k, "type_v": told.type_v, "parallel": told.parallel}
        asked |= {"outputs": told.outputs}
        if option.kind in ("layers", "experts"):
            asked |= {"gpu_layers": told.gpu_layers, "cpu_moe": told.cpu_moe}
        judgement = case.planned(wanted_shape, **asked)[1]
        assert judgement.verdict == option.judgement.verdict
        assert judgement.verdict != "no"


def test_a_cache_of_fewer_bits_holds_a_longer_context() -> None:
    found = [option.value for option in frontier(Case(LLAMA, BASE, machine(gpu(10)))) if option.kind == "context"]
    assert len(found) == 3
    assert found == sorted(found)  # type: ignore[type-var]


def test_without_flash_attention_the_cache_is_not_quantised() -> None:
    case = Case(LLAMA, replace(BASE, flash_attention=False), machine(gpu(12)))
    assert [option.plan.settings.type_k for option in frontier(case) if option.kind == "context"] == ["F16"]


def test_on_the_cpu_the_frontier_keeps_the_headroom_of_the_ram() -> None:
    case = Case(LLAMA, BASE, machine(ram=16))
    options = frontier(case)
    assert {option.kind for option in options} == {"context", "quantization", "slots"}
    assert all(option.plan.devices[-1].needed_high <= 0.8 * 16 * GIB for option in options)


def test_experts_can_stay_on_the_cpu() -> None:
    small = Case(MOE, BASE, machine(gpu(6)))
    found = next(option for option in frontier(small) if option.kind == "experts")
    assert isinstance(found.value, int)
    assert found.plan.gpu_layers == 33
    assert small.planned(gpu_layers=33, cpu_moe=found.value - 1)[1].verdict == "no"


def test_a_plan_is_made_few_times() -> None:
    """The whole answer has to come in a blink."""
    import mrt.memory.frontier as module

    made = 0
    plan = module.plan

    def counted(*arguments: object) -> object:
        nonlocal made
        made += 1
        return plan(*arguments)  # type: ignore[arg-type]

    case = Case(LLAMA, BASE, machine(gpu(12)))
    try:
        module.plan = counted  # type: ignore[assignment]
        frontier(case)
    finally:
        module.plan = plan
    assert made <= 40


# --- a smaller sibling

SMALL = replace(LLAMA, name="llama3.1:4b", layers=LLAMA.layers[:16], parameters=4_500_000_000)
TINY = replace(LLAMA, name="llama3.1:1b", layers=LLAMA.layers[:4], parameters=1_900_000_000)


@pytest.mark.parametrize(
    ("size", "named"),
    [(12, None), (5, "llama3.1:4b"), (2.4, "llama3.1:1b"), (1, None)],
    ids=["fits-itself", "next-smaller", "smallest", "none-fits"],
)
def test_the_largest_sibling_that_fits_is_named(size: float, named: str | None) -> None:
    found = answer(LLAMA, BASE, machine(gpu(size)), lambda: [SMALL, TINY])
    assert (found.smaller.plan.shape.name if found.smaller else None) == named
    assert any(named in line for line in found.advice) if named else not any("beats" in line for line in found.advice)


def test_siblings_are_looked_for_only_when_this_one_spills() -> None:
    def never() -> list[ModelShape]:
        raise AssertionError

    answer(LLAMA, BASE, machine(gpu(24)), never)
    answer(LLAMA, BASE, machine(ram=64), never)


def test_who_holds_the_memory_is_said() -> None:
    busy = replace(gpu(12), free_bytes=2 * GIB, held_by=("ollama (4711): 9.8 GiB",))
    found = answer(LLAMA, BASE, machine(busy))
    assert (found.judgement.verdict, found.judgement.fits_now) == ("fits", False)
    assert "it fits when the machine is idle, not now: ollama (4711): 9.8 GiB" in found.advice


# --- a projector and a draft beside the model


@pytest.mark.parametrize("cards", [1, 2, 0])
def test_the_part_that_sees_lies_on_the_first_gpu(cards: int) -> None:
    seeing = replace(LLAMA, projector_bytes=GIB)
    there = machine(*[gpu(24)] * cards)
    blind, found = (answer(shape, BASE, there).plan for shape in (LLAMA, seeing))
    more = [
        after.weights_bytes - before.weights_bytes for before, after in zip(blind.devices, found.devices, strict=True)
    ]
    assert more[0] > 0.9 * GIB
    assert found.total_bytes == sum(device.buffers_bytes for device in found.devices)
    assert sum(line.bytes for line in found.lines) == found.total_bytes


# --- ranking


def test_the_ranking_begins_with_the_largest_that_fits() -> None:
    shapes = wanted([TINY, SMALL, LLAMA], Wish())
    found = ranked(shapes, BASE, machine(gpu(6)), 10)
    assert [(one.plan.shape.name, one.judgement.verdict) for one in found] == [
        ("llama3.1:4b", "fits"),
        ("llama3.1:1b", "fits"),
        ("llama3.1:8b", "tight"),
    ]


def test_what_is_too_slow_to_read_along_comes_last() -> None:
    slow = ranked([LLAMA, SMALL], BASE, machine(ram=64, ram_bandwidth=30e9), 10)
    assert [one.plan.shape.name for one in slow] == ["llama3.1:4b", "llama3.1:8b"]


@pytest.mark.parametrize(
    ("wish", "left"),
    [
        (Wish(tools=True), ["llama3.1:8b", "llama3.1:4b", "llama3.1:1b"]),
        (Wish(vision=True), ["other:7b"]),
        (Wish(family="other"), ["other:7b"]),
        (Wish(context=200_000), []),
    ],
    ids=["tools", "vision", "family", "context"],
)
def test_a_wish_leaves_what_meets_it(wish: Wish, left: list[str]) -> None:
    other = replace(LLAMA, name="other:7b", parameters=7_000_000_000, tools=None, vision=True)
    assert [shape.name for shape in wanted([LLAMA, SMALL, TINY, other], wish)] == left


# --- the advisory

ADVICE = [
    ("fits", LLAMA, machine(gpu(12)), None),
    ("tight", LLAMA, machine(gpu(6)), "llama3.1:8b is a tight fit: 5.5 GiB of 6.0 GiB"),
    ("spills", LLAMA, machine(gpu(4)), "llama3.1:8b does not fit the GPU: "),
    (
        "nothing",
        LLAMA,
        machine(gpu(0.5), ram=32),
        "llama3.1:8b does not fit the GPU and runs on the CPU, which is slow",
    ),
    ("no-room", LLAMA, machine(gpu(4), ram=2), "llama3.1:8b does not fit the memory of this machine"),
    ("cpu", LLAMA, machine(ram=32), None),
    ("cpu-tight", LLAMA, machine(ram=6), "llama3.1:8b is a tight fit: 5.3 of 6.0 GiB RAM"),
    ("small", TINY, machine(gpu(12)), "models of 3B and less call tools unreliably"),
    ("free-memory-is-a-hint", LLAMA, machine(replace(gpu(12), free_bytes=0)), None),
]


@pytest.mark.parametrize(("shape", "there", "said"), [row[1:] for row in ADVICE], ids=[row[0] for row in ADVICE])
def test_the_advisory_is_by_capacity(shape: ModelShape, there: object, said: str | None) -> None:
    found = advisory(shape, there)  # type: ignore[arg-type]
    assert found == said or (said is not None and found is not None and found.startswith(said))
