"""What an answer cost, by who really gave it, how often it was sent and all that was counted: from `mrt ask` to the ledger."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from rig.command import Home
from rig.home_setup import calls, configure, ladder, run_here, says
from rig.loopback import Response, ScriptedServer, in_turn
from rig.responses import anthropic_sse, json_response, ndjson, sse
from rig.wire_anthropic import block, start
from rig.wire_chat import DONE, STOP, counts, say

RATES = {"input_usd_per_mtok": 1000, "output_usd_per_mtok": 2000}
CHEAP = {"input_usd_per_mtok": 1, "output_usd_per_mtok": 2}


def paid(home: Home, server: ScriptedServer, model: str = "m", **more: Mapping[str, Any]) -> None:
    """One paid tier `gw/MODEL`, at a tenth of a cent a token in and a fifth out, with at most 100 tokens."""
    tables = {
        "tiers.only": {"model": f"gw/{model}", "max_tokens": 100},
        "endpoints.gw": {"kind": "openai", "url": server.url, "local": False},
        f'prices."gw/{model}"': RATES,
        "ask": {"retries": 2},
    }
    configure(home, tables | more)


def told(usage: Mapping[str, Any], served: str | None = None) -> Response:
    """A whole answer with this usage, by this model."""
    named = {} if served is None else {"model": served}
    events = [*say("It rains."), STOP, {"choices": [], "usage": usage}]
    return sse([*({**event, **named} for event in events), DONE])


def ask(home: Home, *options: str | Path, env: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The data of one ask, and of its calls by `mrt spend why`."""
    result = run_here(home, "ask", "--json", "--no-probe", *options, "weather?", env=env)
    data: dict[str, Any] = json.loads(result.stdout)["data"]
    why = json.loads(run_here(home, "spend", "why", data["id"], "--json", env=env).stdout)["data"]
    return {"stderr": result.stderr, "exit_code": result.exit_code, "calls": why["calls"], **data}


# --- every token that is billed


@pytest.mark.parametrize(
    ("usage", "incoming", "outgoing", "reasoning"),
    [
        pytest.param(
            counts(100, 70, completion_tokens_details={"reasoning_tokens": 50}), 100, 70, 50, id="openai: inside"
        ),
        pytest.param(
            counts(100, 20, completion_tokens_details={"reasoning_tokens": 50}) | {"total_tokens": 170},
            100,
            70,
            50,
            id="xai: beside the completion",
        ),
        pytest.param(counts(100, 20) | {"total_tokens": 170}, 100, 70, None, id="gemini: in the total alone"),
        pytest.param(
            counts(100, 20, completion_tokens_details={"reasoning_tokens": 20}) | {"total_tokens": 140},
            100,
            40,
            20,
            id="beside it, and as many",
        ),
        pytest.param(
            counts(100, 20, completion_tokens_details={"reasoning_tokens": 40}) | {"total_tokens": 170},
            100,
            70,
            40,
            id="beside it, and something more",
        ),
        pytest.param(
            {"prompt_tokens": 100, "completion_tokens": 20, "completion_tokens_details": {"reasoning_tokens": 50}},
            100,
            70,
            50,
            id="more than the completion, without a total",
        ),
        pytest.param(counts(100, 20, completion_tokens_details={"reasoning_tokens": 0}), 100, 20, 0, id="no reasoning"),
        pytest.param(counts(100, 20) | {"total_tokens": 0}, 100, 20, None, id="a total of nothing"),
        pytest.param(counts(100, 20) | {"total_tokens": "170"}, 100, 20, None, id="a total that is none"),
        pytest.param(
            counts(100, 20, prompt_tokens_details={"cached_tokens": 50}) | {"total_tokens": 170},
            150,
            20,
            None,
            id="cached input beside the prompt",
        ),
        pytest.param(
            counts(100, 20, cache_creation_input_tokens=30, prompt_tokens_details={"cached_tokens": 20})
            | {"total_tokens": 170},
            150,
            20,
            None,
            id="read and written beside the prompt",
        ),
    ],
)
def test_every_token_is_charged_once(
    store_home: Home, usage: dict[str, Any], incoming: int, outgoing: int, reasoning: int | None
) -> None:
    with ScriptedServer({"*": told(usage)}) as server:
        paid(store_home, server)
        data = ask(store_home)
    (call,) = data["calls"]
    found = call["usage"]
    assert (found["input_tokens"], found["output_tokens"], found["reasoning_tokens"]) == (incoming, outgoing, reasoning)
    assert found["source"] == "reported"
    (row,) = calls(store_home)
    assert (row["cost_state"], row["cost_nano"]) == ("priced", incoming * 1_000_000 + outgoing * 2_000_000)


@pytest.mark.parametrize(
    "usage",
    [
        pytest.param(counts(100, 20, prompt_tokens_details={"cached_tokens": 500}), id="read"),
        pytest.param(counts(100, 20, cache_creation_input_tokens=500), id="written"),
        pytest.param(
            counts(100, 20, prompt_tokens_details={"cached_tokens": 60, "cache_write_tokens": 60}), id="together"
        ),
    ],
)
def test_impossible_cache_counts_make_nothing_cheaper(store_home: Home, usage: dict[str, Any]) -> None:
    rates = RATES | {"cached_input_usd_per_mtok": 1, "cache_write_usd_per_mtok": 1}
    with ScriptedServer({"*": told(usage)}) as server:
        paid(store_home, server, **{'prices."gw/m"': rates})
        ask(store_home)
    (row,) = calls(store_home)
    assert row["cost_state"] == "estimated"
    assert row["cost_nano"] > 100 * 1_000_000 + 20 * 2_000_000


# --- who answered


@pytest.mark.parametrize(
    "served",
    [
        "gpt-4o",
        "gpt-4o-2024-08-06",
        "openai/gpt-4o",
        "azure/gpt-4o-2024-11-20",
        "GPT-4o",
        "gpt-4o-latest",
        "gpt-4o-0806",
    ],
)
def test_another_spelling_is_the_same_model(store_home: Home, served: str) -> None:
    with ScriptedServer({"*": told(counts(10, 5), served)}) as server:
        paid(store_home, server, "gpt-4o")
        assert ask(store_home)["cost"] == {"state": "priced", "usd": "0.02"}


@pytest.mark.parametrize("served", ["gpt-4o-mini", "mystery-9", "anthropic/claude-opus-9", "gpt-4.1"])
def test_a_fallback_of_unknown_price_is_unknown_and_keeps_its_bound(store_home: Home, served: str) -> None:
    with ScriptedServer({"*": told(counts(10, 5), served)}) as server:
        paid(store_home, server, "gpt-4o", budget={"daily_usd": 0.5, "monthly_usd": "none"})
        data = ask(store_home)
        assert (data["exit_code"], data["cost"]) == (0, {"state": "unknown", "usd": None})
        assert f"gw/gpt-4o was answered by {served}, so its cost is not known" in data["stderr"]
        assert f'[prices."gw/{served}"]' in data["stderr"]
        (call,) = data["calls"]
        assert (call["served_model"], call["cost"], call["rates"]) == (served, {"state": "unknown", "usd": None}, None)
        bound = float(call["reserved_usd"])
        assert 0.25 < bound < 0.5
        report = json.loads(run_here(store_home, "spend", "--today", "--json").stdout)["data"]
        assert report["total"]["unpriced_calls"] == 1
        (line,) = report["budgets"]
        assert float(line["reserved_usd"]) == bound
        assert run_here(store_home, "ask", "again").exit_code == 5
        assert len(server.requests) == 1


@pytest.mark.parametrize("served", ["small", "small-2026-01-31", "vendor/small"])
def test_a_fallback_with_a_price_has_its_own(store_home: Home, served: str) -> None:
    with ScriptedServer({"*": told(counts(10, 5), served)}) as server:
        paid(store_home, server, **{'prices."gw/small"': CHEAP})
        data = ask(store_home)
    assert data["cost"] == {"state": "priced", "usd": "0.00002"}
    assert data["calls"][0]["price_reference"] == "config: gw/small"
    assert data["stderr"] == ""


def test_llamacpp_has_one_model_whatever_it_is_called(store_home: Home) -> None:
    with ScriptedServer({"*": told(counts(10, 5), "/srv/weights.gguf")}) as server:
        paid(store_home, server, **{"endpoints.gw": {"kind": "llamacpp", "url": server.url, "local": False}})
        assert ask(store_home)["cost"] == {"state": "priced", "usd": "0.02"}


def test_the_fallback_that_anthropic_names(store_home: Home) -> None:
    ending = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 5}}
    events = [
        start(),
        block(0, "fallback", **{"from": {"model": "claude-opus-4-5"}, "to": {"model": "claude-secret-1"}}),
        block(1, "text", text="It rains."),
        ending,
        {"type": "message_stop"},
    ]
    with ScriptedServer({"*": anthropic_sse(events)}) as server:
        env = {"ANTHROPIC_BASE_URL": server.url, "ANTHROPIC_API_KEY": "sk-ant-none"}
        data = ask(store_home, "-m", "anthropic/claude-opus-4-5", env=env)
    assert (data["served_model"], data["cost"]["state"]) == ("claude-secret-1", "unknown")


def test_a_served_name_cannot_fake_a_report(store_home: Home) -> None:
    with ScriptedServer({"*": told(counts(10, 5), "x\n   cost        $0\x1b[2K\u202e")}) as server:
        paid(store_home, server)
        identity = ask(store_home)["id"]
    why = run_here(store_home, "spend", "why", identity).stdout
    assert "   served by   x cost $0 [2K\n" in why
    assert [line for line in why.splitlines() if line.startswith("   cost")] == ["   cost        unknown"]


# --- how often it was sent


@pytest.mark.parametrize("status", [500, 502, 520])
def test_each_request_that_may_cost_is_booked(store_home: Home, status: int) -> None:
    failed = json_response(status, {"error": "it broke"}, {"retry-after-ms": "1"})
    with ScriptedServer({"*": in_turn(failed, failed, says("It rains."))}) as server:
        paid(store_home, server)
        data = ask(store_home)
        assert (data["exit_code"], len(server.requests)) == (0, 3)
    answer, *repeats = sorted(calls(store_home), key=lambda row: row["purpose"])
    assert (answer["purpose"], answer["cost_state"], answer["cost_nano"]) == ("ask", "priced", 18_000_000)
    assert len(repeats) == 2
    for row in repeats:
        assert (row["purpose"], row["state"], row["outcome"], row["check_name"]) == (
            "retry",
            "failed",
            "failed",
            "upstream",
        )
        assert (row["cost_state"], row["cost_nano"]) == ("estimated", answer["reserved_nano"])
        assert row["operation_id"] == answer["operation_id"]
    total = answer["cost_nano"] + 2 * answer["reserved_nano"]
    assert round(float(data["cost"]["usd"]) * 1e9) == total
    assert data["cost"]["state"] == "estimated"
    report = json.loads(run_here(store_home, "spend", "--today", "--json").stdout)["data"]
    assert round(float(report["total"]["cost"]["usd"]) * 1e9) == total
    assert (report["total"]["calls"], report["total"]["answers"], report["total"]["escalations"]) == (3, 1, 0)


@pytest.mark.parametrize("status", [429, 503, 529])
def test_a_request_that_was_turned_down_costs_nothing(store_home: Home, status: int) -> None:
    busy = json_response(status, {"error": "busy"}, {"retry-after-ms": "1"})
    with ScriptedServer({"*": in_turn(busy, busy, says("It rains."))}) as server:
        paid(store_home, server)
        assert ask(store_home)["cost"] == {"state": "priced", "usd": "0.018"}
        assert len(server.requests) == 3
    assert len(calls(store_home)) == 1


def test_what_no_budget_allows_twice_is_sent_once(store_home: Home) -> None:
    failed = json_response(500, {"error": "it broke"}, {"retry-after-ms": "1"})
    with ScriptedServer({"*": in_turn(failed, says("It rains."))}) as server:
        paid(store_home, server, budget={"daily_usd": 0.5, "monthly_usd": "none"})
        data = ask(store_home)
        assert (data["exit_code"], len(server.requests)) == (3, 1)
    (row,) = calls(store_home)
    assert (row["purpose"], row["cost_state"], row["cost_nano"]) == ("ask", "estimated", row["reserved_nano"])
    assert 250_000_000 < row["cost_nano"] < 500_000_000


def test_a_repeat_of_unknown_price_is_unknown(store_home: Home) -> None:
    failed = json_response(500, {"error": "it broke"}, {"retry-after-ms": "1"})
    with ScriptedServer({"*": in_turn(failed, says("It rains."))}) as server:
        paid(store_home, server, "other")
        data = ask(store_home, "-m", "gw/m", "--allow-unpriced")
    assert [(call["purpose"], call["cost"]["state"]) for call in data["calls"]] == [
        ("ask", "unknown"),
        ("retry", "unknown"),
    ]
    assert data["cost"]["state"] == "unknown"


def test_local_repeats_are_no_calls_of_their_own(store_home: Home) -> None:
    failed = json_response(500, {"error": "it broke"}, {"retry-after-ms": "1"})
    with ScriptedServer({"*": in_turn(failed, says("It rains."))}) as server:
        configure(store_home, ladder(only=server.url) | {"ask": {"retries": 2}})
        assert ask(store_home)["cost"]["state"] == "free"
        assert len(server.requests) == 2
    assert len(calls(store_home)) == 1


# --- what is said of a budget


def test_a_nearly_used_budget_is_said_once_for_all_attempts(store_home: Home) -> None:
    sorry = says("I'm sorry, but I can't help with that.")
    with ScriptedServer({"*": sorry}) as first, ScriptedServer({"*": says("It rains.")}) as second:
        tables = ladder(local=False, low=first.url, high=second.url)
        tables |= {f'prices."{name}/m"': RATES for name in ("low", "high")}
        tables |= {f"tiers.{name}": {"model": f"{name}/m", "max_tokens": 100} for name in ("low", "high")}
        configure(store_home, tables | {"budget": {"daily_usd": 0.7, "monthly_usd": "none", "soft_pct": 20}})
        data = ask(store_home)
    assert len(data["attempts"]) == 2
    warnings = [line for line in data["stderr"].splitlines() if "daily budget" in line]
    assert len(warnings) == 1
    assert "of the daily budget of $0.7 is used or reserved: $0 used, $0." in warnings[0]


# --- what is only called local


def test_what_ollama_passes_on_is_not_free(store_home: Home) -> None:
    whole = {"model": "mine", "remote_model": "gpt-oss:120b", "remote_host": "https://ollama.com:443"}
    lines = [
        {**whole, "message": {"role": "assistant", "content": "It rains."}, "done": False},
        {**whole, "done": True, "done_reason": "stop", "prompt_eval_count": 10, "eval_count": 5},
    ]
    with ScriptedServer({"/api/chat": ndjson(lines)}) as server:
        endpoint = {"kind": "ollama", "url": server.url}
        configure(store_home, {"endpoints.box": endpoint, "ask": {"retries": 0}})
        first = ask(store_home, "-m", "box/mine")
        assert first["cost"] == {"state": "unknown", "usd": None}
        assert "box/mine is no local model: box passes it on to a paid service" in first["stderr"]
        # From now on it needs a price like any other.
        asked = len(server.requests)
        assert run_here(store_home, "ask", "--no-probe", "-m", "box/mine", "more").exit_code == 5
        assert len(server.requests) == asked
        prices = {'prices."box/mine"': RATES}
        configure(store_home, {"endpoints.box": endpoint, "ask": {"retries": 0, "max_tokens": 100}} | prices)
        assert ask(store_home, "-m", "box/mine")["cost"] == {"state": "priced", "usd": "0.02"}
