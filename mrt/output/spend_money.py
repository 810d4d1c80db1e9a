"""Amounts and counts for people: never a zero that is none."""

from __future__ import annotations

from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from mrt.domain import NANO_PER_USD

if TYPE_CHECKING:
    from mrt.ledger.queries import Totals


def amount(nano: int, *, at_least: bool = False) -> str:
    """Dollars: cents from one dollar on, three significant digits below; `at_least` rounds down."""
    dollars = Decimal(abs(nano)) / NANO_PER_USD
    sign = "-" if nano < 0 else ""
    if not nano:
        return "$0"
    places = 2 if dollars >= 1 else max(2, 2 - dollars.adjusted())
    step = Decimal(1).scaleb(-places)
    rounded = dollars.quantize(step, ROUND_FLOOR if at_least else ROUND_HALF_UP)
    text = f"{rounded:,f}"
    if dollars < 1 and places > 2:
        whole, _, fraction = text.partition(".")
        text = f"{whole}.{fraction.rstrip('0').ljust(2, '0')}"
    return f"{sign}${text}"


def at_least(nano: int, unpriced_calls: int) -> str:
    """An amount of which a part may be unknown."""
    if not unpriced_calls:
        return amount(nano)
    return f"≥ {amount(nano, at_least=True)}" if nano else "unknown"


def cost(totals: Totals) -> str:
    """The cost of many calls, and how it is known."""
    if totals.unpriced_calls:
        return f"{at_least(totals.cost_nano, totals.unpriced_calls)} ({count(totals.unpriced_calls, 'call')} unpriced)"
    if not totals.calls:
        return "$0"
    if totals.state == "free":
        return "no API cost"
    about = "about " if totals.estimated_calls else ""
    return f"{about}{amount(totals.cost_nano)}"


def count(number: int, noun: str) -> str:
    """1 call, 2 calls, 1,200 calls."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def percent(part: int, whole: int) -> str:
    """A share, never rounded to all or nothing unless it is."""
    if not whole:
        return "-"
    share = round(100 * part / whole)
    if part and not share:
        return "< 1 %"
    if part < whole and share == 100:
        return "> 99 %"
    return f"{share} %"
