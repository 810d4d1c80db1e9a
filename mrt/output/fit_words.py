"""Sizes, speeds and counts of `mrt fit` in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mrt.memory.advice import rate

if TYPE_CHECKING:
    from mrt.memory.speed import Range

MIB, GIB = 2**20, 2**30


def gib(size: float) -> str:
    """ "5.6 GiB"; below one GiB in MiB."""
    if abs(size) < GIB:
        return f"{size / MIB:.0f} MiB"
    return f"{size / GIB:,.1f} GiB"


def mib(size: int) -> str:
    """Rounded MiB with thousands apart; what is there at all is never shown as 0."""
    if 0 < size < MIB / 2:
        return "<1"
    return f"{size / MIB:,.0f}"


def speed_range(speed: Range) -> str | None:
    """ "30–45 tokens/s", "at most 9 tokens/s"; None when nothing is known."""
    if speed.low is not None and speed.high is not None:
        low, high = rate(speed.low), rate(speed.high)
        return f"{low} tokens/s" if low == high else f"{low}–{high} tokens/s"
    if speed.high is not None:
        return f"at most {rate(speed.high)} tokens/s"
    return f"at least {rate(speed.low)} tokens/s" if speed.low is not None else None


def parameters(count: int | None) -> str:
    """ "14.8B parameters"."""
    if count is None:
        return "unknown number of parameters"
    if count >= 999_950_000_000:
        return f"{count / 1e12:.2f}T parameters"
    if count >= 999_500_000:
        return f"{count / 1e9:.1f}B parameters"
    return f"{count / 1e6:.0f}M parameters" if count >= 9_950_000 else _few(count)


def _few(count: int) -> str:
    """Models smaller than any that is published."""
    return f"{count / 1e6:.2g}M parameters" if count >= 99_500 else f"{count:,} parameters"


def kv_types(type_k: str, type_v: str) -> str:
    """ "f16" or "q8_0/f16"."""
    return type_k.lower() if type_k == type_v else f"{type_k.lower()}/{type_v.lower()}"
