"""The figures of a spend report in words, for the terminal and for the page alike: never a zero that is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mrt.output.spend_money import amount, at_least, count, percent

if TYPE_CHECKING:
    from mrt.ledger.forecast import Burn, Forecast
    from mrt.ledger.queries import Totals
    from mrt.ledger.report import BudgetLine, Report, Savings


MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


class Words(NamedTuple):
    """A figure, and what has to be said with it; one after the other they make one phrase."""

    value: str
    note: str


def local_share(total: Totals) -> str:
    """How many of the answers came from local models."""
    return f", {percent(total.local_answers, total.answers)} of them local" if total.answers else ""


def tokens(total: Totals) -> str:
    """Tokens read and written, and what of them was cached or thought."""
    known = "at least " if total.uncounted_calls else ""
    missing = f"; {count(total.uncounted_calls, 'call')} did not say how many" if total.uncounted_calls else ""
    cached = f" ({total.cached_tokens:,} cached)" if total.cached_tokens else ""
    reasoning = f" ({total.reasoning_tokens:,} reasoning)" if total.reasoning_tokens else ""
    read, written = (
        "?" if total.uncounted_calls and not number else f"{number:,}"
        for number in (total.input_tokens, total.output_tokens)
    )
    return f"{known if (read, written) != ('?', '?') else ''}{read} in{cached}, {written} out{reasoning}{missing}"


def counted(number: int, totals: Totals) -> str:
    """Tokens of one kind."""
    if not totals.uncounted_calls:
        return f"{number:,}"
    return f"≥ {number:,}" if number else "?"


def burn(found: Burn | None) -> Words | None:
    """Dollars a day, and over which days."""
    if found is None:
        return None
    if found.nano is None:
        return Words("unknown:", f"the calls of the last {count(found.days, 'day')} were imported")
    rate = at_least(found.nano, found.unpriced_calls)
    when = "so far today" if found.days == 1 else f"over the last {found.days} days"
    each = " a day" if found.days > 1 and rate != "unknown" else ""
    return Words(f"{rate}{each}", f"{when}{unpriced(found.unpriced_calls)}")


def unpriced(calls: int) -> str:
    """How many calls have no known cost."""
    return f" ({count(calls, 'call')} unpriced)" if calls else ""


def forecast(report: Report) -> Words | None:
    """The range in which the month will end, and when the monthly budget would be reached."""
    found = report.forecast
    if found is None:
        return None
    end = f"by {found.until.isoformat()}{_reached(report, found)}"
    if found.unpriced_calls:
        return Words(at_least(found.low_nano, found.unpriced_calls), f"{unpriced(found.unpriced_calls)[1:]} {end}")
    return Words(f"{amount(found.low_nano)} to {amount(found.high_nano)}", end)


def _reached(report: Report, found: Forecast) -> str:
    if any(line.scope == "all" and line.period == "monthly" and line.left_nano <= 0 for line in report.budgets):
        return "; the monthly budget is reached"
    if found.limit_reached_on is None:
        return ""
    today = found.limit_reached_on <= report.wanted.today
    day = "today" if today else f"on {found.limit_reached_on.isoformat()}"
    return f"; the monthly budget would be reached {day}{' or earlier' if found.unpriced_calls and not today else ''}"


def savings(saved: Savings | None) -> Words | None:
    """What the cascade saved, as a range, and against what."""
    if saved is None:
        return None
    low = "unknown" if saved.low_nano is None else amount(saved.low_nano)
    model = saved.models[0] if len(saved.models) == 1 else f"the strongest paid tier ({', '.join(saved.models)})"
    missing = f"; {count(saved.missing, 'answer')} could not be compared" if saved.missing else ""
    return Words(f"{low} to {amount(saved.high_nano)}", f"against {model} for every answer{missing}")


def budget_name(line: BudgetLine) -> str:
    """Which budget: its period, and what it is for."""
    return line.period if line.scope == "all" else f"{line.period} {line.scope}"


def left(line: BudgetLine) -> str:
    """What may still be spent of a budget."""
    return f"{'≤ ' if line.unbounded_calls else ''}{amount(line.left_nano)}"
