"""The budgets in one line, for scripts and status lines."""

from __future__ import annotations

from collections.abc import Sequence

from mrt.ledger.report import BudgetLine
from mrt.output.spend_money import amount, at_least, count


def over(lines: Sequence[BudgetLine], warn_at: int) -> list[BudgetLine]:
    """The budgets of which `warn_at` percent or more is taken."""
    return [line for line in lines if (line.used_nano + line.reserved_nano) * 100 >= line.limit_nano * warn_at]


def check_line(lines: Sequence[BudgetLine], warn_at: int) -> str:
    """Whether they hold, then each one."""
    if not lines:
        return "within: no budget is set"
    verdict = "over" if over(lines, warn_at) else "within"
    return f"{verdict}: {', '.join(map(_one, lines))}"


def _one(line: BudgetLine) -> str:
    name = line.period if line.scope == "all" else f"{line.period} {line.scope}"
    reserved = f" and {amount(line.reserved_nano)} reserved" if line.reserved_nano else ""
    unpriced = f", {count(line.unpriced_calls, 'call')} unpriced" if line.unpriced_calls else ""
    used = at_least(line.used_nano, line.unpriced_calls)
    share = f"{'≥ ' if line.unpriced_calls else ''}{line.percent} %"
    return f"{name} {used}{reserved} of {amount(line.limit_nano)} ({share}{unpriced})"
