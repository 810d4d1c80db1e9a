"""Every kind of server is recognised by what only it says, and is asked nothing that could disturb it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from rig.loopback import Route, ScriptedServer
from rig.probe_servers import KEY, asked, config_of, document, lm_studio, named_places, real_wire, routes, seen
from rig.responses import body_response, html, json_response

from mrt.endpoints.report import EndpointReport, ModelReport
from mrt.endpoints.survey import survey

# The whole set of questions on record that no server minds; a slot list, a health check of LiteLLM's or a POST are none of them.
HARMLESS = {
    "/props",
    "/running",
    "/health/liveliness",
    "/health/readiness",
    "/api/version",
    "/api/tags",
    "/api/ps",
    "/api/v0/models",
    "/api/v1/models",
    "/v1/models",
    "/v1/model/info",
    "/models",
    "/version",
    "/metrics",
}
SERVERS: dict[str, Callable[[], dict[str, Route]]] = {
    "ollama": lambda: routes("ollama"),
    "vllm": lambda: routes("vllm"),
    "llama_swap": lambda: routes("llama_swap"),
    "llama-cpp-python": lambda: routes("llama-cpp-python"),
    "llamacpp": lambda: routes("llamacpp"),
    "llamacpp-router": lambda: routes("llamacpp-router"),
    "litellm": lambda: routes("litellm"),
    "lm_studio": lm_studio,
    "lm_studio-old": lambda: lm_studio(new=False),
}
CONFIGURED = ["openai", "ollama", "vllm", "lm_studio", "llamacpp", "llama_swap", "litellm"]


@pytest.mark.parametrize("configured", CONFIGURED)
@pytest.mark.parametrize("server", SERVERS)
def test_a_server_is_what_it_says_not_what_it_is_configured_as(server: str, configured: str) -> None:
    with ScriptedServer(SERVERS[server]()) as box:
        report = seen(box.url, configured)
        questions = asked(box)
    kind = "llama-cpp-python" if server == "llama-cpp-python" else server.partition("-")[0]
    assert report.kind == kind
    # Ollama's own protocol is spoken by Ollama alone; all others answer chat completions.
    assert report.state == ("unknown" if configured == "ollama" != kind else "ready")
    assert set(questions) <= HARMLESS
    assert len(questions) == len(set(questions))


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("suffix", ["", "/", "/v1", "/v1/"])
def test_an_address_may_end_in_any_way(server: str, suffix: str) -> None:
    with ScriptedServer(SERVERS[server]()) as box:
        assert seen(box.url + suffix, "llamacpp").state == "ready"
        assert set(asked(box)) <= HARMLESS


def models(report: EndpointReport) -> dict[str, ModelReport]:
    """The models by their id."""
    return {model.id: model for model in report.models}


def report_of(server: str, kind: str | None = None, **changed: Route) -> EndpointReport:
    """What is seen of a captured server."""
    with ScriptedServer(routes(server, **changed)) as box:
        return seen(box.url, kind or server.partition("-")[0])


def test_ollama_tells_what_is_loaded_and_what_each_model_can_do() -> None:
    report = report_of("ollama")
    assert (report.version, len(report.models)) == ("0.33.0-rc2", 9)
    assert models(report)["tiny:latest"] == ModelReport(
        "tiny:latest",
        loaded=True,
        context_served=2048,
        context_trained=2048,
        quantization="Q8_0",
        size_bytes=129333,
        vram_bytes=0,
        remote=False,
        tools=False,
        vision=False,
        reasoning=False,
        embedding=False,
        digest="94ccf6d34e7c045a5579d76c1e81972262cfc8f4d3a5cee92e0324a18d5b51e1",
    )
    tools = models(report)["gotools:latest"]
    assert (tools.loaded, tools.context_served, tools.tools, tools.reasoning) == (False, None, True, True)


def test_a_model_of_ollama_s_cloud_runs_on_another_machine() -> None:
    tags = {
        "models": [
            {
                "name": "gpt-oss:120b-cloud",
                "size": 384,
                "details": {"quantization_level": "MXFP4"},
                "remote_model": "gpt-oss:120b",
                "remote_host": "https://ollama.com:443",
            }
        ]
    }
    cloud = models(report_of("ollama", api__tags=json_response(200, tags)))["gpt-oss:120b-cloud"]
    # Its few bytes on the disk are not the model.
    assert (cloud.remote, cloud.remote_host, cloud.size_bytes, cloud.loaded) == (
        True,
        "https://ollama.com:443",
        None,
        None,
    )


def test_an_older_ollama_tells_less_and_none_of_it_is_made_up() -> None:
    tags = {"models": [{"name": "a", "size": 7, "details": {"quantization_level": "unknown"}}]}
    report = report_of("ollama", api__tags=json_response(200, tags), api__ps=json_response(404, {}))
    assert report.models == (ModelReport("a", size_bytes=7, remote=False),)


def test_vllm_tells_its_context_and_its_queue() -> None:
    metrics = b'vllm:num_requests_running{engine="0"} 2.0\nvllm:num_requests_waiting{engine="0"} 3.0\n'
    report = report_of("vllm", metrics=body_response(200, metrics, "text/plain"))
    assert (report.version, report.busy, report.queue) == ("0.32.0", 2, 3)
    assert report.models == (ModelReport("tiny", loaded=True, context_served=2048, remote=False),)


def test_a_vllm_that_wants_a_key_is_known_by_how_it_says_no() -> None:
    no = json_response(401, {"error": "Unauthorized"})
    report = report_of("vllm", v1__models=no)
    assert (report.kind, report.state, report.version, report.message) == ("vllm", "auth", "0.32.0", "it wants a key")


def test_llamacpp_tells_slots_load_and_abilities() -> None:
    report = report_of("llamacpp")
    assert (report.slots, report.busy, report.queue, report.router) == (1, 0, 0, False)
    (model,) = report.models
    assert (model.context_served, model.context_trained, model.quantization, model.size_bytes) == (
        2048,
        2048,
        "all F32",
        431360,
    )
    assert (model.loaded, model.tools, model.vision, model.remote) == (True, False, False, False)


def test_a_build_without_a_number_has_no_version() -> None:
    props = document("llamacpp", "/props")
    assert report_of("llamacpp").version is None
    numbered = json_response(200, props | {"build_info": "b6123-abcdef"})
    assert report_of("llamacpp", props=numbered).version == "b6123-abcdef"


def test_a_sleeping_llamacpp_is_asked_for_nothing_that_wakes_it() -> None:
    props = document("llamacpp", "/props") | {"is_sleeping": True}
    with ScriptedServer(routes("llamacpp", props=json_response(200, props))) as box:
        report = seen(box.url, "llamacpp")
        assert asked(box) == ["/props", "/v1/models"]
    assert [model.loaded for model in report.models] == [False]
    assert (report.state, report.busy) == ("ready", None)


def test_a_llamacpp_that_loads_its_model_is_not_ready() -> None:
    report = report_of("llamacpp-loading")
    assert (report.kind, report.state, report.message) == ("llamacpp", "loading", "it is loading its model")


def test_a_router_tells_which_models_are_loaded_and_loads_none() -> None:
    with ScriptedServer(routes("llamacpp-router")) as box:
        report = seen(box.url, "llamacpp")
        assert asked(box) == ["/props", "/models"]
    assert report.router
    assert {name: model.loaded for name, model in models(report).items()} == {
        "badarch": False,
        "loop": False,
        "tiny": True,
    }
    assert models(report)["tiny"].context_served == 2048
    assert models(report)["loop"].context_served is None


def test_llama_swap_keeps_its_command_lines_to_itself() -> None:
    running = document("llama_swap", "/running")
    running["running"][0]["cmd"] += f" --api-key {KEY}"
    with ScriptedServer(routes("llama_swap", running=json_response(200, running))) as box:
        report = seen(box.url, "llama_swap")
    assert KEY not in repr(report)
    assert "xserve" not in repr(report)
    assert {name: model.loaded for name, model in models(report).items()} == {
        "broken": False,
        "loop": False,
        "tiny": True,
    }


def test_llama_swap_while_it_starts_a_model() -> None:
    running = {"running": [{"model": "hidden", "state": "starting", "cmd": "x"}]}
    found = models(report_of("llama_swap", running=json_response(200, running)))
    assert {name: model.loaded for name, model in found.items()} == {
        "broken": False,
        "loop": False,
        "tiny": False,
        "hidden": False,
    }


def test_llama_swap_that_does_not_tell_a_state() -> None:
    found = models(report_of("llama_swap", running=json_response(200, {"running": [{"model": "tiny"}]})))
    assert {name: model.loaded for name, model in found.items()} == {"broken": False, "loop": False, "tiny": None}


@pytest.mark.parametrize(
    ("server", "path"), [("ollama", "api__tags"), ("llama_swap", "running")], ids=["ollama", "llama_swap"]
)
def test_an_empty_list_may_be_written_as_null(server: str, path: str) -> None:
    name = {"ollama": "models", "llama_swap": "running"}[server]
    report = report_of(server, **{path: json_response(200, {name: None})})
    assert (report.kind, report.state) == (server, "ready")
    assert not any(model.loaded for model in report.models)


def test_litellm_tells_abilities_and_what_is_local() -> None:
    report = report_of("litellm")
    found = models(report)
    assert len(found) == 9
    cloud = found["mock-claude"]
    assert (cloud.context_served, cloud.tools, cloud.vision, cloud.reasoning, cloud.remote) == (
        200000,
        True,
        True,
        True,
        True,
    )
    assert (found["local-llamacpp"].remote, found["local-llamacpp"].context_served) == (False, None)


@pytest.mark.parametrize(
    ("base", "remote"),
    [
        ("http://127.0.0.1:8080/v1", False),
        ("http://192.168.1.20:8080", False),
        ("http://gpu-box:8080", False),
        ("http://koala.local", False),
        ("https://api.groq.com/openai/v1", True),
        ("http://8.8.8.8", True),
        ("http://[broken", True),
    ],
)
def test_what_stands_behind_a_gateway(base: str, remote: bool) -> None:
    info = {"data": [{"model_name": "mock-slow", "litellm_params": {"api_base": base}, "model_info": {}}]}
    report = report_of("litellm", v1__model__info=json_response(200, info))
    assert {name: model.remote for name, model in models(report).items() if model.remote is not None} == {
        "mock-slow": remote
    }


@pytest.mark.parametrize(
    ("server", "message"), [("litellm-no-key", "it wants a key"), ("litellm-wrong-key", "it refuses the key")]
)
def test_litellm_says_no_in_two_ways(server: str, message: str) -> None:
    with ScriptedServer(routes(server)) as box:
        environment = {"K": KEY} if server == "litellm-wrong-key" else {}
        fields = {"key_env": "K"} if environment else {}
        report = seen(box.url, "litellm", environment, **fields)
    assert (report.kind, report.state, report.message) == ("litellm", "auth", message)
    assert report.hint == (
        "check the key in K" if fields else "mrt config set endpoints.box.key_env NAME_OF_A_VARIABLE"
    )


def test_lm_studio_tells_by_its_new_list_or_by_its_old_one() -> None:
    with ScriptedServer(lm_studio()) as box:
        new = models(seen(box.url, "lm_studio"))
    with ScriptedServer(lm_studio(new=False)) as box:
        old = models(seen(box.url, "lm_studio"))
    chat, embedding = new["qwen/qwen3-8b"], new["text-embedding-nomic"]
    assert (chat.loaded, chat.context_served, chat.context_trained, chat.quantization) == (True, 8192, 40960, "Q4_K_M")
    assert (chat.size_bytes, chat.tools, chat.vision, chat.embedding) == (5027784224, True, False, False)
    assert (embedding.loaded, embedding.context_served, embedding.embedding) == (False, None, True)
    assert (old["llama-3.2-3b"].loaded, old["llama-3.2-3b"].context_served, old["llama-3.2-3b"].tools) == (
        True,
        4096,
        True,
    )
    assert (old["qwen2-vl-7b"].loaded, old["qwen2-vl-7b"].vision, old["qwen2-vl-7b"].quantization) == (
        False,
        True,
        "4bit",
    )


def test_a_server_that_says_yes_to_everything_is_not_taken_for_any_kind() -> None:
    def yes(_: Any) -> list[bytes]:
        return json_response(200, {"error": "Unexpected endpoint or method."})

    with ScriptedServer({"*": yes}) as box:
        report = seen(box.url, "llamacpp")
    assert (report.kind, report.state, report.models) == ("llamacpp", "unknown", ())
    assert report.message == "it answers, but not as a model server (HTTP 200, application/json)"


HOSTILE: dict[str, Any] = {
    "number": 7,
    "string": "ready",
    "list": [1, 2],
    "null": None,
    "nested": {"models": {"data": "x"}, "data": 3, "running": "no", "version": ["1"], "total_slots": -1},
    "rows-of-rubbish": {"models": [1, None, {"name": 5}], "data": [[], {"id": None}], "running": [4]},
    "huge-numbers": {"version": "1", "models": [{"name": "m", "size": 10**400, "details": {"context_length": -5}}]},
    "true-for-a-number": {"build_info": "b1", "total_slots": True, "default_generation_settings": {"n_ctx": True}},
}


@pytest.mark.parametrize("document_", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("kind", CONFIGURED)
def test_whatever_a_server_says_there_is_a_report(document_: Any, kind: str) -> None:
    with ScriptedServer({"*": json_response(200, document_)}) as box:
        report = seen(box.url, kind)
    assert not (report.message or "").startswith("cannot be examined")
    json.dumps([model.size_bytes for model in report.models])
    assert all(model.context_served is None for model in report.models)


def test_a_web_server_is_no_model_server() -> None:
    with ScriptedServer({"*": html()}) as box:
        report = seen(box.url, "vllm")
        assert set(asked(box)) <= HARMLESS
    assert (report.state, report.hint) == ("unknown", "check the url of box")
    assert report.message == "it answers, but not as a model server (HTTP 200, text/html)"


def test_a_row_without_a_name_takes_the_others_not_away() -> None:
    rows = [{"id": "good"}, {"id": ""}, {"id": None}, {"object": "model"}, "text"]
    with ScriptedServer({"/v1/models": json_response(200, {"data": rows})}) as box:
        report = seen(box.url, "openai", local=True)
    assert (report.state, list(models(report))) == ("ready", ["good"])


@pytest.mark.parametrize(
    ("server", "variables", "name", "hint"),
    [
        ("vllm", {"LLAMACPP_BASE_URL": ""}, "llamacpp", "it is vllm: export VLLM_BASE_URL=URL, and write vllm/MODEL"),
        ("llama-cpp-python", {}, "vllm", "it is llama-cpp-python: give it an endpoint of its own, of the kind openai"),
    ],
    ids=["another-kind", "no-name-of-its-own"],
)
def test_another_kind_at_a_provider_s_address(server: str, variables: dict[str, str], name: str, hint: str) -> None:
    """Its kind alone would name the address that is usual for it, and the kind openai a cloud."""
    with ScriptedServer(SERVERS[server]()) as box:
        environment = {**variables, f"{name.upper()}_BASE_URL": box.url}
        (report,) = survey(named_places(config_of(), environment), real_wire(), 20.0)
        assert (report.name, report.state) == (name, "ready")
        assert (report.hint or "").startswith(hint.replace("URL,", f"{box.url},"))


@pytest.mark.parametrize(("local", "end"), [(None, " && mrt config set endpoints.box.local true"), (True, "")])
def test_a_kind_that_is_like_openai_s_stays_local(local: bool | None, end: str) -> None:
    with ScriptedServer(SERVERS["llama-cpp-python"]()) as box:
        report = seen(box.url, "llamacpp", local=local)
    assert report.hint == f"it is llama-cpp-python: mrt config set endpoints.box.kind openai{end}"


def test_any_other_server_with_a_list_of_models_is_like_openai_s() -> None:
    listed = {"object": "list", "data": [{"id": "m", "object": "model", "owned_by": "sglang", "max_model_len": 4096}]}
    with ScriptedServer({"/v1/models": json_response(200, listed)}) as box:
        report = seen(box.url, "openai", local=True)
    assert (report.kind, report.state) == ("openai", "ready")
    assert report.models == (ModelReport("m", context_served=4096),)
