"""Prices against genai-prices' own calculation, to the nano-dollar: every provider, its history, thresholds and speeds.

Deliberate differences, each of which is left out of the comparison or checked here:
  - genai-prices matches by beginnings and parts of names; we take only names that are spelled out (`test_no_look_alike`).
  - Reasoning tokens are output tokens to us. One model on OpenRouter bills them below its output rate; we stay above.
  - A batch or flex rate that is not stated is the usual rate to both; any other speed without a rate is unknown to us.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from mrt.domain import Usage
from mrt.ledger import load_snapshot
from mrt.pricing import PROVIDERS, Rates, cost_nano, find_listed, find_rates, with_hour_cache
from mrt.pricing.convert import THEIR_IDS, convert

SNAPSHOT = load_snapshot()
USAGES_PER_PROVIDER = 1500
CONTEXT = {
    "batch": ({"processing": "batch"},),
    "flex": ({"service_tier": "flex"},),
    "priority": ({"service_tier": "priority"},),
    "fast": ({"speed": "fast"}, {"service_tier": "fast"}),
}


@cache
def oracle(provider: str) -> Any:
    """Their provider."""
    from genai_prices.data import providers

    return next(found for found in providers if found.id == THEIR_IDS[provider])


def names(provider: str) -> list[str]:
    return list(SNAPSHOT[provider].names())


def turning_points(model: dict[str, Any]) -> tuple[list[datetime], list[int]]:
    """Moments and input sizes at which the price changes."""
    lists = [model["prices"], *model.get("processing", {}).values()]
    prices = [price for found in lists for price in found]
    dates = [datetime.fromisoformat(price["from"]).replace(tzinfo=UTC) for price in prices if "from" in price]
    times = [
        datetime.fromisoformat(f"2026-11-20T{time}").replace(tzinfo=UTC)
        for price in prices
        for time in price.get("daily", ())
    ]
    sizes = [tier["over"] for price in prices for tier in price.get("above", ())]
    return [datetime(2026, 11, 20, 12, tzinfo=UTC), *dates, *times], [1000, *sizes]


def cases(provider: str) -> Iterator[tuple[str, datetime, str | None, Usage]]:
    draw = random.Random(provider)
    table = SNAPSHOT[provider]
    every = names(provider)
    for number in range(USAGES_PER_PROVIDER):
        name = every[number % len(every)] if number < len(every) else draw.choice(every)
        model: Any = find_listed(table, name)
        moments, sizes = turning_points(model)
        moment = draw.choice(moments) + timedelta(seconds=draw.choice([-1, 0, 1, 3601, draw.randint(-(9**7), 9**7)]))
        tokens = max(0, draw.choice(sizes) + draw.choice([0, 1, -1, draw.randint(0, 500_000)]))
        cached = draw.choice([None, 0, tokens, draw.randint(0, tokens)])
        left = tokens - (cached or 0)
        written = draw.choice([None, 0, left, draw.randint(0, left)])
        speed = draw.choice([None, *model.get("processing", {})])
        yield name, moment, speed, Usage(tokens, draw.randint(0, 200_000), cached, written, source="reported")


def their_nano(
    provider: str, name: str, moment: datetime, context: dict[str, str] | None, usage: Usage, *, hour: bool = False
) -> int:
    from genai_prices import Usage as TheirUsage

    found = oracle(provider).find_model(name)
    assert found is not None
    calculation = found.calc_price(
        TheirUsage(
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cache_read_tokens=usage.cached_tokens,
            cache_write_tokens=usage.cache_write_tokens,
            cache_write_1h_tokens=usage.cache_write_tokens if hour else None,
        ),
        oracle(provider),
        genai_request_timestamp=moment,
        price_context=context,
    )
    return int((calculation.total_price * 10**9).to_integral_value(ROUND_HALF_UP))


def their_context(provider: str, name: str, speed: str | None) -> dict[str, str] | None:
    """The context that selects the speed for this model; `fast` is a speed to one provider, a tier to another."""
    if speed is None:
        return None
    stated = [variant.when for variant in oracle(provider).find_model(name).price_variants]
    return next(context for context in CONTEXT[speed] if context in stated)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_prices_equal_to_the_nano_dollar(provider: str) -> None:
    compared = 0
    for name, moment, speed, usage in cases(provider):
        rates = find_rates(provider, name, {}, SNAPSHOT, moment, speed)
        assert rates is not None
        theirs = their_nano(provider, name, moment, their_context(provider, name, speed), usage)
        assert (name, moment, speed, cost_nano(usage, rates)) == (name, moment, speed, theirs)
        compared += 1
    assert compared == USAGES_PER_PROVIDER


def has_hour(rates: Rates) -> bool:
    """Whether entries of an hour have a rate of their own at every size of a request."""
    return rates.cache_write_hour is not None and all(tier.cache_write_hour is not None for _, tier in rates.above)


def test_cache_entries_of_an_hour_are_equal_to_the_nano_dollar() -> None:
    compared = 0
    for name, moment, speed, usage in cases("anthropic"):
        rates = find_rates("anthropic", name, {}, SNAPSHOT, moment, speed)
        assert rates is not None
        if has_hour(rates):
            theirs = their_nano("anthropic", name, moment, their_context("anthropic", name, speed), usage, hour=True)
            assert (name, moment, speed, cost_nano(usage, with_hour_cache(rates))) == (name, moment, speed, theirs)
            compared += 1
    assert compared > USAGES_PER_PROVIDER // 2


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_dated_name_is_priced_as_they_price_it_or_not_at_all(provider: str) -> None:
    moment, usage = datetime(2026, 11, 20, tzinfo=UTC), Usage(1000, 1000, 0, 0, source="reported")
    every = names(provider)
    for name in random.Random(provider).sample(every, min(len(every), 120)):
        for suffix in ("-20991231", "-2099-12-31"):
            found = oracle(provider).find_model(name + suffix)
            rates = find_rates(provider, name + suffix, {}, SNAPSHOT, moment)
            assert rates is not None
            if found is not None:
                assert found is oracle(provider).find_model(name), (name, found.id)
                assert cost_nano(usage, rates) == their_nano(provider, name + suffix, moment, None, usage)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_no_look_alike_is_priced_though_they_match_some(provider: str) -> None:
    table = SNAPSHOT[provider]
    assert [
        name for name in names(provider) if find_listed(table, f"{name}-zzz") or find_listed(table, f"x{name}")
    ] == []


@pytest.mark.parametrize("provider", [name for name in PROVIDERS if name not in ("deepseek", "mistral", "openrouter")])
def test_what_is_left_out_has_a_reason(provider: str) -> None:
    listed = set(names(provider))
    for model in oracle(provider).models:
        if model.id in listed or oracle(provider).find_model(model.id) is not model:
            continue
        prices = model.prices if not isinstance(model.prices, list) else model.prices[-1].prices
        text_only = prices.input_mtok is not None and prices.output_mtok is not None
        other_output = [prices.output_audio_mtok, prices.output_image_mtok, prices.output_video_mtok]
        assert not text_only or any(other_output) or model.id.startswith(("claude", "gpt-oss")), model.id


def without_litellm(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: line[key] for key in line if key not in ("second", "max_output", "retires")} for line in lines]


def test_the_tables_are_what_the_script_makes_of_this_release() -> None:
    from genai_prices.data import providers

    tables = convert(
        providers, {key: SNAPSHOT["xai"].about[key] for key in ("source", "version", "date", "unit", "license")}
    )
    assert sorted(tables) == sorted(PROVIDERS)
    for name, lines in tables.items():
        assert [SNAPSHOT[name].about | {"second": ""}] == [lines[0] | {"second": ""}]
        assert without_litellm(list(SNAPSHOT[name].models())) == without_litellm(lines[1:])


def test_the_script_adds_what_litellm_knows(tmp_path: Path) -> None:
    from tools.make_prices import add_litellm

    table = tmp_path / "litellm" / "table.json"
    (tmp_path / "litellm").mkdir()
    (tmp_path / "litellm-1.2.3.dist-info").mkdir()
    litellm = {
        "groq/a": {
            "litellm_provider": "groq",
            "input_cost_per_token": Decimal("0.00000007500000001"),
            "output_cost_per_token": Decimal("3E-7"),
            "max_output_tokens": 100,
        },
        "groq/b": {"litellm_provider": "groq", "output_cost_per_token": 1, "deprecation_date": "2027-01-01"},
        "c": {"litellm_provider": "another", "max_output_tokens": 1},
    }
    about: dict[str, Any] = {}
    models: list[dict[str, Any]] = [{"id": "a", "aliases": ["b"]}, {"id": "c"}]
    add_litellm({"groq": [about, *models]}, litellm, table)
    assert about == {"second": "litellm 1.2.3"}
    assert models == [
        {
            "id": "a",
            "aliases": ["b"],
            "second": {"a": {"input": "0.075", "output": "0.3"}},
            "max_output": 100,
            "retires": "2027-01-01",
        },
        {"id": "c"},
    ]
