"""Which names are priced: exact ids, listed aliases, real dates and versions; never what merely looks like them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrt.config import Price
from mrt.ledger import load_snapshot
from mrt.pricing import find_rates, near_names, priced_names

SNAPSHOT = load_snapshot()


@pytest.mark.parametrize(
    ("provider", "model", "matched"),
    [
        pytest.param("anthropic", "claude-haiku-4-5", "anthropic/claude-haiku-4-5", id="exact"),
        pytest.param("anthropic", "claude-haiku-4-5-20251001", "anthropic/claude-haiku-4-5", id="date"),
        pytest.param("openai", "gpt-5-2025-08-07", "openai/gpt-5", id="date with dashes"),
        pytest.param("anthropic", "claude-opus-4-5@20251101", "anthropic/claude-opus-4-5", id="version"),
        pytest.param("openrouter", "qwen/qwen3-coder", "openrouter/qwen/qwen3-coder", id="id with a slash"),
        pytest.param("anthropic", "claude-opus-4-5@2025-11-01", "anthropic/claude-opus-4-5", id="dashed version"),
        pytest.param("anthropic", "claude-opus-4-5@latest", "anthropic/claude-opus-4-5", id="latest version"),
        pytest.param("anthropic", "claude-opus-4-5@default", "anthropic/claude-opus-4-5", id="default version"),
        pytest.param("gemini", "gemini-2.5-pro@001", "gemini/gemini-2.5-pro", id="numbered version"),
        pytest.param("anthropic", "claude-opus-4-5@zzz", None, id="any word for a version"),
        pytest.param("anthropic", "claude-opus-4-5@20259999", None, id="a version that is no date"),
        pytest.param("anthropic", "claude-opus-4-5-20250229", None, id="29 February of a common year"),
        pytest.param("anthropic", "claude-opus-4-5-20240229", "anthropic/claude-opus-4-5", id="of a leap year"),
        pytest.param("anthropic", "claude-opus-4-5-20250431", None, id="31 April"),
        pytest.param("openai", "gpt-5-2025-02-30", None, id="30 February with dashes"),
        pytest.param("openai", "gpt-5-2025-0230", None, id="half dashed"),
        pytest.param("openai", "gpt-5-20250000", None, id="month zero"),
        pytest.param("openai", "gpt-5-20250807-20250807", None, id="two dates"),
        pytest.param("openai", "gpt-5-20250807\n", None, id="a line break behind it"),
        pytest.param("openai", "gpt-5-２０２５0807", None, id="digits of another script"),
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
    ("asked", "served", "own"),
    [
        pytest.param("gpt-4o", None, True, id="it does not say"),
        pytest.param("gpt-4o", "gpt-4o", True, id="the same"),
        pytest.param("gpt-4o", "gpt-4o-2024-08-06", True, id="dated"),
        pytest.param("gpt-4o-2024-08-06", "gpt-4o", True, id="undated"),
        pytest.param("gpt-4", "gpt-4-0613", True, id="short date"),
        pytest.param("gemini-2.0-flash", "models/gemini-2.0-flash-001", True, id="folder and number"),
        pytest.param("mistral-large-latest", "mistral-large-2411", True, id="latest"),
        pytest.param("openai/gpt-5", "gpt-5", True, id="without its maker"),
        pytest.param("gpt-5", "openai/gpt-5", True, id="with its maker"),
        pytest.param("llama-3.3-70b", "meta-llama/Llama-3.3-70B", True, id="other letters"),
        pytest.param("qwen3-8b", "/models/qwen3-8b.gguf", True, id="a file"),
        pytest.param("gpt-4o", "gpt-4o-mini", False, id="a smaller one"),
        pytest.param("claude-opus-4-5", "claude-opus-4-99", False, id="another version"),
        pytest.param("claude-opus-4", "claude-opus-4-5", False, id="a later version"),
        pytest.param("m", "mystery", False, id="a name that begins alike"),
        pytest.param("m", " ", False, id="a blank"),
    ],
)
def test_whose_price_an_answer_has(asked: str, served: str | None, own: bool) -> None:
    names = priced_names(asked, served)
    assert names[0] == (served or asked)
    assert (asked in names) is own


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
