"""The nouns of the live view, as of one moment; times in seconds since 1970, amounts in nano-dollars, None means unknown."""

from __future__ import annotations

from datetime import date
from typing import Literal, NamedTuple

from mrt.frozen import frozen
from mrt.ledger.forecast import Burn
from mrt.ledger.queries import Totals
from mrt.ledger.report import BudgetLine

# A process notes its progress once a second; that may be late, since it never waits for others who write.
SILENT_AFTER_S = 10.0
# Nothing came yet; tokens come; none has come for a while; older than is right; its process is gone, or its time is over.
Phase = Literal["waiting", "writing", "silent", "stuck", "lost"]
Health = Literal["idle", "working", "stuck", "loading", "auth", "down", "unknown", "unseen"]
Kind = Literal[
    "started", "escalated", "accepted", "rejected", "failed", "interrupted", "refused", "stuck", "lost", "endpoint"
]


class Flight(NamedTuple):
    """A request under way. `tokens` is about how many have come; `tokens_per_second` goes by them, since the first one.

    `quiet_s` is how long ago the last token is known to have come, None before the first note of one.
    """

    id: str
    operation: str
    attempt: int
    purpose: str
    tier: str
    endpoint: str
    model: str
    local: bool
    phase: Phase
    age_s: float
    started_at: float
    tokens: int | None = None
    tokens_per_second: float | None = None
    quiet_s: float | None = None
    why: str | None = None

    @property
    def name(self) -> str:
        """ENDPOINT/MODEL, as people write it."""
        return f"{self.endpoint}/{self.model}"

    @property
    def course(self) -> str:
        """Whether it still moves, in words."""
        if self.quiet_s is None:
            return "no answer yet"
        return f"no token for {self.quiet_s:.0f} s" if self.quiet_s >= SILENT_AFTER_S else "still writes"


@frozen
class EndpointNow:
    """One endpoint: what its server last told, and what this store knows to be under way there.

    `busy`, `slots` and `queue` are the server's own counts, for all its users; `own` counts this store's requests,
    None where the store cannot be read. `tokens_per_second` sums up the own ones whose speed is known.
    """

    name: str
    health: Health
    kind: str | None = None
    url: str | None = None
    own: int | None = 0
    busy: int | None = None
    slots: int | None = None
    queue: int | None = None
    loaded: tuple[str, ...] | None = None
    latency_ms: int | None = None
    tokens_per_second: float | None = None
    message: str | None = None
    checked_at: float | None = None


class Happening(NamedTuple):
    """One line of the log. `cost_nano` is None where it is not known, or where nothing has a cost yet: `cost_state` tells."""

    at: float
    kind: Kind
    tier: str = ""
    name: str = ""
    purpose: str = "ask"
    check: str | None = None
    reason: str | None = None
    seconds: float | None = None
    tokens: int | None = None
    estimated: bool = False
    tokens_per_second: float | None = None
    cost_state: str | None = None
    cost_nano: int | None = None
    operation: str | None = None

    @property
    def alarming(self) -> bool:
        """Whether somebody should be called to the screen."""
        return self.kind in ("refused", "stuck", "lost")


@frozen
class Money:
    """Sums by the calendar of `timezone`; `hour` is what the calls of the last hour came to, with how many are unpriced.

    `budgets` is None where the configuration, which names them, cannot be read.
    """

    date: date
    timezone: str
    today: Totals
    month: Totals
    hour_nano: int
    hour_unpriced: int
    burn: Burn | None
    budgets: tuple[BudgetLine, ...] | None
    soft_pct: int


@frozen
class Snapshot:
    """One look. `money` is None where there is no store to read; `notes` say what could not be looked at, and why.

    `flights` is None where the store cannot be read, so that nobody knows what is under way, and `endpoints` where the
    configuration cannot. `surveyed` is false until the endpoints were first looked at. `flights` are oldest first, `last` newest
    first.
    """

    at: float
    timezone: str
    flights: tuple[Flight, ...] | None = ()
    endpoints: tuple[EndpointNow, ...] | None = ()
    last: tuple[Happening, ...] = ()
    money: Money | None = None
    surveyed: bool = True
    stuck_after_s: float = 600.0
    notes: tuple[str, ...] = ()

    @property
    def tokens_per_second(self) -> float | None:
        """Of all requests under way whose speed is known."""
        known = [flight.tokens_per_second for flight in self.flights or () if flight.tokens_per_second is not None]
        return sum(known) if known else None
