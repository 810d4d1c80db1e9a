"""The scripted servers of mrt demo: real HTTP, honest counts, told apart by what a probe looks at."""

from __future__ import annotations

import contextlib
import http.client
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rig.probe_servers import seen

from mrt.demo.answers import answer, pieces
from mrt.demo.script import Line, ModelScript, script
from mrt.demo.server import Service, serving
from mrt.demo.simulated import KEY, anthropic, llamacpp, ollama
from mrt.demo.stage import staged
from mrt.errors import MrtError

ESCALATE = {"type": "function", "function": {"name": "escalate", "description": "hand up", "parameters": {}}}
MODEL = ModelScript(
    (Line("Paris", "It is in France."), Line("hard", "A try.", escalate="too hard"), Line("", "Hello.")),
    "m",
    context_length=512,
)
SERVICES: dict[str, Service] = {"llamacpp": llamacpp(MODEL), "ollama": ollama(MODEL), "anthropic": anthropic(MODEL)}
CHAT = {"llamacpp": "/v1/chat/completions", "ollama": "/api/chat", "anthropic": "/v1/messages"}


@contextlib.contextmanager
def connection(kind: str) -> Iterator[http.client.HTTPConnection]:
    """One connection to a server of this kind; it stays open from request to request."""
    with serving(SERVICES[kind]) as url:
        one = http.client.HTTPConnection(str(urlsplit(url).hostname), urlsplit(url).port or 0, timeout=10)
        try:
            yield one
        finally:
            one.close()


def ask(one: http.client.HTTPConnection, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, bytes]:
    """Status and body of one request."""
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    one.request(method, path, data, {"x-api-key": KEY} | headers)
    response = one.getresponse()
    return response.status, response.read()


def user(text: str) -> list[dict[str, str]]:
    """A conversation of one message."""
    return [{"role": "user", "content": text}]


# --- what a probe sees


@pytest.mark.parametrize(
    ("kind", "version", "model"),
    [
        ("llamacpp", "simulated", ("m", True, 512, True)),
        ("ollama", "simulated", ("m", True, 512, True)),
        ("anthropic", None, ("m", None, 512, None)),
    ],
)
def test_a_probe_knows_them(kind: str, version: str | None, model: tuple[Any, ...]) -> None:
    with serving(SERVICES[kind]) as url:
        report = seen(url, kind, {"KEY": KEY}, key_env="KEY")
    (found,) = report.models
    assert (report.state, report.kind, report.version) == ("ready", kind, version)
    assert (found.id, found.loaded, found.context_served, found.tools) == model


def test_a_probe_knows_them_whatever_the_user_calls_them() -> None:
    with serving(SERVICES["llamacpp"]) as url:
        assert seen(url, "vllm").kind == "llamacpp"
    with serving(SERVICES["ollama"]) as url:
        assert seen(url, "llamacpp").kind == "ollama"


def test_the_paid_one_wants_its_key() -> None:
    with serving(SERVICES["anthropic"]) as url:
        assert seen(url, "anthropic", {"KEY": "another"}, key_env="KEY").access == "refused"
    with connection("anthropic") as one:
        status, body = ask(one, "POST", "/v1/messages", {"messages": user("hi")}, **{"x-api-key": "another"})
    assert (status, json.loads(body)["error"]["type"]) == (401, "authentication_error")


# --- HTTP


@pytest.mark.parametrize("kind", SERVICES)
def test_one_connection_serves_many_requests(kind: str) -> None:
    request = {"model": "m", "messages": user("Where is Paris?"), "stream": True, "max_tokens": 50}
    with connection(kind) as one:
        first = ask(one, "POST", CHAT[kind], request)
        assert ask(one, "GET", "/nothing/here")[0] == 404
        assert ask(one, "POST", "/nothing/here", request)[0] == 404
        assert ask(one, "POST", CHAT[kind], [1])[0] == 404
        assert ask(one, "POST", CHAT[kind], b"{")[0] == 400
        assert ask(one, "POST", CHAT[kind], request) == first
    assert first[0] == 200


@pytest.mark.parametrize("kind", ["llamacpp", "ollama", "anthropic"])
def test_what_they_cannot_do_they_say(kind: str) -> None:
    request = {"model": "m", "messages": user("hi"), "stream": False, "max_tokens": 50}
    with connection(kind) as one:
        status, body = ask(one, "POST", CHAT[kind], request)
    assert (status, json.loads(body)["error"]["message"]) == (400, "a simulated server only streams")


def test_a_body_without_a_length_is_refused() -> None:
    with connection("ollama") as one:
        one.putrequest("POST", "/api/chat")
        one.endheaders()
        response = one.getresponse()
        assert (response.status, response.getheader("content-length")) == (411, None)
        assert json.loads(response.read()) == {"error": "a body of a known length is wanted"}


def test_another_model_is_served_by_llamacpp_alone() -> None:
    request = {"model": "n", "messages": user("hi"), "max_tokens": 9}
    found = {}
    for kind, path in CHAT.items():
        with connection(kind) as one:
            found[kind] = ask(one, "POST", path, request)
    assert {kind: status for kind, (status, _) in found.items()} == {"llamacpp": 200, "ollama": 404, "anthropic": 404}
    assert json.loads(found["ollama"][1]) == {"error": "model 'n' not found"}
    assert json.loads(found["anthropic"][1])["error"] == {"type": "not_found_error", "message": "model: n"}


def test_ollama_shows_its_model() -> None:
    with connection("ollama") as one:
        status, body = ask(one, "POST", "/api/show", {"model": "m"})
    assert (status, json.loads(body)["capabilities"]) == (200, ["completion", "tools"])


@pytest.mark.parametrize("limit", [None, -1, "5", 1.5, [], {}, True])
@pytest.mark.parametrize("kind", SERVICES)
def test_odd_requests_are_answered(kind: str, limit: Any) -> None:
    odd = {"model": "m", "messages": [None, 1, {"role": 1}], "tools": "x", "max_tokens": limit, "options": limit}
    with connection(kind) as one:
        assert ask(one, "POST", CHAT[kind], odd)[0] == 200
        assert ask(one, "POST", CHAT[kind], odd | {"messages": {}, "stream_options": 1, "system": [1]})[0] == 200


def test_a_client_that_leaves_is_none_of_our_business(capfd: pytest.CaptureFixture[str]) -> None:
    model = script("word " * 200_000, name="m")
    with serving(ollama(model)) as url:
        one = http.client.HTTPConnection(str(urlsplit(url).hostname), urlsplit(url).port or 0, timeout=10)
        one.request("POST", "/api/chat", json.dumps({"model": "m", "messages": user("hi")}))
        one.getresponse().read(10)
        one.close()
        with connection("llamacpp") as other:
            assert ask(other, "GET", "/health")[0] == 200
    assert capfd.readouterr() == ("", "")


def test_the_port_is_free_again_afterwards() -> None:
    with serving(SERVICES["ollama"]) as url:
        pass
    with pytest.raises(ConnectionRefusedError):
        http.client.HTTPConnection(str(urlsplit(url).hostname), urlsplit(url).port or 0, timeout=10).request("GET", "/")


# --- what they say


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)


@given(texts)
def test_the_pieces_are_the_text(text: str) -> None:
    assert "".join(pieces(text)) == text
    assert all(pieces(text))


@given(texts, texts)
def test_more_text_is_not_fewer_tokens(first: str, second: str) -> None:
    assert len(pieces(first + second)) <= len(pieces(first)) + len(pieces(second))
    assert len(pieces(first + " x" + second)) >= len(pieces(first))


@given(texts.filter(bool), st.integers(0, 60))
def test_a_limit_cuts_and_says_so(text: str, limit: int) -> None:
    whole = answer(script(text), user("hi"), [], None)
    cut = answer(script(text), user("hi"), [], limit)
    assert "".join(whole.pieces) == text
    assert (whole.finish, whole.output_tokens) == ("stop", len(whole.pieces))
    assert cut.pieces == whole.pieces[:limit]
    assert cut.finish == ("stop" if limit >= len(whole.pieces) else "length")
    assert cut.output_tokens == min(limit, whole.output_tokens)


@pytest.mark.parametrize(
    ("messages", "tools", "said", "finish", "reason"),
    [
        (user("Where is Paris?"), [], "It is in France.", "stop", ""),
        (user("hi"), [], "Hello.", "stop", ""),
        ([], [], "Hello.", "stop", ""),
        ([*user("hard"), {"role": "assistant", "content": "no"}], [], "A try.", "stop", ""),
        ([*user("hard"), *user("hi")], [], "Hello.", "stop", ""),
        ([{"role": "user", "content": [{"type": "text", "text": "Paris"}]}], [], "It is in France.", "stop", ""),
        (user("hard"), [ESCALATE], "", "tool_calls", "too hard"),
        (user("hi"), [ESCALATE], "Hello.", "stop", ""),
        (user("hard"), [{"type": "function", "function": {"name": "other"}}, 1], "A try.", "stop", ""),
        ([1, {"role": "user"}], [], "Hello.", "stop", ""),
    ],
)
def test_the_last_question_picks_the_line(
    messages: list[Any], tools: list[Any], said: str, finish: str, reason: str
) -> None:
    reply = answer(MODEL, messages, tools, 100)
    assert ("".join(reply.pieces), reply.finish, reply.reason) == (said, finish, reason)


def test_tools_and_system_text_are_counted() -> None:
    bare, tooled = (answer(MODEL, user("hi"), tools, 9).input_tokens for tools in ([], [ESCALATE]))
    system = answer(MODEL, [{"role": "system", "content": "Be brief."}, *user("hi")], [], 9).input_tokens
    assert (bare < system, bare < tooled) == (True, True)


def test_probabilities_are_given_when_asked_for() -> None:
    unsure = ModelScript((Line("", "Perhaps.", confidence=0.25),), "m")
    request = {"model": "m", "messages": user("hi"), "logprobs": True}
    with serving(ollama(unsure)) as url:
        one = http.client.HTTPConnection(str(urlsplit(url).hostname), urlsplit(url).port or 0, timeout=10)
        one.request("POST", "/api/chat", json.dumps(request))
        lines = [json.loads(line) for line in one.getresponse().read().splitlines()]
        one.close()
    assert [round(line["logprobs"][0]["logprob"], 3) for line in lines[:-1]] == [-1.386] * len(pieces("Perhaps."))


# --- the folder


def test_without_a_temporary_folder_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "absent"))
    with pytest.raises(MrtError, match="no temporary folder"), staged({}):
        raise AssertionError("never here")
