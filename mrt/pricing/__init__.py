"""Usage -> nano-dollars, or unknown: which rates apply to a model, and what they make of its tokens."""

from __future__ import annotations

from mrt.pricing.names import priced_names
from mrt.pricing.rates import (
    CEILING_NANO,
    Rates,
    UserPrice,
    bound_nano,
    cost_nano,
    is_consistent,
    parse_reported,
    rates_record,
    with_hour_cache,
)
from mrt.pricing.table import PROVIDERS, PriceTable, Snapshot, find_listed, find_rates, near_names, rates_at

__all__ = [
    "CEILING_NANO",
    "PROVIDERS",
    "PriceTable",
    "Rates",
    "Snapshot",
    "UserPrice",
    "bound_nano",
    "cost_nano",
    "find_listed",
    "find_rates",
    "is_consistent",
    "near_names",
    "parse_reported",
    "priced_names",
    "rates_at",
    "rates_record",
    "with_hour_cache",
]
