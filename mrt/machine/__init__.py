"""Memory of this machine: GPUs, RAM, unified memory; or a simulated one."""

from mrt.machine.reading import read
from mrt.machine.simulate import Wanted, parse_size, simulate

__all__ = ["Wanted", "parse_size", "read", "simulate"]
