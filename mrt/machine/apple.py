"""Apple silicon: one memory for CPU and GPU, of which Metal lets the GPU have a part."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mrt.memory.gpus import MIB, find_gpu
from mrt.memory.hardware import Gpu

if TYPE_CHECKING:
    from mrt.machine.world import World

GIB = 2**30
_CORES = re.compile(r'"gpu-core-count"\s*=\s*(\d+)')


def working_set(ram_bytes: int) -> int:
    """Bytes that Metal recommends for the GPU: two thirds of the memory, three quarters from 36 GiB on.

    Reported by Metal as recommendedMaxWorkingSetSize: 10.7 of 16, 27 of 36, 48 of 64 GiB (llama.cpp logs). Newer systems
    give more (17.8 of 24, 107.5 of 128 GiB); the least on record is taken. `iogpu.wired_limit_mb` changes it.
    """
    return ram_bytes * 2 // 3 if ram_bytes < 36 * GIB else ram_bytes * 3 // 4


def read_apple(world: World, ram_total: int | None, ram_free: int | None) -> tuple[list[Gpu], list[str]]:
    """The GPU of an Apple chip; on Macs with other processors none that llama.cpp can count on."""
    chip = (world.run(["sysctl", "-n", "machdep.cpu.brand_string"]) or "").strip()
    total = _number(world, "hw.memsize") or ram_total
    if not chip.startswith("Apple") or total is None:
        return [], ["this Mac has no Apple chip"]
    limit = _number(world, "iogpu.wired_limit_mb")
    usable = limit * MIB if limit else working_set(total)
    free = min(usable, ram_free) if ram_free is not None else None
    bandwidth, note = _bandwidth(world, chip, total)
    source = "iogpu.wired_limit_mb" if limit else "Metal's least recommended working set"
    notes = [f"the GPU may use {usable / GIB:.1f} of {total / GIB:.1f} GiB ({source})"]
    return [Gpu(chip, "metal", usable, free, bandwidth, unified=True)], notes + ([note] if note else [])


def _bandwidth(world: World, chip: str, total: int) -> tuple[float | None, str | None]:
    """Bytes per second; the chip's name leaves open which of two GPUs it has, the core count and the memory tell."""
    from mrt.errors import UsageError
    from mrt.machine.table import gpu_table

    cores = _CORES.search(world.run(["ioreg", "-rc", "AGXAccelerator", "-d1"]) or "")
    for name in (f"{chip} ({cores[1]}-core GPU)" if cores else chip, chip):
        try:
            found = find_gpu(gpu_table(), name, total / MIB)
        except UsageError:
            continue
        return (found.gpu.bandwidth * 1e9 if found.gpu.bandwidth else None), found.note
    return None, None


def _number(world: World, name: str) -> int | None:
    text = (world.run(["sysctl", "-n", name]) or "").strip()
    return int(text) if text.isdecimal() else None
