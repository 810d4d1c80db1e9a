"""RAM, and the limit that a container puts on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mrt.machine.world import World

GIB = 2**30
_V2, _V1 = "sys/fs/cgroup", "sys/fs/cgroup/memory"


def read_ram(world: World) -> tuple[tuple[int, int] | None, list[str]]:
    """Total and available bytes within all limits, and notes."""
    try:
        total, available = world.ram()
    except Exception as error:  # the library reads many files of the system, and any may be missing
        return None, [f"RAM cannot be read ({type(error).__name__}): plans that need it are not checked against it"]
    notes = []
    limits = [limit for limit in _limits(world) if limit[0] < total]
    if limits:
        smallest = min(limit for limit, _ in limits)
        available = max(0, min(available, *(limit - used for limit, used in limits)))
        notes.append(f"the container may use {smallest / GIB:.1f} of {total / GIB:.1f} GiB RAM")
        total = smallest
    return (total, available), notes


def _limits(world: World) -> Iterator[tuple[int, int]]:
    """Limit and use in bytes of every control group around this process. Use leaves out what the kernel drops when it must."""
    for folder in _folders(world, "0::", _V2):
        limit = world.number(f"{folder}/memory.max")
        if limit is not None:
            used = world.number(f"{folder}/memory.current") or 0
            yield limit, max(0, used - _cache(world, folder, "inactive_file"))
    for folder in _folders(world, ":memory:", _V1):
        limit = world.number(f"{folder}/memory.limit_in_bytes")
        if limit is not None:
            used = world.number(f"{folder}/memory.usage_in_bytes") or 0
            yield limit, max(0, used - _cache(world, folder, "total_inactive_file"))


def _folders(world: World, marker: str, mount: str) -> list[str]:
    """The control group of this process and all above it; in a container its own is the mount itself."""
    groups = world.text("proc/self/cgroup") or ""
    path = next((line.partition(marker)[2] for line in groups.splitlines() if marker in line), "")
    parts = [part for part in path.split("/") if part not in ("", "..")]
    return ["/".join([mount, *parts[:count]]) for count in range(len(parts), -1, -1)]


def _cache(world: World, folder: str, name: str) -> int:
    """Pages of files that are not in use, in bytes."""
    for line in (world.text(f"{folder}/memory.stat") or "").splitlines():
        key, _, value = line.partition(" ")
        if key == name and value.isdecimal():
            return int(value)
    return 0
