"""NVIDIA GPUs by NVML: memory, what holds it, and the parts a GPU is cut into (MIG)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mrt.memory.gpus import MIB, match_device
from mrt.memory.hardware import Gpu

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mrt.machine.world import World

GIB = 2**30
_PCI_VENDOR = "0x10de"
_SHOWN_HOLDERS = 3
# What to say to the failures that people meet; the names are NVML's own.
_REMEDIES = {
    "NVMLError_LibRmVersionMismatch": "the driver was updated but not restarted: reboot, or reload its modules",
    "NVMLError_DriverNotLoaded": "its driver is not loaded",
    "NVMLError_NoPermission": "this user may not ask the driver",
    "NVMLError_GpuIsLost": "a GPU has fallen off the bus: reboot",
    "NVMLError_LibraryNotFound": "its driver is not installed (libnvidia-ml is missing)",
}


def read_nvidia(world: World, ram_total: int | None, ram_free: int | None) -> tuple[list[Gpu], list[str]]:
    """The NVIDIA GPUs that a program started from here would see."""
    try:
        nvml = world.nvml()
        nvml.nvmlInit()
    except Exception as error:  # a broken driver has more ways to fail than NVML has names for
        return [], _why_not(world, error)
    try:
        return _devices(world, nvml, (ram_total, ram_free))
    except Exception as error:
        return [], [f"the NVIDIA GPUs cannot be read: {_remedy(error)}"]
    finally:
        _quietly(nvml.nvmlShutdown)


def _why_not(world: World, error: Exception) -> list[str]:
    """A note where there is something to mend: a card without driver, a driver that does not answer."""
    missing = isinstance(error, ImportError) or type(error).__name__ == "NVMLError_LibraryNotFound"
    if missing and not _card_present(world):
        return []
    if isinstance(error, ImportError):
        return ["there is an NVIDIA GPU, but the package nvidia-ml-py that reads it is missing"]
    return [f"there is no reading of an NVIDIA GPU: {_remedy(error)}"]


def _remedy(error: Exception) -> str:
    return _REMEDIES.get(type(error).__name__) or str(error).strip() or type(error).__name__


def _card_present(world: World) -> bool:
    vendors = (world.root / "sys/bus/pci/devices").glob("*/vendor")
    return any(world.text(str(path.relative_to(world.root))) == _PCI_VENDOR for path in vendors)


def _devices(world: World, nvml: Any, ram: tuple[int | None, int | None]) -> tuple[list[Gpu], list[str]]:
    handles = [nvml.nvmlDeviceGetHandleByIndex(index) for index in range(nvml.nvmlDeviceGetCount())]
    kept = [handle for index, handle in enumerate(handles) if _visible(world, nvml, index, handle)]
    notes = []
    if len(kept) < len(handles):
        notes.append(f"CUDA_VISIBLE_DEVICES leaves {len(kept)} of {len(handles)} NVIDIA GPUs")
    gpus = []
    for handle in kept:
        found, said = _gpu(world, nvml, handle, ram)
        gpus += found
        notes += said
    return gpus, notes


def _visible(world: World, nvml: Any, index: int, handle: Any) -> bool:
    chosen = world.environment.get("CUDA_VISIBLE_DEVICES")
    if chosen is None:
        return True
    names = [name.strip() for name in chosen.split(",")]
    identity = str(_quietly(nvml.nvmlDeviceGetUUID, handle) or "")
    return any(name == str(index) or (name.startswith("GPU-") and identity.startswith(name)) for name in names)


def _gpu(world: World, nvml: Any, handle: Any, ram: tuple[int | None, int | None]) -> tuple[list[Gpu], list[str]]:
    name = str(_quietly(nvml.nvmlDeviceGetName, handle) or "NVIDIA GPU")
    parts = list(_parts(nvml, handle))
    if parts:
        return _parts_of(world, nvml, handle, parts), []
    memory = _quietly(nvml.nvmlDeviceGetMemoryInfo, handle)
    if memory is None:
        return _shared(name, ram)
    return [_one(world, nvml, handle, name, memory)], []


def _one(world: World, nvml: Any, handle: Any, name: str, memory: Any) -> Gpu:
    from mrt.machine.table import gpu_table

    known = match_device(gpu_table(), name, memory.total / MIB)
    bandwidth = known.bandwidth * 1e9 if known and known.bandwidth else None
    return Gpu(name, "cuda", int(memory.total), int(memory.free), bandwidth, False, _holders(world, nvml, handle))


def _shared(name: str, ram: tuple[int | None, int | None]) -> tuple[list[Gpu], list[str]]:
    """A GPU that has no memory of its own, as in GB10 and Jetson: NVML does not say, since the RAM is its memory."""
    from mrt.machine.table import gpu_table

    known = match_device(gpu_table(), name, None)
    total, free = ram
    if total is None or known is None or not known.unified:
        return [], [f"the memory of {name} cannot be read"]
    bandwidth = known.bandwidth * 1e9 if known.bandwidth else None
    return [Gpu(name, "cuda", total, free, bandwidth, unified=True)], []


def _parts(nvml: Any, handle: Any) -> Iterator[Any]:
    """Handles of the instances that a GPU is cut into, none where it is whole."""
    mode = _quietly(nvml.nvmlDeviceGetMigMode, handle)
    if not mode or mode[0] != nvml.NVML_DEVICE_MIG_ENABLE:
        return
    for index in range(_quietly(nvml.nvmlDeviceGetMaxMigDeviceCount, handle) or 0):
        part = _quietly(nvml.nvmlDeviceGetMigDeviceHandleByIndex, handle, index)
        if part is not None:
            yield part


def _parts_of(world: World, nvml: Any, handle: Any, parts: list[Any]) -> list[Gpu]:
    """Each instance as a GPU of its own, with the share of the bandwidth that its share of the memory has.

    Source: NVIDIA's MIG user guide: an instance owns whole memory slices, each with its part of the bandwidth.
    """
    from dataclasses import replace

    name = str(_quietly(nvml.nvmlDeviceGetName, handle) or "NVIDIA GPU")
    whole = _quietly(nvml.nvmlDeviceGetMemoryInfo, handle)
    gpus = []
    for part in parts:
        memory = _quietly(nvml.nvmlDeviceGetMemoryInfo, part)
        if memory is None:
            continue
        gpu = _one(world, nvml, part, str(_quietly(nvml.nvmlDeviceGetName, part) or f"{name} MIG"), memory)
        full = _one(world, nvml, handle, name, whole).bandwidth if whole else None
        share = full * min(1.0, memory.total / whole.total) if full and whole else None
        gpus.append(replace(gpu, bandwidth=share))
    return gpus


def _holders(world: World, nvml: Any, handle: Any) -> tuple[str, ...]:
    """Who holds the memory, largest first, as "ollama (4711): 5.2 GiB"."""
    running = [
        *(_quietly(nvml.nvmlDeviceGetComputeRunningProcesses, handle) or ()),
        *(_quietly(nvml.nvmlDeviceGetGraphicsRunningProcesses, handle) or ()),
    ]
    used = {process.pid: int(process.usedGpuMemory or 0) for process in running}
    largest = sorted(used.items(), key=lambda item: (-item[1], item[0]))[:_SHOWN_HOLDERS]
    return tuple(_holder(world.process_name(pid), pid, held) for pid, held in largest)


def _holder(name: str | None, pid: int, held: int) -> str:
    who = f"{name or 'a process'} ({pid})"
    return f"{who}: {held / GIB:.1f} GiB" if held else who


def _quietly(function: Any, *arguments: Any) -> Any:
    """What NVML answers, None where it does not support the question on this device or is broken."""
    try:
        return function(*arguments)
    except Exception:  # each question may be unsupported on some device; the others still count
        return None
