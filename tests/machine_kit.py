"""Machines that are only described: an NVML that answers from a table, files below a folder, commands with fixed output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from mrt.machine.world import World

GIB, MIB = 2**30, 2**20


class NVMLError(Exception):
    """As NVML raises them: one class a failure, told apart by name."""


class NVMLError_LibraryNotFound(NVMLError):
    pass


class NVMLError_DriverNotLoaded(NVMLError):
    pass


class NVMLError_LibRmVersionMismatch(NVMLError):
    pass


class NVMLError_NotSupported(NVMLError):
    pass


@dataclass(frozen=True)
class Card:
    """A GPU as NVML shows it; `total` None for one whose memory it does not know; `parts` are MIG instances."""

    name: str
    total: int | None
    used: int = 0
    processes: tuple[tuple[int, int | None], ...] = ()
    parts: tuple[Card, ...] = ()
    uuid: str = "GPU-0"
    broken: bool = False


@dataclass(frozen=True)
class FakeNvml:
    """The calls that a reading makes; `fails` is raised by the first of them."""

    cards: tuple[Card, ...] = ()
    fails: Exception | None = None
    NVML_DEVICE_MIG_ENABLE: int = 1
    log: list[str] = field(default_factory=list)

    def nvmlInit(self) -> None:
        self.log.append("init")
        if self.fails:
            raise self.fails

    def nvmlShutdown(self) -> None:
        self.log.append("shutdown")

    def nvmlDeviceGetCount(self) -> int:
        return len(self.cards)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> Card:
        return self.cards[index]

    def nvmlDeviceGetName(self, card: Card) -> str:
        return card.name

    def nvmlDeviceGetUUID(self, card: Card) -> str:
        return card.uuid

    def nvmlDeviceGetMemoryInfo(self, card: Card) -> Any:
        if card.total is None:
            raise NVMLError_NotSupported("Not Supported")
        return SimpleNamespace(total=card.total, free=card.total - card.used, used=card.used)

    def nvmlDeviceGetMigMode(self, card: Card) -> tuple[int, int]:
        if card.broken:
            raise NVMLError_NotSupported("Not Supported")
        return (1, 1) if card.parts else (0, 0)

    def nvmlDeviceGetMaxMigDeviceCount(self, card: Card) -> int:
        return 7

    def nvmlDeviceGetMigDeviceHandleByIndex(self, card: Card, index: int) -> Card:
        return card.parts[index]

    def nvmlDeviceGetComputeRunningProcesses(self, card: Card) -> list[Any]:
        return [SimpleNamespace(pid=pid, usedGpuMemory=used) for pid, used in card.processes]

    def nvmlDeviceGetGraphicsRunningProcesses(self, card: Card) -> list[Any]:
        raise NVMLError_NotSupported("Not Supported")


def written(root: Path, files: Mapping[str, str]) -> Path:
    """A file system with these files."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content + "\n")
    return root


def no_nvml() -> Any:
    raise ModuleNotFoundError("No module named 'pynvml'")


def world(root: Path, **changes: Any) -> World:
    """A Linux machine of 64 GiB, 48 of them available, without any GPU."""
    plain = World(
        root=root,
        platform="linux",
        nvml=lambda: FakeNvml(fails=NVMLError_LibraryNotFound("NVML Shared Library Not Found")),
        ram=lambda: (64 * GIB, 48 * GIB),
        process_name={4711: "ollama", 99: "Xorg"}.get,
        run=lambda command: None,
        environment={},
    )
    return replace(plain, **changes)


def commands(outputs: Mapping[str, str]) -> Any:
    """A runner of commands that knows these, by their words."""

    def run(command: Sequence[str]) -> str | None:
        return outputs.get(" ".join(command))

    return run
