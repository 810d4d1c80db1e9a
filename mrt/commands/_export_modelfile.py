"""`mrt export ollama-modelfile`: a tier with its persona as a model that Ollama makes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mrt.commands._shared import ExamplesFirst, common_options, console
from mrt.errors import UsageError

if TYPE_CHECKING:
    from mrt.config import Config

EXAMPLES = """
mrt export ollama-modelfile local-fast
mrt export ollama-modelfile local-fast --output Modelfile
ollama create local-fast -f Modelfile
"""


@click.command("ollama-modelfile", cls=ExamplesFirst, examples=EXAMPLES)
@click.argument("tier", required=False)
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Write it there (- is stdout).")
@click.option("--force", is_flag=True, help="Replace a file that exists.")
@common_options
def command(tier: str | None, output: Path | None, force: bool) -> None:
    """Print the Modelfile of TIER: its model, parameters, system prompt and worked examples.

    TIER may be left out where only one tier is a model of a local Ollama.
    """
    from mrt.commands._export_show import refuse, show
    from mrt.commands._settings import configured
    from mrt.exports.modelfile import export_modelfile

    config = configured(console())
    refuse(output, force, config)
    export = export_modelfile(tier or _only(config, console().environment), config, console().environment)
    show(console(), "ollama-modelfile", export, output)


def _only(config: Config, environment: Mapping[str, str]) -> str:
    """The one tier there is to choose from. Raises UsageError where there are several or none."""
    from mrt.exports.modelfile import exportable

    names = exportable(config, environment)
    if not names:
        raise UsageError(
            "no tier is a model of a local Ollama", "name one: mrt config set tiers.local-fast.model ollama/MODEL"
        )
    if len(names) > 1:
        raise UsageError(f"which tier? {', '.join(names)}", f"mrt export ollama-modelfile {names[0]}")
    return names[0]
