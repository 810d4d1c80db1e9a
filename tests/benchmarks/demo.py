"""Measure how long the first minute takes: `python -m tests.benchmarks.demo`.

Wall and CPU time of the whole of `mrt demo`, its child processes and servers included, median and slowest of several runs.
"""

from __future__ import annotations

import os
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from rig.command import Command, make_home

ROUNDS = int(os.environ.get("MRT_BENCHMARK_ROUNDS", "5"))
LIMIT_S = 5.0


def main() -> None:
    variants = {"mrt demo": ("demo",), "mrt demo --engine": ("demo", "--engine")}
    with tempfile.TemporaryDirectory() as folder:
        mrt = Command(make_home(Path(folder)))
        for name, words in variants.items():
            if mrt(*words).exit_code == 0:
                show(name, [measured(mrt, *words) for _ in range(ROUNDS)])


def measured(mrt: Command, *words: str) -> tuple[float, float]:
    """Wall seconds and CPU seconds of one run."""
    before, start = cpu(), time.perf_counter()
    if mrt(*words).exit_code != 0:
        sys.exit(f"mrt {' '.join(words)} failed")
    return time.perf_counter() - start, cpu() - before


def cpu() -> float:
    """Of all children so far, and of theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def show(name: str, runs: list[tuple[float, float]]) -> None:
    """One line."""
    walls, cpus = zip(*runs, strict=True)
    print(
        f"{name:20} wall {statistics.median(walls):.2f} s, slowest {max(walls):.2f} s (limit {LIMIT_S:g} s), "
        f"CPU {statistics.median(cpus):.2f} s"
    )


if __name__ == "__main__":
    main()
