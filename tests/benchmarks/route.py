"""Measure routing in bulk: `python -m tests.benchmarks.route`. One core, pure Python, CPU time per prompt of 4,000 characters."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

PROMPTS = 4000
BOUND_MS = 0.5
CHARACTERS = 4000
_TEXTS = (
    "Refactor the provider layer so that every service uses the new client, and migrate the tests in tests/api.py. ",
    "A train leaves the station at noon and travels 60 miles an hour for 3 hours. How far is it from the station then? ",
    "def parse(line):\n    head, _, rest = line.partition(':')\n    return {head.strip(): rest.strip()}\n",
    "The quarterly report says that sales rose by four percent while costs fell; summarize it for the board. ",
)


def main() -> None:
    """Print milliseconds per prompt and the peak of memory for few and for many prompts."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {"PATH": "", "HOME": folder, "LANG": "C.UTF-8"}
        few, many = (_batch(Path(folder), count, environment) for count in (1, PROMPTS))
        per_prompt = (many[0] - few[0]) / (PROMPTS - 1)
        print(f"mrt route --batch            {per_prompt:7.3f} ms a prompt  (bound {BOUND_MS:g})")
        print(f"peak memory: {few[1]:.1f} MiB for 1 prompt, {many[1]:.1f} MiB for {PROMPTS:,}")


def _batch(folder: Path, count: int, environment: dict[str, str]) -> tuple[float, float]:
    """CPU milliseconds and peak MiB of one batch."""
    file = folder / "prompts.jsonl"
    with file.open("w") as out:
        for number in range(count):
            text = f"{number}: " + _TEXTS[number % len(_TEXTS)] * 60
            out.write(json.dumps({"prompt": text[:CHARACTERS], "id": number}) + "\n")
    measure = "import resource, subprocess, sys; subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True); "
    measure += "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    command = [sys.executable, "-m", "mrt", "route", "--batch", str(file)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-c", measure, *command], env=environment, capture_output=True, text=True)
    cpu = 1000 * (after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
    return cpu, int(done.stdout) / 1024


if __name__ == "__main__":
    main()
