"""`mrt mcp` as the SDK's own client sees it: the handshake, the tools, and what each gives."""

from __future__ import annotations

import json
from typing import Any

import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp_kit import ask, talk, text
from rig.command import Home
from rig.home_setup import calls, configure, ladder, run_here, says
from rig.loopback import Request, Response, ScriptedServer
from rig.responses import json_response

from mrt import __version__
from mrt.commands._mcp_tools import TOOLS

NAMES = ["ask_local_model", "ask_coding_model", "list_local_models", "route_task", "check_fit", "spend_summary"]
CODE = "Here it is:\n\n```python\ndef add(a, b):\n    return a + b\n```\n"


@pytest.mark.parametrize("mode", ["legacy", "auto", "2026-07-28"])
def test_it_introduces_itself_and_lists_its_tools(home: Home, mode: str) -> None:
    async def say(client: Client) -> Any:
        info = client.server_info
        assert info is None or (info.name, info.version) == ("mrt", __version__)
        assert mode == "2026-07-28" or "You stay the one who reasons" in (client.instructions or "")
        return (await client.list_tools()).tools

    tools = talk(home, say, mode=mode)
    assert [tool.name for tool in tools] == NAMES
    for tool in tools:
        assert tool.title
        assert len(tool.description) > 200
        assert tool.input_schema["additionalProperties"] is False
        assert all(
            "description" in about or "description" in about.get("items", {})
            for about in tool.input_schema["properties"].values()
        )
        assert tool.output_schema["type"] == "object"
        assert (tool.annotations.read_only_hint, tool.annotations.destructive_hint) == (True, False)


def test_with_paid_tiers_allowed_the_asking_tools_say_that_they_may_cost(home: Home) -> None:
    async def say(client: Client) -> Any:
        return (await client.list_tools()).tools

    tools = talk(home, say, env={"MRT_MCP_ALLOW_PAID": "true"})
    may_pay = [tool.name for tool in tools if not tool.annotations.read_only_hint]
    assert may_pay == ["ask_local_model", "ask_coding_model"]
    assert all("may cost money, within the budget" in tool.description for tool in tools[:2])


def test_an_answer_is_text_and_the_data_of_ask(home: Home, server: ScriptedServer) -> None:
    result = ask(home, "ask_local_model", prompt="capital of France", context="a map", system="be brief", max_tokens=50)
    assert not result.is_error
    answer, beside = (block.text for block in result.content)
    assert answer == "Paris."
    assert beside.startswith("[only (only/m), checks passed, no API cost, ")
    data = result.structured_content
    by_ask = json.loads(run_here(home, "ask", "--json", "capital of France").stdout)["data"]
    assert data.keys() == by_ask.keys() | {"accepted", "error", "warnings"}
    assert (data["accepted"], data["answer"], data["error"], data["warnings"]) == (True, "Paris.", None, [])
    assert data["cost"] == {"state": "free", "usd": "0"}
    body = server.requests[0].json()
    assert body["messages"] == [
        {"role": "system", "content": "be brief"},
        {"role": "user", "content": 'capital of France\n\n<file name="context">\na map\n</file>'},
    ]
    assert body["max_tokens"] == 50
    call = calls(home)[0]
    assert (call["outcome"], call["purpose"], call["tag"]) == ("accepted", "ask", "mcp")
    assert call["session"] == data["session"]


def test_files_are_what_the_client_hands_over(home: Home, server: ScriptedServer) -> None:
    files = [{"name": "a.py", "text": "x = 1\n"}, {"name": "/etc/hostname", "text": "not read"}]
    ask(home, "ask_coding_model", prompt="explain", files=files)
    (request,) = server.requests
    sent = request.json()["messages"][-1]["content"]
    assert sent == ('explain\n\n<file name="a.py">\nx = 1\n</file>\n\n<file name="/etc/hostname">\nnot read\n</file>')


def test_calls_of_one_run_are_one_session(home: Home) -> None:
    async def say(client: Client) -> None:
        for prompt in ("one", "two"):
            await client.call_tool("ask_local_model", {"prompt": prompt})

    talk(home, say)
    talk(home, say)
    sessions = [call["session"] for call in calls(home)]
    assert len(sessions) == 4
    assert len(set(sessions)) == 2
    assert "conversation" not in run_here(home, "ask", "-c", "go on").stdout  # nothing of theirs is kept to go on with


def test_reasoning_comes_only_when_asked_for(store_home: Home) -> None:
    with ScriptedServer({"*": says("<think>hm</think>", "Four.")}) as server:
        configure(store_home, ladder(only=server.url))
        plain = ask(store_home, "ask_local_model", prompt="2+2")
        full = ask(store_home, "ask_local_model", prompt="2+2", include_reasoning=True)
    assert (plain.structured_content["answer"], plain.structured_content["reasoning"]) == ("Four.", None)
    assert full.structured_content["reasoning"] == "hm"


def test_a_model_named_alone_is_asked_alone(store_home: Home) -> None:
    with (
        ScriptedServer({"*": says("I'm sorry, but I can't help with that.")}) as low,
        ScriptedServer({"*": says("High.")}) as high,
    ):
        configure(store_home, ladder(low=low.url, high=high.url))
        result = ask(store_home, "ask_local_model", prompt="hi", model="low")
        assert result.is_error
        assert high.requests == []
        assert ask(store_home, "ask_local_model", prompt="hi", model="high").structured_content["answer"] == "High."


def test_the_coder_is_the_configured_one_or_a_tier_made_for_code(store_home: Home) -> None:
    with ScriptedServer({"*": says(CODE)}) as server:
        tables = ladder(low=server.url, high=server.url)
        tables["tiers.high"]["model"] = "high/qwen2.5-coder:7b"
        configure(store_home, tables)
        by_name = ask(store_home, "ask_coding_model", prompt="a function that adds two numbers", code_only=True)
        configure(store_home, tables | {"mcp": {"coding_model": "low"}})
        configured = ask(store_home, "ask_coding_model", prompt="a function that adds two numbers")
    data = by_name.structured_content
    assert (data["tier"], data["model"], data["warnings"]) == ("high", "high/qwen2.5-coder:7b", [])
    assert data["code"] == "def add(a, b):\n    return a + b"
    assert by_name.content[0].text == data["code"]
    assert data["answer"] == CODE
    assert configured.structured_content["tier"] == "low"
    assert configured.content[0].text == CODE


def test_without_a_coder_the_strongest_local_tier_is_asked_and_said_to_be(store_home: Home) -> None:
    with ScriptedServer({"*": says(CODE)}) as server:
        configure(store_home, ladder(low=server.url, high=server.url))
        result = ask(store_home, "ask_coding_model", prompt="a function that adds two numbers")
    (note,) = result.structured_content["warnings"]
    assert note.startswith("no local tier has a model made for code: starting on high, the strongest")
    assert result.structured_content["tier"] == "high"


def test_code_is_checked_though_the_tier_leaves_that_check_out(store_home: Home) -> None:
    with ScriptedServer({"*": says("```python\ndef add(a, b:\n```\n")}) as server:
        tables = ladder(only=server.url)
        tables["tiers.only"]["checks"] = []
        configure(store_home, tables)
        result = ask(store_home, "ask_coding_model", prompt="write a function that adds")
    assert result.is_error
    assert "does not parse" in result.structured_content["error"]["message"]


def models(_: Request) -> Response:
    return json_response(200, {"object": "list", "data": [{"id": "m", "object": "model"}]})


def test_models_and_tiers_are_listed(store_home: Home) -> None:
    with ScriptedServer({"/v1/models": models}) as server:
        configure(store_home, ladder(kind="vllm", low=server.url, gone="http://127.0.0.1:9"))
        result = ask(store_home, "list_local_models")
        row = json.loads(run_here(store_home, "probe", "models", "--json").stdout)["data"]["models"][0]
    data = result.structured_content
    assert not result.is_error
    assert [model["name"] for model in data["models"]] == ["low/m"]
    assert data["models"][0].keys() == row.keys()
    assert [(tier["tier"], tier["ready"]) for tier in data["tiers"]] == [("low", True), ("gone", False)]
    assert data["coding_model"] == "gone"
    assert "gone" in [one["endpoint"] for one in data["unready"]]
    assert "tier low: low/m, ready" in text(result)


def test_a_task_is_rated_as_route_does_and_nothing_is_sent(home: Home, server: ScriptedServer) -> None:
    result = ask(home, "route_task", prompt="implement an LRU cache")
    data = result.structured_content
    by_route = json.loads(run_here(home, "route", "--json", "implement an LRU cache").stdout)["data"]
    assert not result.is_error
    assert data.keys() == (by_route.keys() | {"error", "warnings"}) - {"unasked"}
    assert (data["complexity"], data["tier"]) == (by_route["complexity"], "only")
    assert text(result).startswith("only (only/m): complexity ")
    assert server.requests == []


def test_what_fits_is_answered_as_fit_does(store_home: Home) -> None:
    result = ask(store_home, "check_fit", model="qwen3:8b", vram="8GiB", ram="32GiB", context=4096)
    by_fit = json.loads(
        run_here(store_home, "fit", "qwen3:8b", "--vram", "8GiB", "--ram", "32GiB", "--ctx", "4096", "--json").stdout
    )["data"]
    assert not result.is_error
    assert {**result.structured_content, **by_fit} == result.structured_content
    assert by_fit["verdict"] == "fits"
    assert text(result).startswith("fits: ")
    too_big = ask(store_home, "check_fit", model="llama3.1:405b", vram="8GiB", ram="8GiB")
    assert (too_big.is_error, too_big.structured_content["verdict"]) == (False, "no")
    ranked = ask(store_home, "check_fit", vram="8GiB", limit=3)
    assert len(ranked.structured_content["models"]) == 3


@pytest.mark.parametrize("name", ["./m.gguf", "/etc/passwd", "~/m", "m.gguf", "http://127.0.0.1:9/m.gguf", "file:///m"])
def test_no_file_and_no_address_is_opened(store_home: Home, name: str) -> None:
    result = ask(store_home, "check_fit", model=name)
    assert result.is_error
    assert result.structured_content["error"]["message"] == f"tools open no files and no addresses: {name!r}"


def test_a_folder_is_no_model(store_home: Home) -> None:
    folder = store_home.path / "org" / "model"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text('{"model_type": "llama"}')
    assert "unknown model" in text(ask(store_home, "check_fit", model="org/model"))


def test_the_spend_is_summed_up(home: Home) -> None:
    ask(home, "ask_local_model", prompt="hi")
    data = ask(home, "spend_summary").structured_content
    by_spend = json.loads(run_here(home, "spend", "summary", "--json").stdout)["data"]
    assert {**data, **by_spend} == data
    assert data["today"]["calls"] == 1


def test_an_unknown_tool_is_an_error_of_the_protocol(home: Home) -> None:
    with pytest.raises(BaseExceptionGroup) as caught:
        ask(home, "ask_remote_model")
    assert caught.group_contains(MCPError, match="there is no tool 'ask_remote_model'; there are ask_local_model")


@pytest.mark.parametrize(
    ("tool", "given", "message"),
    [
        ("ask_local_model", {}, "the arguments must contain ['prompt'] properties"),
        ("ask_local_model", {"prompt": 7}, "prompt must be string"),
        ("ask_local_model", {"prompt": "hi", "promt": "hi"}, "the arguments must not contain {'promt'} properties"),
        ("ask_local_model", {"prompt": "hi", "max_tokens": 0}, "max_tokens must be bigger than or equal to 1"),
        ("ask_coding_model", {"prompt": "hi", "files": [{"name": "a"}]}, "files[0] must contain"),
        ("list_local_models", {"all": True}, "the arguments must not contain {'all'} properties"),
    ],
)
def test_wrong_arguments_are_told_to_the_agent(home: Home, tool: str, given: dict[str, Any], message: str) -> None:
    async def say(client: Client) -> Any:
        return await client.call_tool(tool, given)

    result = talk(home, say)
    assert result.is_error
    assert result.structured_content["error"]["message"].startswith(f"{tool}: {message}")


@pytest.mark.parametrize(
    ("tool", "given", "message", "hint"),
    [
        (
            "list_local_models",
            {"all": True},
            "list_local_models: the arguments must not",
            "list_local_models takes no arg",
        ),
        (
            "route_task",
            {},
            "route_task: the arguments must",
            "route_task takes prompt (required), context, context_length",
        ),
        (
            "ask_local_model",
            {"prompt": "hi", "model": "no/m"},
            "unknown provider",
            "list_local_models says which there",
        ),
        ("ask_local_model", {"prompt": "hi", "timeout_seconds": 1e-9}, "only/m: timeout: out of time (timeout_s", None),
        ("check_fit", {"vram": "much"}, "vram 'much' is no amount of memory", "write it as in vram 8GiB"),
        ("check_fit", {"model": "8b", "context": 10**18}, "context '1000", "write it as in context 32768"),
        ("check_fit", {"model": "8b", "limit": 3}, "limit is for the ranking", None),
        ("check_fit", {"model": "no-such-model"}, "unknown model 'no-such-model'", "name a tag (qwen3:8b)"),
    ],
)
def test_a_failure_speaks_of_arguments_and_tools(
    home: Home, tool: str, given: dict[str, Any], message: str, hint: str | None
) -> None:
    failure = ask(home, tool, **given).structured_content["error"]
    assert failure["message"].startswith(message)
    assert failure["hint"] is None if hint is None else failure["hint"].startswith(hint)


def test_whole_numbers_may_come_with_a_point(home: Home, server: ScriptedServer) -> None:
    assert not ask(home, "ask_local_model", prompt="hi", max_tokens=50.0).is_error
    assert server.requests[0].body.endswith(b'"max_tokens": 50}')


def test_a_ranking_leaves_room_for_other_thoughts(store_home: Home) -> None:
    data = ask(store_home, "check_fit", vram="24GiB", limit=50).structured_content
    assert len(data["models"]) == 50
    assert all("devices" not in row for row in data["models"])
    assert len(json.dumps(data)) < 50_000


def test_every_tool_says_what_it_takes_and_gives() -> None:
    assert [tool.name for tool in TOOLS] == NAMES
    assert all(tool.gives["required"] == ["error", "warnings"] for tool in TOOLS)
