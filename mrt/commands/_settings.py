"""The configuration of a run, read once more by every verb that needs it."""

from __future__ import annotations

from mrt.config import Config, load
from mrt.output import Console


def configured(console: Console) -> Config:
    """The configuration; what a project's file must not say is told in one line. Raises ConfigError."""
    config = load(console.environment, console.config_path)
    if config.warnings:
        more = len(config.warnings) - 1
        console.warn(config.warnings[0] + (f" (and {more} more: `mrt config check`)" if more else ""))
    return config
