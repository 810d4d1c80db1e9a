"""`mrt fit --selftest`: the rules against what llama.cpp itself allocated, with cases that are part of the package."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from mrt.errors import ExitCode

if TYPE_CHECKING:
    from mrt.output import Console

CASES = Path(__file__).parent.parent / "data" / "memory_cases.json"


def selftest(console: Console) -> int:
    """Plan every case anew and show how near it comes."""
    from mrt.memory.accuracy import compare
    from mrt.models.catalog import all_shapes

    document = json.loads(CASES.read_text(encoding="utf-8"))
    shapes = {shape.name: shape for shape in all_shapes()}
    found = compare(document["cases"], shapes, document["build"])
    if console.mode == "json":
        from mrt.output.fit_selftest import selftest_data

        console.envelope("fit", selftest_data(found, document))
    else:
        from mrt.output.fit_selftest import selftest_text

        console.result(selftest_text(found, document))
    return ExitCode.OK
