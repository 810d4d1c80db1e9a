"""Learn the shipped curves of failure: P(fail) by complexity, for weak and for strong models.

    python tests/tools/fit_failure.py --outcomes route_outcomes.jsonl

Outcomes are JSON lines with `set`, `prompt`, `weak_ok`, `strong_ok`. It prints what `mrt/router/risk.py` has as WEAK and STRONG:
logistic regressions on the shipped complexity, every set weighing the same; and per set, how far they are off. To be run again
when the weights behind the complexity change.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mrt.router.complexity import assess_prompt
from mrt.router.risk import STRONG, WEAK

MIDDLE = 5.0


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description="Learn P(fail) by complexity.")
    parser.add_argument("--outcomes", type=Path, required=True)
    path = parser.parse_args(arguments).outcomes
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    above = np.array([assess_prompt(row["prompt"]).value - MIDDLE for row in rows])
    sizes = Counter(row["set"] for row in rows)
    shares = np.array([1 / sizes[row["set"]] for row in rows])
    for name, field, shipped in (("WEAK", "weak_ok", WEAK), ("STRONG", "strong_ok", STRONG)):
        fails = np.array([1 - float(row[field]) for row in rows])
        slope, height = logistic(above, fails, shares)
        sys.stdout.write(f"{name} = Curve({height:.2f}, {slope:.3f}), shipped {tuple(shipped)}\n")
        for group in sorted(sizes):
            mine = np.array([row["set"] == group for row in rows])
            said = 1 / (1 + np.exp(-(height + slope * above[mine])))
            sys.stdout.write(f"  {group:20} {sizes[group]:5} fail {fails[mine].mean():.3f}, said {said.mean():.3f}\n")


def logistic(above: Any, fails: Any, shares: Any) -> tuple[float, float]:
    """Slope and height by Newton's method."""
    table = np.stack([above, np.ones(len(above))], axis=1)
    weights = np.zeros(2)
    for _ in range(50):
        chance = 1 / (1 + np.exp(-table @ weights))
        curve = (table * (shares * chance * (1 - chance))[:, None]).T @ table
        weights -= np.linalg.solve(curve, table.T @ (shares * (chance - fails)))
    return float(weights[0]), float(weights[1])


if __name__ == "__main__":
    main()
