"""Read the machine as it is now; what cannot be read becomes a note, never a failure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mrt.memory.hardware import Gpu, Machine

if TYPE_CHECKING:
    from collections.abc import Callable

    from mrt.machine.world import World

Reading = tuple[list[Gpu], list[str]]


def read(world: World | None = None) -> Machine:
    """GPUs and RAM of this machine, within the limits of the container that mrt runs in."""
    from mrt.machine.ram import read_ram
    from mrt.machine.world import World

    world = world or World()
    ram, notes = read_ram(world)
    total, free = ram or (None, None)
    gpus: list[Gpu] = []
    for reading in _readings(world.platform):
        found, said = reading(world, total, free)
        gpus += found
        notes += said
    if not gpus:
        notes.append("no GPU was found that can be used: the CPU does all the work")
    return Machine(tuple(gpus), total, free, _bandwidth(gpus), False, tuple(notes))


def _readings(platform: str) -> list[Callable[[World, int | None, int | None], Reading]]:
    if platform == "darwin":
        from mrt.machine.apple import read_apple

        return [read_apple]
    from mrt.machine.graphics_cards import read_cards
    from mrt.machine.nvidia import read_nvidia

    return [read_nvidia, read_cards]


def _bandwidth(gpus: list[Gpu]) -> float | None:
    """Of the RAM: known where GPU and CPU share it, else nobody says."""
    return next((gpu.bandwidth for gpu in gpus if gpu.unified), None)
