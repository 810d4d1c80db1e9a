"""The spend store as the commands around it open it: configured, and its days in the configured zone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime
from typing import NamedTuple

from mrt.budget import zone
from mrt.commands._settings import configured
from mrt.config import Config, store_path
from mrt.ledger.readonly import open_to_read
from mrt.ledger.store import Store, open_store
from mrt.ledger.zones import count_days_in, timezone_name, unusable_zone, zone_of_store
from mrt.output import Console

Clock = Callable[[], float]


class Opened(NamedTuple):
    """Where notes go, the configuration, the store, the zone of its days, and what day it is there."""

    console: Console
    config: Config
    store: Store
    timezone: str
    now: datetime

    @property
    def today(self) -> date:
        """The date in that zone."""
        return self.now.astimezone(zone(self.timezone)).date()


@contextmanager
def opened(console: Console, clock: Clock = time.time, *, to_write: bool = False) -> Iterator[Opened]:
    """Everything a report needs. Raises ConfigError and StoreError.

    A store that can only be read is read, and said to be; a command that is there `to_write` fails on it instead.
    """
    config = configured(console)
    path = store_path(console.environment)
    with closing(open_store(path, clock) if to_write else open_to_read(path, clock)) as store:
        timezone = _zone(console, config.budget.timezone, store)
        yield Opened(console, config, store, timezone, datetime.fromtimestamp(clock(), UTC))


def _zone(console: Console, configured: str | None, store: Store) -> str:
    timezone = zone_of_store(store, configured, console.environment)
    if not configured:
        _explain(console, timezone)
    if not store.writable:
        kept = zone_of_store(store, None, console.environment)
        days = f"; its days stay those of {kept}" if kept != timezone else ""
        console.note(f"the spend store {store.path} cannot be written: it is read as it is{days}")
        return kept
    before = count_days_in(store, timezone)
    if before is not None:
        was = f"in {before}" if before else "in several zones"
        console.note(f"days are counted in {timezone} now, before {was}: the sums by day were rebuilt")
    return timezone


def _explain(console: Console, timezone: str) -> None:
    """Why the zone is not what the surroundings say."""
    unusable = unusable_zone(console.environment)
    theirs = timezone_name(None, console.environment)
    if unusable is not None:
        console.warn(f"TZ names no IANA time zone: {unusable!r:.60}; days are counted in {timezone}")
    elif theirs != timezone:
        console.detail(f"days stay counted in {timezone}; mrt config set budget.timezone {theirs} changes that")
