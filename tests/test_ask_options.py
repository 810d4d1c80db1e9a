"""What the options of mrt ask change: the request, and which tier is asked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from ask_kit import FREE, HI, PARIS, two_tiers
from rig.command import Home
from rig.home_setup import calls, configure, ladder, run_here, says
from rig.loopback import Action, ScriptedServer, in_turn
from rig.responses import json_response, sse


def test_a_dry_run_shows_the_tool_that_a_tier_is_given(store_home: Home) -> None:
    two_tiers(store_home, "http://127.0.0.1:9", "http://127.0.0.1:9", tools=True)
    body = json.loads(run_here(store_home, "ask", "--dry-run", "--json", "hi").stdout)["data"]["body"]
    assert [tool["function"]["name"] for tool in body["tools"]] == ["escalate"]
    assert body["temperature"] == 0.0


def test_a_dry_run_sends_nothing(home: Home, server: ScriptedServer) -> None:
    result = run_here(home, "ask", "--dry-run", "--max-tokens", "7", "-s", "Be brief.", "-o", "top_p=0.5", "hi")
    head, _, body = result.stdout.partition("{")
    assert (result.exit_code, result.stderr) == (0, "")
    assert head == (
        f"routed to only (only/m): {HI}\nno tier above it\ncost: no API cost\n"
        f"POST {server.url}/v1/chat/completions\nauthorization: ***\n"
    )
    assert json.loads("{" + body) == {
        "model": "m",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi"}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 7,
        "top_p": 0.5,
    }
    for mode in ("--json", "--stream-json"):
        data = json.loads(run_here(home, "ask", "--dry-run", mode, "hi").stdout)
        data = data["data"] if mode == "--json" else data
        assert (data["tier"], data["bound"], data["body"]["model"]) == ("only", FREE, "m")
    assert server.requests == []
    assert calls(home) == []


def test_a_dry_run_shows_what_leaves(home: Home, server: ScriptedServer) -> None:
    options = ("--max-tokens", "7", "--temperature", "0.5", "hi")
    shown = json.loads(run_here(home, "ask", "--dry-run", "--json", *options).stdout)["data"]["body"]
    run_here(home, "ask", *options)
    assert server.requests[0].json() == shown


@pytest.mark.parametrize(
    ("option", "field", "value"),
    [
        ("top_p=0.5", "top_p", 0.5),
        ("stop=END", "stop", "END"),
        ('stop=["a"]', "stop", ["a"]),
        ("x=true", "x", True),
        ("x=", "x", ""),
        ("a=b=c", "a", "b=c"),
    ],
)
def test_options_become_fields(home: Home, server: ScriptedServer, option: str, field: str, value: Any) -> None:
    assert run_here(home, "ask", "-o", option, "hi").exit_code == 0
    assert server.requests[0].json()[field] == value


def test_effort_is_for_the_cloud(store_home: Home, server: ScriptedServer) -> None:
    for local, sent in ((True, None), (False, "high")):
        configure(
            store_home, ladder(only=server.url, local=local) | {"budget": {"daily_usd": "none", "monthly_usd": "none"}}
        )
        result = run_here(store_home, "ask", "--effort", "high", "hi")
        assert result.exit_code == 0, result.stderr
        assert server.requests[-1].json().get("reasoning_effort") == sent


def test_templates(home: Home, server: ScriptedServer) -> None:
    with (home.config / "mrt" / "config.toml").open("a") as config:
        config.write('[templates.sum]\nprompt = "Sum up:"\nsystem = "Be brief."\n')
        config.write('[templates.around]\nprompt = "<{input}>"\nmodel = "only"\n')
    for options, messages in (
        (("-t", "sum", "this"), ["Be brief.", "Sum up:\n\nthis"]),
        (("-t", "sum"), ["Be brief.", "Sum up:"]),
        (("-t", "around", "this"), ["<this>"]),
        (("-t", "sum", "-s", "Own.", "this"), ["Own.", "Sum up:\n\nthis"]),
    ):
        assert run_here(home, "ask", *options).exit_code == 0
        assert [message["content"] for message in server.requests[-1].json()["messages"]] == messages


def test_personas_and_examples(store_home: Home, server: ScriptedServer) -> None:
    tables = ladder(only=server.url)
    tables["tiers.only"] |= {"system": "You add.", "examples": [{"user": "2 + 2", "assistant": "4"}]}
    configure(store_home, tables)
    run_here(store_home, "ask", "3 + 3")
    assert [(one["role"], one["content"]) for one in server.requests[0].json()["messages"]] == [
        ("system", "You add."),
        ("user", "2 + 2"),
        ("assistant", "4"),
        ("user", "3 + 3"),
    ]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--tier", "high", "--max-tier", "low"), "--tier high is above --max-tier low"),
        (("-m", "good", "--tier", "low"), "a model named alone takes no --tier"),
        (("--timeout", "nan"), "'nan' is not a number"),
        (("-o", "models=[1]"), "-o cannot set models"),
    ],
    ids=["tiers", "model-and-tier", "nan", "other-models"],
)
def test_contradictions_are_refused(store_home: Home, options: Sequence[str], words: str) -> None:
    two_tiers(store_home, "http://127.0.0.1:9", "http://127.0.0.1:9")
    result = run_here(store_home, "ask", *options, "hi")
    assert (result.exit_code, result.stdout) == (2, "")
    assert words in result.stderr


@pytest.mark.parametrize(
    ("options", "asked"),
    [
        ((), ["low", "high"]),
        (("--no-escalate",), ["low"]),
        (("--max-tier", "low"), ["low"]),
        (("--tier", "high"), ["high"]),
        (("-m", "low"), ["low"]),
        (("-m", "good"), ["high"]),
        (("-m", "high/other", "--no-probe"), ["high"]),
    ],
)
def test_the_user_bounds_the_ladder(store_home: Home, options: Sequence[str], asked: list[str]) -> None:
    with ScriptedServer({"*": sse([])}) as low, ScriptedServer({"*": sse([])}) as high:
        two_tiers(store_home, low.url, high.url)
        with (store_home.config / "mrt" / "config.toml").open("a") as config:
            config.write('[aliases]\ngood = "high/best"\n')
        run_here(store_home, "ask", *options, "--no-probe", "hi")
    assert [call["endpoint"] for call in calls(store_home)] == asked


def test_a_hard_prompt_starts_higher(store_home: Home) -> None:
    with ScriptedServer({"*": says("Low.")}) as low, ScriptedServer({"*": says("High.")}) as high:
        two_tiers(store_home, low.url, high.url, max_complexity=4)
        assert run_here(store_home, "ask", "Walk to the next room").stdout == "Low.\n"
        hard = run_here(store_home, "ask", "-v", "Plan the optimal path to become Hortator")
    assert hard.stdout == "High.\n"
    assert hard.stderr.startswith("routed to high (high/m): complexity ")


def test_after_an_overflow_only_more_context_helps(store_home: Home) -> None:
    overflow = json_response(400, {"error": {"message": "maximum context length is 512 tokens"}})
    with ScriptedServer({"*": overflow}) as small, ScriptedServer({"*": says("Paris.")}) as large:
        tables = ladder(first=small.url, second=small.url, third=large.url)
        for name, context in (("first", 512), ("second", 512), ("third", 4096)):
            tables[f"tiers.{name}"]["context"] = context
        configure(store_home, tables)
        result = run_here(store_home, "ask", "hi")
        assert (len(small.requests), result.stdout) == (1, PARIS)
    assert result.stderr.startswith("escalated to third from first: maximum context length is 512 tokens")


def models(*names: str) -> Any:
    """A list of models as OpenAI has it."""
    return json_response(200, {"object": "list", "data": [{"id": name} for name in names]})


def test_a_model_named_by_hand_is_checked_first(store_home: Home, server: ScriptedServer) -> None:
    server.routes["/v1/models"] = models("qwen-coder")
    env = {"VLLM_BASE_URL": server.url}
    wrong = run_here(store_home, "ask", "-m", "vllm/qwen-codr", "hi", env=env)
    assert (wrong.exit_code, wrong.stdout) == (3, "")
    assert wrong.stderr.startswith(f"error: {server.url} has no model 'qwen-codr'; it has qwen-coder\nhint: ")
    assert [request.path for request in server.requests] == ["/v1/models"]
    assert run_here(store_home, "ask", "-m", "vllm/qwen-coder", "hi", env=env).stdout == PARIS
    assert run_here(store_home, "ask", "-m", "vllm/qwen-codr", "--no-probe", "hi", env=env).stdout == PARIS


@pytest.mark.parametrize(
    ("route", "exit_code", "words"),
    [
        (json_response(503, {"error": "loading model"}), 3, "loading"),
        (json_response(401, {"error": "no"}), 4, "refuses the key"),
        ([Action.RESET], 3, "closed the connection"),
    ],
    ids=["loading", "unauthorized", "reset"],
)
def test_a_local_model_must_pass_its_check(
    store_home: Home, server: ScriptedServer, route: Any, exit_code: int, words: str
) -> None:
    server.routes["/v1/models"] = route
    result = run_here(store_home, "ask", "-m", "vllm/m", "hi", env={"VLLM_BASE_URL": server.url})
    assert (result.exit_code, result.stdout) == (exit_code, "")
    assert words in result.stderr
    assert len(server.requests) == 1


def test_a_passing_trouble_of_the_cloud_is_a_warning(store_home: Home, server: ScriptedServer) -> None:
    server.routes["/v1/models"] = json_response(503, {"error": "busy"})
    env = {
        "OPENAI_BASE_URL": server.url,
        "OPENAI_API_KEY": "sk-x",
        "MRT_BUDGET_DAILY_USD": "none",
        "MRT_BUDGET_MONTHLY_USD": "none",
    }
    result = run_here(store_home, "ask", "-m", "openai/m", "hi", env=env)
    assert (result.exit_code, result.stdout) == (0, PARIS), result.stderr
    assert result.stderr == "warning: openai could not be checked: HTTP 503\n"


def test_proxies_are_never_used_for_loopback(home: Home) -> None:
    dead = "http://127.0.0.1:9"
    assert run_here(home, "ask", "hi", env={"HTTP_PROXY": dead, "http_proxy": dead, "ALL_PROXY": dead}).stdout == PARIS


def test_a_retry_is_told_with_v(home: Home, server: ScriptedServer) -> None:
    server.routes["*"] = in_turn(json_response(503, {"error": "warming up"}, {"retry-after-ms": "1"}), says("Paris."))
    result = run_here(home, "ask", "-v", "hi", env={"MRT_ASK_RETRIES": "1"})
    assert (result.exit_code, result.stdout) == (0, PARIS)
    assert "only/m: warming up (HTTP 503); trying again in 0.0 s\n" in result.stderr
