"""`mrt doctor`: the same as `mrt probe doctor`, where people look for it first."""

from __future__ import annotations

from mrt.commands._probe_doctor import command

__all__ = ["command"]
