"""Whole plans: where the layers go, what several cards and the host hold, and how many layers a card takes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from memory_kit import GIB, HUGE, MIB, catalog, dense, machine, planned, sparse

from mrt.memory.hardware import Gpu, Machine
from mrt.memory.placing import split, with_quantization
from mrt.memory.plan import plan
from mrt.memory.settings import RunSettings


@pytest.mark.parametrize(
    ("name", "gib", "layers", "of"),
    [
        pytest.param("qwen2.5-coder:7b", 8, 29, 29, id="a 7B fits 8 GiB"),
        pytest.param("qwen2.5-coder:14b", 8, 28, 49, id="a 14B spills on 8 GiB"),
        pytest.param("qwen2.5-coder:14b", 12, 49, 49, id="and fits 12 GiB"),
        pytest.param("gpt-oss:20b", 16, 25, 25, id="experts in four bits"),
        pytest.param("deepseek-r1:671b", 24, 3, 62, id="a few layers of the largest"),
        pytest.param("llama3.1:8b", 1, 0, 33, id="nothing fits"),
    ],
)
def test_as_many_layers_as_fit_go_to_the_card(name: str, gib: float, layers: int, of: int) -> None:
    found = planned(name, machine(gib))
    assert (found.gpu_layers, found.layers) == (layers, of)


def test_layers_go_to_the_card_from_the_end_and_the_output_first() -> None:
    one, all_but_one = (planned("llama3.1:8b", HUGE, gpu_layers=count) for count in (1, 32))
    assert [device.layers for device in one.devices] == [1, 32]
    assert one.devices[0].kv_cache_bytes == 0
    assert one.devices[0].weights_bytes == pytest.approx(410.98 * MIB, abs=0.05 * MIB)
    assert [device.layers for device in all_but_one.devices] == [32, 1]


def test_tied_embeddings_lie_on_the_card_and_on_the_host() -> None:
    card, host = planned("gemma3:4b", HUGE).devices
    alone = planned("gemma3:4b", Machine(ram_total_bytes=64 * GIB)).devices[0]
    assert card.weights_bytes + host.weights_bytes > alone.weights_bytes + 500 * MIB


def test_without_a_gpu_all_lies_in_ram_and_nothing_is_added() -> None:
    found = planned("llama3.1:8b", Machine(ram_total_bytes=64 * GIB))
    (ram,) = found.devices
    assert (found.gpu_layers, ram.kind, ram.layers, ram.overhead_high) == (0, "cpu", 33, 0)
    assert ram.weights_bytes == pytest.approx((4403.49 + 281.81) * MIB, abs=MIB)
    assert ram.margin_bytes == 64 * GIB - found.total_bytes


def test_unknown_ram_is_no_margin() -> None:
    assert planned("llama3.1:8b", Machine()).devices[0].margin_bytes is None


@pytest.mark.parametrize(
    ("shares", "count", "first", "homes"),
    [
        pytest.param((1.0, 1.0), 9, 0, [0, 0, 0, 0, 0, 1, 1, 1, 1], id="equal cards"),
        pytest.param((3.0, 1.0), 8, 0, [0, 0, 0, 0, 0, 0, 1, 1], id="by their memory"),
        pytest.param((1.0, 1.0), 6, 4, [-1, -1, -1, -1, 0, 1], id="the first layers stay behind"),
        pytest.param((0.0, 1.0), 3, 0, [1, 1, 1], id="nothing on the first"),
        pytest.param((1.0,), 3, 0, [0, 0, 0], id="a share for one of two"),
    ],
)
def test_layers_are_shared_out_by_memory(shares: tuple[float, ...], count: int, first: int, homes: list[int]) -> None:
    cards = (Gpu("a", "cuda", GIB), Gpu("b", "cuda", GIB))
    assert split(count, first, cards, RunSettings(8192, tensor_split=shares)) == homes


def test_free_memory_decides_the_shares_where_it_is_known() -> None:
    cards = (Gpu("a", "cuda", 8 * GIB, free_bytes=2 * GIB), Gpu("b", "cuda", 8 * GIB, free_bytes=6 * GIB))
    assert split(8, 0, cards, RunSettings(8192)) == [0, 0, 1, 1, 1, 1, 1, 1]


def test_two_cards_hold_what_one_cannot_and_keep_copies_of_the_inputs() -> None:
    one, two = (planned("qwen2.5:32b", machine(*cards)) for cards in ((16,), (16, 16)))
    assert (one.gpu_layers < one.layers, two.gpu_layers) == (True, two.layers)
    alone = planned("qwen2.5:32b", HUGE).devices[0]
    assert sum(device.weights_bytes for device in two.devices[:2]) == alone.weights_bytes
    assert two.devices[1].compute_bytes > alone.compute_bytes


def test_experts_on_the_host_cost_the_card_one_copy_of_the_largest() -> None:
    shape = with_quantization(catalog()["qwen3:235b"], "Q8_0")
    settings = RunSettings(16384, gpu_layers=99, cpu_moe=94)
    card, host = plan(shape, settings, HUGE).devices
    assert 816 < card.compute_bytes / MIB <= 1024
    assert host.weights_bytes > 20 * card.weights_bytes


def test_a_card_without_layers_still_works_for_the_host() -> None:
    card, _ = planned("llama3.1:8b", HUGE, gpu_layers=0).devices
    assert card.compute_bytes / MIB == pytest.approx(669, rel=0.015)
    assert card.overhead_low > 0


@pytest.mark.parametrize(
    ("backend", "flash", "low", "high"),
    [("cuda", True, 180, 480), ("rocm", True, 180, 480), ("rocm", False, 180, 480 + 2346), ("metal", True, 0, 480)],
)
def test_overheads_are_intervals_on_record(backend: str, flash: bool, low: int, high: int) -> None:
    card = Gpu("card", backend, 64 * GIB)  # type: ignore[arg-type]
    device = plan(dense(), RunSettings(4096, flash_attention=flash), Machine((card,))).devices[0]
    assert (device.overhead_low, device.overhead_high) == (low * MIB, high * MIB)
    assert (device.needed_low, device.needed_high) == (
        device.buffers_bytes + low * MIB,
        device.buffers_bytes + high * MIB,
    )


def test_another_quantization_leaves_the_file_and_its_quirks_behind() -> None:
    shape = replace(dense(), type_overrides=(("attn_v.weight", "F16"),), file_bytes=1)
    changed = with_quantization(shape, "Q8_0")
    assert (changed.quantization, changed.type_overrides, changed.file_bytes) == ("Q8_0", (), None)
    assert with_quantization(shape, "Q4_K_M") is shape


def test_vllm_shares_everything_equally_and_says_that_it_estimates() -> None:
    found = planned("llama3.1:8b", machine(24, 24), engine="vllm", parallel=4)
    first, second, ram = found.devices
    assert first.buffers_bytes == second.buffers_bytes
    assert ram.buffers_bytes == 0
    assert sum(line.bytes for line in found.lines) == found.total_bytes
    assert "an estimate" in found.notes[-1]
    assert planned("llama3.1:8b", Machine(ram_total_bytes=GIB), engine="vllm").devices[0].kind == "cpu"


def test_a_plan_of_part_of_the_layers_says_so() -> None:
    assert planned("llama3.1:8b", HUGE, gpu_layers=10).notes[0].startswith("10 of 33 layers on GPUs")


def test_a_mixture_smaller_than_its_router_is_planned_too() -> None:
    assert plan(sparse(2, 1), RunSettings(256), HUGE).total_bytes > 0
