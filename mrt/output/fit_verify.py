"""`mrt fit --verify`: two columns of bytes and their difference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from mrt.output.columns import columns
from mrt.output.fit_words import mib

if TYPE_CHECKING:
    from mrt.memory.answer import Answer


class Compared(NamedTuple):
    """One buffer of one device: bytes planned, and bytes found."""

    device: str
    label: str
    planned: int
    found: int

    @property
    def difference(self) -> float | None:
        """Planned less found, in percent of what was found; None where nothing was found."""
        return 100 * (self.planned - self.found) / self.found if self.found else None


def verify_text(found: Sequence[Compared], against: str, answer: Answer) -> str:
    """A row per buffer."""
    rows = [[one.device, one.label, mib(one.planned), mib(one.found), _percent(one)] for one in found]
    table = columns(["MiB", "", "planned", "found", "difference"], rows, [False, False, True, True, True])
    return "\n".join([f"{answer.plan.shape.name} beside {against}", "", *table])


def _percent(one: Compared) -> str:
    if one.difference is None:
        return "none found" if one.planned else ""
    return f"{one.difference:+.1f} %"


def verify_data(found: Sequence[Compared], against: str, answer: Answer) -> dict[str, Any]:
    """The `data` of the comparison."""
    return {
        "model": answer.plan.shape.name,
        "against": against,
        "buffers": [
            {
                "device": one.device,
                "label": one.label,
                "planned_bytes": one.planned,
                "found_bytes": one.found,
                "difference_percent": None if one.difference is None else round(one.difference, 2),
            }
            for one in found
        ],
    }
