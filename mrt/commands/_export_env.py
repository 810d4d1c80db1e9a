"""`mrt export env`: the settings as environment variables."""

from __future__ import annotations

from pathlib import Path

import click

from mrt.commands._shared import ExamplesFirst, common_options, console

EXAMPLES = """
eval "$(mrt export env)"
mrt export env --shell fish | source
mrt export env --shell docker > mrt.env && docker run --env-file mrt.env IMAGE mrt ask "hi"
mrt export env --shell powershell | Out-String | Invoke-Expression
"""


@click.command("env", cls=ExamplesFirst, examples=EXAMPLES)
@click.option(
    "--shell",
    default="sh",
    metavar="SHELL",
    shell_complete=lambda _, __, typed: _shells(typed),
    help="sh, fish, powershell, dotenv, or docker for lines without any quotes (sh).",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Write it there (- is stdout).")
@click.option("--force", is_flag=True, help="Replace a file that exists.")
@common_options
def command(shell: str, output: Path | None, force: bool) -> None:
    """Print assignments that make mrt behave the same where there is no config file: in a container, or in CI.

    Addresses have the names that other programs read too, such as OLLAMA_BASE_URL. Keys are not written: a remark names each
    variable that has to hold one.
    """
    from mrt.commands._export_show import refuse, show
    from mrt.commands._settings import configured
    from mrt.exports.environment import export_environment

    config = configured(console())
    refuse(output, force, config)
    show(console(), "env", export_environment(config, console().environment, shell), output)


def _shells(typed: str) -> list[str]:
    from mrt.exports.shells import SHELLS

    return [name for name in SHELLS if name.startswith(typed)]
