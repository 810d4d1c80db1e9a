"""The sandbox of a run, proven before anything is sent; or none, for who insists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mrt.errors import UsageError
from mrt.output import Console

if TYPE_CHECKING:
    from mrt.bench.sandbox.executor import Sandbox


def sandbox_for(console: Console, executor: str = "local", unsafe: bool = False) -> Sandbox:
    """The sandbox, tested. Raises SandboxError (exit 69), UsageError where nobody confirms that there shall be none."""
    from mrt.bench.sandbox.executor import UNSAFE_FLAG, UNSAFE_VARIABLE, open_sandbox, unsafe_sandbox

    if not unsafe:
        return open_sandbox(executor)
    if not console.can_ask and console.environment.get(UNSAFE_VARIABLE) != "1":
        raise UsageError(
            f"{UNSAFE_FLAG} is refused where nobody is watching", f"set {UNSAFE_VARIABLE}=1 too, if you mean it"
        )
    console.warn("code that models write runs on this machine without a sandbox: it can read and delete your files")
    return unsafe_sandbox()
