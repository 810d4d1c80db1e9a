"""Money as it goes: today, this month, the last hour, and what the budgets leave."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from mrt.budget import standing_limits, zone
from mrt.config import Config
from mrt.ledger.forecast import burn
from mrt.ledger.queries import Span, total
from mrt.ledger.report import budget_lines, course_of
from mrt.ledger.rollup import zone_of_days
from mrt.ledger.store import Store, reading
from mrt.ledger.totals import used
from mrt.ledger.zones import timezone_name, zone_of_store
from mrt.live.snapshot import Money

_HOUR_US = 3_600 * 1_000_000


def zone_now(store: Store | None, config: Config | None, environment: Mapping[str, str]) -> str:
    """The IANA zone in which the store counts days; where there are none yet, the one in which they will be counted."""
    if store is not None and _counts_days(store):
        return zone_of_store(store, None, environment)
    return timezone_name(config.budget.timezone if config else None, environment)


def _counts_days(store: Store) -> bool:
    with reading(store) as connection:
        return bool(zone_of_days(connection))


def money_now(store: Store, config: Config | None, timezone: str) -> Money:
    """The sums of this moment. Raises StoreError."""
    now = datetime.fromtimestamp(store.clock(), UTC)
    today = now.astimezone(zone(timezone)).date()
    first = today.replace(day=1)
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    now_us = store.now_us()
    hour = used(store, now_us - _HOUR_US, now_us + 1)
    return Money(
        date=today,
        timezone=timezone,
        today=total(store, Span(today, today)),
        month=total(store, Span(first, last)),
        hour_nano=hour.settled_nano,
        hour_unpriced=hour.unpriced_calls,
        burn=burn(course_of(store, today)),
        budgets=budget_lines(store, standing_limits(config.budget, config.limits, timezone, now)) if config else None,
        soft_pct=config.budget.soft_pct if config else 100,
    )
