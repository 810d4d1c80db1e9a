"""`mrt completion`: the script that teaches a shell the verbs and flags."""

from __future__ import annotations

import click

from mrt.commands._shared import ExamplesFirst, common_options, console

SHELLS = ("bash", "zsh", "fish")
EXAMPLES = """
mrt completion bash >> ~/.bashrc
mrt completion zsh > "${fpath[1]}/_mrt"
mrt completion fish > ~/.config/fish/completions/mrt.fish
"""


@click.command(cls=ExamplesFirst, examples=EXAMPLES)
@common_options
@click.argument("shell", type=click.Choice(SHELLS))
def command(shell: str) -> None:
    """Print the completion script of SHELL."""
    script = completion_script(shell)
    if console().mode == "json":
        console().envelope("completion", {"shell": shell, "script": script})
    else:
        console().result(script)


def completion_script(shell: str) -> str:
    """The script for one shell, as click makes it; it asks mrt itself, so it never goes out of date."""
    from click.shell_completion import get_completion_class

    completion_class = get_completion_class(shell)
    if completion_class is None:  # click knows all of SHELLS
        raise LookupError(shell)
    completion_class._check_version = staticmethod(lambda: None)  # type: ignore[attr-defined]  # asks bash for its version
    return completion_class(click.Command("mrt"), {}, "mrt", "_MRT_COMPLETE").source().strip() + "\n"
