"""`--apply`: thresholds into the tiers of the config, and every graded task into the router's experience."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from mrt.config import Config, config_path, store_path
from mrt.errors import UsageError
from mrt.output import Console
from mrt.output.spend_money import count

if TYPE_CHECKING:
    from mrt.bench.apply import Setting
    from mrt.bench.report import Report


def apply(console: Console, config: Config, reports: Sequence[Report], *, yes: bool) -> None:
    """Show what would change, ask, then write. Raises UsageError where nobody can answer and nobody said yes before."""
    from mrt.bench.apply import settings_of

    settings = [setting for report in reports for setting in settings_of(report, config)]
    if not settings:
        console.note("no tier has one of these models: there is no threshold to write")
    elif not _write(console, settings, yes):
        console.note("nothing was written")
        return
    known = _recorded(console, reports)
    if known:
        console.note(f"the router knows of {count(known, 'graded answer')} more now: mrt route --explain PROMPT")


def _write(console: Console, settings: Sequence[Setting], yes: bool) -> bool:
    """False when the user does not want it."""
    from mrt.bench.apply import difference
    from mrt.config.edit import carry_out, plan

    path = console.config_path or config_path(console.environment)
    pairs = [(f"tiers.{one.tier}.max_complexity", str(one.complexity)) for one in settings if one.changes]
    for one in settings:
        if one.why:
            console.note(f"{one.tier}: {one.why}")
    if not pairs:
        console.note("no threshold changes")
        return True
    change = plan(path, pairs)
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    console.aside(difference(before, change.text, str(path)))
    if not yes and not _agreed(console):
        return False
    carry_out(change)
    console.note(f"wrote {', '.join(f'{key} = {value}' for key, value in pairs)}")
    return True


def _agreed(console: Console) -> bool:
    if console.stdin is None or not console.can_ask:
        raise UsageError("--apply asks before it writes, and nobody can answer here", "say --yes too")
    console.aside("write this? [y/N] ")
    return console.stdin.readline().strip().lower() in ("y", "yes")


def _recorded(console: Console, reports: Sequence[Report]) -> int:
    """How many outcomes the router has now that it had not; a run that was recorded before is not recorded twice."""
    from mrt.bench.apply import outcomes
    from mrt.ledger.measured import recorded_runs
    from mrt.ledger.outcomes import record_outcomes
    from mrt.ledger.store import open_store

    with closing(open_store(store_path(console.environment))) as store:
        before = recorded_runs(store)
        rows = [row for report in reports if report.run.id not in before for row in outcomes(report)]
        record_outcomes(store, rows)
    return len(rows)
