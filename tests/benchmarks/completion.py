"""Measure completion of every kind: `python -m tests.benchmarks.completion`.

CPU time of the process that a shell starts at TAB, user and system, median and slowest of runs that alternate with a bare
`python -c "import click"`; the cache of probes is as large as it gets, and the store holds conversations.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from completion_kit import asked, furnish, remember
from rig.command import make_home

from tests.benchmarks.__main__ import cpu_ms

ROUNDS = int(os.environ.get("MRT_BENCHMARK_ROUNDS", "15"))
BOUND_MS = 100.0
LINES = {
    "verbs": "mrt ",
    "commands of a verb": "mrt spend ",
    "flags": "mrt ask --",
    "tiers": "mrt ask --tier ",
    "models seen by probes": "mrt ask -m ",
    "4,000 models of one endpoint": "mrt ask -m big/m3",
    "endpoints": "mrt probe --endpoint ",
    "tags of the catalog": "mrt fit ",
    "repositories of the catalog": "mrt fit meta-llama/",
    "GPUs": "mrt fit --gpu ",
    "quantizations": "mrt fit --quant q4",
    "KV cache types": "mrt fit --kv q8_0,",
    "keys of the configuration": "mrt config get ",
    "values of a key": "mrt config set budget.on_store_failure ",
    "conversations": "mrt ask --session ",
    "runs of bench": "mrt bench report ",
    "tasks": "mrt bench tasks ",
    "topics": "mrt help ",
    "nothing": "mrt ask -m zzz",
}


def main() -> None:
    """Print a line for each kind."""
    with tempfile.TemporaryDirectory() as folder:
        home = make_home(Path(folder))
        furnish(home)
        remember(home, {"box": ["qwen2.5-coder:7b"], "big": [f"m{number}" for number in range(3999)]})
        environment = dict(home.environment)
        bare = [sys.executable, "-c", "import click"]
        for what, line in LINES.items():
            there = environment | asked(line)
            command = [sys.executable, "-m", "mrt"]
            found = len(subprocess.run(command, env=there, capture_output=True, text=True).stdout.splitlines())
            pairs = [(cpu_ms(command, there), cpu_ms(bare, environment)) for _ in range(ROUNDS)]
            show(what, found, pairs)


def show(what: str, found: int, pairs: list[tuple[float, float]]) -> None:
    """One line."""
    ours = [mine for mine, _ in pairs]
    ratio = statistics.median(mine / bare for mine, bare in pairs)
    alone = statistics.median(bare for _, bare in pairs)
    median = statistics.median(ours)
    verdict = f"bound {BOUND_MS:g} ms: {'holds' if median <= BOUND_MS else 'broken'}"
    beside = f"{ratio:.2f} times a bare click of {alone:.1f} ms"
    print(f"{what:<30} {found:>5} offers  median {median:5.1f} ms, slowest {max(ours):5.1f} ms, {beside}  ({verdict})")


if __name__ == "__main__":
    main()
