"""Rates per million tokens as LiteLLM's prices per token."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from mrt.exports.yaml_text import Field
from mrt.pricing import Rates

FREE = (Field("input_cost_per_token", 0, beside="free of charge"), Field("output_cost_per_token", 0))
_TOKENS = Decimal(1_000_000)
# The thresholds for which LiteLLM 1.106 has names, in thousands of input tokens, and those for which it has cache prices too.
_THRESHOLDS = (100, 128, 200, 272, 512)
_CACHED = frozenset({100, 200, 272})


def prices(rates: Rates) -> tuple[Field, ...]:
    """All rates of a model. Cache rates that are not stated are the input's, said so that no table of LiteLLM's own fills in.

    Where LiteLLM has no name for a threshold, the dearest rates hold from the first token on: limits must hold, too.
    """
    if unnamed(rates):
        rates = _dearest(rates)
    lines = [*_named(rates, ""), *(line for over, tier in rates.above for line in _above(tier, over))]
    if rates.cache_write_hour is not None:
        lines.append(Field("cache_creation_input_token_cost_above_1hr", rates.cache_write_hour / _TOKENS))
    return (lines[0]._replace(beside=_origin(rates)), *lines[1:])


def unnamed(rates: Rates) -> bool:
    """Whether a threshold of these rates has no name in LiteLLM."""
    return any(_thousands(over) is None for over, _ in rates.above)


def _thousands(over: int) -> int | None:
    """The threshold's name; the price lists say both "over 200000" and "over 199999"."""
    return next((name for name in _THRESHOLDS if over in (name * 1000, name * 1000 - 1)), None)


def _dearest(rates: Rates) -> Rates:
    every = [rates, *(tier for _, tier in rates.above)]
    return replace(
        rates,
        input=max(tier.input for tier in every),
        output=max(tier.output for tier in every),
        cached_input=max(_cached(tier) for tier in every),
        cache_write=max(_written(tier) for tier in every),
        above=(),
    )


def _cached(rates: Rates) -> Decimal:
    return rates.input if rates.cached_input is None else rates.cached_input


def _written(rates: Rates) -> Decimal:
    return rates.input if rates.cache_write is None else rates.cache_write


def _above(tier: Rates, over: int) -> Iterator[Field]:
    name = _thousands(over)
    lines = tuple(_named(tier, f"_above_{name}k_tokens"))
    return iter(lines if name in _CACHED else lines[:2])


def _named(rates: Rates, suffix: str) -> Iterator[Field]:
    yield Field(f"input_cost_per_token{suffix}", rates.input / _TOKENS)
    yield Field(f"output_cost_per_token{suffix}", rates.output / _TOKENS)
    yield Field(f"cache_read_input_token_cost{suffix}", _cached(rates) / _TOKENS)
    yield Field(f"cache_creation_input_token_cost{suffix}", _written(rates) / _TOKENS)


def _origin(rates: Rates) -> str:
    if rates.source == "config":
        return f"[prices] of the configuration: ${rates.input} in, ${rates.output} out per million tokens"
    return f"{rates.source}: {rates.matched_id}"
