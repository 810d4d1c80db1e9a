"""The report of a period: sums, groups, budgets, the course of the month, savings and tips."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from mrt.budget import Limit
from mrt.ledger.forecast import HISTORY_DAYS, Burn, Course, Forecast, burn, forecast
from mrt.ledger.limits import taken
from mrt.ledger.queries import Group, Span, Totals, days, first_own_day, groups
from mrt.ledger.store import Store
from mrt.ledger.tips import tips


class BudgetLine(NamedTuple):
    """One limit and what is left of it, in nano-dollars; below 0 where it was overrun.

    The `unbounded_calls`, ended or under way, may cost anything, so that nobody knows what is left.

    `scope` is "all", or the name of the [limits.NAME] it comes from; `period` is daily or monthly.
    """

    scope: str
    period: str
    limit_nano: int
    used_nano: int
    reserved_nano: int
    unpriced_calls: int
    unbounded_calls: int = 0

    @property
    def left_nano(self) -> int:
        """What may still be spent."""
        return self.limit_nano - self.used_nano - self.reserved_nano

    @property
    def percent(self) -> int:
        """How much of it is used or reserved, rounded down."""
        taken = self.used_nano + self.reserved_nano
        return taken * 100 // self.limit_nano if self.limit_nano else 100


class Savings(NamedTuple):
    """What the answers would have cost from the baseline model, less what everything did cost, in nano-dollars.

    `low_nano` is None when some call may have cost any amount. `models` has more than one name when the strongest paid tier
    changed in the period; `missing` counts the answers that could not be compared.
    """

    low_nano: int | None
    high_nano: int
    models: tuple[str, ...]
    missing: int


class Wanted(NamedTuple):
    """What to report: the days, the keys to group by, the zone, today's date in it and the limits that hold now."""

    span: Span
    by: tuple[str, ...]
    timezone: str
    today: date
    limits: tuple[Limit, ...]


class Report(NamedTuple):
    """Everything that `mrt spend` shows."""

    wanted: Wanted
    total: Totals
    groups: tuple[Group, ...]
    budgets: tuple[BudgetLine, ...]
    burn: Burn | None
    forecast: Forecast | None
    savings: Savings | None
    tips: tuple[str, ...]


def report(store: Store, wanted: Wanted) -> Report:
    """Read it all from the store. Raises StoreError."""
    tiers = groups(store, wanted.span, ("tier",))
    total = add(group.totals for group in tiers)
    course = course_of(store, wanted.today)
    now = wanted.span.first is None or wanted.span.first <= wanted.today <= wanted.span.last
    return Report(
        wanted=wanted,
        total=total,
        groups=tuple(groups(store, wanted.span, wanted.by)) if wanted.by else (),
        budgets=budget_lines(store, wanted.limits),
        burn=burn(course) if now else None,
        forecast=forecast(course, _monthly(wanted.limits)) if now else None,
        savings=savings(total, groups(store, wanted.span, ("baseline",))),
        tips=tips(total, tiers, groups(store, wanted.span, ("model",))),
    )


def add(several: Iterable[Totals]) -> Totals:
    """The sums of sums."""
    return Totals(*(sum(column) for column in zip(Totals(), *several, strict=True)))


def budget_lines(store: Store, limits: Sequence[Limit]) -> tuple[BudgetLine, ...]:
    """How far each limit is used up."""
    lines = []
    for limit in limits:
        so_far = taken(store, limit)
        used = (so_far.settled_nano, so_far.reserved_nano, so_far.unpriced_calls, so_far.unbounded_calls)
        lines.append(BudgetLine(limit.name or "all", limit.scope, limit.limit_nano, *used))
    return tuple(lines)


def savings(total: Totals, baselines: Sequence[Group]) -> Savings | None:
    """Against all-cloud; None when no answer has a baseline."""
    if not total.baseline_calls:
        return None
    unbounded = total.unbounded_calls > 0
    # What is not priced may have cost up to its bound, so the low end takes it for that much.
    low = None if unbounded else total.baseline_low_nano - total.cost_nano - total.held_nano
    return Savings(
        low_nano=low,
        high_nano=total.baseline_high_nano - total.cost_nano,
        models=tuple(sorted(group.keys[0] for group in baselines if group.keys[0])),
        missing=total.answers - total.baseline_calls,
    )


def course_of(store: Store, today: date) -> Course:
    """What each of the last weeks' days came to, by which rates and forecasts go."""
    since = min(today.replace(day=1), today - timedelta(days=HISTORY_DAYS))
    found = days(store, Span(since, today + timedelta(days=31)))  # to the month's end: a clock may have been set back
    own = [one for one in found if not one.imported]
    return Course(
        daily={one.day: one.cost_nano for one in own},
        first=first_own_day(store),
        today=today,
        unpriced={one.day: one.unpriced_calls for one in own},
        imported=frozenset(one.day for one in found if one.imported),
    )


def _monthly(limits: Sequence[Limit]) -> int | None:
    return next((limit.limit_nano for limit in limits if limit.scope == "monthly" and not limit.name), None)
