"""What llama.cpp itself would allocate for a model's shape: a sparse file, fake GPUs, and its own account."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mrt.memory.shape import ModelShape
from mrt.memory.weights import tensors_of
from rig.sparse_gguf import write_shape

CHILD = Path(__file__).with_name("llama_dry_child.py")
# The build that the tests pin, as the memory rules date it.
BUILD = "2026-10-20"


@dataclass(frozen=True)
class Held:
    """Bytes by buffer: "CUDA0" ..., "CUDA_Host" or "CPU"."""

    model: dict[str, int] = field(default_factory=dict)
    cache: dict[str, int] = field(default_factory=dict)
    compute: dict[str, int] = field(default_factory=dict)


def dry_run(folder: Path, shape: ModelShape, **options: Any) -> Held:
    """Load `shape` with its own quantization; options as in `llama_dry_child`. Raises RuntimeError when it is refused."""
    path = folder / "shape.gguf"
    write_shape(path, shape, tensors_of(shape, shape.quantization))
    command = [sys.executable, str(CHILD), str(path), json.dumps(options)]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=120)
    path.unlink()
    if done.returncode:
        words = [line for line in (done.stdout + done.stderr).splitlines() if "error" in line.lower()]
        raise RuntimeError("; ".join(words[-3:]) or f"the engine ended with {done.returncode}")
    found = json.loads(done.stdout.splitlines()[-1])
    return Held(found["model"], found["cache"], found["compute"])
