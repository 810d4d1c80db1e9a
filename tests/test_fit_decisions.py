"""Verdicts, speeds, settings of engines: decisions over plans that are made by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fit_kit import GIB, LLAMA, MOE, device, gpu, machine, made
from hypothesis import given
from hypothesis import strategies as st

from mrt.memory.hardware import Machine
from mrt.memory.plan import Plan
from mrt.memory.recipes import llama_server_arguments, ollama_environment, ollama_options, vllm_arguments
from mrt.memory.speed import Range, Speed, estimate, if_whole
from mrt.memory.together import together, without
from mrt.memory.traffic import Read, layer_weights, reads
from mrt.memory.verdict import judge
from mrt.memory.weights import weights

HOST = device("cpu", 64, 0.3)

VERDICTS = [
    # what the plan is, its devices, layers on GPUs, the verdict
    ("roomy", [device("gpu", 10, 7.5, layers=32), HOST], 33, "fits"),
    ("headroom-used", [device("gpu", 10, 7.6, layers=32), HOST], 33, "tight"),
    ("full", [device("gpu", 10, 9.5, layers=32), HOST], 33, "tight"),
    ("over", [device("gpu", 10, 9.6, layers=32), HOST], 33, "no"),
    ("one-layer-left", [device("gpu", 10, 5, layers=31), HOST], 32, "partial"),
    ("nothing-on-gpu", [device("gpu", 10, 0.1), device("cpu", 64, 10)], 0, "ram"),
    ("gpu-too-small", [device("gpu", 0.1, 0.1), device("cpu", 64, 10)], 0, "ram"),
    ("no-gpu", [device("cpu", 64, 10)], 0, "ram"),
    ("ram-over", [device("gpu", 10, 5, layers=3), device("cpu", 64, 65)], 3, "no"),
    ("ram-unknown", [device("gpu", 10, 5, layers=3), device("cpu", None, 65)], 3, "partial"),
    ("second-gpu-tight", [device("gpu", 10, 1, layers=16), device("gpu", 10, 9, layers=16), HOST], 33, "tight"),
    ("second-gpu-over", [device("gpu", 10, 1, layers=16), device("gpu", 10, 9.8, layers=16), HOST], 33, "no"),
]


def machine_of(plan: Plan) -> Machine:
    return machine(*(gpu((one.total_bytes or 0) / GIB) for one in plan.devices if one.kind == "gpu"))


@pytest.mark.parametrize(
    ("devices", "layers", "verdict"), [row[1:] for row in VERDICTS], ids=[row[0] for row in VERDICTS]
)
def test_the_verdict_is_by_capacity(devices: list[object], layers: int, verdict: str) -> None:
    plan = made(devices, layers)  # type: ignore[arg-type]
    assert judge(plan, machine_of(plan)).verdict == verdict


@pytest.mark.parametrize(("headroom", "verdict"), [(0.0, "fits"), (0.05, "tight"), (0.2, "tight")])
def test_the_headroom_is_the_users(headroom: float, verdict: str) -> None:
    plan = made([device("gpu", 10, 9.2, layers=32), HOST], headroom=headroom)
    assert judge(plan, machine_of(plan)).verdict == verdict


def test_experts_on_the_cpu_make_it_partial() -> None:
    plan = made([device("gpu", 10, 3, layers=32), HOST], cpu_moe=4, shape=MOE)
    assert judge(plan, machine_of(plan)).verdict == "partial"


def test_both_sides_share_unified_memory() -> None:
    plan = made([device("gpu", 48, 40, layers=20), device("cpu", 64, 30)], 20)
    apart = machine(gpu(48), ram=64)
    shared = machine(gpu(48, unified=True), ram=64)
    assert (judge(plan, apart).verdict, judge(plan, shared).verdict) == ("partial", "no")


@pytest.mark.parametrize(
    ("free", "simulated", "now"),
    [(9.0, False, True), (5.0, False, False), (5.0, True, None)],
    ids=["free", "in-use", "simulated"],
)
def test_what_is_free_now_is_told_apart(free: float, simulated: bool, now: bool | None) -> None:
    plan = made([device("gpu", 10, 6, free=free, layers=32), HOST])
    judgement = judge(plan, machine(gpu(10), simulated=simulated))
    assert (judgement.verdict, judgement.fits_now) == ("fits", now)


def test_unknown_free_memory_is_no_statement() -> None:
    plan = made([replace(device("gpu", 10, 6, layers=32), free_bytes=None), HOST])
    assert judge(plan, machine(gpu(10))).fits_now is None


# --- speed


def test_decoding_reads_weights_and_cache_at_the_bandwidth_of_each_side() -> None:
    plan = made([device("gpu", 10, 4, layers=16), device("cpu", 64, 4)], 17)
    two = (Read(4e9, 1e9, 0.5e9), Read(2e9, 0, 0))
    speed = estimate(plan, machine(gpu(10, 500e9), ram_bandwidth=50e9), two)
    low = 1 / (5.5e9 / (500e9 * 0.55) + 2e9 / (50e9 * 0.55) + 17 * 55e-6)
    high = 1 / (5.0e9 / (500e9 * 0.8) + 2e9 / (50e9 * 0.8) + 17 * 5e-6)
    assert speed.decode == pytest.approx((low, high))
    assert speed.assumptions == ()


@pytest.mark.parametrize(
    ("backend", "low", "high"),
    [("cuda", 0.55, 0.8), ("rocm", 0.43, 0.62), ("metal", 0.45, 0.82), ("vulkan", 0.36, 0.52)],
)
def test_each_maker_reaches_its_own_share(backend: str, low: float, high: float) -> None:
    plan = made([device("gpu", 10, 4, layers=32), HOST])
    speed = estimate(plan, machine(gpu(10, 400e9, backend=backend)), (Read(4e9), Read()))
    starts = 32 * 55e-6, 32 * 5e-6
    assert speed.decode == pytest.approx((1 / (1 / (100 * low) + starts[0]), 1 / (1 / (100 * high) + starts[1])))


def test_an_unknown_bandwidth_is_no_speed_but_a_bound_where_the_ram_is_slow() -> None:
    plan = made([device("gpu", 10, 4, layers=16), device("cpu", 64, 4)], 17)
    unknown = machine(gpu(10, None))
    assert estimate(plan, unknown, (Read(4e9), Read())).decode == Range(None, None)
    bounded = estimate(plan, unknown, (Read(4e9), Read(1e9)))
    assert bounded.decode == pytest.approx((None, 1 / (1 / (89.6 * 0.8) + 17 * 5e-6)))
    assert bounded.assumptions == ("RAM taken as 51 to 90 GB/s (two channels of DDR4-3200 to DDR5-5600)",)


def test_a_measured_speed_is_shown_as_it_is() -> None:
    measured = Speed(Range(31.0, 33.0), Range(900.0, 950.0), "measured by mrt bench")
    plan = made([device("gpu", 10, 4, layers=32), HOST])
    assert estimate(plan, machine(gpu(10)), (Read(4e9), Read()), measured) is measured


SPLIT = made([device("gpu", 10, 4, layers=16), HOST], 17)


def test_what_it_would_be_on_one_gpu() -> None:
    whole = if_whole(machine(gpu(8, 400e9)), (Read(2e9, 1e9), Read(2e9)), SPLIT)
    low, high = 400e9 * 0.55 / 5e9, 400e9 * 0.8 / 4.5e9
    assert whole == pytest.approx((1 / (1 / low + 32 * 55e-6), 1 / (1 / high + 32 * 5e-6)))
    assert if_whole(machine(), (Read(2e9),), SPLIT) == Range(None, None)


def test_experts_at_rest_are_not_read() -> None:
    held = weights(MOE, MOE.quantization)
    dense, experts = layer_weights(MOE, held)[0]
    assert experts == held.layers[0].experts / 8
    assert dense == held.layers[0].file - held.layers[0].experts


@given(st.integers(0, 33), st.integers(0, 32))
def test_every_byte_is_read_on_some_side(layers: int, cpu_moe: int) -> None:
    shape = MOE
    plan = made([device("gpu", 10, 1, 1, layers=max(0, layers - 1)), HOST], layers, shape, cpu_moe=cpu_moe)
    held = weights(shape, shape.quantization)
    whole = sum(map(sum, layer_weights(shape, held))) + held.output.file
    assert sum(one.weights for one in reads(plan)) == pytest.approx(whole)


def test_layers_are_read_where_they_lie() -> None:
    held = weights(LLAMA, LLAMA.quantization)
    layer = [sum(parts) for parts in layer_weights(LLAMA, held)]
    plan = made([device("gpu", 10, 1, layers=10), device("gpu", 10, 1, layers=12), HOST], 23)
    first, second, host = (one.weights for one in reads(plan))
    assert host == pytest.approx(sum(layer[:10]))
    assert first == pytest.approx(sum(layer[10:20]))
    assert second == pytest.approx(sum(layer[20:]) + held.output.file)


def test_a_tiny_model_on_a_fast_card_is_bound_by_starting_its_work() -> None:
    tiny = replace(LLAMA, layers=LLAMA.layers[:22])
    plan = made([device("gpu", 24, 0.6, layers=22), HOST], 23, tiny)
    low, high = estimate(plan, machine(gpu(24, 1010e9)), (Read(636 * 2**20), Read())).decode
    assert low is not None
    assert high is not None
    assert low < 762 < high


# --- settings of engines

RECIPES = [
    ({}, 33, "-c 8192 -ngl 33 -fa on -np 1", {"num_ctx": 8192, "num_gpu": 33}, {"OLLAMA_FLASH_ATTENTION": "1"}),
    (
        {"type_k": "Q8_0", "type_v": "Q8_0", "parallel": 4},
        20,
        "-c 32768 -ngl 20 -fa on -ctk q8_0 -ctv q8_0 -np 4",
        {"num_ctx": 8192, "num_gpu": 20},
        {"OLLAMA_FLASH_ATTENTION": "1", "OLLAMA_KV_CACHE_TYPE": "q8_0", "OLLAMA_NUM_PARALLEL": "4"},
    ),
    (
        {"type_k": "Q8_0", "ubatch": 256, "batch": 1024},
        33,
        "-c 8192 -ngl 33 -fa on -ctk q8_0 -np 1 -b 1024 -ub 256",
        {"num_ctx": 8192, "num_gpu": 33, "num_batch": 256},
        None,
    ),
    (
        {"cpu_moe": 7, "tensor_split": (3.0, 1.0), "flash_attention": False},
        33,
        "-c 8192 -ngl 33 -fa off -np 1 --n-cpu-moe 7 -ts 3,1",
        {"num_ctx": 8192, "num_gpu": 33},
        None,
    ),
]


@pytest.mark.parametrize(
    ("settings", "layers", "server", "options", "environment"),
    RECIPES,
    ids=["plain", "slots", "k-and-v-apart", "experts"],
)
def test_a_plan_as_settings(
    settings: dict[str, object], layers: int, server: str, options: dict[str, int], environment: object
) -> None:
    plan = made([device("gpu", 10, 4, layers=32), HOST], layers, **settings)
    assert " ".join(llama_server_arguments(plan)) == server
    assert ollama_options(plan) == options
    assert ollama_environment(plan) == environment


def test_vllm_keeps_all_on_gpus() -> None:
    plan = made([device("gpu", 24, 4, layers=16), device("gpu", 24, 4, layers=16), HOST], type_k="Q8_0", engine="vllm")
    expected = "--max-model-len 8192 --max-num-seqs 1 --kv-cache-dtype fp8 --tensor-parallel-size 2 --gpu-memory-utilization 0.9"
    assert " ".join(vllm_arguments(plan)) == expected


# --- a draft model beside


def test_a_draft_model_takes_room_from_the_model() -> None:
    draft = made([device("gpu", 10, 1, 0.5, layers=32), device("cpu", 64, 0.1)])
    left = without(machine(gpu(10), ram=64), draft)
    assert left.gpus[0].total_bytes == left.gpus[0].free_bytes == round(8.5 * GIB)
    main = made([device("gpu", 8.5, 6, 1, layers=32), device("cpu", 63.9, 0.3)])
    both = together(main, draft)
    assert both.devices[0].total_bytes == 10 * GIB
    assert both.devices[0].buffers_bytes == round(8.5 * GIB)
    assert both.devices[0].overhead_high == GIB // 2
    assert both.total_bytes == main.total_bytes + draft.total_bytes
