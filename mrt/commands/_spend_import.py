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
ssh koala mrt spend export | mrt spend import -
"""


@click.command("import", cls=ExamplesFirst, examples=EXAMPLES)
@click.argument("file", type=click.Path(path_type=Path))
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

    FILE is what `mrt spend export` wrote elsewhere, the logs.db of `llm`, or LiteLLM's SpendLogs as JSON; - is standard input.
    Imported calls count in reports, not against this machine's budgets. One bad entry, and nothing is added. An import that is
    interrupted has added a part; the same again adds the rest.
    """
    from mrt.commands._spend_store import opened
    from mrt.ledger.incoming import calls_of
    from mrt.ledger.merge import merge
    from mrt.ledger.owner import host_name
    from mrt.output.spend_money import count

    with opened(console(), to_write=True) as at:
        stdin = getattr(console().stdin, "buffer", None)
        with calls_of(file, cast("Kind", kind), host_name(), stdin) as calls:
            for _ in calls():  # every entry is looked at before any is added
                pass
            merged = merge(at.store, calls(), at.timezone)
    if console().mode == "json":
        console().envelope("spend", {"file": str(file), **merged._asdict()})
        return
    console().result(f"{count(merged.added, 'call')} added, {merged.updated:,} updated, {merged.known:,} known already")
    if merged.unpriced:
        console().note(f"{count(merged.unpriced, 'call')} of them came without a cost: it stays unknown")
