"""The way code is run on this machine: the tightest that its self-test proves, or none at all."""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping
from dataclasses import field
from typing import Any

from mrt.bench.sandbox import bubblewrap, container, seatbelt
from mrt.bench.sandbox.process import Ended, Limits, Walls, run_child
from mrt.bench.sandbox.selftest import SelfTest, self_test
from mrt.errors import SandboxError, UsageError
from mrt.frozen import frozen

UNSAFE_FLAG = "--unsafe-run-untrusted-code-on-this-machine"
UNSAFE_VARIABLE = "MRT_UNSAFE_RUN_UNTRUSTED_CODE_ON_THIS_MACHINE"
EXECUTORS = ("local", "docker", "podman")
_WAYS_ON = "`mrt bench doctor` shows what is missing, `mrt help sandbox` the ways on"


@frozen
class Sandbox:
    """A way to run code that passed its self-test (or was forced); `layers` names what stands, for reports."""

    walls: Walls
    layers: tuple[str, ...]
    unsafe: bool = False
    limits: Limits = field(default_factory=Limits)

    def run(self, orders: Mapping[str, Any]) -> Ended:
        """One child from start to end, within the limits."""
        return run_child(orders, self.walls, self.limits)


@frozen
class Layer:
    """One layer as `mrt bench doctor` shows it; `stands` None where it is optional and was not asked for.

    `silent` is what is installed and does not answer.
    """

    name: str
    stands: bool | None
    detail: str
    silent: bool = False


def open_sandbox(executor: str = "local", limits: Limits | None = None) -> Sandbox:
    """The sandbox of this machine, proven tight. Raises SandboxError (exit 69) when it is not; there is no weaker way out."""
    limits = limits or Limits()
    if executor != "local":
        if executor not in EXECUTORS:
            raise UsageError(f"no executor {executor!r}", f"one of {', '.join(EXECUTORS)}")
        walls = container.walls(executor, limits)
        layers: tuple[str, ...] = (executor,)
    elif sys.platform == "darwin":
        walls, layers = seatbelt.walls(), ("seatbelt", "limits")
    elif sys.platform.startswith("linux"):
        walls, layers = _linux()
    else:
        raise SandboxError(
            f"there is no sandbox for {platform.system()}", "use WSL2, or --executor docker; --speed-only runs no code"
        )
    tested = self_test(walls)
    if not tested.tight:
        raise SandboxError(_objection(tested), _WAYS_ON)
    return Sandbox(walls, layers, limits=limits)


def unsafe_sandbox(limits: Limits | None = None) -> Sandbox:
    """No walls but the limits: only for who asked for it by the long flag, and said so again where nobody is watching."""
    return Sandbox(
        Walls(landlock=False, seccomp=False), ("none: unsafe, limits only",), unsafe=True, limits=limits or Limits()
    )


def _linux() -> tuple[Walls, tuple[str, ...]]:
    """Landlock and seccomp always; bubblewrap around them where it works."""
    base = Walls()
    wrapper = bubblewrap.wrapper()
    if wrapper and self_test(Walls(wrapper=wrapper)).tight:
        return Walls(wrapper=wrapper), ("landlock", "seccomp", "limits", "bubblewrap")
    return base, ("landlock", "seccomp", "limits")


def _objection(tested: SelfTest) -> str:
    if tested.failure is not None:
        return f"no sandbox: {tested.failure}"
    return f"the sandbox leaks: code in it can {', '.join(tested.holes)}"


def layers() -> tuple[Layer, ...]:
    """What stands on this machine, layer by layer, each tried for real."""
    if not sys.platform.startswith("linux"):
        return (Layer("seatbelt", sys.platform == "darwin", "macOS only"),)
    tested = self_test(Walls())
    found = tested.standing
    wrapper = bubblewrap.wrapper()
    return (
        Layer("limits", bool(found.get("limits")), "CPU seconds, memory, file size, open files"),
        Layer(
            "landlock", bool(found.get("landlock")), f"version {found['landlock']}" if found else str(tested.failure)
        ),
        Layer("seccomp", bool(found.get("seccomp")), f"{platform.machine()}" if found else str(tested.failure)),
        Layer("self-test", tested.tight, _objection(tested) if not tested.tight else "every attack failed"),
        Layer(
            "bubblewrap",
            self_test(Walls(wrapper=wrapper)).tight if wrapper else None,
            "around the others where it works" if wrapper else "not installed; optional",
        ),
        *(_engine(name) for name in EXECUTORS[1:]),
    )


def _engine(name: str) -> Layer:
    """A container engine: there and answering, there without an answer, or not there."""
    if container.works(name):
        return Layer(name, True, "for --executor")
    if container.installed(name):
        return Layer(name, False, f"for --executor; installed, but `{name} info` fails", silent=True)
    return Layer(name, False, "for --executor; not installed")
