"""mrt: a command-line toolkit for model operations."""

__version__ = "0.1.0"
