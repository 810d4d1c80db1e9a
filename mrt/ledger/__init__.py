"""The SQLite store: attempts, reservations, conversations, what was learned of servers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mrt.budget import Allowance, Limit
from mrt.lazy import exports

if TYPE_CHECKING:
    from mrt.ledger.facts import learned, recall, remember
    from mrt.ledger.history import (
        Conversation,
        append_exchange,
        clear_conversation,
        last_conversation_name,
        load_conversation,
        stick,
    )
    from mrt.ledger.ids import new_id
    from mrt.ledger.limits import taken
    from mrt.ledger.outcomes import Graded, record_outcomes
    from mrt.ledger.prices import load_snapshot
    from mrt.ledger.progress import Progress, note_progress, note_refusal
    from mrt.ledger.records import Baseline, Booking, Settlement, Sums
    from mrt.ledger.reservations import reserve, sweep
    from mrt.ledger.settlements import settle
    from mrt.ledger.store import Store, memory_store, open_store
    from mrt.ledger.totals import used
    from mrt.ledger.zones import count_days_in, timezone_name, zone_of_store

__all__ = [
    "Allowance",
    "Baseline",
    "Booking",
    "Conversation",
    "Graded",
    "Limit",
    "Progress",
    "Settlement",
    "Store",
    "Sums",
    "append_exchange",
    "clear_conversation",
    "count_days_in",
    "last_conversation_name",
    "learned",
    "load_conversation",
    "load_snapshot",
    "memory_store",
    "new_id",
    "note_progress",
    "note_refusal",
    "open_store",
    "recall",
    "record_outcomes",
    "remember",
    "reserve",
    "settle",
    "stick",
    "sweep",
    "taken",
    "timezone_name",
    "used",
    "zone_of_store",
]

__getattr__ = exports(
    __name__,
    facts="learned recall remember",
    history="Conversation append_exchange clear_conversation last_conversation_name load_conversation stick",
    ids="new_id",
    limits="taken",
    outcomes="Graded record_outcomes",
    prices="load_snapshot",
    progress="Progress note_progress note_refusal",
    records="Baseline Booking Settlement Sums",
    reservations="reserve sweep",
    settlements="settle",
    store="Store memory_store open_store",
    totals="used",
    zones="count_days_in timezone_name zone_of_store",
)
