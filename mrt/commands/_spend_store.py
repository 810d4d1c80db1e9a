"""The spend store as the commands around it open it: configured, and its days in the configured zone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime
from typing import NamedTuple

from mrt.budget import zone
from mrt.config import Config, load, store_path
from mrt.ledger.store import Store, open_store
from mrt.ledger.zones import count_days_in, timezone_name
from mrt.output import Console

Clock = Callable[[], float]


class Opened(NamedTuple):
    """The configuration, the store, the zone of its days, and what day it is there."""

    config: Config
    store: Store
    timezone: str
    now: datetime

    @property
    def today(self) -> date:
        """The date in that zone."""
        return self.now.astimezone(zone(self.timezone)).date()


@contextmanager
def opened(console: Console, clock: Clock = time.time) -> Iterator[Opened]:
    """Everything a report needs. Raises ConfigError and StoreError."""
    config = load(console.environment, console.config_path)
    timezone = timezone_name(config.budget.timezone, console.environment)
    with closing(open_store(store_path(console.environment), clock)) as store:
        before = count_days_in(store, timezone)
        if before is not None:
            was = f"in {before}" if before else "in several zones"
            console.note(f"days are counted in {timezone} now, before {was}: the sums by day were rebuilt")
        yield Opened(config, store, timezone, datetime.fromtimestamp(clock(), UTC))
