"""The only place that formats: console, JSON envelope, terminal-safe text."""

from mrt.output.console import Console, error_data
from mrt.output.terminal import TerminalFilter, one_line

__all__ = ["Console", "TerminalFilter", "error_data", "one_line"]
