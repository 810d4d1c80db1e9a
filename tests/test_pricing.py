"""Prices: exact ids only, exact arithmetic, and unknown instead of zero."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrt.config import Price
from mrt.domain import Usage
from mrt.ledger import load_snapshot
from mrt.pricing import (
    PriceTable,
    Rates,
    bound_nano,
    cost_nano,
    find_rates,
    is_consistent,
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
        pytest.param(
            Usage(10, 0, cached_tokens=40), TEN, 10 * 10_000 + 40 * 1_000, id="more cached than input: beside it"
        ),
        pytest.param(
            Usage(10, 0, cached_tokens=8, cache_write_tokens=8),
            TEN,
            10 * 10_000 + 8 * 1_000 + 8 * 12_500,
            id="so with what is written",
        ),
        pytest.param(Usage(90, 10, cached_tokens=91), TIERED, 181 * 5_000 + 10 * 7_000, id="and that counts as input"),
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
@given(rates_of_all_kinds, counts, counts, st.data())
def test_a_cost_never_exceeds_its_bound(rates: Rates, most_in: int, most_out: int, data: st.DataObject) -> None:
    incoming, outgoing = data.draw(st.integers(0, most_in)), data.draw(st.integers(0, most_out))
    cached = data.draw(st.integers(0, incoming))
    usage = Usage(incoming, outgoing, cached, data.draw(st.integers(0, incoming - cached)))
    cost = cost_nano(usage, rates)
    assert is_consistent(usage)
    assert cost is not None
    assert 0 <= cost <= bound_nano(most_in, most_out, rates)


any_count = st.none() | st.integers(-(10**9), 10**9)


@settings(deadline=None, max_examples=300)
@given(plain_rates, counts, counts, any_count, any_count)
def test_no_cache_count_makes_a_call_cheaper_than_it_can_be(
    rates: Rates, incoming: int, outgoing: int, cached: int | None, written: int | None
) -> None:
    usage = Usage(incoming, outgoing, cached, written)
    cost = cost_nano(usage, rates)
    assert cost is not None
    cheapest = min(rate for rate in (rates.input, rates.cached_input, rates.cache_write) if rate is not None)
    floor = rates.input if not is_consistent(usage) else cheapest
    assert cost >= cost_nano(Usage(incoming, outgoing), replace(rates, input=floor))  # type: ignore[operator]


@pytest.mark.parametrize(
    ("usage", "consistent"),
    [
        pytest.param(Usage(10, 1), True, id="no cache"),
        pytest.param(Usage(10, 1, 6, 4), True, id="all of it"),
        pytest.param(Usage(10, 1, 11), False, id="more read than there is input"),
        pytest.param(Usage(10, 1, None, 11), False, id="more written"),
        pytest.param(Usage(10, 1, 6, 5), False, id="more of both"),
        pytest.param(Usage(10, 1, -1), False, id="negative"),
        pytest.param(Usage(10, 1, 5, -5), False, id="one negative"),
        pytest.param(Usage(None, 1, 5), False, id="input not said"),
    ],
)
def test_counts_that_contradict_each_other(usage: Usage, consistent: bool) -> None:
    assert is_consistent(usage) is consistent


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
    assert with_hour_cache(replace(TEN, cache_write_hour=Decimal(0))).cache_write == 0


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
