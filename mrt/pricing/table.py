"""The price table: which of a provider's prices holds for a model id, at a moment, at a speed.

A provider's table is text, one JSON object a line. The first says whose prices these are and where they come from:
{provider, source, version, date, unit, license}, and `doubt` where they are not to be trusted. Each further line is a model:

    id, aliases      its names
    prices           a list of rates in text, dollars per million tokens; one with `from` (a date) or `daily` (two times of day)
                     holds only then, in UTC; of those that hold the last counts, and the first where none does
    processing       such lists by the name of another way to be served: batch, flex, priority, fast
    max_output, context, retires   in tokens; the date from which on it is served no more
    second           rates that a second source states, by name, for comparison

A model is priced by its exact id, a listed alias, or one of these and a date or version suffix; never by a family or a prefix,
because a look-alike's price is a wrong price.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from mrt.near import nearest
from mrt.pricing.names import candidates
from mrt.pricing.rates import Rates, UserPrice

PROVIDERS = ("anthropic", "openai", "gemini", "xai", "groq", "deepseek", "mistral", "openrouter")
"""Those with a table, under the names they have as prefixes of model ids."""

_STANDARD = frozenset({"", "auto", "default", "standard", "standard_only"})
# Served later for less: where such a rate is not stated, the usual one is an upper bound.
_CHEAPER = frozenset({"batch", "flex"})


class PriceTable:
    """One provider's table. Of its lines only those are read that can be the model's. Raises ValueError where it is none."""

    def __init__(self, content: bytes) -> None:
        first, _, self._rest = content.partition(b"\n")
        self.about: Mapping[str, Any] = json.loads(first)
        if not isinstance(self.about, dict) or not {"provider", "source", "version", "date"} <= self.about.keys():
            raise ValueError("no price table")

    @property
    def source(self) -> str:
        """Source, version and date, as kept with each call that was priced."""
        return f"{self.about['source']} {self.about['version']} ({self.about['date']})"

    @property
    def moment(self) -> datetime:
        """The table's own date."""
        return datetime.fromisoformat(self.about["date"]).replace(tzinfo=UTC)

    def find(self, name: str) -> Mapping[str, Any] | None:
        """The model of exactly that id or alias."""
        needle = json.dumps(name, ensure_ascii=False).encode("utf-8", "replace")
        at = self._rest.find(needle)
        while at >= 0:
            end = self._rest.find(b"\n", at)
            end = len(self._rest) if end < 0 else end
            entry: Mapping[str, Any] = json.loads(self._rest[self._rest.rfind(b"\n", 0, at) + 1 : end])
            if name == entry["id"] or name in entry.get("aliases", ()):
                return entry
            at = self._rest.find(needle, end)
        return None

    def models(self) -> Iterator[Mapping[str, Any]]:
        """All models."""
        return (json.loads(line) for line in self._rest.splitlines())

    def names(self) -> Iterator[str]:
        """All ids and aliases."""
        for entry in self.models():
            yield entry["id"]
            yield from entry.get("aliases", ())


Snapshot = Mapping[str, PriceTable]
"""Tables by the name before the slash of a model id."""


def find_rates(
    provider: str,
    model: str,
    user_prices: Mapping[str, UserPrice],
    snapshot: Snapshot,
    at: datetime | None = None,
    processing: str | None = None,
) -> Rates | None:
    """The rates of `model` at `provider` at that moment, or None when its price is not known; the user's own prices win.

    `provider` is the name before the slash in `user_prices`, and the snapshot's key. Without `at` the prices of the
    table's own date hold. `processing` is the service tier or speed that was asked for.
    """
    for candidate in candidates(model):
        name = f"{provider}/{candidate}"
        if name in user_prices:
            return user_rates(user_prices[name], name)
    table = snapshot.get(provider)
    listed = None if table is None else find_listed(table, model)
    return None if table is None or listed is None else rates_at(table, listed, at, processing)


def find_listed(table: PriceTable, model: str) -> Mapping[str, Any] | None:
    """The line of a provider's table that prices the model, None when there is none."""
    return next((entry for name in candidates(model) if (entry := table.find(name)) is not None), None)


def rates_at(
    table: PriceTable, listed: Mapping[str, Any], at: datetime | None = None, processing: str | None = None
) -> Rates | None:
    """The rates of a listed model; None when it is served in a way whose price is not stated and may be higher."""
    prices = listed["prices"]
    if processing is not None and processing not in _STANDARD:
        prices = listed.get("processing", {}).get(processing) or (prices if processing in _CHEAPER else None)
    if prices is None:
        return None
    moment = table.moment if at is None else at.astimezone(UTC)
    return rates_of(holding(prices, moment), table.source, f"{table.about['provider']}/{listed['id']}")


def near_names(provider: str, model: str, user_prices: Mapping[str, UserPrice], snapshot: Snapshot) -> tuple[str, ...]:
    """Up to three `PROVIDER/MODEL` names with a price that look like this one, for a message; never used to price."""
    table = snapshot.get(provider)
    listed = [f"{provider}/{name}" for name in (table.names() if table else ())]
    wanted = f"{provider}/{model}"
    known = {*user_prices, *listed} - {wanted}
    # A name that this one begins with is what was meant more often than one that merely shares its letters.
    begun = sorted((name for name in known if wanted.startswith(name)), key=len, reverse=True)
    close = nearest(wanted, sorted(known), 3, closeness=0.7)
    return tuple(dict.fromkeys([*begun[:1], *close]))[:3]


def user_rates(price: UserPrice, name: str) -> Rates:
    """A price from the configuration as rates."""
    return Rates(
        price.input_usd_per_mtok,
        price.output_usd_per_mtok,
        price.cached_input_usd_per_mtok,
        price.cache_write_usd_per_mtok,
        source="config",
        matched_id=name,
    )


def rates_of(entry: Mapping[str, Any], source: str, name: str) -> Rates:
    """Rates from a table's text, with all their digits."""

    def rate(key: str) -> Decimal | None:
        return Decimal(entry[key]) if key in entry else None

    return Rates(
        Decimal(entry["input"]),
        Decimal(entry["output"]),
        rate("cached_input"),
        rate("cache_write"),
        source,
        name,
        tuple((tier["over"], rates_of(tier, source, name)) for tier in entry.get("above", ())),
        rate("cache_write_hour"),
    )


def holding(prices: Sequence[Mapping[str, Any]], moment: datetime) -> Mapping[str, Any]:
    """The one of a model's prices that counts at a moment in UTC."""
    return next((entry for entry in reversed(prices) if _holds(entry, moment)), prices[0])


def _holds(entry: Mapping[str, Any], moment: datetime) -> bool:
    if entry.get("from", "") > moment.date().isoformat():
        return False
    if "daily" not in entry:
        return True
    start, end = map(str, entry["daily"])
    now = moment.time().isoformat()  # sorts as it passes: "04:00" comes before "04:00:00"
    return start <= now < end if start <= end else now >= start or now < end
