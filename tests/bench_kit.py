"""What tests of `mrt bench` as a command share: a small suite, and a run of it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from rig.command import Home, Result
from rig.home_setup import run_here

BANDS = {1: 1, 2: 1, 3: 2, 4: 3}
RUN_ID = re.compile(r"\d{8}-\d{6}-\d{3}-box-m\b")


def bench(home: Home, suite: Path, *words: str | Path, **options: Any) -> Result:
    """The tasks of a suite, asked of the models that `words` name."""
    return run_here(home, "bench", "--quality-only", "--tasks", suite, *words, **options)


def journals(home: Home) -> list[Path]:
    """The runs that are kept."""
    return sorted((home.data / "mrt" / "bench").glob("*.jsonl"))
