"""The tiny GGUF models of `mrt demo --engine`, which the tests have real engines serve."""

from __future__ import annotations

from mrt.demo.script import FAST, SLOW, Line, ModelScript, Size, script
from mrt.demo.tiny_model import write_model

__all__ = ["FAST", "SLOW", "Line", "ModelScript", "Size", "script", "write_model"]
