"""`mrt spend backup`: a copy of the store while it is in use."""

from __future__ import annotations

from pathlib import Path

import click

from mrt.commands._shared import ExamplesFirst, common_options, console

EXAMPLES = """
mrt spend backup
mrt spend backup /mnt/backup/spend.db --force
"""


@click.command("backup", cls=ExamplesFirst, examples=EXAMPLES)
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--force", is_flag=True, help="Replace a file that exists.")
@common_options
def command(file: Path | None, force: bool) -> None:
    """Copy the store to FILE, whole and consistent, while others use it.

    Without FILE the copy goes into the folder `backups` beside the store, under the time of day. To go back, copy it over the
    store while no mrt runs.
    """
    from mrt.commands._spend_store import opened
    from mrt.config import store_path
    from mrt.ledger.backup import backup

    with opened(console()) as at:
        usual = store_path(console().environment).parent / "backups" / f"spend-{at.now:%Y%m%d-%H%M%S}.db"
        path = (file or usual).absolute()
        size = backup(at.store, path, replace=force)
    if console().mode == "json":
        console().envelope("spend", {"path": str(path), "bytes": size})
    else:
        console().result(str(path))
