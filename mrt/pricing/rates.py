"""What rates make of a call's tokens, exactly.

Rates are dollars per million tokens, so one token costs `rate * 1000` nano-dollars.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import ROUND_CEILING, ROUND_HALF_UP, Context, Decimal, InvalidOperation
from typing import Protocol

from mrt.domain import NANO_PER_USD, Usage
from mrt.frozen import frozen

# Nobody pays a million dollars for one call: a larger amount is a server's mistake, and would overflow a store's sums.
CEILING_NANO = 1_000_000 * NANO_PER_USD

_NANO_PER_TOKEN = Decimal(1000)
# Published rates carry up to 18 digits of float residue; the default 28 digits would round a product before we do.
_EXACT = Context(prec=80)


@frozen
class Rates:
    """Dollars per million tokens, where they come from and the id they were found under.

    A cache rate of None means that the input rate is charged. `cache_write_hour` is the rate of entries that are to last an
    hour; it takes part only `with_hour_cache`. `above` holds `(tokens, rates)` pairs: once a request's
    input exceeds `tokens`, the whole request costs those rates.
    """

    input: Decimal
    output: Decimal
    cached_input: Decimal | None = None
    cache_write: Decimal | None = None
    source: str = ""
    matched_id: str = ""
    above: tuple[tuple[int, Rates], ...] = ()
    cache_write_hour: Decimal | None = None


class UserPrice(Protocol):
    """A price the user stated, in dollars per million tokens."""

    @property
    def input_usd_per_mtok(self) -> Decimal: ...
    @property
    def output_usd_per_mtok(self) -> Decimal: ...
    @property
    def cached_input_usd_per_mtok(self) -> Decimal | None: ...
    @property
    def cache_write_usd_per_mtok(self) -> Decimal | None: ...


def cost_nano(usage: Usage, rates: Rates) -> int | None:
    """Nano-dollars of one call, rounded half up once; None when the usage does not say what was used.

    A single missing count makes the cost unknown too, unless that side is free: half a cost would be a false amount.
    Reasoning tokens are part of the output tokens. Cache counts that cannot be part of the input are charged beside it, which
    is the dearer reading; whether that was so is what `is_consistent` says.
    """
    cached, written = max(usage.cached_tokens or 0, 0), max(usage.cache_write_tokens or 0, 0)
    beside = 0 if is_consistent(usage) else cached + written
    tier = _tier(rates, (usage.input_tokens or 0) + beside)
    input_tokens = _known(usage.input_tokens, tier.input)
    output_tokens = _known(usage.output_tokens, tier.output)
    if input_tokens is None or output_tokens is None or (usage.input_tokens is None and usage.output_tokens is None):
        return None
    dollars = _sum(
        (input_tokens + beside - cached - written, tier.input),
        (cached, tier.input if tier.cached_input is None else tier.cached_input),
        (written, tier.input if tier.cache_write is None else tier.cache_write),
        (output_tokens, tier.output),
    )
    return int(dollars.to_integral_value(ROUND_HALF_UP, _EXACT))


def is_consistent(usage: Usage) -> bool:
    """Whether the cache counts can be part of the input; a cost made of others is an estimate at best."""
    cached, written = usage.cached_tokens or 0, usage.cache_write_tokens or 0
    return min(cached, written) >= 0 and cached + written <= (usage.input_tokens or 0)


def bound_nano(input_tokens: int, max_tokens: int, rates: Rates) -> int:
    """The most a call can cost in nano-dollars with at most so many tokens in and out, whatever the cache does."""
    reachable = [rates, *(tier for over, tier in rates.above if input_tokens > over)]
    bounds = (_sum((input_tokens, _dearest_input(tier)), (max_tokens, tier.output)) for tier in reachable)
    return int(max(bounds).to_integral_value(ROUND_CEILING, _EXACT))


def with_hour_cache(rates: Rates) -> Rates:
    """The rates of a request that asks for cache entries of an hour, where those have a rate of their own."""
    above = tuple((over, with_hour_cache(tier)) for over, tier in rates.above)
    hour = rates.cache_write if rates.cache_write_hour is None else rates.cache_write_hour
    return replace(rates, cache_write=hour, above=above)


def parse_reported(value: object) -> int | None:
    """Nano-dollars of an amount in dollars that a server reports, text or number; None when it is not credible."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float, Decimal)):
        return None
    try:
        dollars = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    if not dollars.is_finite() or not 0 <= dollars <= CEILING_NANO // NANO_PER_USD:
        return None
    return int(_EXACT.multiply(dollars, Decimal(NANO_PER_USD)).to_integral_value(ROUND_HALF_UP, _EXACT))


def rates_record(rates: Rates, input_tokens: int = 0) -> dict[str, str]:
    """The rates that apply to a request with so many input tokens, as text to keep with the call."""
    tier = _tier(rates, input_tokens)
    amounts = {
        "input": tier.input,
        "output": tier.output,
        "cached_input": tier.cached_input,
        "cache_write": tier.cache_write,
    }
    stated = {name: format(rate, "f") for name, rate in amounts.items() if rate is not None}
    return {"id": rates.matched_id, "source": rates.source, **stated}


def _known(tokens: int | None, rate: Decimal) -> int | None:
    """A count to charge; a missing or impossible one is 0 only where it costs nothing."""
    if tokens is None or tokens < 0:
        return None if rate else 0
    return tokens


def _tier(rates: Rates, input_tokens: int) -> Rates:
    """The rates of the highest threshold that the input exceeds."""
    exceeded = [(over, tier) for over, tier in rates.above if input_tokens > over]
    return max(exceeded, key=lambda pair: pair[0])[1] if exceeded else rates


def _dearest_input(rates: Rates) -> Decimal:
    return max(rate for rate in (rates.input, rates.cached_input, rates.cache_write) if rate is not None)


def _sum(*parts: tuple[int, Decimal]) -> Decimal:
    """Nano-dollars of `(tokens, rate)` parts, exactly."""
    total = Decimal(0)
    for tokens, rate in parts:
        total = _EXACT.fma(Decimal(tokens), _EXACT.multiply(rate, _NANO_PER_TOKEN), total)
    return total
