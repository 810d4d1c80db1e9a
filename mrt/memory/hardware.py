"""The memory a plan has to fit into; read from the machine or simulated, the plan cannot tell."""

from __future__ import annotations

from typing import Literal

from mrt.frozen import frozen

Backend = Literal["cuda", "rocm", "metal", "vulkan"]


@frozen
class Gpu:
    """One GPU. Bytes; bandwidth in bytes per second; None means unknown. `unified`: its memory is the machine's RAM."""

    name: str
    backend: Backend
    total_bytes: int
    free_bytes: int | None = None
    bandwidth: float | None = None
    unified: bool = False
    # What holds the memory that is not free, largest first, as "name (pid): 5.2 GiB".
    held_by: tuple[str, ...] = ()


@frozen
class Machine:
    """GPUs and RAM of one machine. `notes` say what could not be read, one sentence each."""

    gpus: tuple[Gpu, ...] = ()
    ram_total_bytes: int | None = None
    ram_free_bytes: int | None = None
    ram_bandwidth: float | None = None
    simulated: bool = False
    notes: tuple[str, ...] = ()
