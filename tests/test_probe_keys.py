"""A key reaches its own server alone, a server that needs none is not told, and nothing that is shown or kept holds one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rig.command import Home
from rig.home_setup import configure, run_here
from rig.loopback import Request, ScriptedServer
from rig.probe_servers import KEY, config_of, endpoint, lm_studio, named_places, real_wire, routes, seen
from rig.responses import json_response, redirect

from mrt.config import Config
from mrt.domain import Target
from mrt.endpoints.keys import with_key
from mrt.endpoints.kinds import PROVIDERS
from mrt.endpoints.place import Place, places
from mrt.endpoints.report import EndpointReport
from mrt.endpoints.survey import survey

SHAPELESS = "wren.linnet.siskin.dunnock"


def looked(place: Place) -> EndpointReport:
    """What a survey of one place says."""
    (report,) = survey([place], real_wire(), 20.0)
    return report


def sent_keys(server: ScriptedServer) -> set[str]:
    """Every key that came in, in whatever header."""
    names = ("authorization", "x-api-key")
    return {request.headers[name] for request in server.requests for name in names if name in request.headers}


def guarded(key: str, **found: Any) -> dict[str, Any]:
    """llama.cpp with a key: it says no to everybody else."""

    def guard(path: str) -> Any:
        def handler(request: Request) -> Any:
            if request.headers.get("authorization") == f"Bearer {key}":
                return routes("llamacpp")[path]
            return json_response(401, {"error": {"message": "Invalid API Key", "code": 401}}, {"server": "llama.cpp"})

        return handler

    return {path: guard(path) for path in routes("llamacpp")} | found


@pytest.mark.parametrize(
    ("given", "state", "message"),
    [
        (KEY, "ready", None),
        ("wrong-key-of-some-length", "auth", "it refuses the key"),
        ("", "auth", "endpoints.box.key_env names K, which is not set"),
    ],
)
def test_the_key_decides(given: str, state: str, message: str | None) -> None:
    with ScriptedServer(guarded(KEY)) as server:
        report = seen(server.url, "llamacpp", {"K": given}, key_env="K")
    assert (report.kind, report.state, report.message) == ("llamacpp", state, message)
    assert report.access == ("accepted" if state == "ready" else "refused" if given else "missing")


def test_a_key_found_for_a_usual_port_is_sent_only_when_it_is_asked_for() -> None:
    def place_at(url: str, environment: dict[str, str]) -> Place:
        target = Target("llamacpp", "-", "llamacpp", "chat", url, local=True)
        return Place(target, Config(tiers=()), environment, named=False, names={"llamacpp": "llamacpp"})

    environment = {"LOCAL_LLM_API_KEY": KEY}
    with ScriptedServer(routes("llamacpp")) as free, ScriptedServer(guarded(KEY)) as locked:
        open_report = looked(place_at(free.url, environment))
        locked_report = looked(place_at(locked.url, environment))
        assert sent_keys(free) == set()
        assert sent_keys(locked) == {f"Bearer {KEY}"}
    assert (open_report.state, locked_report.state) == ("ready", "ready")
    assert (open_report.access, locked_report.access) == ("open", "accepted")


def test_a_local_server_that_takes_anything_for_a_key_is_ready() -> None:
    def anything(request: Request) -> Any:
        granted = "authorization" in request.headers
        return (
            json_response(200, {"data": [{"id": "m", "owned_by": "vllm"}]})
            if granted
            else json_response(401, {"error": "no"})
        )

    with ScriptedServer({"/v1/models": anything}) as server:
        assert seen(server.url, "vllm").state == "ready"
        assert KEY not in str(sent_keys(server))


@pytest.mark.parametrize("key", [KEY, SHAPELESS], ids=["shaped", "shapeless"])
def test_no_redirect_takes_a_key_along(key: str) -> None:
    with ScriptedServer({"*": json_response(200, {"data": []})}) as foreign:
        with ScriptedServer({"*": redirect(f"{foreign.url}/v1/models")}) as own:
            report = seen(own.url, "openai", {"K": key}, key_env="K")
            assert sent_keys(own) == {f"Bearer {key}"}
        assert foreign.requests == []
    assert "another host: no key goes there" in (report.message or "")


def test_every_server_gets_its_own_key_and_no_other() -> None:
    names = ["a", "b", "c"]
    with ScriptedServer(routes("ollama")) as a, ScriptedServer(routes("vllm")) as b, ScriptedServer(lm_studio()) as c:
        servers = {"a": a, "b": b, "c": c}
        kinds = {"a": "ollama", "b": "vllm", "c": "lm_studio"}
        config = config_of(*(endpoint(name, kinds[name], servers[name].url, key_env=f"KEY_{name}") for name in names))
        environment = {f"KEY_{name}": f"sk-own-of-{name}-0123456789" for name in names}
        environment |= {"OPENAI_API_KEY": KEY, "LOCAL_LLM_API_KEY": KEY}
        survey([place for place in places(config, environment) if place.name in names], real_wire(), 20.0)
        for name, server in servers.items():
            assert sent_keys(server) == {f"Bearer sk-own-of-{name}-0123456789"}


CLOUDS = [name for name, provider in PROVIDERS.items() if provider.needs_key and not provider.local]


@pytest.mark.parametrize("name", CLOUDS)
@pytest.mark.parametrize("good", [True, False], ids=["good", "refused"])
def test_a_cloud_is_asked_for_its_list_of_models_and_nothing_else(name: str, good: bool) -> None:
    def answer(request: Request) -> Any:
        if not good:
            return json_response(401, {"error": {"message": f"Incorrect API key provided: {KEY}"}})
        return json_response(200, {"data": [{"id": "m-1", "context_length": 4096}], "label": "x"})

    with ScriptedServer({"*": answer}) as cloud:
        stem = PROVIDERS[name].variables
        environment = {f"{stem}_BASE_URL": f"{cloud.url}/v1", f"{stem}_API_KEY": KEY}
        (place,) = [place for place in places(Config(tiers=()), environment) if place.name == name]
        report = looked(place)
        expected = {"/v1/models", "/v1/key"} if name == "openrouter" else {"/v1/models"}
        assert {request.path for request in cloud.requests} == expected
        assert {request.method for request in cloud.requests} == {"GET"}
    assert report.state == ("ready" if good else "auth")
    assert [model.remote for model in report.models] == ([True] if good else [])
    assert KEY not in repr(report)


def test_gemini_says_no_with_a_400() -> None:
    no = json_response(400, [{"error": {"code": 400, "message": "API key not valid. Please pass a valid API key."}}])
    with ScriptedServer({"*": no}) as cloud:
        environment = {"GEMINI_BASE_URL": cloud.url, "GEMINI_API_KEY": KEY}
        (place,) = [place for place in places(Config(tiers=()), environment) if place.name == "gemini"]
        assert looked(place).state == "auth"


def test_openrouter_s_list_is_open_so_its_key_is_looked_at_itself() -> None:
    answers = {
        "/v1/models": json_response(200, {"data": [{"id": "m"}]}),
        "/v1/key": json_response(401, {"error": {"message": "no"}}),
    }
    with ScriptedServer(answers) as cloud:
        environment = {"OPENROUTER_BASE_URL": f"{cloud.url}/v1", "OPENROUTER_API_KEY": KEY}
        (place,) = [place for place in places(Config(tiers=()), environment) if place.name == "openrouter"]
        assert (looked(place).state) == "auth"


def test_a_cloud_without_its_key_is_asked_nothing() -> None:
    with ScriptedServer({"*": json_response(200, {"data": []})}) as cloud:
        config = config_of(endpoint("gw", "openai", cloud.url, key_env="NOT_SET"))
        (report,) = survey(named_places(config), real_wire(), 20.0)
        assert cloud.requests == []
    assert (report.state, report.hint) == ("auth", "export NOT_SET=...")


def test_a_key_that_takes_its_time_takes_none_of_the_server_s() -> None:
    with ScriptedServer(guarded(KEY)) as server:
        slow = seen(server.url, "llamacpp", seconds=1.5, key_cmd=f"sleep 1; echo {KEY}")
        stuck = seen(server.url, "llamacpp", seconds=0.4, key_cmd="sleep 30")
        assert sent_keys(server) == {f"Bearer {KEY}", "Bearer mrt"}  # without one, what every local server is sent
    assert slow.state == "ready"
    assert (stuck.state, stuck.message) == ("auth", "endpoints.box.key_cmd did not print a key")


@pytest.mark.parametrize(
    "no",
    [
        {"error": {"message": "No connected db.", "type": "no_db_connection", "code": "400"}},
        [{"error": {"code": 400, "message": "API key not valid. Please pass a valid API key."}}],
    ],
    ids=["litellm", "gemini"],
)
def test_a_switch_is_refused_by_a_400_that_means_the_key(store_home: Home, no: Any) -> None:
    with ScriptedServer({"*": json_response(400, no)}) as server:
        configure(store_home, {"endpoints.box": {"kind": "litellm", "url": server.url, "key_env": "K"}})
        result = run_here(store_home, "config", "set", "tiers.cloud.model", "box/m", env={"K": KEY})
    assert result.exit_code == 4
    assert result.stderr.startswith("error: box/m: box refuses the key (HTTP 400); the value stays as it was")


def test_a_key_goes_unencrypted_only_with_a_word_about_it() -> None:
    target = Target("koala", "-", "litellm", "chat", "http://198.51.100.7:4000", local=False)
    config = config_of(endpoint("koala", "litellm", target.url, key_env="K"))
    place = Place(replace(target), config, {"K": KEY}, named=True)
    from mrt.endpoints import warnings

    assert warnings(with_key(place.target, config, place.environment)) == (
        "the key of koala goes to http://198.51.100.7:4000 unencrypted",
    )


def written(home: Home) -> Iterator[tuple[Path, bytes]]:
    """Every file in the home."""
    return ((path, path.read_bytes()) for path in home.path.rglob("*") if path.is_file() and path.name != "config.toml")


def echo(request: Request) -> Any:
    """A server that puts the key it was sent into everything it says."""
    key = request.headers.get("authorization", "nothing").removeprefix("Bearer ")
    answers: dict[str, Any] = {
        "/api/version": {"version": f"1-{key}"},
        "/api/tags": {"models": [{"name": f"m-{key}", "details": {"quantization_level": key}, "remote_host": key}]},
        "/api/ps": {"models": []},
    }
    return json_response(200, answers[request.path]) if request.path in answers else json_response(404, {"error": key})


@pytest.mark.parametrize("key", [KEY, SHAPELESS], ids=["shaped", "shapeless"])
@pytest.mark.parametrize(
    "arguments", [["probe"], ["probe", "--json"], ["probe", "models"], ["doctor", "-v"]], ids=" ".join
)
def test_a_server_that_sends_the_key_back_shows_it_to_nobody(store_home: Home, key: str, arguments: list[str]) -> None:
    with ScriptedServer({"*": echo}) as server:
        configure(
            store_home,
            {
                "tiers.one": {"model": "box/m"},
                "endpoints.box": {"kind": "ollama", "url": server.url, "key_env": "CANARY"},
            },
        )
        result = run_here(store_home, *arguments, env={"CANARY": key})
        assert sent_keys(server) == {f"Bearer {key}"}
    assert key.encode() not in result.stdout_bytes + result.stderr_bytes
    assert not [path for path, content in written(store_home) if key.encode() in content]
    assert any(path.name == "probe.json" for path, _ in written(store_home))


def test_a_password_in_an_address_is_not_shown(store_home: Home) -> None:
    with ScriptedServer(routes("ollama")) as server:
        url = server.url.replace("http://", "http://me:hunter2secret@")
        configure(store_home, {"tiers.one": {"model": "box/m"}, "endpoints.box": {"kind": "ollama", "url": url}})
        result = run_here(store_home, "probe", "--json")
    assert json.loads(result.stdout)["data"]["endpoints"][0]["url"] == server.url
    assert b"hunter2secret" not in result.stdout_bytes + result.stderr_bytes
