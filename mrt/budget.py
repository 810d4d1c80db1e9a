"""What a budget is: its limits in nano-dollars, and the calendar days and months they hold for.

Times are microseconds since 1970 in UTC; periods are half-open. A day is what the calendar of the budget's zone calls one:
23 or 25 hours long when the clocks change, and it begins at the first moment with that date, which need not be 00:00.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import ROUND_FLOOR, Decimal
from typing import Protocol

from mrt.domain import NANO_PER_USD, usd
from mrt.errors import ConfigError
from mrt.frozen import frozen

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SECOND_US = 1_000_000
_FOREVER_US = 2**62
# What a limit can be for.
FILTERS = ("tier", "model", "tag", "project", "session")


@frozen
class Limit:
    """At most `limit_nano` nano-dollars from `start_us` up to, but not including, `end_us`.

    `scope` is daily, monthly, per_session or per_call. `name` is that of the [limits.NAME] it comes from, empty for [budget].
    `match` says which calls count, as pairs of a field (tier, model, tag, project, session) and a text; in all but sessions
    `*` stands for any text.
    """

    scope: str
    start_us: int
    end_us: int
    limit_nano: int
    name: str = ""
    match: tuple[tuple[str, str], ...] = ()

    @property
    def title(self) -> str:
        """What messages call it: "daily budget", "daily limit nightly"."""
        kind = self.scope.replace("_", "-")
        return f"{kind} limit {self.name}" if self.name else f"{kind} budget"

    @property
    def setting(self) -> str:
        """The dotted key of the setting it comes from."""
        return f"limits.{self.name}.{self.scope}_usd" if self.name else f"budget.{self.scope}_usd"


class Amounts(Protocol):
    """Limits in dollars, None for none; what the configuration says of one budget."""

    @property
    def daily_usd(self) -> Decimal | None: ...
    @property
    def monthly_usd(self) -> Decimal | None: ...
    @property
    def per_session_usd(self) -> Decimal | None: ...
    @property
    def per_call_usd(self) -> Decimal | None: ...


@frozen
class Allowance:
    """The limits a paid call must respect; `allow_unpriced` lets calls of unknown price through."""

    limits: tuple[Limit, ...] = ()
    allow_unpriced: bool = False


def zone(name: str) -> tzinfo:
    """The IANA zone of that name; ConfigError when there is none."""
    if name == "UTC":  # needs no zone files, which slim systems lack
        return UTC
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # OSError: the name of a folder of zones, such as "Europe"
        hint = 'write an IANA name such as "Europe/Berlin" into budget.timezone'
        raise ConfigError(f"{name!r} is no known time zone", hint) from None


def local_day(moment_us: int, timezone: str) -> str:
    """The date in that zone, as YYYY-MM-DD."""
    return _moment(moment_us).astimezone(zone(timezone)).date().isoformat()


def periods(now: datetime, timezone: str) -> dict[str, tuple[int, int]]:
    """Start and end of the day ("daily") and the calendar month ("monthly") of that zone in which `now` lies."""
    if now.tzinfo is None:
        raise ValueError("a time without its zone is in no certain period")
    place = zone(timezone)
    today = now.astimezone(place).date()
    if microseconds(now) >= _start(tomorrow := today + timedelta(days=1), place):
        today = tomorrow  # clocks set back over midnight show the old date again: the new day has begun all the same
    first = today.replace(day=1)
    next_month = (first + timedelta(days=31)).replace(day=1)
    return {
        "daily": (_start(today, place), _start(today + timedelta(days=1), place)),
        "monthly": (_start(first, place), _start(next_month, place)),
    }


def limits(daily_usd: Decimal | None, monthly_usd: Decimal | None, timezone: str, now: datetime) -> tuple[Limit, ...]:
    """The limits that hold at `now`; None sets no limit, 0 allows no paid call."""
    amounts = {"daily": daily_usd, "monthly": monthly_usd}
    if all(amount is None for amount in amounts.values()):
        return ()
    spans = periods(now, timezone)
    return tuple(
        Limit(scope, *spans[scope], _nano(amount, scope)) for scope, amount in amounts.items() if amount is not None
    )


def standing_limits(budget: Amounts, named: Mapping[str, Amounts], timezone: str, now: datetime) -> tuple[Limit, ...]:
    """All daily and monthly limits that hold at `now`, whatever call they are for."""
    own = limits(budget.daily_usd, budget.monthly_usd, timezone, now)
    others = (
        replace(limit, name=name, match=_filters(amounts))
        for name, amounts in named.items()
        for limit in limits(amounts.daily_usd, amounts.monthly_usd, timezone, now)
    )
    return (*own, *others)


def limits_on(
    call: Mapping[str, str | None], budget: Amounts, named: Mapping[str, Amounts], timezone: str, now: datetime
) -> tuple[Limit, ...]:
    """The limits that a call must respect; `call` has its tier, model (PROVIDER/MODEL), tag, project and session."""
    standing = standing_limits(budget, named, timezone, now)
    single = (limit for name, amounts in {"": budget, **named}.items() for limit in _single_limits(name, amounts, call))
    return tuple(limit for limit in (*standing, *single) if _fits(limit.match, call))


def _single_limits(name: str, amounts: Amounts, call: Mapping[str, str | None]) -> Iterator[Limit]:
    """Those on one call and on one conversation."""
    match = _filters(amounts) if name else ()
    session = call.get("session")
    if amounts.per_session_usd is not None and session is not None:
        nano = _nano(amounts.per_session_usd, "per-session")
        yield Limit("per_session", 0, _FOREVER_US, nano, name, (*match, ("session", session)))
    if amounts.per_call_usd is not None:
        yield Limit("per_call", 0, _FOREVER_US, _nano(amounts.per_call_usd, "per-call"), name, match)


def _filters(amounts: Amounts) -> tuple[tuple[str, str], ...]:
    return tuple((field, text) for field in FILTERS if (text := getattr(amounts, field, None)) is not None)


def _fits(match: Iterable[tuple[str, str]], call: Mapping[str, str | None]) -> bool:
    return all(_is_like(call.get(field), text, exact=field == "session") for field, text in match)


def _is_like(value: str | None, text: str, *, exact: bool) -> bool:
    if value is None or exact or "*" not in text:
        return value == text
    return re.fullmatch(".*".join(map(re.escape, text.split("*"))), value, re.DOTALL) is not None


def soft_warnings(uses: Iterable[tuple[Limit, int, int]], soft_pct: float | Decimal) -> dict[Limit, str]:
    """One line for each limit of which `soft_pct` percent or more is taken.

    `uses` has limits with the nano-dollars that are used, and those that calls under way, or of unknown cost, may come to.
    """
    share = Decimal(soft_pct)
    return {
        limit: _nearly_used(limit, used, reserved)
        for limit, used, reserved in uses
        if limit.limit_nano > 0 and (used + reserved) * 100 >= limit.limit_nano * share
    }


def _nearly_used(limit: Limit, used: int, reserved: int) -> str:
    percent = (used + reserved) * 100 // limit.limit_nano
    taken = f"used or reserved: ${usd(used)} used, ${usd(reserved)} reserved" if reserved else f"used: ${usd(used)}"
    return f"{percent} % of the {limit.title} of ${usd(limit.limit_nano)} is {taken}"


def microseconds(moment: datetime) -> int:
    """Microseconds since 1970 of an aware time, exactly."""
    return (moment - _EPOCH) // _MICROSECOND


def _nano(amount: Decimal, scope: str) -> int:
    """Whole nano-dollars, rounded down: a limit is never wider than written."""
    if not amount.is_finite() or amount < 0:
        raise ConfigError(
            f"the {scope} budget must be an amount of 0 or more, not {amount}", "for example 5.00, or none"
        )
    return int((amount * NANO_PER_USD).to_integral_value(ROUND_FLOOR))


def _start(day: date, place: tzinfo) -> int:
    """The first moment whose date in `place` is `day`, or a later one where the calendar skips that day."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=place)
    # Around a change of clocks 00:00 has two readings (PEP 495): it happens twice, or not at all.
    first, last = _utc(midnight.replace(fold=1)), _utc(midnight)
    if last <= first:
        return last
    while last - first > _SECOND_US:  # skipped: the clocks jump over midnight between the readings
        middle = (first + last) // 2 // _SECOND_US * _SECOND_US
        shown = _moment(middle).astimezone(place).date()
        first, last = (first, middle) if shown >= day else (middle, last)
    return last


def _moment(moment_us: int) -> datetime:
    return _EPOCH + moment_us * _MICROSECOND


def _utc(moment: datetime) -> int:
    return microseconds(moment.astimezone(UTC))
