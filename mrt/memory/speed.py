"""How fast a plan may run: tokens per second as ranges, from bandwidth and the bytes that are really read."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mrt.frozen import frozen

if TYPE_CHECKING:
    from mrt.memory.hardware import Gpu, Machine
    from mrt.memory.plan import Plan
    from mrt.memory.traffic import Read

# Least and most share of the bandwidth that decoding reaches: 0.55 in community measurements on consumer cards with Q4_K_M,
# 0.8 is NVIDIA's own empirical factor. The others by what the same tools take off, x 0.78 for AMD and x 0.65 for Intel; Apple
# x 0.82 at the least, at the most 0.82 (an M5 decodes 22 tokens/s of a 9B model in 5.7 GB at 153 GB/s).
_ACHIEVED = {"cuda": (0.55, 0.8), "rocm": (0.43, 0.62), "metal": (0.45, 0.82), "vulkan": (0.36, 0.52)}
_ACHIEVED_CPU = (0.55, 0.8)
# Bytes per second that llama.cpp's own kernels get through at one token, whatever the memory could: 27B and 31B models at
# Q4_K_M run at 0.77 TB/s on an A100, 1.24 on an H100, 1.28 on an H200 and 1.38 on a B300 (13 GPUs, 10 models, one request, June
# 2026: pavlokhmel.com). The slow end takes as long as 0.8 of the bandwidth and this rate one after the other.
_KERNELS = (1.4e12, 1.6e12)
_MAKERS = {"rocm": " (AMD)", "metal": " (Apple)", "vulkan": " (Intel)"}
# Prompt tokens per decoded token, least and most on record in llama-bench tables (batch of 512, 7 to 8 B models):
# Tesla P40 16, RTX 3080 34, RTX 4090 50; RX 7900 XTX 28 to 35; Apple M1 Max and M4 11; Arc B580 35; Core i9-13900K 3.
_PROMPT = {"cuda": (16.0, 50.0), "rocm": (15.0, 35.0), "metal": (8.0, 14.0), "vulkan": (10.0, 35.0)}
_PROMPT_CPU = (2.0, 5.0)
# Seconds per layer and token that a GPU spends on starting work, most and least: an RTX 4090 decodes a model of 22 layers and
# 636 MiB at 762 tokens/s (llama-bench), where bandwidth alone would give 1210; an H200 a 3B of 26 layers at 312 (June 2026).
_START_S = (55e-6, 5e-6)
# The same where a router chooses experts: Qwen3.6 35B-A3B, 40 layers, 128 tokens/s on an A100, 180 on a 4090, 204 on an H200.
_START_EXPERTS_S = (165e-6, 30e-6)
# RAM of common machines where nobody says: two channels of DDR4-3200 (2 x 8 B x 3200 MT/s) to DDR5-5600.
RAM_BANDWIDTH = (51.2e9, 89.6e9)


class Range(NamedTuple):
    """Tokens per second; None where one end is not known."""

    low: float | None
    high: float | None


@frozen
class Speed:
    """Decode from the full context (low) to half of it (high), prompt reading with an empty one; `source` says by what."""

    decode: Range
    prompt: Range
    source: str
    assumptions: tuple[str, ...] = ()


UNKNOWN = Range(None, None)


def estimate(plan: Plan, machine: Machine, reads: tuple[Read, ...], measured: Speed | None = None) -> Speed:
    """Tokens per second of `plan`; `reads` are bytes per device in the plan's order. A measured speed replaces the estimate."""
    if measured is not None:
        return measured
    own = plan.settings.engine != "vllm"
    sides = [_side(machine, index, len(plan.devices), own) for index in range(len(plan.devices))]
    pairs = [(side, read) for side, read in zip(sides, reads, strict=True) if sum(read)]
    started = min(plan.gpu_layers, len(plan.shape.layers)) if machine.gpus else 0
    decode = _with_starts(
        _rate([(side.slow, side.slow_prompt, read, 1.0) for side, read in pairs], prompt=False),
        _bound([(side.fast, side.fast_prompt, read, 0.5) for side, read in pairs], prompt=False),
        started,
        plan.shape.experts is not None,
    )
    prompt = Range(
        _rate([(side.slow, side.slow_prompt, read, 0.0) for side, read in pairs], prompt=True),
        _bound([(side.fast, side.fast_prompt, read, 0.0) for side, read in pairs], prompt=True),
    )
    # An embedding model writes nothing.
    return Speed(UNKNOWN if plan.shape.embeds else decode, prompt, _source(machine), _assumptions(pairs))


def _with_starts(low: float | None, high: float | None, layers: int, experts: bool) -> Range:
    """Both ends with the time that starting the work of so many layers on a GPU takes for every token."""
    slow, fast = (layers * seconds for seconds in (_START_EXPERTS_S if experts else _START_S))
    return Range(None if low is None else 1 / (1 / low + slow), None if high is None else 1 / (1 / high + fast))


def if_whole(machine: Machine, reads: tuple[Read, ...], plan: Plan) -> Range:
    """Decoding if the first GPU held everything; unknown without a GPU or its bandwidth."""
    if not machine.gpus:
        return UNKNOWN
    sums = [sum(parts) for parts in zip(*reads, strict=True)]
    side = _gpu_side(machine.gpus[0], plan.settings.engine != "vllm")
    whole = type(reads[0])(*sums)
    slow, fast = (
        _rate([(bandwidth, 1.0, whole, full)], False) for bandwidth, full in ((side.slow, 1.0), (side.fast, 0.5))
    )
    return _with_starts(slow, fast, len(plan.shape.layers), plan.shape.experts is not None)


def _source(machine: Machine) -> str:
    """The rule in words, with the shares of each maker whose GPU takes part."""
    kinds = sorted({gpu.backend for gpu in machine.gpus}) or ["cuda"]
    shares = [f"{_ACHIEVED[kind][0]:g}–{_ACHIEVED[kind][1]:g}{_MAKERS.get(kind, '')}" for kind in kinds]
    starts = ", and the start of each layer's work" if machine.gpus else ""
    return f"bandwidth × {' or '.join(shares)} ÷ bytes read per token{starts}"


@frozen
class _Side:
    """Bytes per second of one device, slowest and fastest; prompt tokens per decoded token likewise."""

    slow: float | None
    fast: float | None
    slow_prompt: float
    fast_prompt: float
    assumed: bool = False


def _side(machine: Machine, index: int, count: int, own: bool) -> _Side:
    if index < len(machine.gpus) and index < count - 1:
        return _gpu_side(machine.gpus[index], own)
    low, high = (machine.ram_bandwidth, machine.ram_bandwidth) if machine.ram_bandwidth else RAM_BANDWIDTH
    achieved = _ACHIEVED_CPU
    if any(gpu.unified for gpu in machine.gpus):
        # A CPU gets no more out of the memory that it shares than the GPU beside it.
        achieved = min(achieved, *(_ACHIEVED[gpu.backend] for gpu in machine.gpus))
    return _Side(low * achieved[0], high * achieved[1], *_PROMPT_CPU, assumed=not machine.ram_bandwidth)


def _gpu_side(gpu: Gpu, own: bool) -> _Side:
    """`own`: whether llama.cpp's own kernels run there."""
    if gpu.bandwidth is None:
        return _Side(None, None, *_PROMPT[gpu.backend])
    slow, fast = (gpu.bandwidth * share for share in _ACHIEVED[gpu.backend])
    if own:
        most = gpu.bandwidth * _ACHIEVED[gpu.backend][1]
        slow, fast = min(slow, 1 / (1 / most + 1 / _KERNELS[0])), min(fast, _KERNELS[1])
    return _Side(slow, fast, *_PROMPT[gpu.backend])


def _bound(parts: list[tuple[float | None, float, Read, float]], prompt: bool) -> float | None:
    """The fast end, which what is known bounds even where one device is not known."""
    return _rate([part for part in parts if part[0] is not None], prompt)


def _rate(parts: list[tuple[float | None, float, Read, float]], prompt: bool) -> float | None:
    """One end of a range: the devices work one after the other, so their times add up; None when one is not known."""
    seconds = 0.0
    for bandwidth, per_decoded, read, filled in parts:
        if bandwidth is None:
            return None
        taken = (read.weights + filled * read.kv + (read.window if filled else 0)) / bandwidth
        seconds += taken / per_decoded if prompt else taken
    return 1 / seconds if seconds else None


def _assumptions(pairs: list[tuple[_Side, Read]]) -> tuple[str, ...]:
    if any(side.assumed for side, _ in pairs):
        return ("RAM taken as 51 to 90 GB/s (two channels of DDR4-3200 to DDR5-5600)",)
    return ()
