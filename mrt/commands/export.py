"""`mrt export`: the configuration in other programs' words."""

from __future__ import annotations

import click

from mrt.commands._lazy_commands import LazyGroup
from mrt.commands._shared import console

COMMANDS: dict[str, tuple[str, str]] = {
    "litellm": ("_export_litellm", "The tiers, budgets and prices as a LiteLLM proxy's configuration."),
    "ollama-modelfile": ("_export_modelfile", "A tier with its persona as an Ollama Modelfile."),
    "env": ("_export_env", "The settings as environment variables of a shell or a container."),
}
EXAMPLES = """
mrt export litellm --output litellm.yaml
mrt export ollama-modelfile local-fast --output Modelfile
eval "$(mrt export env)"
docker run --env-file <(mrt export env --shell docker) IMAGE mrt ask "hi"
"""


@click.group(cls=LazyGroup, lazy=COMMANDS, examples=EXAMPLES, heading="Targets", invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> None:
    """Write what is configured in the words of another program.

    Keys are never written: the texts name the variables that hold them. What the other program has no place for is said on
    stderr, and in `unmapped` of --json.
    """
    if context.invoked_subcommand is None:
        console().result(context.get_help())
