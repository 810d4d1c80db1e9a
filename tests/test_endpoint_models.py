"""What a server says of itself before it is asked."""

from __future__ import annotations

import socket
import threading
from dataclasses import replace
from typing import Any

import pytest
from endpoint_kit import LOCAL
from rig.asking import PATIENT, World, canned
from rig.loopback import Action, Request, ScriptedServer, Wait
from rig.responses import body_response, chunk, head, html, json_response, redirect

from mrt.domain import Secret, Target
from mrt.endpoints import PROVIDERS, check_model, offers_tools
from mrt.errors import AuthError, ConfigError, ModelNotFound, MrtError, NotAnApi, Overloaded, TimedOut, UpstreamError
from mrt.providers import Timers


def models(*names: str, key: str = "id") -> Any:
    """A list of models in the shape of OpenAI, or of Ollama with the key `name`."""
    rows = [{key: name} for name in names]
    return json_response(200, {"object": "list", "data": rows} if key == "id" else {"models": rows})


LISTS = {"ollama": "/api/tags", "vllm": "/v1/models", "lm_studio": "/v1/models", "llamacpp": "/v1/models"} | {
    "llama_swap": "/v1/models",
    "litellm": "/v1/models",
    "openai": "/v1/models",
    "anthropic": "/v1/models",
}


def check(kind: str, response: Any, model: str = "tiny", timers: Timers = PATIENT) -> str | None:
    """The warning of a probe of this kind of server."""
    with ScriptedServer({LISTS[kind]: response}) as server:
        found = replace(at(server.url, kind), model=model)
        return check_model(found, World().wire(), timers).warning


def at(url: str, kind: str) -> Target:
    """A model on a server of this kind."""
    provider = PROVIDERS[kind]
    return Target("near", "tiny", kind, provider.protocol, url, provider.local, Secret("sk-1"), "check the key")


@pytest.mark.parametrize(
    ("kind", "response"),
    [
        ("ollama", models("tiny:latest", "other:7b", key="name")),
        ("vllm", models("tiny")),
        ("llama_swap", models("loop", "tiny")),
        ("lm_studio", models("another-name")),
        ("llamacpp", models("models/tiny.gguf")),
        ("llamacpp", json_response(200, {"models": [{"name": "m"}], "data": [{"id": "m"}]})),
        ("litellm", models("hidden")),
        ("openai", models("gpt-4o")),
        ("anthropic", models("claude-haiku-4-5-20251001")),
        ("litellm", json_response(404, {"error": "no list"})),
    ],
)
def test_a_model_that_is_there(kind: str, response: Any) -> None:
    assert check(kind, response) is None


LOADING = json_response(503, {"error": {"message": "Loading model", "type": "unavailable_error", "code": 503}})


@pytest.mark.parametrize("kind", [*LOCAL, "llama_swap"])
@pytest.mark.parametrize(
    ("response", "failure", "words"),
    [
        (json_response(401, {"error": "no"}), AuthError, "near refuses the key (HTTP 401)"),
        (json_response(403, {"error": "no"}), AuthError, "near refuses the key (HTTP 403)"),
        (LOADING, Overloaded, "is still loading its model (HTTP 503)"),
        (json_response(500, {"error": "x"}), UpstreamError, "does not list its models (HTTP 500)"),
        (json_response(404, {"error": "x"}), UpstreamError, "does not list its models (HTTP 404)"),
        (redirect("http://127.0.0.1:1/"), UpstreamError, "does not list its models (HTTP 307)"),
        (html(), NotAnApi, "answers, but not as a model server"),
        (json_response(200, [1]), NotAnApi, "answers, but not as a model server"),
        (json_response(200, {"data": 5, "models": "x"}), NotAnApi, "answers, but not as a model server"),
        (body_response(200, b"[" * 100_000, "application/json"), NotAnApi, "answers, but not as a model server"),
        ([Action.RESET], UpstreamError, "closed the connection without an answer"),
        ([b"nonsense\r\n\r\n"], NotAnApi, "does not speak HTTP"),
        ([head(200, {"content-length": "99"}) + b"{"], UpstreamError, "closed the connection"),
    ],
    ids=["401", "403", "503", "500", "404", "redirect", "page", "list", "types", "deep", "reset", "no-http", "cut"],
)
def test_a_local_server_in_trouble_is_not_switched_to(
    kind: str, response: Any, failure: type[MrtError], words: str
) -> None:
    with pytest.raises(failure) as caught:
        check(kind, response)
    assert words in caught.value.message


def test_a_refused_key_says_where_it_is_from() -> None:
    with pytest.raises(AuthError) as caught:
        check("vllm", json_response(401, {}))
    assert caught.value.hint == "check the key"


@pytest.mark.parametrize(
    ("kind", "response", "model", "message", "hint"),
    [
        (
            "ollama",
            models("llama3.1:8b", "phi3:latest", key="name"),
            "llama3:8b",
            "has no model 'llama3:8b'; it has llama3.1:8b",
            "ollama pull llama3:8b",
        ),
        ("ollama", models("tiny:7b", key="name"), "zzz", "has no model 'zzz'", "ollama pull zzz"),
        ("ollama", models(key="name"), "tiny", "has no model 'tiny'", "ollama pull tiny"),
        (
            "vllm",
            models("Qwen/Qwen2.5-7B"),
            "Qwen/Qwen2-7B",
            "; it has Qwen/Qwen2.5-7B",
            "`--no-probe` asks it all the same",
        ),
        ("llama_swap", models("coder", "codex"), "code", "; it has codex and coder", "`--no-probe` asks"),
        (
            "vllm",
            json_response(200, {"data": [5, {}, {"id": None}, {"id": 7}]}),
            "x",
            "has no model 'x'",
            "`--no-probe`",
        ),
    ],
)
def test_a_model_that_is_missing(kind: str, response: Any, model: str, message: str, hint: str) -> None:
    with pytest.raises(ModelNotFound) as caught:
        check(kind, response, model)
    assert message in caught.value.message
    assert hint in (caught.value.hint or "")


def silent(milliseconds: int = 20) -> Any:
    """An answer that never ends."""
    never = threading.Event()

    def answer(_: Request) -> Any:
        yield head(200, {"content-type": "application/json", "transfer-encoding": "chunked"})
        while True:
            yield chunk(b" ")
            yield Wait(never, milliseconds / 1000)

    return answer


@pytest.mark.parametrize("kind", LOCAL)
@pytest.mark.parametrize("response", [[Action.HOLD], silent()], ids=["hangs", "drips"])
def test_a_local_server_that_is_too_slow_is_not_switched_to(kind: str, response: Any) -> None:
    with pytest.raises(MrtError) as caught:
        check(kind, response, timers=Timers(first_token=0.2))
    assert caught.value.code == "timeout"


def test_a_local_server_that_is_not_there_is_not_switched_to() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{holder.getsockname()[1]}"
        with pytest.raises(MrtError) as caught:
            check_model(at(url, "vllm"), World().wire(), PATIENT)
        assert (caught.value.code, caught.value.message) == (
            "unreachable",
            f"cannot connect to {url} (connection refused)",
        )
        finding = check_model(at(url, "openai"), World().wire(), PATIENT)
        assert finding.warning == f"near could not be checked: cannot connect to {url} (connection refused)"
        assert offers_tools(at(url, "llamacpp"), World().wire(), PATIENT) is None


@pytest.mark.parametrize("kind", ["litellm", "openai", "anthropic"])
@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 529])
def test_a_passing_trouble_of_a_cloud_provider_is_a_warning(kind: str, status: int) -> None:
    assert check(kind, json_response(status, {"error": "x"})) == f"near could not be checked: HTTP {status}"


@pytest.mark.parametrize("kind", ["litellm", "openai", "anthropic"])
@pytest.mark.parametrize("response", [html(), json_response(200, {"error": "Unexpected endpoint or method."})])
def test_a_cloud_provider_that_shows_no_list_is_a_warning(kind: str, response: Any) -> None:
    assert check(kind, response) == "near could not be checked: it answers, but not as a model server"


def test_a_local_server_that_stays_silent_is_looked_at_by_a_probe() -> None:
    with pytest.raises(TimedOut) as caught:
        check("vllm", [Action.HOLD], timers=Timers(first_token=0.2))
    assert caught.value.hint == "see how it is: mrt probe --endpoint near"


@pytest.mark.parametrize("kind", ["litellm", "openai", "anthropic"])
@pytest.mark.parametrize("response", [[Action.HOLD], [Action.RESET], [Action.CLOSE]])
def test_an_unreachable_cloud_provider_is_a_warning(kind: str, response: Any) -> None:
    warning = check(kind, response, timers=Timers(first_token=0.2))
    assert warning is not None
    assert warning.startswith("near could not be checked: ")


@pytest.mark.parametrize("kind", ["litellm", "openai", "anthropic"])
@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_a_cloud_provider_refuses_is_final(kind: str, status: int) -> None:
    with pytest.raises(AuthError):
        check(kind, json_response(status, {"error": "x"}))


@pytest.mark.parametrize("kind", ["openai", "vllm"])
def test_an_unusable_address_is_final(kind: str) -> None:
    with pytest.raises(ConfigError):
        check_model(at("ftp://nowhere", kind), World().wire(), PATIENT)


@pytest.mark.parametrize("base", ["", "/", "/v1", "/v1/"])
@pytest.mark.parametrize("kind", LISTS)
def test_the_list_is_found_whatever_the_base(kind: str, base: str) -> None:
    listed = models("tiny", key="name" if kind == "ollama" else "id")
    with ScriptedServer({LISTS[kind]: listed}) as server:
        assert check_model(at(server.url + base, kind), World().wire(), PATIENT).warning is None
        request = server.requests[0]
    assert (request.method, request.path) == ("GET", LISTS[kind])
    assert "sk-1" in (request.headers.get("authorization", "") + request.headers.get("x-api-key", ""))


def test_an_endless_list_is_read_up_to_a_limit() -> None:
    def parts() -> Any:
        while True:
            yield b" " * 2**20

    world = World(canned(parts(), {"content-type": "application/json"}))
    with pytest.raises(NotAnApi):
        check_model(at("http://localhost:1", "vllm"), world.wire(), PATIENT)


def test_a_probe_is_traced_without_its_key() -> None:
    world = World()
    with ScriptedServer({"/v1/models": models("tiny")}) as server:
        check_model(at(server.url, "vllm"), world.wire(), PATIENT)
        assert f"> GET {server.url}/v1/models" in world.traced
    assert "< HTTP 200" in world.traced
    assert "sk-1" not in str(world.traced)


def show(*capabilities: str) -> Any:
    """What Ollama and LM Studio say of a model."""
    return json_response(200, {"id": "tiny", "capabilities": list(capabilities)})


def props(**caps: Any) -> Any:
    """What llama.cpp says of its model's template."""
    return json_response(200, {"chat_template_caps": caps, "total_slots": 1})


PLACES = {"llamacpp": "/props", "ollama": "/api/show", "lm_studio": "/api/v0/models/tiny"}


@pytest.mark.parametrize(
    ("kind", "response", "able"),
    [
        ("llamacpp", props(supports_tools=True), True),
        ("llamacpp", props(supports_tools=False), False),
        ("llamacpp", props(supports_tools="yes"), False),
        ("llamacpp", json_response(200, {"total_slots": 1}), False),
        ("llamacpp", json_response(200, [{"chat_template_caps": 1}]), False),
        ("llamacpp", LOADING, None),
        ("ollama", show("completion", "tools", "thinking"), True),
        ("ollama", show("completion"), False),
        ("ollama", json_response(200, {"capabilities": "tools"}), False),
        ("ollama", json_response(200, {"capabilities": 5}), False),
        ("ollama", json_response(404, {"error": "model 'tiny' not found"}), None),
        ("lm_studio", show("tool_use"), True),
        ("lm_studio", show("vision"), False),
        ("lm_studio", html(), False),
        ("lm_studio", json_response(404, {"error": "x"}), None),
        ("llamacpp", [Action.RESET], None),
    ],
)
@pytest.mark.parametrize("base", ["", "/v1/"])
def test_whether_a_model_can_be_given_tools(kind: str, response: Any, able: bool | None, base: str) -> None:
    with ScriptedServer({PLACES[kind]: response}) as server:
        assert offers_tools(at(server.url + base, kind), World().wire(), PATIENT) is able
        if kind == "ollama":
            assert server.requests[0].json() == {"model": "tiny"}


@pytest.mark.parametrize(
    ("kind", "able"), [("vllm", True), ("llama_swap", False), ("litellm", False), ("openai", False)]
)
def test_some_servers_need_not_be_asked_about_tools(kind: str, able: bool) -> None:
    with ScriptedServer({"*": html()}) as server:
        assert offers_tools(at(server.url, kind), World().wire(), PATIENT) is able
        assert server.requests == []


def test_the_name_of_a_model_stays_in_its_place() -> None:
    with ScriptedServer({"*": show("tool_use")}) as server:
        offers_tools(replace(at(server.url, "lm_studio"), model="org/a?b#c d"), World().wire(), PATIENT)
        assert server.requests[0].path == "/api/v0/models/org/a%3Fb%23c%20d"
