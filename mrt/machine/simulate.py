"""A machine that is only described: a GPU by its name, or just so much memory."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mrt.errors import UsageError
from mrt.frozen import frozen
from mrt.memory.hardware import Backend, Gpu, Machine

if TYPE_CHECKING:
    from mrt.memory.gpus import KnownGpu

MIB, GIB = 2**20, 2**30
_SIZE = r"\s*(\d+(?:\.\d+)?|\.\d+)\s*(?:([kmgt])(?:i?b)?|(b))?\s*"
_COUNT_AFTER = r"(.*\S)\s*[x×*]\s*(\d{1,2})"
_COUNT_BEFORE = r"(\d{1,2})\s*[x×*]\s*(.*)"
_UNITS = {"k": 2**10, "m": MIB, "g": GIB, "t": 2**40}
_MOST = 2**50
# llama.cpp uses no more in one process (LLAMA_MAX_DEVICES).
_MOST_GPUS = 16
_BACKENDS: dict[str, Backend] = {"apple": "metal", "amd": "rocm", "intel": "vulkan"}


@frozen
class Wanted:
    """What was said of the machine to plan for; None where nothing was said."""

    gpu: str | None = None
    vram: str | None = None
    ram: str | None = None


def parse_size(text: str, option: str) -> int:
    """Bytes of "8GiB", "8GB", "8G" or "8": memory is sold in powers of two whatever the unit says. UsageError otherwise."""
    found = re.fullmatch(_SIZE, text, re.IGNORECASE)
    if not found:
        raise UsageError(f"{option} {text.strip()!r} is no amount of memory", f"write it as in {option} 8GiB")
    unit = 1 if found[3] else _UNITS[(found[2] or "g").lower()]
    size = round(float(found[1]) * unit)
    if size > _MOST:
        raise UsageError(f"{option} {text.strip()!r} is more than any machine has", f"write it as in {option} 8GiB")
    return size


def simulate(wanted: Wanted) -> Machine:
    """The machine described; what is not said is not there: no GPU, an unknown amount of RAM. UsageError for an unknown name."""
    ram = parse_size(wanted.ram, "--ram") if wanted.ram is not None else None
    if ram == 0:
        raise UsageError("a machine without RAM runs nothing", "leave out --ram, or say --ram 32GiB")
    sizes = _sizes(wanted.vram)
    if wanted.gpu is None:
        gpus = tuple(Gpu(f"GPU of {size / GIB:g} GiB", "cuda", size, size) for size in sizes)
        return Machine(gpus, ram, ram, None, True)
    parts = _named(wanted.gpu, sizes, ram)
    shared = next((part for part in parts if part.known.unified), None)
    if shared is not None and ram is None:
        ram = shared.memory
    notes = tuple(dict.fromkeys(part.note for part in parts if part.note))
    return Machine(tuple(map(_gpu, parts)), ram, ram, _bandwidth(shared.known) if shared else None, True, notes)


def _sizes(vram: str | None) -> list[int]:
    """Memory of each GPU: "24GiB", "24GiBx2" or "24GiB,12GiB"; none for nothing said and for 0."""
    sizes: list[int] = []
    for part in vram.split(",") if vram is not None else ():
        size, count = _counted(part, "--vram")
        sizes += [parse_size(size, "--vram")] * count
    return [size for size in sizes if size]


def split_count(text: str) -> tuple[str, int]:
    """ "3090x2" or "2x 3090" as the name and how many."""
    text = text.strip()
    if after := re.fullmatch(_COUNT_AFTER, text):
        return after[1], int(after[2])
    if before := re.fullmatch(_COUNT_BEFORE, text):
        return before[2], int(before[1])
    return text, 1


def _counted(text: str, option: str) -> tuple[str, int]:
    name, count = split_count(text)
    if not 1 <= count <= _MOST_GPUS:
        raise UsageError(f"{option} {text.strip()!r} names {count} GPUs", f"one machine has 1 to {_MOST_GPUS} of them")
    return name, count


@frozen
class _Part:
    """One GPU named: its row of the table, its memory in bytes and what had to be assumed."""

    known: KnownGpu
    memory: int
    note: str | None


def _named(text: str, sizes: list[int], ram: int | None) -> list[_Part]:
    if len(set(sizes)) > 1:
        raise UsageError(
            "--vram says several sizes beside --gpu", 'name the GPUs with their memory: --gpu "3060 12GB,3090"'
        )
    parts: list[_Part] = []
    for word in text.split(","):
        name, count = _counted(word, "--gpu")
        parts += [_part(name, sizes[0] if sizes else None, ram)] * (max(count, len(sizes)) if sizes else count)
    if any(part.known.unified for part in parts) and len(parts) > 1:
        raise UsageError(f"{text.strip()!r}: a GPU that shares the RAM stands alone", "name one machine")
    return parts


def _part(name: str, size: int | None, ram: int | None) -> _Part:
    from mrt.machine.table import gpu_table
    from mrt.memory.gpus import find_gpu, match_device

    known = match_device(gpu_table(), name, None)
    told = size or (ram if known is not None and known.unified else None)
    found = find_gpu(gpu_table(), name, told / MIB if told else None)
    memory = found.memory_mib if found.memory_mib is not None else found.gpu.memory
    if memory is None:
        raise UsageError(f"how much memory {found.gpu.name} has depends on the machine", "say it: --ram 64GiB")
    return _Part(found.gpu, round(memory * MIB), found.note)


def _gpu(part: _Part) -> Gpu:
    backend, usable = _BACKENDS.get(part.known.vendor, "cuda"), part.memory
    if backend == "metal":
        from mrt.machine.apple import working_set

        usable = working_set(part.memory)
    return Gpu(part.known.name, backend, usable, usable, _bandwidth(part.known), part.known.unified)


def _bandwidth(known: KnownGpu) -> float | None:
    return known.bandwidth * 1e9 if known.bandwidth else None
