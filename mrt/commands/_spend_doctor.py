"""`mrt spend doctor`: whether the store is sound."""

from __future__ import annotations

import click

from mrt.commands._shared import ExamplesFirst, common_options, console

EXAMPLES = """
mrt spend doctor
mrt spend doctor --fix
"""


@click.command("doctor", cls=ExamplesFirst, examples=EXAMPLES)
@click.option("--fix", "mend", is_flag=True, help="Mend what can be mended, then look again.")
@common_options
def command(mend: bool) -> int:
    """Examine the store: its integrity, sums, reservations, place and permissions.

    Ends with 5 when something is wrong, and says which command mends it. --fix closes the reservations of dead processes at
    their upper bound, sums the roll-up anew from the calls, and narrows the file's mode.
    """
    import sqlite3

    from mrt.commands._spend_store import opened
    from mrt.errors import ExitCode, StoreError
    from mrt.ledger.doctor import examine, fix, note

    with opened(console(), to_write=mend) as at:
        if mend:
            fix(at.store)
        found = examine(at.store)
    wrong = [finding for finding in found if finding.problem]
    if console().mode == "json":
        data = {"findings": [{"what": one.what, "ok": not one.problem, "problem": one.problem} for one in found]}
        errors = [StoreError(f"{one.what}: {one.problem}", one.mend) for one in wrong]
        console().envelope("spend", data, errors)
    else:
        lines = [
            f"{one.what}: {one.problem or 'well'}" + (f"\n  hint: {one.mend}" if one.problem else "") for one in found
        ]
        console().result("\n".join(lines))
        remark = note(sqlite3.sqlite_version_info)
        if remark:
            console().detail(remark)
    return ExitCode.BUDGET if wrong else ExitCode.OK
