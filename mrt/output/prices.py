"""The price of a model as people and scripts read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from mrt.output.console import Console
from mrt.pricing import Rates

if TYPE_CHECKING:
    from mrt.ledger.price_update import Update

_COLUMNS = ("input", "output", "cached input", "cache write", "cache write 1h")


class SourcePrice(NamedTuple):
    """What one source says; `verdict` is used, agree, disagree, or unchecked where there is nothing to compare."""

    source: str
    id: str
    rates: Rates
    verdict: str


class PriceView(NamedTuple):
    """Everything that is known of a model's price. `rates` is None for a local model, which is free."""

    model: str
    rates: Rates | None
    processing: Mapping[str, Rates]
    history: Sequence[tuple[str, Rates]]
    facts: Mapping[str, Any]
    sources: Sequence[SourcePrice]
    doubt: str | None = None


def show_prices(console: Console, view: PriceView, *, sources: bool) -> None:
    """The rates in use, and what each source says where that was asked for."""
    if console.mode == "json":
        console.envelope("spend", price_data(view))
    elif view.rates is None:
        console.result(f"{view.model} is free: its endpoint is local")
    else:
        console.result("\n".join(_lines(view, view.rates, sources)))


def show_update(console: Console, update: Update) -> None:
    """What a refresh brought."""
    changes = {
        name: {"added": added, "removed": removed, "changed": changed}
        for name, (added, removed, changed) in update.changes.items()
    }
    if console.mode == "json":
        data = {"source": update.source, "date": update.date, "folder": str(update.folder), "changes": changes}
        console.envelope("spend", data)
        return
    rows = [(name, *counts.values()) for name, counts in changes.items()]
    console.table(rows, ("provider", "new models", "gone", "other price"))
    console.note(f"wrote the tables of {update.source} to {update.folder}")


def price_data(view: PriceView) -> dict[str, Any]:
    """The view as `--json` prints it: rates are decimal strings in dollars per million tokens."""
    return {
        "model": view.model,
        "free": view.rates is None,
        "rates": None if view.rates is None else _rates_data(view.rates),
        "id": None if view.rates is None else view.rates.matched_id,
        "source": None if view.rates is None else view.rates.source,
        "processing": {name: _rates_data(rates) for name, rates in view.processing.items()},
        "history": [{"when": when, **_rates_data(rates)} for when, rates in view.history],
        "max_output": view.facts.get("max_output"),
        "context": view.facts.get("context"),
        "retires": view.facts.get("retires"),
        "sources": [
            {"source": found.source, "id": found.id, "verdict": found.verdict, **_rates_data(found.rates)}
            for found in view.sources
        ],
        "doubt": view.doubt,
    }


def _rates_data(rates: Rates) -> dict[str, Any]:
    amounts = dict(zip((name.replace(" ", "_") for name in _COLUMNS), map(_text, _amounts(rates)), strict=True))
    return {**amounts, "above": [{"over": over, **_rates_data(tier)} for over, tier in rates.above]}


def _lines(view: PriceView, rates: Rates, sources: bool) -> list[str]:
    lines = [f"{view.model}, in dollars per million tokens", _table(_rate_rows(view, rates), ("", *_COLUMNS))]
    lines.append(f"from {rates.source}, listed as {rates.matched_id}")
    lines += [f"{name.replace('_', ' ')}: {value}" for name, value in view.facts.items()]
    if view.doubt:
        lines.append(f"doubt: {view.doubt}")
    if len(view.history) > 1:
        rows = [(when, *_cells(past)) for when, past in view.history]
        lines += ["", _table(rows, ("when", *_COLUMNS))]
    if sources:
        rows = [(found.source, found.id, *_cells(found.rates)[:3], found.verdict) for found in view.sources]
        lines += ["", _table(rows, ("source", "listed as", *_COLUMNS[:3], "verdict"))]
    return lines


def _rate_rows(view: PriceView, rates: Rates) -> list[tuple[str, ...]]:
    above = [(f"over {over} input tokens", *_cells(tier)) for over, tier in rates.above]
    others = [(name, *_cells(found)) for name, found in view.processing.items()]
    return [("standard", *_cells(rates)), *above, *others]


def _table(rows: Sequence[Sequence[str]], headers: Sequence[str]) -> str:
    from tabulate import tabulate

    return str(tabulate(rows, headers=list(headers), disable_numparse=True))


def _amounts(rates: Rates) -> tuple[Decimal | None, ...]:
    return (rates.input, rates.output, rates.cached_input, rates.cache_write, rates.cache_write_hour)


def _cells(rates: Rates) -> tuple[str, ...]:
    *usual, hour = map(_text, _amounts(rates))
    return (*(text or "as input" for text in usual), hour or "-")


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else format(amount, "f")
