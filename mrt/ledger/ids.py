"""Ids that sort by time: UUID version 7 (RFC 9562), with the 12 bits after the version as a counter."""

from __future__ import annotations

import os

_COUNTER_MAX = 0xFFF


def new_id(now_s: float, after: str | None = None) -> str:
    """A unique id for `now_s`, seconds since 1970, that sorts behind `after` even when the clock went back."""
    milliseconds, counter = int(now_s * 1000), 0
    if after is not None:
        earlier, earlier_counter = _read(after)
        if milliseconds <= earlier:
            carry, counter = divmod(earlier_counter + 1, _COUNTER_MAX + 1)
            milliseconds = earlier + carry
    random = int.from_bytes(os.urandom(8)) & ((1 << 62) - 1)
    digits = f"{milliseconds << 80 | 0x7 << 76 | counter << 64 | 0b10 << 62 | random:032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _read(identifier: str) -> tuple[int, int]:
    """Milliseconds and counter."""
    number = int(identifier.replace("-", ""), 16)
    return number >> 80, number >> 64 & _COUNTER_MAX
