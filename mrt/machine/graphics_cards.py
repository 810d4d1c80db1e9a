"""AMD and Intel GPUs by the files of the Linux kernel; a GPU without memory of its own is said to be one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mrt.memory.gpus import MIB, match_device
from mrt.memory.hardware import Gpu

if TYPE_CHECKING:
    from mrt.machine.world import World

GIB = 2**30
_AMD, _INTEL = "0x1002", "0x8086"
_NAMES = "usr/share/libdrm/amdgpu.ids"
# The integrated GPU of Intel's processors always sits here on the bus.
_INTEL_INTEGRATED = "0000:00:02.0"


def read_cards(world: World, _: int | None, ram_free: int | None) -> tuple[list[Gpu], list[str]]:
    """AMD GPUs with their memory; Intel GPUs as notes, since the kernel does not tell their memory to everyone."""
    gpus: list[Gpu] = []
    notes: list[str] = []
    cards = sorted((world.root / "sys/class/drm").glob("card*/device/vendor"))
    for vendor_file in cards:
        device = str(vendor_file.parent.relative_to(world.root))
        vendor = world.text(f"{device}/vendor")
        if vendor == _AMD:
            gpu, said = _amd(world, device, ram_free)
            gpus += [gpu] if gpu else []
            notes += said
        elif vendor == _INTEL:
            notes.append(_intel(world, device))
    return gpus, notes


def _amd(world: World, device: str, ram_free: int | None) -> tuple[Gpu | None, list[str]]:
    total, used = (world.number(f"{device}/mem_info_vram_{kind}") for kind in ("total", "used"))
    name = _amd_name(world, device)
    if total is None:
        return None, [f"the memory of {name} cannot be read: is the amdgpu driver loaded?"]
    # The kernel shows how busy the memory is for cards alone: an APU has none of its own (amdgpu_pm.c).
    card = world.text(f"{device}/mem_busy_percent") is not None or world.text(f"{device}/pcie_bw") is not None
    if card:
        free = total - used if used is not None else None
        return Gpu(name, "rocm", total, free, _bandwidth(name, total), False, ()), []
    return _apu(world, device, name, (total, used or 0), ram_free)


def _apu(
    world: World, device: str, name: str, carved: tuple[int, int], ram_free: int | None
) -> tuple[Gpu | None, list[str]]:
    """Memory carved out for the GPU, and the RAM it may map beside it (GTT)."""
    total, used = carved
    mapped, mapped_used = (world.number(f"{device}/mem_info_gtt_{kind}") or 0 for kind in ("total", "used"))
    mapped_free = mapped - mapped_used
    free = max(0, total - used) + max(0, mapped_free if ram_free is None else min(mapped_free, ram_free))
    note = (
        f"{name} shares the RAM: {total / GIB:.1f} GiB are set aside for it, {mapped / GIB:.1f} GiB more it may map "
        "(not every engine uses those)"
    )
    return Gpu(name, "rocm", total + mapped, free, _bandwidth(name, None), unified=True), [note]


def _bandwidth(name: str, total: int | None) -> float | None:
    from mrt.machine.table import gpu_table

    known = match_device(gpu_table(), name, total / MIB if total else None)
    return known.bandwidth * 1e9 if known and known.bandwidth else None


def _amd_name(world: World, device: str) -> str:
    """The card's own name, else the one that libdrm lists for its device and revision."""
    own = world.text(f"{device}/product_name")
    if own:
        return own
    identity = (world.text(f"{device}/device") or "").removeprefix("0x").upper()
    revision = (world.text(f"{device}/revision") or "").removeprefix("0x").upper().zfill(2)
    for line in (world.text(_NAMES) or "").splitlines():
        cells = [cell.strip() for cell in line.split(",", 2)]
        if len(cells) == 3 and cells[0].upper() == identity and cells[1].upper() == revision:
            return cells[2]
    return f"AMD GPU {identity}".strip()


def _intel(world: World, device: str) -> str:
    place = (world.root / device).resolve().name
    if place == _INTEL_INTEGRATED:
        return "the Intel GPU is part of the processor and shares the RAM: no faster than the CPU for decoding, not counted"
    return 'an Intel GPU is there, but its memory cannot be read: name it, as in --gpu "Arc A770"'
