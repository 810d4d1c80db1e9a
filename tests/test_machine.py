"""The machine as it is read: GPUs of every maker, RAM, containers, and what to say where something is broken."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from machine_kit import (
    GIB,
    MIB,
    Card,
    FakeNvml,
    NVMLError_DriverNotLoaded,
    NVMLError_LibraryNotFound,
    NVMLError_LibRmVersionMismatch,
    commands,
    no_nvml,
    world,
    written,
)

from mrt.machine import read
from mrt.machine.world import World
from mrt.memory.hardware import Gpu, Machine

RTX_4070_LAPTOP = "NVIDIA GeForce RTX 4070 Laptop GPU"
A100 = "NVIDIA A100-SXM4-40GB"
NO_GPU = "no GPU was found that can be used: the CPU does all the work"


def nvidia(tmp_path: Path, *cards: Card, **environment: str) -> Machine:
    """The machine that has these cards."""
    return read(world(tmp_path, nvml=lambda: FakeNvml(cards), environment=environment))


def test_no_gpu_is_said_and_ram_is_there(tmp_path: Path) -> None:
    assert read(world(tmp_path)) == Machine((), 64 * GIB, 48 * GIB, None, False, (NO_GPU,))


def test_an_nvidia_gpu_with_its_own_bandwidth_and_who_holds_it(tmp_path: Path) -> None:
    card = Card(RTX_4070_LAPTOP, 8188 * MIB, 6 * GIB, ((99, None), (4711, 5 * GIB), (5, GIB)))
    [gpu] = nvidia(tmp_path, card).gpus
    held = ("ollama (4711): 5.0 GiB", "a process (5): 1.0 GiB", "Xorg (99)")
    assert gpu == Gpu(RTX_4070_LAPTOP, "cuda", 8188 * MIB, 8188 * MIB - 6 * GIB, 256e9, False, held)


@pytest.mark.parametrize(
    ("name", "mebibytes", "bandwidth"),
    [
        ("NVIDIA GeForce RTX 3060", 12288, 360e9),
        ("NVIDIA GeForce RTX 3060", 8192, 240e9),
        ("NVIDIA GeForce RTX 4060 Ti", 16380, 288e9),
        ("NVIDIA GeForce RTX 4090", 24564, 1010e9),
        (A100, 40960, 1560e9),
        ("NVIDIA A100-SXM4-80GB", 81920, 2039e9),
        ("NVIDIA H100 80GB HBM3", 81559, 3350e9),
        ("NVIDIA H100 PCIe", 81559, 2000e9),
        ("NVIDIA H200", 143771, 4800e9),
        ("NVIDIA L40S", 46068, 864e9),
        ("Tesla T4", 15360, 320e9),
        ("NVIDIA RTX 6000 Ada Generation", 49140, 960e9),
        ("NVIDIA GeForce RTX 3080 Ti Laptop GPU", 16384, None),
        ("NVIDIA GeForce RTX 9999", 16384, None),
    ],
)
def test_the_bandwidth_is_that_of_the_very_card(
    tmp_path: Path, name: str, mebibytes: int, bandwidth: float | None
) -> None:
    [gpu] = nvidia(tmp_path, Card(name, mebibytes * MIB)).gpus
    assert (gpu.name, gpu.total_bytes, gpu.bandwidth) == (name, mebibytes * MIB, bandwidth)


def test_several_gpus_are_listed_in_order(tmp_path: Path) -> None:
    cards = (Card("NVIDIA GeForce RTX 3090", 24 * GIB), Card("NVIDIA GeForce RTX 3060", 12 * GIB))
    assert [gpu.total_bytes for gpu in nvidia(tmp_path, *cards).gpus] == [24 * GIB, 12 * GIB]


@pytest.mark.parametrize(
    ("visible", "left"),
    [("1", ["B"]), ("0,1", ["A", "B"]), ("GPU-a", ["A"]), ("", []), ("-1", [])],
    ids=["index", "both", "uuid", "empty", "none"],
)
def test_hidden_gpus_are_left_out(tmp_path: Path, visible: str, left: list[str]) -> None:
    cards = (Card("A", 8 * GIB, uuid="GPU-aa"), Card("B", 8 * GIB, uuid="GPU-bb"))
    machine = nvidia(tmp_path, *cards, CUDA_VISIBLE_DEVICES=visible)
    assert [gpu.name for gpu in machine.gpus] == left
    said = f"CUDA_VISIBLE_DEVICES leaves {len(left)} of 2 NVIDIA GPUs"
    assert machine.notes == (() if len(left) == 2 else (said,) if left else (said, NO_GPU))


def test_mig_instances_are_gpus_with_their_share_of_the_bandwidth(tmp_path: Path) -> None:
    parts = (Card(f"{A100} MIG 3g.20gb", 20 * GIB, 2 * GIB), Card(f"{A100} MIG 1g.5gb", 5 * GIB))
    machine = nvidia(tmp_path, Card(A100, 40 * GIB, parts=parts))
    assert [(gpu.name, gpu.total_bytes, gpu.free_bytes, gpu.bandwidth) for gpu in machine.gpus] == [
        (f"{A100} MIG 3g.20gb", 20 * GIB, 18 * GIB, 780e9),
        (f"{A100} MIG 1g.5gb", 5 * GIB, 5 * GIB, 195e9),
    ]


def test_a_gpu_that_shares_the_ram_has_the_ram(tmp_path: Path) -> None:
    machine = nvidia(tmp_path, Card("NVIDIA GB10", None))
    assert machine.gpus == (Gpu("NVIDIA GB10", "cuda", 64 * GIB, 48 * GIB, 273.2e9, unified=True),)
    assert machine.ram_bandwidth == 273.2e9


def test_a_card_that_does_not_tell_its_memory_is_a_note(tmp_path: Path) -> None:
    machine = nvidia(tmp_path, Card("NVIDIA GeForce RTX 4090", None, broken=True))
    assert (machine.gpus, machine.notes) == ((), ("the memory of NVIDIA GeForce RTX 4090 cannot be read", NO_GPU))


NVIDIA_ON_THE_BUS = {"sys/bus/pci/devices/0000:01:00.0/vendor": "0x10de"}


@pytest.mark.parametrize(
    ("fails", "note"),
    [
        (
            NVMLError_LibRmVersionMismatch("Driver/library version mismatch"),
            "there is no reading of an NVIDIA GPU: the driver was updated but not restarted: reboot, or reload its modules",
        ),
        (NVMLError_DriverNotLoaded("x"), "there is no reading of an NVIDIA GPU: its driver is not loaded"),
        (
            NVMLError_LibraryNotFound("x"),
            "there is no reading of an NVIDIA GPU: its driver is not installed (libnvidia-ml is missing)",
        ),
        (
            OSError("libnvidia-ml.so.1: file too short"),
            "there is no reading of an NVIDIA GPU: libnvidia-ml.so.1: file too short",
        ),
    ],
    ids=["mismatch", "not-loaded", "no-library", "corrupt"],
)
def test_a_broken_driver_is_a_note(tmp_path: Path, fails: Exception, note: str) -> None:
    root = written(tmp_path, NVIDIA_ON_THE_BUS)
    machine = read(world(root, nvml=lambda: FakeNvml(fails=fails)))
    assert (machine.gpus, machine.notes) == ((), (note, NO_GPU))


def test_a_missing_package_matters_only_where_there_is_a_card(tmp_path: Path) -> None:
    assert read(world(tmp_path, nvml=no_nvml)).notes == (NO_GPU,)
    root = written(tmp_path, NVIDIA_ON_THE_BUS)
    said = "there is an NVIDIA GPU, but the package nvidia-ml-py that reads it is missing"
    assert read(world(root, nvml=no_nvml)).notes == (said, NO_GPU)


def test_nvml_is_always_shut_down(tmp_path: Path) -> None:
    nvml = FakeNvml((Card("x", GIB),))
    read(world(tmp_path, nvml=lambda: nvml))
    assert nvml.log == ["init", "shutdown"]


CARD = "sys/class/drm/card1/device"
RX_7900_XTX = {
    f"{CARD}/vendor": "0x1002",
    f"{CARD}/device": "0x744c",
    f"{CARD}/revision": "0xc8",
    f"{CARD}/mem_info_vram_total": str(24560 * MIB),
    f"{CARD}/mem_info_vram_used": str(GIB),
    f"{CARD}/mem_busy_percent": "0",
    "usr/share/libdrm/amdgpu.ids": "# List\n744C,\tC8,\tAMD Radeon RX 7900 XTX\n744C,\tCC,\tAMD Radeon RX 7900 XT",
}


def test_an_amd_card_by_sysfs(tmp_path: Path) -> None:
    machine = read(world(written(tmp_path, RX_7900_XTX)))
    assert machine.gpus == (Gpu("AMD Radeon RX 7900 XTX", "rocm", 24560 * MIB, 23536 * MIB, 960e9),)
    assert machine.notes == ()


def test_an_amd_card_says_its_own_name(tmp_path: Path) -> None:
    root = written(tmp_path, RX_7900_XTX | {f"{CARD}/product_name": "Radeon RX 7900 XT"})
    assert [(gpu.name, gpu.bandwidth) for gpu in read(world(root)).gpus] == [("Radeon RX 7900 XT", 800e9)]


def test_an_unknown_amd_card_still_has_its_memory(tmp_path: Path) -> None:
    root = written(tmp_path, RX_7900_XTX | {f"{CARD}/device": "0xffff"})
    assert [(gpu.name, gpu.total_bytes, gpu.bandwidth) for gpu in read(world(root)).gpus] == [
        ("AMD GPU FFFF", 24560 * MIB, None)
    ]


def test_an_amd_card_without_its_driver_is_a_note(tmp_path: Path) -> None:
    files = {name: text for name, text in RX_7900_XTX.items() if "mem_info" not in name}
    machine = read(world(written(tmp_path, files)))
    said = "the memory of AMD Radeon RX 7900 XTX cannot be read: is the amdgpu driver loaded?"
    assert (machine.gpus, machine.notes) == ((), (said, NO_GPU))


def test_an_apu_has_its_carve_out_and_what_it_may_map(tmp_path: Path) -> None:
    files = {
        f"{CARD}/vendor": "0x1002",
        f"{CARD}/product_name": "Radeon 8060S",
        f"{CARD}/mem_info_vram_total": str(4 * GIB),
        f"{CARD}/mem_info_vram_used": str(GIB),
        f"{CARD}/mem_info_gtt_total": str(60 * GIB),
        f"{CARD}/mem_info_gtt_used": str(2 * GIB),
    }
    machine = read(world(written(tmp_path, files)))
    assert machine.gpus == (Gpu("Radeon 8060S", "rocm", 64 * GIB, 51 * GIB, 256e9, unified=True),)
    assert machine.notes == (
        "Radeon 8060S shares the RAM: 4.0 GiB are set aside for it, 60.0 GiB more it may map (not every engine uses those)",
    )


def test_intel_gpus_are_told_apart_but_not_counted(tmp_path: Path) -> None:
    root = written(tmp_path, {"pci/0000:00:02.0/vendor": "0x8086", "pci/0000:03:00.0/vendor": "0x8086"})
    for card, place in (("card0", "0000:00:02.0"), ("card1", "0000:03:00.0")):
        (root / f"sys/class/drm/{card}").mkdir(parents=True)
        (root / f"sys/class/drm/{card}/device").symlink_to(root / "pci" / place)
    machine = read(world(root))
    assert machine.gpus == ()
    assert machine.notes == (
        "the Intel GPU is part of the processor and shares the RAM: no faster than the CPU for decoding, not counted",
        'an Intel GPU is there, but its memory cannot be read: name it, as in --gpu "Arc A770"',
        NO_GPU,
    )


def apple(tmp_path: Path, chip: str, gibibytes: int, **more: str) -> Machine:
    """A Mac as sysctl describes it; 20 GiB are available."""
    outputs = {"sysctl -n machdep.cpu.brand_string": f"{chip}\n", "sysctl -n hw.memsize": f"{gibibytes * GIB}\n"}
    outputs |= {"sysctl -n iogpu.wired_limit_mb": f"{more.get('limit', '0')}\n"}
    if "cores" in more:
        outputs["ioreg -rc AGXAccelerator -d1"] = f'  | {{ "gpu-core-count" = {more["cores"]} }}'
    return read(world(tmp_path, platform="darwin", run=commands(outputs), ram=lambda: (gibibytes * GIB, 20 * GIB)))


def test_apple_gives_the_gpu_a_part_of_its_memory(tmp_path: Path) -> None:
    machine = apple(tmp_path, "Apple M1", 16)
    assert machine.gpus == (Gpu("Apple M1", "metal", 16 * GIB * 2 // 3, 16 * GIB * 2 // 3, 68e9, unified=True),)
    assert machine.notes == ("the GPU may use 10.7 of 16.0 GiB (Metal's least recommended working set)",)
    assert apple(tmp_path, "Apple M2 Max", 64).gpus[0].total_bytes == 48 * GIB


def test_apple_with_a_limit_of_the_user(tmp_path: Path) -> None:
    machine = apple(tmp_path, "Apple M1 Max", 32, limit="26000")
    assert (machine.gpus[0].total_bytes, machine.gpus[0].free_bytes) == (26000 * MIB, 20 * GIB)
    assert machine.notes == ("the GPU may use 25.4 of 32.0 GiB (iogpu.wired_limit_mb)",)


@pytest.mark.parametrize(
    ("gibibytes", "more", "bandwidth", "assumed"),
    [
        (36, {}, 300e9, False),
        (128, {}, 400e9, False),
        (64, {}, 300e9, True),
        (64, {"cores": "40"}, 400e9, False),
        (64, {"cores": "30"}, 300e9, False),
        (64, {"cores": "99"}, 300e9, True),
    ],
    ids=["least-memory", "most-memory", "either", "40-cores", "30-cores", "unknown-cores"],
)
def test_a_chip_with_two_gpus(
    tmp_path: Path, gibibytes: int, more: dict[str, str], bandwidth: float, assumed: bool
) -> None:
    machine = apple(tmp_path, "Apple M3 Max", gibibytes, **more)
    assert machine.gpus[0].bandwidth == bandwidth
    assert len(machine.notes) == (2 if assumed else 1)


def test_a_mac_of_before(tmp_path: Path) -> None:
    machine = apple(tmp_path, "Intel(R) Core(TM) i7-9750H CPU @ 2.60GHz", 16)
    assert (machine.gpus, machine.notes) == ((), ("this Mac has no Apple chip", NO_GPU))


def test_ram_that_cannot_be_read_is_unknown(tmp_path: Path) -> None:
    def broken() -> tuple[int, int]:
        raise PermissionError("/proc/meminfo")

    machine = read(world(tmp_path, ram=broken))
    assert (machine.ram_total_bytes, machine.ram_free_bytes) == (None, None)
    assert machine.notes[0] == "RAM cannot be read (PermissionError): plans that need it are not checked against it"


V2 = {
    "proc/self/cgroup": "0::/a/b",
    "sys/fs/cgroup/a/memory.max": str(16 * GIB),
    "sys/fs/cgroup/a/memory.current": str(10 * GIB),
    "sys/fs/cgroup/a/memory.stat": f"anon {4 * GIB}\ninactive_file {5 * GIB}",
    "sys/fs/cgroup/a/b/memory.max": "max",
}
CONTAINER = {
    "proc/self/cgroup": "0::/",
    "sys/fs/cgroup/memory.max": str(8 * GIB),
    "sys/fs/cgroup/memory.current": str(GIB),
}
V1 = {
    "proc/self/cgroup": "5:cpu:/x\n4:memory:/docker/1",
    "sys/fs/cgroup/memory/memory.limit_in_bytes": str(4 * GIB),
    "sys/fs/cgroup/memory/memory.usage_in_bytes": str(3 * GIB),
    "sys/fs/cgroup/memory/memory.stat": f"total_inactive_file {GIB}",
}
NO_LIMIT = {"proc/self/cgroup": "4:memory:/", "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712"}


@pytest.mark.parametrize(
    ("files", "total", "free"),
    [(V2, 16, 11), (CONTAINER, 8, 7), (V1, 4, 2), (NO_LIMIT, 64, 48)],
    ids=["v2-parent", "v2-container", "v1", "v1-without-limit"],
)
def test_the_limit_of_a_container_is_the_ram(tmp_path: Path, files: dict[str, str], total: int, free: int) -> None:
    machine = read(world(written(tmp_path, files)))
    assert (machine.ram_total_bytes, machine.ram_free_bytes) == (total * GIB, free * GIB)
    limited = (f"the container may use {total}.0 of 64.0 GiB RAM",) if total < 64 else ()
    assert machine.notes == (*limited, NO_GPU)


def test_this_machine_can_be_read() -> None:
    machine = read()
    assert machine.ram_total_bytes is not None
    assert 0 < (machine.ram_free_bytes or 0) <= machine.ram_total_bytes
    assert not machine.simulated


def test_the_world_is_this_machine(tmp_path: Path) -> None:
    here = World(root=written(tmp_path, {"number": "12", "word": "max"}))
    assert (here.number("number"), here.number("word"), here.number("missing")) == (12, None, None)
    assert here.process_name(os.getpid())
    assert here.process_name(2**22 + 1) is None
    assert here.run([sys.executable, "-c", "print('yes')"]) == "yes\n"
    assert here.run([sys.executable, "-c", "raise SystemExit(1)"]) is None
    assert here.run(["/nowhere/command"]) is None
