"""What may be spent and what models cost, as the user sets it."""

from __future__ import annotations

from dataclasses import field
from decimal import Decimal
from typing import Literal

from mrt.config.declaration import ADDED, LOWER, declared, only
from mrt.config.values import LIMIT, LINE, MONEY, ZONE, choice, integer
from mrt.frozen import frozen


@frozen
class Budget:
    """Limits on what paid tiers may spend, in dollars; None means no limit, 0 that nothing may be paid."""

    daily_usd: Decimal | None = field(
        default=Decimal("5.0"),
        metadata=declared(LIMIT, "Most dollars in a day", also={"": "TIER_CLOUD_DAILY_BUDGET_USD"}, project=LOWER),
    )
    monthly_usd: Decimal | None = field(
        default=Decimal("50.0"),
        metadata=declared(LIMIT, "Most dollars in a month", also={"": "TIER_CLOUD_MONTHLY_BUDGET_USD"}, project=LOWER),
    )
    timezone: str | None = field(
        default=None,
        metadata=declared(
            ZONE, "Time zone in which days and months begin; without this setting the system's", "Europe/Berlin"
        ),
    )
    soft_pct: int = field(
        default=80, metadata=declared(integer(1, 100), "Percent of a limit from which on mrt warns", project=LOWER)
    )
    on_store_failure: Literal["refuse", "allow"] = field(
        default="refuse",
        metadata=declared(
            choice("refuse", "allow"),
            "What happens to paid tiers when the spend store does not work",
            project=only("refuse", '"refuse"'),
        ),
    )
    per_session_usd: Decimal | None = field(
        default=None,
        metadata=declared(
            LIMIT, "Most dollars in one conversation, or in one ask without any", Decimal("1.0"), project=LOWER
        ),
    )
    per_call_usd: Decimal | None = field(
        default=None, metadata=declared(LIMIT, "Most dollars that one call may cost", Decimal("0.25"), project=LOWER)
    )


@frozen
class LimitSettings:
    """A limit on some calls: those that fit everything it names. In dollars; None means no such limit."""

    name: str
    tier: str | None = field(
        default=None, metadata=declared(LINE, "Only calls of this tier; * stands for any text", "cloud", project=ADDED)
    )
    model: str | None = field(
        default=None,
        metadata=declared(
            LINE, "Only calls to this PROVIDER/MODEL; * stands for any text", "anthropic/*", project=ADDED
        ),
    )
    tag: str | None = field(
        default=None,
        metadata=declared(LINE, "Only calls with this tag; * stands for any text", "nightly", project=ADDED),
    )
    project: str | None = field(
        default=None,
        metadata=declared(LINE, "Only calls of this project; * stands for any text", "website", project=ADDED),
    )
    session: str | None = field(
        default=None, metadata=declared(LINE, "Only calls of the conversation of this name", "review", project=ADDED)
    )
    daily_usd: Decimal | None = field(
        default=None, metadata=declared(LIMIT, "Most dollars of those calls in a day", Decimal("1.0"), project=ADDED)
    )
    monthly_usd: Decimal | None = field(
        default=None, metadata=declared(LIMIT, "Most dollars of those calls in a month", Decimal("10.0"), project=ADDED)
    )
    per_session_usd: Decimal | None = field(
        default=None,
        metadata=declared(LIMIT, "Most dollars of those calls in one conversation", Decimal("0.5"), project=ADDED),
    )
    per_call_usd: Decimal | None = field(
        default=None,
        metadata=declared(LIMIT, "Most dollars that one of those calls may cost", Decimal("0.1"), project=ADDED),
    )


@frozen
class Price:
    """What a model costs, in dollars per million tokens; None means that cached input is billed as input."""

    input_usd_per_mtok: Decimal = field(metadata=declared(MONEY, "Input tokens, dollars per million", Decimal("2.5")))
    output_usd_per_mtok: Decimal = field(
        metadata=declared(MONEY, "Output tokens, dollars per million", Decimal("10.0"))
    )
    cached_input_usd_per_mtok: Decimal | None = field(
        default=None, metadata=declared(MONEY, "Input tokens read from a cache, dollars per million", Decimal("1.25"))
    )
    cache_write_usd_per_mtok: Decimal | None = field(
        default=None, metadata=declared(MONEY, "Input tokens written to a cache, dollars per million", Decimal("3.125"))
    )
