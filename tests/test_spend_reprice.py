"""How a request was served decides its price, at its time and ever after: service tiers, cache entries of an hour, fallbacks."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from rig.command import Home
from rig.home_setup import calls, configure, run_here
from rig.loopback import Response, ScriptedServer
from rig.responses import anthropic_sse, sse
from rig.wire_anthropic import end, start
from rig.wire_anthropic import say as say_anthropic
from rig.wire_chat import DONE, STOP, counts, say
from spend_kit import spend

NOTHING = "no call would cost anything else\n"
# Of gpt-5.4, in nano-dollars a token, by the table of 2026-11-10.
STANDARD, PRIORITY, FLEX = (2_500, 15_000), (5_000, 30_000), (1_250, 7_500)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as running:
        yield running


def told(**fields: Any) -> Response:
    """A whole answer with 1000 tokens in and 100 out; `fields` stand in each chunk."""
    events = [*say("It rains."), STOP, {"choices": [], "usage": counts(1000, 100)}]
    return sse([*({**event, **fields} for event in events), DONE])


def ask(home: Home, server: ScriptedServer, *options: str | Path) -> Mapping[str, Any]:
    """The one booked call of an ask."""
    environment = {
        "OPENAI_BASE_URL": f"{server.url}/v1",
        "OPENAI_API_KEY": "sk-none",
        "ANTHROPIC_BASE_URL": server.url,
        "ANTHROPIC_API_KEY": "sk-none",
    }
    result = run_here(home, "ask", "weather?", "--no-probe", *options, env=environment)
    assert result.exit_code == 0, result.stderr
    (row,) = calls(home)
    return row


@pytest.mark.parametrize(
    ("wanted", "served", "rates"),
    [
        pytest.param(None, None, STANDARD, id="not asked, not said"),
        pytest.param("flex", None, FLEX, id="flex"),
        pytest.param("priority", None, PRIORITY, id="priority"),
        pytest.param("auto", "default", STANDARD, id="auto came to the usual"),
        pytest.param("auto", "priority", PRIORITY, id="auto came to priority"),
        pytest.param(None, "priority", PRIORITY, id="a project whose requests all go first"),
        pytest.param("priority", "default", STANDARD, id="priority was not to be had"),
        pytest.param("flex", "flex", FLEX, id="flex, and said"),
        pytest.param("flex", "on_demand", FLEX, id="a word that tells nothing"),
        pytest.param("priority", "", PRIORITY, id="an empty word"),
        pytest.param("priority", 7, PRIORITY, id="no word"),
    ],
)
def test_the_service_tier_that_served_is_priced(
    store_home: Home, server: ScriptedServer, wanted: str | None, served: Any, rates: tuple[int, int]
) -> None:
    server.routes["*"] = told() if served is None else told(service_tier=served)
    options = () if wanted is None else ("-o", f"service_tier={wanted}")
    row = ask(store_home, server, "-m", "openai/gpt-5.4", *options)
    assert (row["cost_state"], row["cost_nano"]) == ("priced", 1000 * rates[0] + 100 * rates[1])
    assert spend(store_home, "reprice", "--dry-run").stdout == NOTHING


def test_a_service_tier_without_a_price_is_unknown(store_home: Home, server: ScriptedServer) -> None:
    server.routes["*"] = told(service_tier="priority")
    row = ask(store_home, server, "-m", "openai/gpt-4.5-preview")
    assert (row["cost_state"], row["cost_nano"]) == ("unknown", None)
    assert json.loads(row["rates"]) == {"processing": "priority"}
    assert spend(store_home, "reprice", "--dry-run").stdout == NOTHING
    why = spend(store_home, "why", row["id"]).stdout
    assert "   cost        unknown\n" in why
    assert "   rates       none\n" in why


def test_why_says_how_it_was_served(store_home: Home, server: ScriptedServer) -> None:
    server.routes["*"] = told()
    row = ask(store_home, server, "-m", "openai/gpt-5.4", "-o", "service_tier=flex")
    assert "openai/gpt-5.4, served as flex)\n" in spend(store_home, "why", row["id"]).stdout


def test_cache_entries_of_an_hour_keep_their_price(store_home: Home, server: ScriptedServer) -> None:
    usage = {"input_tokens": 10, "cache_creation_input_tokens": 1000, "cache_read_input_tokens": 0}
    server.routes["*"] = anthropic_sse(
        [start("claude-haiku-4-5-20251001", **usage), *say_anthropic("It rains."), *end()]
    )
    hour = 'cache_control={"type": "ephemeral", "ttl": "1h"}'
    row = ask(store_home, server, "-m", "anthropic/claude-haiku-4-5", "-o", hour)
    # $1 a million in, $2 written for an hour, $5 out.
    assert row["cost_nano"] == 10 * 1_000 + 1000 * 2_000 + 5 * 5_000
    assert spend(store_home, "reprice", "--dry-run").stdout == NOTHING
    assert "cache entries of 1h)\n" in spend(store_home, "why", row["id"]).stdout


@pytest.mark.parametrize("served", ["gpt-9-secret", "gpt-5.4-mini-2026-03-17", "gpt-5.4-2026-03-05"])
def test_a_fallback_is_never_repriced_as_the_one_asked(store_home: Home, server: ScriptedServer, served: str) -> None:
    server.routes["*"] = told(model=served)
    row = ask(store_home, server, "-m", "openai/gpt-5.4")
    assert (row["cost_nano"] is None) == (served == "gpt-9-secret")
    assert spend(store_home, "reprice", "--dry-run").stdout == NOTHING


def test_a_price_that_is_stated_later_is_shown(store_home: Home, server: ScriptedServer) -> None:
    server.routes["*"] = told(model="gpt-9-secret")
    ask(store_home, server, "-m", "openai/gpt-5.4")
    configure(store_home, {'prices."openai/gpt-9-secret"': {"input_usd_per_mtok": 1, "output_usd_per_mtok": 1}})
    assert spend(store_home, "reprice", "--dry-run", "--json").data["differences"] == [
        {"model": "openai/gpt-5.4", "calls": 1, "booked_usd": None, "unpriced_calls": 1, "now_usd": "0.0011"}
    ]


def test_a_model_that_is_configured_no_more_has_the_users_price(store_home: Home, server: ScriptedServer) -> None:
    price = {'prices."gone/m"': {"input_usd_per_mtok": 1, "output_usd_per_mtok": 1}}
    server.routes["*"] = told()
    configure(store_home, {"endpoints.gone": {"kind": "openai", "url": server.url, "local": False}} | price)
    assert ask(store_home, server, "-m", "gone/m")["cost_nano"] == 1_100_000
    configure(store_home, price)
    assert spend(store_home, "reprice", "--dry-run").stdout == NOTHING


@pytest.mark.parametrize(
    ("cost", "state", "usd"),
    [
        pytest.param({"cost": 0.02}, "reported", "0.02", id="charged"),
        pytest.param({"cost": 0.02, "is_byok": False}, "reported", "0.02", id="on the account"),
        pytest.param(
            {"cost": 0.02, "is_byok": False, "cost_details": {"upstream_inference_cost": 0.02}},
            "reported",
            "0.02",
            id="on the account, with details",
        ),
        pytest.param(
            {"cost": 0.001, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.02}},
            "reported",
            "0.021",
            id="a fee, and the rest on a key of one's own",
        ),
        pytest.param(
            {"cost": 0, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.02}},
            "reported",
            "0.02",
            id="no fee",
        ),
        pytest.param({"cost": 0.001, "is_byok": True}, "priced", "0.0011", id="a fee, the rest not said"),
        pytest.param(
            {"cost": 0.001, "is_byok": True, "cost_details": {"upstream_inference_cost": None}},
            "priced",
            "0.0011",
            id="a fee, the rest null",
        ),
    ],
)
def test_a_fee_is_not_the_whole(
    store_home: Home, server: ScriptedServer, cost: Mapping[str, Any], state: str, usd: str
) -> None:
    usage = counts(1000, 100) | dict(cost)
    server.routes["*"] = sse([*say("It rains."), STOP, {"choices": [], "usage": usage}, DONE])
    endpoint = {"kind": "openai", "url": server.url, "local": False}
    prices = {'prices."router/m"': {"input_usd_per_mtok": 1, "output_usd_per_mtok": 1}}
    configure(store_home, {"endpoints.router": endpoint} | prices)
    row = ask(store_home, server, "-m", "router/m")
    assert (row["cost_state"], row["cost_nano"]) == (state, round(float(usd) * 1e9))
