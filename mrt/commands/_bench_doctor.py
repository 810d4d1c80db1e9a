"""`mrt bench doctor`: which layers of the sandbox stand here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mrt.commands._shared import ExamplesFirst, common_options, console
from mrt.errors import ExitCode, SandboxError

if TYPE_CHECKING:
    from mrt.bench.sandbox.executor import Layer

EXAMPLES = """
mrt bench doctor
mrt bench doctor --json | jq .data.tight
"""
_STATES = {True: "stands", False: "missing", None: "not used"}


@click.command("doctor", cls=ExamplesFirst, examples=EXAMPLES)
@common_options
def command() -> int:
    """Try every layer of the sandbox for real, with attacks from inside. Exit 69 when code cannot be run safely here."""
    from mrt.bench.sandbox.executor import layers, open_sandbox
    from mrt.output.columns import columns

    problem = None
    with console().waiting("trying every layer ..."):
        found = layers()
        try:
            open_sandbox()
        except SandboxError as error:
            problem = error
    if console().mode == "json":
        rows = [{"name": layer.name, "stands": layer.stands, "detail": layer.detail} for layer in found]
        data = {"tight": problem is None, "layers": rows}
        console().envelope("bench", data, [problem] if problem else [])
    else:
        lines = [(layer.name, _state(layer), layer.detail) for layer in found]
        console().result("\n".join(columns(("layer", "state", "what"), lines, (False, False, False))))
    if problem is None:
        return ExitCode.OK
    console().failure(problem)
    return int(problem.exit_code)


def _state(layer: Layer) -> str:
    return "does not answer" if layer.silent else _STATES[layer.stands]
