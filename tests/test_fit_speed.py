"""What `mrt fit` says of speed, against what others measured with one request at a time."""

from __future__ import annotations

import pytest
from fit_kit import LLAMA, MOE, data_of, device, fit, gpu, machine, made
from rig.command import Home

from mrt.memory.speed import estimate
from mrt.memory.traffic import Read

# model; GPU; tokens per second of llama.cpp: 13 GPUs and 10 models at Q4_K_M, June 2026 (pavlokhmel.com); Llama 3 8B
# at 8192 tokens, May 2024 (XiongjieDai, GPU-Benchmarks-on-LLM-Inference). A Tesla P100 and other MXFP4 files are left out.
MEASURED = [
    ("ministral-3:3b", "4090", 271),
    ("ministral-3:3b", "H200", 312),
    ("qwen3.5:9b", "Tesla V100 PCIe 32 GB", 85),
    ("qwen3.5:9b", "A100 SXM 80GB", 123),
    ("qwen3.5:9b", "RTX 4080", 105),
    ("qwen3.5:9b", "4090", 137),
    ("qwen3.5:9b", "H100 SXM", 190),
    ("qwen3.5:9b", "H200", 197),
    ("qwen3.5:9b", "B300", 213),
    ("qwen3.5:9b", "M5 32GB", 22),
    ("qwen3.6:27b", "A100 SXM 80GB", 46),
    ("qwen3.6:27b", "4090", 47),
    ("qwen3.6:27b", "H200", 76),
    ("gemma4:31b", "H100 SXM", 68),
    ("gemma4:31b", "B300", 75),
    ("gemma4:26b", "4090", 149),
    ("gemma4:26b", "A100 SXM 80GB", 116),
    ("gemma4:26b", "H200", 188),
    ("qwen3.6:35b", "4090", 180),
    ("qwen3.6:35b", "H200", 204),
    ("llama3:8b", "RTX 3070", 62),
    ("llama3:8b", "RTX 3080", 90),
    ("llama3:8b", "RTX 4070 Ti", 73),
    ("llama3:8b", "3090", 87),
    ("llama3:8b", "4090", 111),
]


@pytest.mark.parametrize(("model", "card", "measured"), MEASURED, ids=[f"{row[0]} on {row[1]}" for row in MEASURED])
def test_the_range_holds_what_was_measured(store_home: Home, model: str, card: str, measured: float) -> None:
    context = "8192" if model == "llama3:8b" else "4096"
    decode = data_of(fit(store_home, model, "--gpu", card, "--quant", "Q4_K_M", "--ctx", context, "--json"))["speed"][
        "decode"
    ]
    assert decode["low"] <= measured <= decode["high"]
    assert decode["high"] <= 4 * decode["low"]


def test_kernels_bound_what_more_bandwidth_gives_but_not_under_vllm() -> None:
    plan = made([device("gpu", 100, 4, layers=32), device("cpu", 64, 0)])
    own, other = (
        estimate(made(plan.devices, engine=engine), machine(gpu(100, 8e12)), (Read(16e9), Read())).decode
        for engine in ("llama.cpp", "vllm")
    )
    assert own.high is not None
    assert own.high < 1.6e12 / 16e9
    assert other.high == pytest.approx(1 / (16e9 / 6.4e12 + 32 * 5e-6))


def test_choosing_experts_takes_time_of_its_own() -> None:
    devices = [device("gpu", 24, 4, layers=32), device("cpu", 64, 0)]
    dense, experts = (
        estimate(made(devices, shape=shape), machine(gpu(24, 1e12)), (Read(1e9), Read())).decode
        for shape in (LLAMA, MOE)
    )
    assert experts.high is not None
    assert dense.high is not None
    assert experts.high < dense.high


def test_on_one_memory_a_layer_on_the_cpu_reads_no_faster(store_home: Home) -> None:
    line = fit(store_home, "llama3.1:8b", "--gpu", "M3", "-q").stdout
    assert line.startswith("partial: ")
    assert "instead of" not in line
