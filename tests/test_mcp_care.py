"""What `mrt mcp` does not let through: poor answers, paid models, keys, and what a configuration gets wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp_kit import ask, stderr_file, talk, text
from rig.command import Command, Home
from rig.home_setup import calls, configure, ladder, says
from rig.loopback import ScriptedServer
from rig.responses import json_response, sse
from rig.wire_chat import DONE, STOP, say

REFUSAL = "I'm sorry, but I can't help with that."
KEY = "sk-canary-0123456789abcdef0123"
PRICED = {'prices."high/m"': {"input_usd_per_mtok": 1, "output_usd_per_mtok": 1}}


def mixed(low: str, high: str, **mcp: Any) -> dict[str, dict[str, Any]]:
    """A free tier below a paid one."""
    tables = ladder(low=low, high=high)
    tables["endpoints.high"] |= {"local": False, "key_env": "HIGH_KEY"}
    return {**tables, **PRICED, "mcp": mcp}


def keyed(home: Home) -> Home:
    """The home with the key of the paid tier."""
    return Home(home.path, {**home.environment, "HIGH_KEY": KEY})


def error(result: Any) -> dict[str, Any]:
    """The failure of a result that is marked as one."""
    assert result.is_error
    failure: dict[str, Any] = result.structured_content["error"]
    return failure


# --- the quality gate


def test_a_rejected_answer_is_marked_and_the_reason_said(store_home: Home) -> None:
    with ScriptedServer({"*": says(REFUSAL)}) as server:
        configure(store_home, ladder(low=server.url, high=server.url))
        result = ask(store_home, "ask_local_model", prompt="hi")
    why, label, rejected = (block.text for block in result.content)
    assert why.startswith("NOT ACCEPTED. error: ")
    assert "hint: a stronger tier may do better" in why
    assert label.startswith("The best text there is, which did not pass (high, high/m); do not rely on it:")
    assert rejected == REFUSAL
    data = result.structured_content
    assert (data["accepted"], data["answer"], error(result)["code"]) == (False, REFUSAL, "quality")
    assert [attempt["outcome"] for attempt in data["attempts"]] == ["rejected", "rejected"]
    assert [call["outcome"] for call in calls(store_home)] == ["rejected", "rejected"]


def test_a_cut_answer_is_not_accepted(store_home: Home) -> None:
    with ScriptedServer({"*": says("Half an ans", finish="length")}) as server:
        configure(store_home, ladder(only=server.url))
        result = ask(store_home, "ask_local_model", prompt="hi", max_tokens=3)
    assert error(result)["code"] == "max_tokens"
    assert (result.structured_content["complete"], result.content[-1].text) == (False, "Half an ans")


def test_an_answer_must_follow_the_schema(store_home: Home) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    with ScriptedServer({"*": says('{"n": "one"}')}) as server:
        configure(store_home, ladder(only=server.url))
        wrong = ask(store_home, "ask_local_model", prompt="a number", schema=schema)
        unusable = ask(store_home, "ask_local_model", prompt="a number", schema={"type": "nonsense"})
        assert len(server.requests) == 1
    assert error(wrong)["message"] == "only/m: schema: data.n must be integer"
    assert error(unusable)["message"].startswith("the schema is not usable: ")


@pytest.mark.parametrize(("body", "accepted"), [("a + b", True), ("a - b", False)], ids=["right", "wrong"])
def test_code_must_pass_the_tests_that_come_with_the_task(store_home: Home, body: str, accepted: bool) -> None:
    with ScriptedServer({"*": says(f"```python\ndef add(a, b):\n    return {body}\n```\n")}) as server:
        configure(store_home, ladder(only=server.url))
        result = ask(store_home, "ask_coding_model", prompt="write add(a, b)", tests="assert add(1, 2) == 3")
    if not accepted and "sandbox" in text(result):
        pytest.skip("no sandbox here")
    assert result.is_error is not accepted, text(result)


def test_nobody_there(store_home: Home) -> None:
    configure(store_home, ladder(only="http://127.0.0.1:9"))
    result = ask(store_home, "ask_local_model", prompt="hi")
    failure = error(result)
    assert (failure["code"], failure["exit_code"]) == ("unreachable", 3)
    assert failure["hint"].startswith("start the server")
    assert text(result) == f"error: {failure['message']}\nhint: {failure['hint']}"


@pytest.mark.parametrize(
    ("given", "code", "words"),
    [
        ({"prompt": "hi", "model": "lo"}, "usage", "'lo' is no tier, alias or PROVIDER/MODEL (did you mean low?)"),
        ({"prompt": "hi", "model": "nowhere/m"}, "usage", "unknown provider or endpoint 'nowhere'"),
        ({"prompt": " \n"}, "usage", "the prompt is empty"),
    ],
)
def test_a_wrong_word_is_explained(store_home: Home, given: dict[str, Any], code: str, words: str) -> None:
    configure(store_home, ladder(low="http://127.0.0.1:9"))
    failure = error(ask(store_home, "ask_local_model", **given))
    assert failure["code"] == code
    assert failure["message"].startswith(words)


# --- money


def test_paid_tiers_are_left_out_unless_they_are_allowed(store_home: Home) -> None:
    with ScriptedServer({"*": says(REFUSAL)}) as low, ScriptedServer({"*": says("Dear.")}) as high:
        configure(store_home, mixed(low.url, high.url))
        result = ask(store_home, "ask_local_model", prompt="hi")
        assert [attempt["tier"] for attempt in result.structured_content["attempts"]] == ["low"]
        named = ask(store_home, "ask_local_model", prompt="hi", model="high")
        by_model = ask(store_home, "ask_local_model", prompt="hi", model="high/other")
        assert high.requests == []
    assert error(named) == {
        "code": "budget",
        "message": "high (high/m) costs money, and tools may ask no paid models",
        "hint": "`mrt config set mcp.allow_paid true` lets tools ask them, within the budget",
        "exit_code": 5,
    }
    assert error(by_model)["message"].startswith("high/other costs money")
    assert {call["model"] for call in calls(store_home)} == {"m"}


def test_a_paid_coder_is_refused_too(store_home: Home) -> None:
    configure(store_home, mixed("http://127.0.0.1:9", "http://127.0.0.1:9", coding_model="high"))
    assert error(ask(store_home, "ask_coding_model", prompt="hi"))["message"].startswith("high (high/m) costs money")


def test_no_check_of_a_local_tier_spends_behind_the_back(store_home: Home) -> None:
    with ScriptedServer({"*": says("Paris.")}) as low, ScriptedServer({"*": says("Paris.")}) as high:
        tables = mixed(low.url, high.url)
        tables["tiers.low"]["checks"] = ["agree=high/m"]
        tables["assessor"] = {"model": "high/m", "when": "always"}
        configure(store_home, tables)
        result = ask(store_home, "ask_local_model", prompt="capital of France")
        assert high.requests == []
    assert "no second opinion could be had" in error(result)["message"]


def test_allowed_paid_tiers_are_asked_and_booked(store_home: Home) -> None:
    with ScriptedServer({"*": says(REFUSAL)}) as low, ScriptedServer({"*": says("Dear.")}) as high:
        configure(store_home, mixed(low.url, high.url, allow_paid=True))
        config = str(store_home.config / "mrt" / "config.toml")
        result = ask(keyed(store_home), "ask_local_model", "--config", config, prompt="hi")
    assert not result.is_error, text(result)
    assert result.structured_content["cost"] == {"state": "priced", "usd": "0.000015"}
    assert [call["local"] for call in calls(store_home)] == [1, 0]


def test_a_budget_holds_for_allowed_paid_tiers(store_home: Home) -> None:
    with ScriptedServer({"*": says(REFUSAL)}) as low, ScriptedServer({"*": says("Dear.")}) as high:
        configure(store_home, mixed(low.url, high.url, allow_paid=True) | {"budget": {"daily_usd": 0.000001}})
        refused = ask(keyed(store_home), "ask_local_model", prompt="hi", model="high")
        assert high.requests == []
    failure = error(refused)
    assert (failure["code"], failure["exit_code"]) == ("budget", 5)
    assert "daily" in failure["message"]
    assert "allow_paid" not in str(failure)


def test_with_paid_tiers_alone_it_is_said_what_to_set(store_home: Home) -> None:
    tables = ladder(only="http://127.0.0.1:9", local=False)
    configure(store_home, tables)
    for tool in ("ask_local_model", "ask_coding_model", "route_task"):
        failure = error(ask(store_home, tool, prompt="hi"))
        assert failure["message"] == "no tier is local, and tools may ask no paid one"
        assert "mcp.allow_paid" in failure["hint"]


def test_with_paid_tiers_alone_a_local_model_is_listed_and_asked_by_name(store_home: Home) -> None:
    routes = {"/v1/models": json_response(200, {"data": [{"id": "m"}]}), "*": says("Fine.")}
    with ScriptedServer(routes) as box, ScriptedServer() as cloud:
        tables = ladder(cloud=cloud.url, local=False)
        tables["endpoints.box"] = {"kind": "vllm", "url": box.url}
        configure(store_home, tables)
        listed = ask(store_home, "list_local_models").structured_content
        assert ([model["name"] for model in listed["models"]], listed["coding_model"]) == (["box/m"], None)
        assert text(ask(store_home, "ask_local_model", prompt="hi", model="box/m")).startswith("Fine.")
        configure(store_home, tables | {"mcp": {"coding_model": "box/m"}})
        assert text(ask(store_home, "ask_coding_model", prompt="explain it")).startswith("Fine.")
        assert ask(store_home, "list_local_models").structured_content["coding_model"] == "box/m"
        assert cloud.requests == []


def test_no_cloud_is_visited_to_list_local_models(store_home: Home) -> None:
    with ScriptedServer({"*": json_response(200, {"data": [{"id": "m"}]})}) as low, ScriptedServer() as high:
        configure(store_home, mixed(low.url, high.url))
        data = talk(
            store_home, lambda client: client.call_tool("list_local_models", {}), env={"HIGH_KEY": KEY}
        ).structured_content
        assert high.requests == []
    assert [tier["tier"] for tier in data["tiers"]] == ["low"]
    assert data["paid_allowed"] is False


def test_no_key_is_in_a_result(store_home: Home) -> None:
    with ScriptedServer({"*": json_response(401, {"error": {"message": f"wrong key {KEY}"}})}) as server:
        tables = ladder(only=server.url)
        tables["endpoints.only"]["key_env"] = "ONLY_KEY"
        configure(store_home, tables)

        async def say(client: Client) -> Any:
            return [await client.call_tool(name, {"prompt": "hi"}) for name in ("ask_local_model", "ask_coding_model")]

        results = talk(store_home, say, "-v", "--debug", env={"ONLY_KEY": KEY})
        assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
    for result in results:
        assert error(result)["exit_code"] == 4
        assert KEY not in result.model_dump_json()
    assert KEY not in stderr_file(store_home).read_text()


# --- texts


def test_text_is_safe_for_a_terminal_and_data_is_exact(store_home: Home) -> None:
    hostile = [json.dumps(piece) for piece in (*say("Par\x1b[31mis\x9b5m.\ud800"), STOP)]
    with ScriptedServer({"*": sse([*hostile, DONE])}) as server:
        configure(store_home, ladder(only=server.url))
        result = ask(store_home, "ask_local_model", prompt="hi")
    assert result.content[0].text == "Paris.?"
    assert result.structured_content["answer"] == "Par\x1b[31mis\x9b5m.?"


# --- the configuration


def test_a_broken_configuration_is_refused_at_once(mrt: Command, store_home: Home) -> None:
    path = configure(store_home, {"mcp": {"allow_paid": "perhaps"}})
    result = mrt("mcp", stdin="")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"error: {path}:2: mcp.allow_paid must be true or false")


def test_an_edit_takes_effect_with_the_next_call(home: Home, server: ScriptedServer) -> None:
    path = home.config / "mrt" / "config.toml"
    good = path.read_text()

    async def say(client: Client) -> list[Any]:
        results = [await client.call_tool("ask_local_model", {"prompt": "hi"})]
        for content in ("[tiers\n", good.replace("only", "other")):
            path.write_text(content)
            results.append(await client.call_tool("ask_local_model", {"prompt": "hi"}))
            results.append(await client.list_tools())
        return results

    first, broken, still_listed, mended, _ = talk(home, say)
    assert first.structured_content["tier"] == "only"
    assert (error(broken)["code"], len(still_listed.tools)) == ("config", 6)
    assert str(path) in error(broken)["message"]
    assert mended.structured_content["tier"] == "other"


def test_a_store_that_does_not_work_keeps_no_local_answer_back(home: Home, tmp_path: Path) -> None:
    broken = tmp_path / "store.db"
    broken.write_text("this is no database, and long enough to be seen as none" * 100)
    result = talk(
        home, lambda client: client.call_tool("ask_local_model", {"prompt": "hi"}), env={"MRT_DB": str(broken)}
    )
    assert not result.is_error
    (warning,) = result.structured_content["warnings"]
    assert warning.startswith("warning: ")
    assert "nothing is kept" in warning
    assert result.content[-1].text == warning


def test_results_are_json_that_needs_no_sdk(home: Home) -> None:
    result = ask(home, "ask_local_model", prompt="hi")
    assert json.loads(json.dumps(result.structured_content)) == result.structured_content


def test_one_run_of_the_server_is_one_session_for_limits(store_home: Home) -> None:
    with ScriptedServer({"*": says("Dear.")}) as high:
        tables = mixed("http://127.0.0.1:9", high.url, allow_paid=True) | {"budget": {"per_session_usd": 0.00014}}
        configure(store_home, tables)

        async def say(client: Client) -> list[Any]:
            given = {"prompt": "hi", "model": "high", "max_tokens": 10}
            return [await client.call_tool("ask_local_model", given) for _ in range(5)]

        results = talk(keyed(store_home), say)
    outcomes = [result.is_error for result in results]
    assert outcomes[0] is False, text(results[0])
    assert outcomes[-1] is True
    assert "the per-session budget of $0.00014" in error(results[-1])["message"]


def test_a_coder_that_is_none_is_a_finding(mrt: Command, store_home: Home) -> None:
    path = configure(store_home, {"mcp": {"coding_model": "qwen"}})
    result = mrt("config", "check")
    assert result.exit_code == 2
    assert f'{path}:2: error: mcp.coding_model names no provider or endpoint: "qwen"' in result.stdout
