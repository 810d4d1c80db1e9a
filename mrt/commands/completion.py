"""`mrt completion`: the script that teaches a shell the verbs, the flags, and what they take."""

from __future__ import annotations

import click

from mrt.commands._shared import ExamplesFirst, common_options, console

SHELLS = ("bash", "zsh", "fish", "powershell")
EXAMPLES = """
mrt completion bash >> ~/.bashrc
mrt completion zsh > "${fpath[1]}/_mrt"
mrt completion fish > ~/.config/fish/completions/mrt.fish
mrt completion powershell >> $PROFILE
"""


@click.command(cls=ExamplesFirst, examples=EXAMPLES)
@common_options
@click.argument("shell", type=click.Choice(SHELLS))
def command(shell: str) -> None:
    """Print the completion script of a shell.

    At TAB the script asks mrt itself, which looks at the configuration, the last probes, the names of conversations, tags and
    runs, and its own tables. No server is asked, no key is read, and nothing is sent.
    """
    from mrt.commands._complete_scripts import SCRIPTS

    if console().mode == "json":
        console().envelope("completion", {"shell": shell, "script": SCRIPTS[shell]})
    else:
        console().result(SCRIPTS[shell])
