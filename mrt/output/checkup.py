"""What a checkup found, for people and scripts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mrt.endpoints.checkup import Finding
from mrt.output.terminal import one_line

_LONGEST = 600


def checkup_data(findings: Sequence[Finding]) -> dict[str, Any]:
    """Every finding as an object."""
    return {"findings": [finding._asdict() for finding in findings]}


def checkup_text(findings: Sequence[Finding]) -> str:
    """One line per finding, a hint below where there is one, and a sum at the end."""
    width = max((len(finding.area) for finding in findings), default=0)
    lines = []
    for finding in findings:
        lines.append(f"{finding.level:<7}  {finding.area:<{width}}  {one_line(finding.detail, _LONGEST)}")
        if finding.hint and finding.level != "ok":
            lines.append(f"         {'':<{width}}  hint: {one_line(finding.hint, _LONGEST)}")
    return "\n".join([*lines, "", _sum(findings)])


def _sum(findings: Sequence[Finding]) -> str:
    counts = {level: sum(finding.level == level for finding in findings) for level in ("problem", "warning")}
    told = [f"{count} {level}" + ("" if count == 1 else "s") for level, count in counts.items() if count]
    return ", ".join(told) or "all is well"
