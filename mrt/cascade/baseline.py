"""What an accepted answer would have cost had everything gone to the strongest paid tier, as an honest range.

Another model counts tokens in its own way and answers at its own length. The range spans a fifth less to a quarter more
input, and half to double the output; its low end keeps cached tokens cached, its high end caches nothing.
"""

from __future__ import annotations

from mrt.cascade.job import World
from mrt.cascade.prices import asked, rates_for
from mrt.domain import Attempt, Target, Usage
from mrt.endpoints import resolve
from mrt.errors import MrtError
from mrt.ledger import Baseline
from mrt.pricing import Rates, cost_nano, rates_record


def baseline_of(attempt: Attempt, world: World) -> Baseline | None:
    """The last tier that costs money, at today's price; None without one, without its price or without token counts."""
    target = _strongest_paid(world) if attempt.outcome == "accepted" else None
    if target is None:
        return None
    rates = rates_for(asked(target, world), world.config, world.environment)
    low, high = _range(attempt, target.name, rates)
    if low is None or high is None:
        return None
    return Baseline(target.name, low, high, rates_record(rates, attempt.usage.input_tokens or 0) if rates else {})


def _strongest_paid(world: World) -> Target | None:
    for tier in reversed(world.config.tiers):
        try:
            target = resolve(tier.name, world.config, world.environment)
        except MrtError:  # a tier that cannot be asked is nobody's alternative
            continue
        if not target.local:
            return target
    return None


def _range(attempt: Attempt, baseline: str, rates: Rates | None) -> tuple[int | None, int | None]:
    if attempt.model == baseline:  # it did go there: no guess
        return attempt.cost.nano, attempt.cost.nano
    usage = attempt.usage
    if rates is None or usage.input_tokens is None or usage.output_tokens is None:
        return None, None
    cached = (usage.cached_tokens or 0) * 4 // 5
    fewer = Usage(usage.input_tokens * 4 // 5, usage.output_tokens // 2, cached, source="estimated")
    more = Usage(-(-usage.input_tokens * 5 // 4), usage.output_tokens * 2, source="estimated")
    return cost_nano(fewer, rates), cost_nano(more, rates)
