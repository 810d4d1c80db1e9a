"""`mrt spend import`: calls of other machines and other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from mrt.commands._shared import ExamplesFirst, common_options, console

if TYPE_CHECKING:
    from mrt.ledger.incoming import Kind

EXAMPLES = """
mrt spend import laptop.jsonl
mrt spend import "$(llm logs path)"
mrt spend import spend_logs.json --format litellm
ssh koala mrt spend export > koala.jsonl && mrt spend import koala.jsonl
"""


@click.command("import", cls=ExamplesFirst, examples=EXAMPLES)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--format",
    "kind",
    type=click.Choice(["auto", "mrt", "llm", "litellm"]),
    default="auto",
    help="What FILE is; auto looks into it.",
)
@common_options
def command(file: Path, kind: str) -> None:
    """Add the calls in FILE to the reports; those that are there already stay as they are.

    FILE is what `mrt spend export` wrote elsewhere, the logs.db of `llm`, or LiteLLM's SpendLogs as JSON. Imported calls count
    in reports, not against this machine's budgets. One bad entry, and nothing is added.
    """
    from mrt.commands._spend_store import opened
    from mrt.ledger.incoming import read_calls
    from mrt.ledger.merge import merge
    from mrt.ledger.owner import host_name
    from mrt.output.spend_money import count

    with opened(console()) as at:
        merged = merge(at.store, read_calls(file, cast("Kind", kind), host_name()), at.timezone)
    if console().mode == "json":
        console().envelope("spend", {"file": str(file), **merged._asdict()})
        return
    console().result(f"{count(merged.added, 'call')} added, {merged.updated:,} updated, {merged.known:,} known already")
    if merged.unpriced:
        console().note(f"{count(merged.unpriced, 'call')} of them came without a cost: it stays unknown")
