"""The rig itself: the real servers answer as scripted, and the loopback server misbehaves as told."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from rig.cast import CODE, ESCALATION_REASON
from rig.command import Command, Home
from rig.litellm_proxy import LiteLLMProxy
from rig.llama_server import LlamaServer, llama_server
from rig.loopback import Action, ScriptedServer, Wait, in_turn
from rig.replay import replay_bytes, replays
from rig.replay_expectations import EXPECTATIONS
from rig.responses import gzip_sse, head, html, json_response, ndjson, pieces, redirect, sse, sse_event
from rig.scripted_model import Line, ModelScript, script, write_model
from rig.wire_cases import ANSWER_CASES, WIRE_CASES, response

CHAT = "/v1/chat/completions"
ESCALATE_TOOL = {
    "type": "function",
    "function": {
        "name": "escalate",
        "description": "Hand over.",
        "parameters": {"type": "object", "properties": {"reason": {"type": "string"}}, "required": ["reason"]},
    },
}


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=30, trust_env=False) as client:
        yield client


def ask(client: httpx.Client, url: str, text: str, **fields: Any) -> dict[str, Any]:
    """The first choice of a chat completion that is not streamed, with `usage` beside its fields."""
    messages = [{"role": "user", "content": text}]
    answer = client.post(f"{url}{CHAT}", json={"messages": messages, "max_tokens": 40, "temperature": 0, **fields})
    assert answer.status_code == 200, answer.text
    document = answer.json()
    return {**document["choices"][0], "usage": document["usage"]}


@pytest.mark.parametrize(
    ("prompt", "text", "finish"),
    [
        ("anything else", "Hello from the fast model.", "stop"),
        ("write code", CODE, "stop"),
        ("give me json", '{"city": "Paris", "population": 2100000}', "stop"),
        ("a hard one without tools", "I will try, but I am not the right one.", "stop"),
        ("loop please", "round and round it goes\n" * 8, "length"),
    ],
)
def test_the_model_says_what_its_script_says(
    client: httpx.Client, llama_fast: LlamaServer, prompt: str, text: str, finish: str
) -> None:
    choice = ask(client, llama_fast.url, prompt)
    assert (choice["message"]["content"], choice["finish_reason"]) == (text, finish)


def test_reasoning_comes_in_its_own_field(client: httpx.Client, llama_fast: LlamaServer) -> None:
    message = ask(client, llama_fast.url, "think about it")["message"]
    assert (message["reasoning_content"].strip(), message["content"]) == ("Two and two make four.", "The sum is 4.")


def test_offered_tools_are_called(client: httpx.Client, llama_fast: LlamaServer) -> None:
    choice = ask(client, llama_fast.url, "a hard one", tools=[ESCALATE_TOOL])
    (call,) = choice["message"]["tool_calls"]
    assert choice["finish_reason"] == "tool_calls"
    assert (call["function"]["name"], json.loads(call["function"]["arguments"])) == (
        "escalate",
        {"reason": ESCALATION_REASON},
    )


def test_confidence_is_the_probability_of_each_token(client: httpx.Client, llama_fast: LlamaServer) -> None:
    choice = ask(client, llama_fast.url, "unsure", logprobs=True)
    probabilities = [2.718281828 ** entry["logprob"] for entry in choice["logprobs"]["content"]]
    assert probabilities == pytest.approx([0.3] * len(probabilities), abs=0.01)


def test_the_heavy_model_answers_in_other_words(client: httpx.Client, llama_heavy: LlamaServer) -> None:
    assert ask(client, llama_heavy.url, "a hard one")["message"]["content"] == "Here is the whole plan, step by step."


def test_a_model_with_a_key_and_a_small_context(client: httpx.Client, models_folder: Any) -> None:
    model = write_model(script({"one": "1", "": "2"}, name="locked"), models_folder)
    with llama_server(model, alias="locked", api_keys=["sk-rig"], n_ctx=512) as server:
        assert client.get(f"{server.url}/v1/models").status_code == 401
        client.headers["authorization"] = "Bearer sk-rig"
        assert client.get(f"{server.url}/v1/models").json()["data"][0]["id"] == "locked"
        assert ask(client, server.url, "one")["message"]["content"] == "1"
        overflow = client.post(f"{server.url}{CHAT}", json={"messages": [{"role": "user", "content": "x" * 600}]})
        assert (overflow.status_code, overflow.json()["error"]["n_ctx"]) == (400, 512)
    assert server.process.returncode is not None


def test_a_killed_server_breaks_its_stream(client: httpx.Client, models_folder: Any) -> None:
    endless = ModelScript(lines=(Line("", "on and on ", endless=True),), name="endless")
    body = {"messages": [{"role": "user", "content": "go"}], "stream": True}
    with (
        llama_server(write_model(endless, models_folder)) as server,
        client.stream("POST", f"{server.url}{CHAT}", json=body) as answer,
    ):
        lines = answer.iter_lines()
        assert next(lines).startswith("data: ")
        server.kill()
        with pytest.raises(httpx.TransportError):
            list(lines)


def test_a_missing_model_says_why_the_server_did_not_start(models_folder: Any) -> None:
    with pytest.raises(RuntimeError, match="failed to open GGUF file"), llama_server(models_folder / "missing.gguf"):
        pass


@pytest.mark.parametrize(
    ("lines", "problem"),
    [((Line("only", "x"),), "empty cue"), ((Line("a", "yes"), Line("", "yes yes"), Line("b", "yesyes")), None)],
    ids=["no-default-line", "shared-words"],
)
def test_scripts_that_cannot_be_told_are_refused(
    models_folder: Any, lines: tuple[Line, ...], problem: str | None
) -> None:
    model = ModelScript(lines, name="odd")
    if problem is None:
        assert write_model(model, models_folder) == write_model(model, models_folder)
    else:
        with pytest.raises(ValueError, match=problem):
            write_model(model, models_folder)


def test_the_proxy_prices_what_it_can_price(client: httpx.Client, litellm: LiteLLMProxy) -> None:
    client.headers["authorization"] = f"Bearer {litellm.key}"
    costs = {}
    for model in ("local", "unpriced", "with-fallback"):
        body = {"model": model, "messages": [{"role": "user", "content": "hi"}]}
        answer = client.post(f"{litellm.url}{CHAT}", json=body)
        costs[model] = answer.headers.get("x-litellm-response-cost")
        assert answer.json()["choices"][0]["message"]["content"]
    assert float(costs["local"]) == pytest.approx(0.000035)
    assert costs["unpriced"] is None
    assert answer.headers["x-litellm-attempted-fallbacks"] == "1"


@pytest.mark.parametrize(
    ("model", "status", "words"),
    [
        ("mock-429", 429, "rate limit"),
        ("mock-500", 500, "internal server error"),
        ("mock-context", 400, "context window exceeded"),
        ("dead", 500, "Connection error"),
        ("nowhere", 400, "Invalid model name"),
    ],
)
def test_the_proxy_fails_as_told(
    client: httpx.Client, litellm: LiteLLMProxy, model: str, status: int, words: str
) -> None:
    client.headers["authorization"] = f"Bearer {litellm.key}"
    answer = client.post(f"{litellm.url}{CHAT}", json={"model": model, "messages": [{"role": "user", "content": "hi"}]})
    assert (answer.status_code, words in answer.json()["error"]["message"]) == (status, True)


def test_the_proxy_enforces_its_rate_limit(client: httpx.Client, litellm: LiteLLMProxy) -> None:
    client.headers["authorization"] = f"Bearer {litellm.key}"
    body = {"model": "limited", "messages": [{"role": "user", "content": "hi"}]}
    first, second = (client.post(f"{litellm.url}{CHAT}", json=body) for _ in range(2))
    assert first.status_code in (200, 429)  # another worker may have used up the minute's only request
    assert (second.status_code, second.headers["llm_provider-retry-after"]) == (429, "60")


def test_the_proxy_reports_an_upstream_that_breaks_off(client: httpx.Client, litellm: LiteLLMProxy) -> None:
    client.headers["authorization"] = f"Bearer {litellm.key}"
    body = {"model": "cut-upstream", "stream": True, "messages": [{"role": "user", "content": "hi"}]}
    answer = client.post(f"{litellm.url}{CHAT}", json=body)
    events = [line for line in answer.text.split("\n") if line]
    assert answer.status_code == 200
    assert "beginning" in answer.text
    assert "error" in json.loads(events[-1].removeprefix("data: "))


DONE_STREAM: list[Any] = [{"n": 1}, "[DONE]"]
DONE_TEXT = 'data: {"n": 1}\n\ndata: [DONE]\n\n'


@pytest.mark.parametrize(
    ("response", "status", "text"),
    [
        (sse(DONE_STREAM), 200, DONE_TEXT),
        (sse(DONE_STREAM, chunked=False), 200, DONE_TEXT),
        (gzip_sse(DONE_STREAM), 200, DONE_TEXT),
        ([*sse([], chunked=False), *pieces(DONE_TEXT.encode(), 1)], 200, DONE_TEXT),
        (ndjson([{"n": 1}, {"done": True}]), 200, '{"n": 1}\n{"done": true}\n'),
        (html("<p>hi</p>"), 200, "<p>hi</p>"),
        (json_response(529, {"busy": "é"}, {"retry-after": "2"}), 529, '{"busy": "é"}'),
        (lambda request: json_response(200, request.json()), 200, '{"sent": "é"}'),
    ],
    ids=["chunked", "until-close", "gzip", "byte-by-byte", "ndjson", "html", "status", "handler"],
)
def test_the_loopback_server_sends_what_it_is_told(client: httpx.Client, response: Any, status: int, text: str) -> None:
    with ScriptedServer({"/a": response}) as server:
        answer = client.post(f"{server.url}/a?query=1", json={"sent": "é"})
    assert (answer.status_code, answer.text) == (status, text)
    (request,) = server.requests
    assert (request.method, request.path, request.json()) == ("POST", "/a?query=1", {"sent": "é"})
    assert not request.disconnected.is_set()


@pytest.mark.parametrize(
    ("ending", "failure"),
    [([], httpx.RemoteProtocolError), ([Action.CLOSE], httpx.RemoteProtocolError), ([Action.RESET], httpx.ReadError)],
    ids=["cut", "close", "reset"],
)
def test_the_loopback_server_breaks_off(client: httpx.Client, ending: list[Action], failure: type[Exception]) -> None:
    response: list[Any] = [*sse([{"n": 1}], finish=False), *ending, b"never"]
    with ScriptedServer({"*": response if ending else response[:-1]}) as server, pytest.raises(failure):
        client.get(f"{server.url}/anything")


def test_what_is_not_scripted_is_not_found(client: httpx.Client) -> None:
    with ScriptedServer({"/twice": in_turn(json_response(200, 1), json_response(200, 2))}) as server:
        assert [client.get(f"{server.url}/twice").status_code for _ in range(3)] == [200, 200, 500]
        assert client.get(f"{server.url}/api/tags").status_code == 404


def test_a_redirect_leads_to_another_port(client: httpx.Client) -> None:
    with (
        ScriptedServer({"/b": json_response(200, {})}) as target,
        ScriptedServer({"/a": redirect(f"{target.url}/b")}) as server,
    ):
        assert client.get(f"{server.url}/a", follow_redirects=True).status_code == 200
    assert len(target.requests) == 1


def test_the_test_decides_when_the_answer_goes_on(client: httpx.Client) -> None:
    go_on = threading.Event()
    response: list[Any] = [
        head(200, {"content-type": "text/event-stream"}),
        sse_event("a"),
        Wait(go_on),
        sse_event("b"),
    ]
    with ScriptedServer({"*": response}) as server, client.stream("GET", server.url) as answer:
        parts = answer.iter_raw()
        assert next(parts) == b"data: a\n\n"
        go_on.set()
        assert b"".join(parts) == b"data: b\n\n"


@pytest.mark.parametrize("rest", [[Action.HOLD], [b"x" * 65536] * 400], ids=["while-it-waits", "while-it-sends"])
def test_the_server_sees_the_client_leave(client: httpx.Client, rest: list[Any]) -> None:
    with ScriptedServer({"*": [head(200, {}), b"start", *rest]}) as server:
        with client.stream("GET", server.url) as answer:
            next(answer.iter_raw())
        (request,) = server.requests
        assert request.disconnected.wait(10)


def test_the_command_runs_in_a_home_of_its_own(mrt: Command, store_home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-from-outside")
    result = mrt("--version")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("mrt ")
    assert not [name for name in store_home.environment if "KEY" in name or "URL" in name or name.startswith("MRT")]


def test_on_a_terminal_both_streams_are_one(mrt: Command) -> None:
    assert mrt("--version", tty=True).stdout == mrt("--version").stdout
    wrong = mrt("no-such-verb", tty=True)
    assert (wrong.exit_code, wrong.stderr) == (2, "")
    assert "no-such-verb" in wrong.stdout


def test_a_running_command_can_be_signalled(mrt: Command) -> None:
    with mrt.start("--version") as process:
        os.kill(process.pid, signal.SIGSTOP)
        os.kill(process.pid, signal.SIGCONT)
        stdout, _ = process.communicate(timeout=30)
    assert stdout.startswith(b"mrt ")


def test_every_replay_is_expected_to_say_something() -> None:
    assert list(replays()) and replays().keys() == EXPECTATIONS.keys()


def test_replays_are_served_as_they_were_captured(client: httpx.Client) -> None:
    for identity, replay in replays().items():
        with ScriptedServer({"*": pieces(replay_bytes(identity), 100)}) as server:
            if replay.cut:
                with pytest.raises(httpx.RemoteProtocolError):
                    client.post(server.url)
                continue
            answer = client.post(server.url)
        assert (answer.status_code, answer.text) == (replay.status, replay.body), identity


def test_wire_cases_have_names_of_their_own() -> None:
    identities = [case.id for case in WIRE_CASES]
    assert len(set(identities)) == len(identities) > len(ANSWER_CASES) > 200
    assert all(response(case) for case in ANSWER_CASES)


@pytest.mark.parametrize(
    ("ci", "outcome"), [("true", pytest.fail.Exception), ("", pytest.skip.Exception)], ids=["ci", "here"]
)
def test_a_server_that_cannot_run_fails_only_in_ci(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ci: str, outcome: type[Exception]
) -> None:
    (tmp_path / "xllamacpp.py").write_text("raise ImportError('no wheel for this platform')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("CI", ci)
    model = write_model(script("never said"), tmp_path)
    with pytest.raises(outcome, match="no wheel for this platform"), llama_server(model):
        pass
