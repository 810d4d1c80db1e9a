"""Prices: exact ids only, exact arithmetic, and unknown instead of zero."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrt.domain import Usage
from mrt.ledger import load_snapshot
from mrt.pricing import (
    PriceTable,
    Rates,
    bound_nano,
    cost_nano,
    find_rates,
    near_names,
    parse_reported,
    rates_record,
    with_hour_cache,
)
from mrt.pricing.convert import content_of

SNAPSHOT = load_snapshot()
TEN = Rates(Decimal(10), Decimal(50), Decimal(1), Decimal("12.5"))
FREE = Rates(Decimal(0), Decimal(0))
TIERED = Rates(
    Decimal(1), Decimal(2), above=((100, Rates(Decimal(5), Decimal(7))), (1000, Rates(Decimal(3), Decimal(9))))
)


@dataclass(frozen=True)
class Price:
    """A price as the configuration states it."""

    input_usd_per_mtok: Decimal
    output_usd_per_mtok: Decimal
    cached_input_usd_per_mtok: Decimal | None = None
    cache_write_usd_per_mtok: Decimal | None = None


@pytest.mark.parametrize(
    ("usage", "rates", "nano"),
    [
        pytest.param(Usage(1_000_000, 1_000_000), TEN, 60_000_000_000, id="a million each"),
        pytest.param(Usage(1, 0), TEN, 10_000, id="one token"),
        pytest.param(
            Usage(100, 0, cached_tokens=40), TEN, 60 * 10_000 + 40 * 1_000, id="cached tokens are part of the input"
        ),
        pytest.param(Usage(100, 0, cache_write_tokens=40), TEN, 60 * 10_000 + 40 * 12_500, id="written tokens too"),
        pytest.param(
            Usage(100, 0, cached_tokens=40), Rates(Decimal(10), Decimal(50)), 1_000_000, id="no cache rate: input rate"
        ),
        pytest.param(Usage(10, 0, cached_tokens=40), TEN, 10 * 1_000, id="never more cached than there is input"),
        pytest.param(
            Usage(10, 0, cached_tokens=8, cache_write_tokens=8),
            TEN,
            8 * 1_000 + 2 * 12_500,
            id="nor with what is written",
        ),
        pytest.param(Usage(10, 0, cached_tokens=-5), TEN, 100_000, id="negative cache counts are ignored"),
        pytest.param(Usage(0, 100, reasoning_tokens=90), TEN, 5_000_000, id="reasoning is part of the output"),
        pytest.param(Usage(1, 0), Rates(Decimal("0.0005"), Decimal(0)), 1, id="half a nano rounds up"),
        pytest.param(Usage(1, 0), Rates(Decimal("0.0004"), Decimal(0)), 0, id="less rounds down"),
        pytest.param(Usage(1, 1), Rates(Decimal("0.0003"), Decimal("0.0003")), 1, id="rounded once, not per part"),
        pytest.param(
            Usage(1, 0),
            Rates(Decimal("1000000000000.0004999999999999999999"), Decimal(0)),
            10**15,
            id="just below a half, beyond the usual 28 digits",
        ),
        pytest.param(Usage(100, 10), TIERED, 120_000, id="at the threshold"),
        pytest.param(Usage(101, 10), TIERED, 101 * 5_000 + 10 * 7_000, id="over it the whole request costs more"),
        pytest.param(Usage(1001, 10), TIERED, 1001 * 3_000 + 10 * 9_000, id="the highest threshold counts"),
        pytest.param(Usage(0, 0), TEN, 0, id="nothing used"),
        pytest.param(Usage(), TEN, None, id="nothing said"),
        pytest.param(Usage(), FREE, None, id="nothing said, though free"),
        pytest.param(Usage(100, None), TEN, None, id="output not said"),
        pytest.param(Usage(None, 100), TEN, None, id="input not said"),
        pytest.param(Usage(-1, 100), TEN, None, id="nonsense is not said"),
        pytest.param(Usage(1000, None), Rates(Decimal(1), Decimal(0)), 1_000_000, id="output not said, but free"),
    ],
)
def test_cost(usage: Usage, rates: Rates, nano: int | None) -> None:
    assert cost_nano(usage, rates) == nano


amounts = st.decimals(min_value=0, max_value=1000, allow_nan=False, allow_infinity=False, places=18)
counts = st.integers(min_value=0, max_value=10_000_000)
plain_rates = st.builds(Rates, amounts, amounts, st.none() | amounts, st.none() | amounts)
tiers = st.lists(st.tuples(st.integers(0, 10_000_000), plain_rates), max_size=3).map(tuple)
rates_of_all_kinds = st.builds(Rates, amounts, amounts, st.none() | amounts, st.none() | amounts, above=tiers)


@settings(deadline=None, max_examples=200)
@given(rates_of_all_kinds, counts, counts, counts, counts, st.data())
def test_a_cost_never_exceeds_its_bound(
    rates: Rates, most_in: int, most_out: int, cached: int, written: int, data: st.DataObject
) -> None:
    usage = Usage(
        data.draw(st.integers(0, most_in)),
        data.draw(st.integers(0, most_out)),
        cached_tokens=cached,
        cache_write_tokens=written,
    )
    cost = cost_nano(usage, rates)
    assert cost is not None
    assert 0 <= cost <= bound_nano(most_in, most_out, rates)


@settings(deadline=None, max_examples=200)
@given(amounts, amounts, counts, counts)
def test_a_cost_is_exact_to_half_a_nano_dollar(
    dollars_in: Decimal, dollars_out: Decimal, tokens_in: int, tokens_out: int
) -> None:
    exact = (Fraction(dollars_in) * tokens_in + Fraction(dollars_out) * tokens_out) * 1000
    cost = cost_nano(Usage(tokens_in, tokens_out), Rates(dollars_in, dollars_out))
    assert cost is not None
    assert -Fraction(1, 2) < cost - exact <= Fraction(1, 2)


@pytest.mark.parametrize(
    ("tokens_in", "nano"),
    [
        pytest.param(100, 100 * 1_000 + 10 * 2_000, id="below the threshold"),
        pytest.param(101, 101 * 5_000 + 10 * 7_000, id="over the first"),
        pytest.param(1001, 1001 * 5_000 + 10 * 7_000, id="fewer tokens than the bound may cost more"),
    ],
)
def test_bound_over_context_tiers(tokens_in: int, nano: int) -> None:
    assert bound_nano(tokens_in, 10, TIERED) == nano


def test_bound_rounds_up() -> None:
    assert bound_nano(1, 0, Rates(Decimal("0.0001"), Decimal(0))) == 1


@pytest.mark.parametrize(
    ("provider", "model", "matched"),
    [
        pytest.param("anthropic", "claude-haiku-4-5", "anthropic/claude-haiku-4-5", id="exact"),
        pytest.param("anthropic", "claude-haiku-4-5-20251001", "anthropic/claude-haiku-4-5", id="date"),
        pytest.param("openai", "gpt-5-2025-08-07", "openai/gpt-5", id="date with dashes"),
        pytest.param("anthropic", "claude-opus-4-5@20251101", "anthropic/claude-opus-4-5", id="version"),
        pytest.param("openrouter", "qwen/qwen3-coder", "openrouter/qwen/qwen3-coder", id="id with a slash"),
        pytest.param("anthropic", "claude-opus-9", None, id="new version"),
        pytest.param("anthropic", "claude-opus-4-99", None, id="version that looks like a suffix"),
        pytest.param("anthropic", "claude-opus-4", "anthropic/claude-opus-4-0", id="listed alias"),
        pytest.param("anthropic", "claude-3-5-haiku-20241022", "anthropic/claude-3-5-haiku-latest", id="dated alias"),
        pytest.param("anthropic", "claude-opus", None, id="prefix of a known id"),
        pytest.param("anthropic", "claude-sonnet-4-2025", None, id="half a date"),
        pytest.param("anthropic", "claude-sonnet-4-5-zzz", None, id="anything behind a known id"),
        pytest.param("openai", "gpt-4o-2024-13-01", None, id="no date"),
        pytest.param(
            "openai", "gpt-4o-2024-05-13", "openai/gpt-4o-2024-05-13", id="a dated id that costs something else"
        ),
        pytest.param("deepseek", "deepseek-v4-pro-anything", None, id="anything behind an id matched by its beginning"),
        pytest.param("gemini", "gemini-2.5-pro-zzz", None, id="anything behind an id of another provider"),
        pytest.param("gemini", "claude-opus-5", None, id="a model that this endpoint does not serve"),
        pytest.param("openrouter", "openrouter/auto", None, id="a router's choice"),
        pytest.param("openai", "whisper-1", None, id="priced by the hour"),
        pytest.param("openai", "\ud800", None, id="undecodable"),
        pytest.param("openai", "gpt-4o-20240806x", None, id="more than a date"),
        pytest.param("openai", "GPT-4o", None, id="other letters"),
        pytest.param("openai", "gpt-oss-20b", None, id="another provider's model"),
        pytest.param("ollama", "gpt-4o", None, id="another provider"),
        pytest.param("openai", "", None, id="no name"),
        pytest.param("openai", "@latest", None, id="nothing but a version"),
    ],
)
def test_only_exact_ids_are_priced(provider: str, model: str, matched: str | None) -> None:
    rates = find_rates(provider, model, {}, SNAPSHOT)
    assert (rates.matched_id if rates else None) == matched


@settings(deadline=None)
@given(
    st.sampled_from(sorted((provider, model) for provider, table in SNAPSHOT.items() for model in table.names())),
    st.text("abcxyz-._:/+", min_size=1, max_size=12),
)
def test_a_look_alike_is_never_priced(known: tuple[str, str], rest: str) -> None:
    provider, model = known
    for name in (model + rest, rest + model):
        listed = any(name.partition("@")[0] == known for known in SNAPSHOT[provider].names())
        assert (find_rates(provider, name, {}, SNAPSHOT) is not None) == listed


@pytest.mark.parametrize(
    ("model", "expected", "matched"),
    [
        pytest.param("gpt-4o", Decimal(1), "openai/gpt-4o", id="wins over the snapshot"),
        pytest.param("gpt-4o-2024-05-13", Decimal(1), "openai/gpt-4o", id="prices dated ids too"),
        pytest.param("gpt-4o-2024-08-06", Decimal(3), "openai/gpt-4o-2024-08-06", id="the exact one first"),
        pytest.param("gpt-5", Decimal("1.25"), "openai/gpt-5", id="others come from the snapshot"),
    ],
)
def test_a_users_price(model: str, expected: Decimal, matched: str) -> None:
    prices = {
        "openai/gpt-4o": Price(Decimal(1), Decimal(2), Decimal("0.5"), Decimal("1.5")),
        "openai/gpt-4o-2024-08-06": Price(Decimal(3), Decimal(4)),
    }
    rates = find_rates("openai", model, prices, SNAPSHOT)
    assert rates is not None
    assert (rates.input, rates.matched_id) == (expected, matched)


def test_a_users_price_keeps_its_cache_rates() -> None:
    prices = {"koala/gpt-4o": Price(Decimal(1), Decimal(2), Decimal("0.5"), Decimal("1.5"))}
    assert find_rates("koala", "gpt-4o", prices, {}) == Rates(
        Decimal(1), Decimal(2), Decimal("0.5"), Decimal("1.5"), source="config", matched_id="koala/gpt-4o"
    )


@pytest.mark.parametrize(
    ("model", "tokens_in", "dollars_in", "dollars_out"),
    [
        ("anthropic/claude-haiku-4-5", 0, "1", "5"),
        ("anthropic/claude-haiku-5-5", 100_000, "0.1", "0.5"),
        ("anthropic/claude-haiku-5-5", 100_001, "0.5", "2.5"),
        ("anthropic/claude-sonnet-4-6", 0, "3", "15"),
        ("anthropic/claude-opus-4-8", 0, "5", "25"),
        ("anthropic/claude-fable-5-1", 0, "10", "50"),
        ("openai/gpt-4o", 0, "2.5", "10"),
        ("openai/gpt-5.4", 272_001, "5", "22.5"),
        ("xai/grok-4.3", 0, "1.25", "2.5"),
        ("gemini/gemini-2.5-pro", 200_001, "2.5", "15"),
        ("gemini/gemini-3.6-flash", 0, "0.75", "3.75"),
        ("groq/openai/gpt-oss-20b", 0, "0.075", "0.3"),
    ],
)
def test_the_snapshot(model: str, tokens_in: int, dollars_in: str, dollars_out: str) -> None:
    provider, _, name = model.partition("/")
    rates = find_rates(provider, name, {}, SNAPSHOT)
    assert rates is not None
    record = rates_record(rates, tokens_in)
    assert {key: record[key] for key in ("id", "source", "input", "output")} == {
        "id": model,
        "source": "genai-prices 0.2.3 (2026-11-10)",
        "input": dollars_in,
        "output": dollars_out,
    }


def test_a_record_has_the_cache_rates_that_are_known() -> None:
    rates = find_rates("openai", "gpt-4o", {}, SNAPSHOT)
    assert rates is not None
    assert rates_record(rates)["cached_input"] == "1.25"
    assert "cache_write" not in rates_record(rates)


ABOUT = {"provider": "p", "source": "made up", "version": "1", "date": "2026-06-01"}


def table(*models: dict[str, object]) -> dict[str, PriceTable]:
    """A table of these models."""
    return {"p": PriceTable(content_of([ABOUT, *models]))}


def test_a_table_keeps_all_its_digits() -> None:
    made = table({"id": "m", "prices": [{"input": "0.123456789012345678", "output": "1"}]})
    rates = find_rates("p", "m", {}, made)
    assert rates is not None
    assert (rates.input, rates.source) == (Decimal("0.123456789012345678"), "made up 1 (2026-06-01)")


HISTORY = table(
    {
        "id": "dated",
        "prices": [
            {"input": "1", "output": "0"},
            {"input": "2", "output": "0", "from": "2026-05-01"},
            {"input": "3", "output": "0", "from": "2026-07-01"},
        ],
    },
    {
        "id": "hourly",
        "prices": [
            {"input": "1", "output": "0"},
            {"input": "2", "output": "0", "daily": ["01:00", "04:00"]},
            {"input": "3", "output": "0", "daily": ["22:30", "00:30"]},
        ],
    },
)


@pytest.mark.parametrize(
    ("model", "at", "dollars"),
    [
        pytest.param("dated", "2026-04-30T23:59:59.999999+00:00", 1, id="before the first change"),
        pytest.param("dated", "2026-05-01T00:00+00:00", 2, id="at the change"),
        pytest.param("dated", "2026-05-01T01:00+02:00", 1, id="its day is one in UTC"),
        pytest.param("dated", "2027-01-01T00:00+00:00", 3, id="after the last"),
        pytest.param("dated", None, 2, id="as of the table's own date"),
        pytest.param("hourly", "2026-05-01T00:59:59.999999+00:00", 1, id="before the hours"),
        pytest.param("hourly", "2026-05-01T01:00+00:00", 2, id="from their first moment"),
        pytest.param("hourly", "2026-05-01T03:59:59.999999+00:00", 2, id="to their last"),
        pytest.param("hourly", "2026-05-01T04:00+00:00", 1, id="not at their end"),
        pytest.param("hourly", "2026-05-01T23:00+00:00", 3, id="over midnight, before it"),
        pytest.param("hourly", "2026-05-01T00:29+00:00", 3, id="over midnight, after it"),
        pytest.param("hourly", "2026-05-01T00:30+00:00", 1, id="over midnight, at the end"),
    ],
)
def test_a_price_is_that_of_its_time(model: str, at: str | None, dollars: int) -> None:
    rates = find_rates("p", model, {}, HISTORY, None if at is None else datetime.fromisoformat(at))
    assert rates is not None
    assert rates.input == dollars


@pytest.mark.parametrize(
    ("model", "processing", "dollars"),
    [
        pytest.param("gpt-5.4", None, "2.5", id="usual"),
        pytest.param("gpt-5.4", "default", "2.5", id="the usual one by name"),
        pytest.param("gpt-5.4", "auto", "2.5", id="whatever it comes to"),
        pytest.param("gpt-5.4", "priority", "5", id="priority"),
        pytest.param("gpt-5.4", "flex", "1.25", id="flex"),
        pytest.param("gpt-4.5-preview", "flex", "75", id="a cheaper way that is not stated: at most the usual"),
        pytest.param("gpt-4.5-preview", "priority", None, id="a dearer way that is not stated"),
        pytest.param("gpt-5.4", "warp", None, id="a way that nobody knows"),
    ],
)
def test_ways_to_be_served(model: str, processing: str | None, dollars: str | None) -> None:
    rates = find_rates("openai", model, {}, SNAPSHOT, datetime(2026, 11, 20, tzinfo=UTC), processing)
    assert (None if rates is None else rates.input) == (None if dollars is None else Decimal(dollars))


def test_cache_entries_of_an_hour_cost_more() -> None:
    rates = find_rates("anthropic", "claude-haiku-5-5", {}, SNAPSHOT)
    assert rates is not None
    hour = with_hour_cache(rates)
    assert (rates.cache_write, hour.cache_write) == (Decimal("0.125"), Decimal("0.2"))
    assert hour.above[0][1].cache_write == 1
    assert with_hour_cache(TEN).cache_write == TEN.cache_write


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{", id="no JSON"),
        pytest.param(b"[]\n", id="no object"),
        pytest.param(b'{"provider": "p"}\n', id="without source and date"),
        pytest.param(b"\xff\xfe{}", id="no text"),
    ],
)
def test_no_table(content: bytes) -> None:
    with pytest.raises(ValueError):
        PriceTable(content)


def test_a_table_without_a_last_newline_has_its_last_model() -> None:
    made = PriceTable(content_of([ABOUT, {"id": "a", "prices": []}, {"id": "b", "aliases": ["c"], "prices": []}])[:-1])
    assert [made.find(name) is not None for name in ("a", "b", "c", "prices", "id")] == [True, True, True, False, False]
    assert list(made.names()) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("model", "near"),
    [
        pytest.param("claude-opus-4-9", "anthropic/claude-opus-4-8", id="a newer version"),
        pytest.param("claude-haiku-4-5-zzz", "anthropic/claude-haiku-4-5", id="something behind it"),
    ],
)
def test_near_names(model: str, near: str) -> None:
    names = near_names("anthropic", model, {}, SNAPSHOT)
    assert near in names
    assert len(names) <= 3


def test_near_names_know_the_users_and_never_the_name_itself() -> None:
    prices = {"koala/big-model": Price(Decimal(1), Decimal(1))}
    assert near_names("koala", "big-modle", prices, {}) == ("koala/big-model",)
    assert near_names("koala", "big-model", prices, {}) == ()


@pytest.mark.parametrize(
    ("value", "nano"),
    [
        pytest.param("0.001234", 1_234_000, id="text"),
        pytest.param(" 1.5 ", 1_500_000_000, id="text with blanks"),
        pytest.param("1e-7", 100, id="exponent"),
        pytest.param(0.1, 100_000_000, id="float as written"),
        pytest.param(2, 2_000_000_000, id="whole number"),
        pytest.param(Decimal("0.0000000005"), 1, id="half a nano"),
        pytest.param(0, 0, id="zero is an amount"),
        pytest.param("1e-999999", 0, id="next to nothing"),
        pytest.param("1000000", 10**15, id="the most that is believed"),
        pytest.param("1000000.01", None, id="more than that"),
        pytest.param("1e999999", None, id="absurd"),
        pytest.param("-0.01", None, id="negative"),
        pytest.param("NaN", None, id="no number"),
        pytest.param("sNaN", None, id="signalling no number"),
        pytest.param(float("nan"), None, id="float no number"),
        pytest.param("inf", None, id="infinite"),
        pytest.param(float("-inf"), None, id="negative infinite"),
        pytest.param("$0.01", None, id="currency sign"),
        pytest.param("", None, id="empty"),
        pytest.param(True, None, id="true"),
        pytest.param(None, None, id="nothing"),
        pytest.param({"usd": 1}, None, id="an object"),
    ],
)
def test_reported_amounts(value: object, nano: int | None) -> None:
    assert parse_reported(value) == nano


@settings(deadline=None)
@given(st.text())
def test_no_text_breaks_the_reading_of_amounts(text: str) -> None:
    amount = parse_reported(text)
    assert amount is None or amount >= 0
