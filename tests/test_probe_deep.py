"""`mrt probe --deep`: tiny real questions, booked like any other, and what they show is kept for those who ask later."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

import pytest
from rig.command import Home
from rig.home_setup import calls, configure, rows, run_here, store_path
from rig.llama_server import LlamaServer
from rig.loopback import Action, Request, Response, ScriptedServer
from rig.probe_servers import routes
from rig.responses import json_response, sse
from rig.wire_anthropic import block, closed, delta, end, start
from rig.wire_anthropic import say as speak
from rig.wire_chat import DONE, STOP, chunk, counts, say

from mrt.cli import run
from mrt.domain import Target
from mrt.endpoints.abilities import FACT, Abilities, known_abilities, remember_abilities
from mrt.endpoints.cache import load_cache
from mrt.ledger import open_store, remember
from mrt.output import Console

NOWHERE = {"LOCAL_LLM_BASE_URL": "http://127.0.0.1:9"}
PRICE = {"input_usd_per_mtok": 2.0, "output_usd_per_mtok": 10.0}
LISTED = json_response(200, {"data": [{"id": "m", "object": "model", "max_model_len": 4096}]})
CALL = {
    "tool_calls": [{"index": 0, "id": "c", "function": {"name": "escalate", "arguments": '{"reason": "too hard"}'}}]
}


def able(request: Request) -> Response:
    """A server that can do all that is tried."""
    body = request.json()
    usage = {"choices": [], "usage": counts(20, min(body["max_tokens"], 24))}
    if "tools" in body:
        return sse([chunk(CALL), chunk({}, "tool_calls"), usage, DONE])
    if "response_format" in body:
        return sse([*say('{"city": ', '"Paris"}'), STOP, usage, DONE])
    probability = {"logprobs": {"content": [{"token": "one", "logprob": -0.1}]}}
    first = chunk({"content": "one "})
    first["choices"][0] |= probability
    return sse([first, *say("two ", "three"), chunk({}, "length"), usage, DONE])


def poor(request: Request) -> Response:
    """A server that rejects what it can, and is no stream, counts nothing and keeps no limit."""
    body = request.json()
    for name in ("stream_options", "logprobs", "tools", "response_format"):
        if name in body:
            return json_response(400, {"error": {"message": f"unknown field {name}", "type": "invalid_request_error"}})
    answer = {"message": {"role": "assistant", "content": "one two three"}, "finish_reason": "stop", "index": 0}
    return json_response(200, {"choices": [answer], "model": "m"})


@pytest.fixture
def box() -> Iterator[ScriptedServer]:
    """A server with one model that can do everything."""
    with ScriptedServer({"/v1/models": LISTED, "/v1/chat/completions": able}) as server:
        yield server


def settle(home: Home, url: str, *, local: bool = True, price: Mapping[str, Any] | None = None, **budget: Any) -> None:
    """One tier at that address."""
    tables: dict[str, Any] = {
        "tiers.one": {"model": "box/m", "system": "You are a pirate.", "checks": ["confidence=0.9"]},
        "endpoints.box": {"kind": "vllm", "url": url, "local": local},
        "ask": {"retries": 0},
    }
    if price:
        tables['prices."box/m"'] = dict(price)
    if budget:
        tables["budget"] = budget
    configure(home, tables)


def deep(home: Home, *arguments: str) -> tuple[int, Any]:
    """The exit code and the document."""
    result = run_here(home, "probe", "--deep", *arguments, "--json", env=NOWHERE)
    return result.exit_code, json.loads(result.stdout)


def test_what_an_able_model_shows(store_home: Home, box: ScriptedServer) -> None:
    settle(store_home, box.url)
    code, found = deep(store_home)
    (trial,) = found["data"]["trials"]
    assert code == 0
    names = ("streaming", "usage", "stream_options", "logprobs", "json_schema", "tools", "max_tokens", "context")
    assert {name: trial[name] for name in names} == dict.fromkeys(names, True) | {"context": 4096}
    assert trial["reasoning"] is None
    assert isinstance(trial["ttft_ms"], int)
    assert (trial["tier"], trial["model"], trial["error"]) == ("one", "box/m", None)
    assert [call["cost"]["state"] for call in trial["calls"]] == ["free"] * 3


def test_an_ask_in_the_same_process_works_after_it(store_home: Home, box: ScriptedServer) -> None:
    settle(store_home, box.url)
    deep(store_home)
    asked = run_here(store_home, "ask", "-m", "box/m", "hi", "--no-probe", env=NOWHERE)
    assert "internal error" not in asked.stderr
    assert asked.stdout.startswith("one two three")


@pytest.mark.parametrize(
    ("kind", "seen", "asked_for"),
    [
        ("litellm", None, False),
        ("litellm", True, True),
        ("vllm", None, True),
        ("vllm", False, False),
    ],
    ids=["kind-without", "seen-to-give", "kind-with", "seen-not-to-give"],
)
def test_an_ask_wants_probabilities_of_who_was_seen_to_give_them(
    store_home: Home, box: ScriptedServer, kind: str, seen: bool | None, asked_for: bool
) -> None:
    tables = {"tiers.one": {"model": "box/m"}, "endpoints.box": {"kind": kind, "url": box.url, "local": True}}
    configure(store_home, tables)
    if seen is not None:
        target = Target("box", "m", kind, "chat", box.url, local=True)
        with closing(open_store(store_path(store_home))) as store:
            remember_abilities(store, target, Abilities(logprobs=seen))
    run_here(store_home, "ask", "-m", "box/m", "hi", "--no-probe", env=NOWHERE)
    dry = run_here(store_home, "ask", "-m", "box/m", "hi", "--no-probe", "--dry-run", "--json", env=NOWHERE)
    sent = [request.json() for request in box.requests if request.method == "POST"][-1]
    assert ("logprobs" in sent, "logprobs" in json.loads(dry.stdout)["data"]["body"]) == (asked_for, asked_for)


def test_the_questions_to_one_model_end_with_the_time(store_home: Home) -> None:
    with ScriptedServer({"/v1/models": LISTED, "/v1/chat/completions": [Action.HOLD]}) as server:
        settle(store_home, server.url)
        result = run_here(store_home, "probe", "--deep", "--timeout", "0.5", env=NOWHERE)
    assert result.exit_code == 124
    assert result.stdout.startswith(f"box/m: timeout: {server.url} ")


def test_what_a_poor_server_cannot_is_no_failure(store_home: Home) -> None:
    with ScriptedServer({"/v1/models": LISTED, "/v1/chat/completions": poor}) as server:
        settle(store_home, server.url)
        code, found = deep(store_home)
    (trial,) = found["data"]["trials"]
    assert code == 0
    seen = {name: trial[name] for name in ("streaming", "usage", "stream_options", "logprobs", "json_schema", "tools")}
    assert seen == dict.fromkeys(seen, False)
    assert trial["max_tokens"] is None
    # What was rejected is known from now on: the next ask is sent without.
    facts = {row["fact"] for row in rows(store_home, "SELECT fact FROM learned")}
    assert {"drop:stream_options", "drop:logprobs", "drop:tools", "drop:response_format", "tools", "abilities"} <= facts


def test_the_questions_are_tiny_and_of_the_tier_only_its_fields_go_along(store_home: Home, box: ScriptedServer) -> None:
    settle(store_home, box.url)
    deep(store_home)
    bodies = [request.json() for request in box.requests if request.method == "POST"]
    assert [body["max_tokens"] for body in bodies] == [24, 256, 256]
    assert all(len(body["messages"]) == 1 for body in bodies)
    assert [sorted(set(body) & {"tools", "response_format", "logprobs"}) for body in bodies] == [
        ["logprobs"],
        ["response_format"],
        ["tools"],
    ]


def test_it_is_booked_like_any_call(store_home: Home, box: ScriptedServer) -> None:
    settle(store_home, box.url, local=False, price=PRICE)
    code, found = deep(store_home, "--yes")
    booked = calls(store_home)
    assert code == 0
    assert [(row["purpose"], row["tier"], row["model"], row["cost_state"]) for row in booked] == [
        ("probe", "one", "m", "priced")
    ] * 3
    # 20 tokens in and 24 out, three times.
    assert sum(row["cost_nano"] for row in booked) == 3 * (20 * 2_000 + 24 * 10_000)
    assert [call["cost"] for call in found["data"]["trials"][0]["calls"]] == [{"state": "priced", "usd": "0.00028"}] * 3


def test_nothing_is_paid_before_somebody_agreed(store_home: Home, box: ScriptedServer) -> None:
    settle(store_home, box.url, local=False, price=PRICE)
    result = run_here(store_home, "probe", "--deep", env=NOWHERE)
    assert (result.exit_code, result.stdout, box.requests) == (2, "", [])
    assert result.stderr.startswith("error: --deep without --yes: this spends up to $0.0")
    assert "on box/m\nhint: add --yes, or name a local model: --deep MODEL" in result.stderr


def test_a_price_that_is_not_known_is_said_so(store_home: Home, box: ScriptedServer) -> None:
    settle(store_home, box.url, local=False)
    result = run_here(store_home, "probe", "--deep", env=NOWHERE)
    assert "this spends an amount that is not known on box/m" in result.stderr


def test_a_budget_holds_for_a_probe_too(store_home: Home, box: ScriptedServer) -> None:
    settle(store_home, box.url, local=False, price=PRICE, daily_usd=0.0001)
    code, found = deep(store_home, "--yes")
    assert code == 5
    assert found["errors"][0]["code"] == "budget"
    assert [request for request in box.requests if request.method == "POST"] == []


class Terminal(io.StringIO):
    """A terminal in memory."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("answer", "code", "asked"), [("y\n", 0, 3), ("YES\n", 0, 3), ("\n", 2, 0), ("n\n", 2, 0), ("", 2, 0)], ids=repr
)
def test_a_person_at_a_terminal_is_asked(
    store_home: Home, box: ScriptedServer, answer: str, code: int, asked: int
) -> None:
    settle(store_home, box.url, local=False, price=PRICE)
    stdout, stderr = io.StringIO(), Terminal()
    ended = run(["probe", "--deep"], Console(Terminal(answer), stdout, stderr, {**store_home.environment, **NOWHERE}))
    assert (ended, [request.method for request in box.requests].count("POST")) == (code, asked)
    assert "this spends up to $0.0" in stderr.getvalue()
    assert " on box/m; go on? [y/N] " in stderr.getvalue()
    assert ("spent $0.00084" in stderr.getvalue()) == (code == 0)


def test_one_model_by_its_name(store_home: Home, box: ScriptedServer) -> None:
    settle(store_home, box.url)
    code, found = deep(store_home, "box/other")
    assert (code, found["data"]["trials"][0]["model"], found["data"]["trials"][0]["tier"]) == (0, "box/other", "direct")
    code, found = deep(store_home, "one")
    assert (code, found["data"]["trials"][0]["model"]) == (0, "box/m")


def test_a_server_that_is_down_is_not_tried(store_home: Home) -> None:
    settle(store_home, "http://127.0.0.1:9")
    code, found = deep(store_home)
    assert code == 3
    assert found["errors"][0]["message"].startswith("box/m: box does not answer: cannot connect")
    assert calls(store_home) == []


def test_a_refusal_ends_the_trial_and_keeps_nothing(store_home: Home) -> None:
    no = json_response(404, {"error": {"message": "model 'm' not found", "code": "model_not_found"}})
    with ScriptedServer({"/v1/models": LISTED, "/v1/chat/completions": no}) as server:
        settle(store_home, server.url)
        code, found = deep(store_home)
        assert [request.method for request in server.requests].count("POST") == 1
    assert (code, found["errors"][0]["code"]) == (3, "model_not_found")
    assert found["data"]["trials"][0]["streaming"] is None
    assert "abilities" not in {row["fact"] for row in rows(store_home, "SELECT fact FROM learned")}


def test_a_real_engine(store_home: Home, llama_fast: LlamaServer) -> None:
    configure(
        store_home,
        {"tiers.one": {"model": "box/fast"}, "endpoints.box": {"kind": "llamacpp", "url": llama_fast.url}},
    )
    code, found = deep(store_home)
    (trial,) = found["data"]["trials"]
    assert code == 0
    names = ("streaming", "usage", "stream_options", "logprobs", "json_schema", "tools")
    assert {name: trial[name] for name in names} == dict.fromkeys(names, True)
    assert (trial["context"], trial["max_tokens"]) == (8192, None)  # it says less than the limit by itself
    text = run_here(store_home, "probe", "--deep", env=NOWHERE)
    assert text.stdout.splitlines()[0].split("  ")[0] == "model"
    assert text.stdout.splitlines()[2].startswith("box/fast  yes        yes    yes")


def test_ollama_is_given_tools_and_probabilities_in_its_own_way(store_home: Home) -> None:
    def chat(request: Request) -> Response:
        body = request.json()
        message: dict[str, Any] = {"role": "assistant", "content": "one two"}
        if "tools" in body:
            message = {
                "role": "assistant",
                "content": "",
                "tool_calls": [{"function": {"name": "escalate", "arguments": {}}}],
            }
        if "format" in body:
            message["content"] = '{"city": "Paris"}'
        end = {"done": True, "done_reason": "stop", "prompt_eval_count": 9, "eval_count": 2}
        return json_response(200, {"model": "tiny", "message": message, "logprobs": [{"logprob": -0.5}], **end})

    with ScriptedServer(routes("ollama", api__chat=chat)) as server:
        tables = {"tiers.one": {"model": "box/tiny"}, "endpoints.box": {"kind": "ollama", "url": server.url}}
        configure(store_home, tables)
        code, found = deep(store_home)
    (trial,) = found["data"]["trials"]
    assert code == 0
    assert (trial["stream_options"], trial["tools"], trial["logprobs"], trial["json_schema"]) == (
        None,
        True,
        True,
        True,
    )
    assert trial["context"] == 2048


def test_what_was_shown_is_known_to_whoever_decides_by_the_last_report(store_home: Home, box: ScriptedServer) -> None:
    settle(store_home, box.url)
    run_here(store_home, "probe", env=NOWHERE)
    assert tools_in_the_cache(store_home) == [None]
    deep(store_home)
    assert tools_in_the_cache(store_home) == [True]
    # A server that tells nothing of it does not make it forgotten.
    run_here(store_home, "probe", env=NOWHERE)
    assert tools_in_the_cache(store_home) == [True]


def tools_in_the_cache(home: Home) -> list[bool | None]:
    """What is known of the box's models."""
    (report,) = [cached.report for cached in load_cache(home.environment) if cached.report.name == "box"]
    return [model.tools for model in report.models]


def test_what_was_seen_is_remembered_for_a_while(store_home: Home) -> None:
    target = Target("box", "m", "vllm", "chat", "http://box/v1", local=True)
    seen = Abilities(streaming=True, tools=False, context=4096, tokens_per_second=12.5, tried_at=1.0)
    now = 1000.0
    with closing(open_store(store_path(store_home), lambda: now)) as store:
        assert known_abilities(store, target) is None
        remember_abilities(store, target, seen)
        assert known_abilities(store, target) == seen
        now += 60
        assert known_abilities(store, target, max_age_s=59) is None
        assert known_abilities(store, target, max_age_s=61) == seen


def test_anthropic_s_protocol_is_asked_in_its_own_way(store_home: Home) -> None:
    def messages(request: Request) -> Response:
        if "tools" in request.json():
            called = [
                block(0, "tool_use", id="t", name="escalate", input={}),
                delta(0, "input_json_delta", partial_json="{}"),
            ]
            return sse([start(), *called, closed(0), *end("tool_use")])
        thought = [block(0, "thinking", thinking=""), delta(0, "thinking_delta", thinking="Hm."), closed(0)]
        return sse([start(), *thought, *speak('{"city": "Paris"}', index=1), *end("max_tokens", {"output_tokens": 24})])

    listed = json_response(200, {"data": [{"id": "m", "type": "model", "display_name": "M"}]})
    with ScriptedServer({"/v1/models": listed, "/v1/messages": messages}) as server:
        tables = {
            "tiers.one": {"model": "box/m"},
            "endpoints.box": {"kind": "anthropic", "url": server.url, "local": True},
        }
        configure(store_home, tables)
        code, found = deep(store_home)
        bodies = [request.json() for request in server.requests if request.method == "POST"]
    (trial,) = found["data"]["trials"]
    assert code == 0
    assert (trial["reasoning"], trial["tools"], trial["max_tokens"], trial["usage"]) == (True, True, True, True)
    # The protocol has neither field; an answer that was cut says nothing of a schema.
    assert (trial["stream_options"], trial["logprobs"], trial["json_schema"], trial["context"]) == (
        None,
        None,
        None,
        None,
    )
    assert [sorted(set(body) & {"logprobs", "tools"}) for body in bodies] == [[], [], ["tools"]]
    assert bodies[2]["tools"][0]["input_schema"]["required"] == ["reason"]


def test_a_server_that_keeps_no_limit_is_found_out(store_home: Home) -> None:
    def talkative(request: Request) -> Response:
        return sse([*say(*["one "] * 50), STOP, {"choices": [], "usage": counts(20, 50)}, DONE])

    with ScriptedServer({"/v1/models": LISTED, "/v1/chat/completions": talkative}) as server:
        settle(store_home, server.url)
        _, found = deep(store_home)
    trial = found["data"]["trials"][0]
    assert (trial["max_tokens"], trial["tools"], trial["json_schema"]) == (False, None, False)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"new": 1}'], ids=["empty", "cut", "list", "unknown-field"])
def test_abilities_that_cannot_be_read_are_none(store_home: Home, text: str) -> None:
    target = Target("box", "m", "vllm", "chat", "http://box/v1", local=True)
    with closing(open_store(store_path(store_home))) as store:
        remember(store, target.url, target.model, FACT, text)
        assert known_abilities(store, target) == (Abilities() if "new" in text else None)
