"""`mrt ask --tests FILE`: the answer's code has to pass the user's asserts, in the sandbox."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from mrt.commands._input import read_files


def tests_check(path: Path | None, encoding: str) -> Callable[[str], str | None] | None:
    """A check of code that says why it does not pass; None where no tests were named.

    Raises UsageError for a file without asserts, and SandboxError where the sandbox is not tight: before anything is asked.
    """
    if path is None:
        return None
    name, text = read_files((path,), encoding)[0]
    return asserts_check(text, name)


def asserts_check(text: str, name: str) -> Callable[[str], str | None]:
    """The same for asserts at hand; `name` is where they come from."""
    from mrt.bench.asserts import objection
    from mrt.bench.expectations import read_asserts
    from mrt.bench.sandbox.executor import open_sandbox

    expected = read_asserts(text, name)
    sandbox = open_sandbox()
    return lambda code: objection(code, expected, sandbox.run)
