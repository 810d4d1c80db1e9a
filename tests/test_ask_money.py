"""What a server says about money and itself is not simply believed: zeros, early counts, time-outs, keys sent back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from rig.command import Home
from rig.home_setup import beginning, calls, configure, ladder, run_here, says, store_path
from rig.loopback import Action, ScriptedServer
from rig.responses import json_response, sse
from rig.wire_chat import chunk, counts, say

KEY = "zq8hunter2secretkeyvalue"


def paid(home: Home, server: ScriptedServer, **more: Any) -> None:
    """One paid tier at $1 and $2 per million tokens, with a key and a budget of a dollar a day."""
    tables = ladder(local=False, only=server.url)
    tables["endpoints.only"]["key_env"] = "PKEY"
    tables['prices."only/m"'] = {"input_usd_per_mtok": 1, "output_usd_per_mtok": 2}
    configure(home, tables | {"budget": {"daily_usd": 1.0, "monthly_usd": "none"}} | more)


def ask(home: Home, *options: str) -> dict[str, Any]:
    """The data of one ask."""
    data: dict[str, Any] = json.loads(run_here(home, "ask", "--json", *options, "hi", env={"PKEY": KEY}).stdout)["data"]
    return data


def test_a_reported_zero_does_not_beat_a_known_price(store_home: Home) -> None:
    usage = {"choices": [], "usage": {**counts(1000, 500), "cost": 0}}
    with ScriptedServer({"*": sse([*say("Paris."), chunk({}, "stop"), usage, "[DONE]"])}) as server:
        paid(store_home, server)
        assert ask(store_home)["cost"] == {"state": "priced", "usd": "0.002"}


def test_counts_from_before_the_break_are_not_the_whole(store_home: Home) -> None:
    early = {**chunk({"content": "A"}), "usage": counts(5, 1)}
    with ScriptedServer({"*": [*sse([early, *say("word " * 400)], finish=False), Action.CLOSE]}) as server:
        paid(store_home, server)
        data = ask(store_home)
    assert data["usage"]["source"] == "estimated"
    assert data["usage"]["output_tokens"] == 501
    assert data["cost"]["state"] == "estimated"


def test_nothing_counted_and_nothing_come_costs_the_bound(store_home: Home) -> None:
    with ScriptedServer({"*": [*beginning(""), Action.CLOSE]}) as server:
        paid(store_home, server)
        ask(store_home)
    (call,) = calls(store_home)
    assert (call["cost_state"], call["cost_nano"]) == ("estimated", call["reserved_nano"])


@pytest.mark.parametrize(("local", "requests"), [(False, 1), (True, 3)], ids=["paid", "local"])
def test_a_gateway_that_gave_up_is_not_asked_again_for_money(store_home: Home, local: bool, requests: int) -> None:
    with ScriptedServer({"*": json_response(504, {"error": "gave up"}, {"retry-after-ms": "1"})}) as server:
        tables = ladder(local=local, only=server.url)
        tables['prices."only/m"'] = {"input_usd_per_mtok": 1, "output_usd_per_mtok": 2}
        configure(store_home, tables | {"ask": {"retries": 2}})
        assert run_here(store_home, "ask", "hi").exit_code == 3
        assert len(server.requests) == requests


def test_the_bound_counts_the_schema(store_home: Home) -> None:
    with ScriptedServer({"*": says("{}")}) as server:
        paid(store_home, server)
        small = ask(store_home, "--dry-run", "--schema", '{"type": "object"}')["bound"]["usd"]
        large = ask(store_home, "--dry-run", "--schema", json.dumps({"description": "word " * 4000}))["bound"]["usd"]
    assert float(large) - float(small) > 2 * 4900 / 1e6


def test_a_key_that_comes_back_in_a_reply_is_neither_shown_nor_kept(store_home: Home) -> None:
    events = [{**chunk({"content": "Paris."}), "model": KEY}, {**chunk({}, KEY), "model": KEY}, "[DONE]"]
    with ScriptedServer({"*": sse(events)}) as server:
        paid(store_home, server)
        shown = run_here(store_home, "ask", "--json", "hi", env={"PKEY": KEY})
    assert KEY not in shown.stdout + shown.stderr
    files = store_path(store_home).parent.glob("spend.db*")
    assert not any(KEY.encode() in file.read_bytes() for file in files)


@pytest.mark.parametrize("name", ["model", "messages", "max_tokens", "n"])
def test_a_tier_cannot_slip_fields_past_its_bound(store_home: Home, name: str) -> None:
    with ScriptedServer({"*": says("Paris.")}) as server:
        tables = ladder(only=server.url)
        tables["tiers.only"]["options"] = {name: 5}
        configure(store_home, tables)
        result = run_here(store_home, "ask", "hi")
        assert (result.exit_code, server.requests) == (2, [])
    assert result.stderr.startswith(f"error: tiers.only.options cannot set {name}\nhint: ")


@pytest.mark.parametrize(
    "prompt",
    [
        "plain words " * 40,
        "7f3a9c" * 80,
        "1 2 3 4 5 " * 50,
        "\N{MELTING FACE}" * 120,
        "\u4e00\u9f98" * 150,
        "{[(<~^$#@!%&" * 40,
    ],
    ids=["words", "hexadecimal", "digits", "emoji", "ideographs", "punctuation"],
)
def test_the_bound_holds_whatever_the_tokenizer_makes_of_the_prompt(store_home: Home, prompt: str) -> None:
    with ScriptedServer({"*": says("Paris.")}) as server:
        paid(store_home, server)
        shown = run_here(
            store_home, "ask", "--json", "--dry-run", "--max-tokens", "1", prompt, env={"PKEY": KEY}
        ).stdout
    # At $1 per million tokens in: no tokenizer makes more tokens than there are bytes.
    assert float(json.loads(shown)["data"]["bound"]["usd"]) >= len(prompt.encode()) / 1e6
