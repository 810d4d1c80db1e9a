"""Code that runs inside the real command before mrt does: to listen to what Python is about to do, and to act right then."""

from __future__ import annotations

import os
from pathlib import Path


def inside(folder: Path, code: str) -> dict[str, str]:
    """Environment under which every Python process runs this code first; `folder` is made for it."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(code)
    return {"PYTHONPATH": os.pathsep.join([str(folder), str(Path(__file__).parents[2])])}
