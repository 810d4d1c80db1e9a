"""Measure how long a probe takes: `python -m tests.benchmarks.probe`.

Wall time of the whole command, interpreter and all, median and slowest of several runs: with everything local up or down, and
with three black holes among ten endpoints. Completion of a model's name is measured from the cache that those runs left.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from rig.command import Home, make_home
from rig.home_setup import configure
from rig.loopback import ScriptedServer
from rig.probe_servers import black_hole, lm_studio, routes

ROUNDS = int(os.environ.get("MRT_BENCHMARK_ROUNDS", "9"))
TIMEOUT_S = 1.0
CAPTURED = {
    "ollama": "ollama",
    "vllm": "vllm",
    "llama_swap": "llama_swap",
    "llamacpp": "llamacpp",
    "litellm": "litellm",
}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        home = make_home(Path(folder))
        urls = {name: stack.enter_context(ScriptedServer(routes(name))).url for name in CAPTURED}
        urls["lm_studio"] = stack.enter_context(ScriptedServer(lm_studio())).url
        holes = [stack.enter_context(black_hole()) for _ in range(3)]
        settle(home, urls, [])
        local = walls(home, "probe", "--json")
        settle(home, urls, holes)
        some = walls(home, "probe", "--json", "--timeout", str(TIMEOUT_S))
        complete = {"_MRT_COMPLETE": "bash_complete", "COMP_WORDS": "mrt ask -m ollama/", "COMP_CWORD": "3"}
        offered = walls(home, env=complete)
        bare = walls(home, "--version")
    show("six servers up, the usual ports down", local, 1.0)
    show(f"ten endpoints, three black holes, --timeout {TIMEOUT_S:g}", some, TIMEOUT_S + 0.2 + statistics.median(bare))
    show("completion of -m from the cache", offered, 0.1)
    show("mrt --version, for comparison", bare, None)


def settle(home: Home, urls: dict[str, str], holes: list[str]) -> None:
    """Six servers, one of their kind that is down, and the black holes; every server up has a tier."""
    kinds = {name: name for name in urls}
    tables = {f"endpoints.{name}": {"kind": kinds[name], "url": url} for name, url in urls.items()}
    tables |= {f"tiers.{name}": {"model": f"{name}/tiny"} for name in urls}
    tables |= {f"endpoints.hole{number}": {"kind": "vllm", "url": url} for number, url in enumerate(holes)}
    tables["endpoints.down"] = {"kind": "vllm", "url": "http://127.0.0.1:9"}
    configure(home, tables)


def walls(home: Home, *arguments: str, env: dict[str, str] | None = None) -> list[float]:
    """Seconds of each run."""
    taken = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "mrt", *arguments],
            env={**home.environment, **(env or {})},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        taken.append(time.perf_counter() - start)
    return taken


def show(what: str, taken: list[float], bound: float | None) -> None:
    """One line."""
    within = "" if bound is None else f"  (bound {bound:.2f} s: {'holds' if max(taken) <= bound else 'broken'})"
    print(f"{what:<55} median {statistics.median(taken):.3f} s, slowest {max(taken):.3f} s{within}")


if __name__ == "__main__":
    main()
