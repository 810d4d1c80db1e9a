"""`mrt fit --explain`: every buffer with its formula, what was put in, and where the rule is written down."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mrt.memory.plan import Line, Plan


def explain_text(plan: Plan) -> str:
    """A block per buffer, in the order of the devices."""
    blocks = [_block(line) for line in plan.lines]
    total = f"total  {plan.total_bytes:,} bytes in buffers; overhead comes on top, and differs by driver"
    return "\n\n".join([f"model  {plan.shape.source}", *blocks, total])


def _block(line: Line) -> str:
    rows = [f"{line.device}: {line.label}  {line.bytes:,} bytes ({line.bytes / 2**20:,.2f} MiB)", f"  = {line.formula}"]
    if line.inputs:
        rows.append("  " + ", ".join(f"{name} {_value(value)}" for name, value in line.inputs))
    if line.source:
        rows.append(f"  source: {line.source}")
    return "\n".join(rows)


def _value(value: int | str) -> str:
    return f"{value:,}" if isinstance(value, int) else value
