"""Budgets as LiteLLM can hold them: whatever a limit is on, its parts never allow more than it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from mrt.config import Budget, Config, LimitSettings
from mrt.exports.litellm_budgets import DAY, LONGEST_MONTH, MONTH, Cap, Paid, caps, dollars

AMOUNTS = st.none() | st.decimals(0, 100, places=3)
CLIENTS = st.sampled_from(["openai", "anthropic", "xai"])
CLOSED = st.sampled_from([None, None, "x"])


@st.composite
def budgets(draw: st.DrawFn) -> tuple[Config, list[Paid], frozenset[str]]:
    """A budget, limits on tiers and models, paid models at several clients, clients that free ones have too."""
    names = [f"t{number}" for number in range(draw(st.integers(1, 5)))]
    clients = {name: draw(CLIENTS) for name in names}
    paid = [Paid(name, client, f"{client}/{name}", draw(CLOSED)) for name, client in clients.items()]
    filters = st.builds(dict, tier=st.none() | st.sampled_from([*names, "t*"]), model=st.none() | st.just("openai/*"))
    limits = {
        name: LimitSettings(name, daily_usd=draw(AMOUNTS), monthly_usd=draw(AMOUNTS), **draw(filters)) for name in "ab"
    }
    config = Config(budget=Budget(daily_usd=draw(AMOUNTS), monthly_usd=draw(AMOUNTS)), limits=limits)
    return config, paid, frozenset(draw(st.sets(CLIENTS, max_size=2)))


def most(found: Any, paid: list[Paid], days: int) -> Decimal | None:
    """The most dollars that these models may spend together in so many days; None where nothing holds one of them."""
    total = Decimal(0)
    for client in {model.client for model in paid}:
        own = [model for model in paid if model.client == client]
        each = [found.tiers.get(model.tier) for model in own]
        spans = [None if cap is None else max(cap.nano, 0) * (days if cap.span == DAY else 1) for cap in each]
        pool = found.clients.get(client)
        alone = None if None in spans else sum(span for span in spans if span is not None)
        pooled = None if pool is None else max(pool.nano, 0) * days
        least = min((amount for amount in (alone, pooled) if amount is not None), default=None)
        if least is None:
            return None
        total += dollars(least)
    return total


@settings(deadline=None)
@given(budgets())
def test_what_the_caps_allow_together_is_within_every_limit(case: tuple[Config, list[Paid], frozenset[str]]) -> None:
    config, paid, free_clients = case
    found = caps(config, paid, free_clients)
    assert not set(found.clients) & free_clients
    limits: dict[str, Any] = {"": config.budget, **config.limits}
    for name, limit in limits.items():
        members = [model for model in paid if model.closed is None and (not name or is_under(model, limit))]
        for amount, days in ((limit.daily_usd, 1), (limit.monthly_usd, LONGEST_MONTH)):
            if amount is not None and members:
                allowed = most(found, members, days)
                assert allowed is not None
                assert allowed <= amount


def is_under(model: Paid, limit: LimitSettings) -> bool:
    """Whether a limit holds for a model."""
    tier = limit.tier in (None, "t*", model.tier)
    return tier and (limit.model is None or model.model.startswith("openai/"))


HAIKU, OPUS, GROK = (
    Paid("a", "anthropic", "anthropic/a"),
    Paid("b", "anthropic", "anthropic/b"),
    Paid("c", "xai", "xai/c"),
)


def allowed(found: Mapping[str, Cap]) -> dict[str, tuple[Decimal, str]]:
    """The caps as dollars in a span."""
    return {name: (dollars(cap.nano), cap.span) for name, cap in found.items()}


def test_one_client_gets_the_whole_day_and_its_models_share_the_month() -> None:
    found = caps(Config(budget=Budget(Decimal(5), Decimal(50))), [HAIKU, OPUS], frozenset())
    assert allowed(found.clients) == {"anthropic": (5, DAY)}
    assert allowed(found.tiers) == {"a": (25, MONTH), "b": (25, MONTH)}


def test_two_clients_share_the_day_by_their_models() -> None:
    found = caps(Config(budget=Budget(Decimal(6), None)), [HAIKU, OPUS, GROK], frozenset())
    assert allowed(found.clients) == {"anthropic": (4, DAY), "xai": (2, DAY)}
    assert not found.tiers


def test_a_client_with_free_models_is_left_open_and_its_paid_ones_are_not() -> None:
    found = caps(Config(budget=Budget(Decimal(6), Decimal(31))), [HAIKU, GROK], frozenset({"xai"}))
    assert allowed(found.clients) == {"anthropic": (3, DAY)}
    # Half a month's budget, a day at a time.
    assert allowed(found.tiers) == {"a": (Decimal("15.5"), MONTH), "c": (Decimal("0.5"), DAY)}


def test_a_limit_on_a_tier_is_that_tier_s() -> None:
    limits = {"dear": LimitSettings("dear", tier="b", daily_usd=Decimal(1))}
    found = caps(Config(budget=Budget(Decimal(5), None), limits=limits), [HAIKU, OPUS], frozenset())
    assert allowed(found.tiers) == {"a": (Decimal("2.5"), DAY), "b": (1, DAY)}


def test_a_closed_model_takes_no_share() -> None:
    closed = Paid("b", "xai", "xai/b", closed="no price")
    found = caps(Config(budget=Budget(Decimal(5), None)), [HAIKU, closed], frozenset())
    assert allowed(found.clients) == {"anthropic": (5, DAY)}
    assert found.tiers["b"].nano < 0
