"""Real servers are recognised, told from one another, and not disturbed: llama.cpp in every state, and the LiteLLM proxy."""

from __future__ import annotations

import json
import socket
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from rig.cast import FAST_MODEL
from rig.command import Command
from rig.home_setup import configure, run_here
from rig.litellm_proxy import LiteLLMProxy
from rig.llama_server import LlamaServer, llama_server
from rig.loopback import ScriptedServer
from rig.probe_servers import asked, config_of, endpoint, forwarding, named_places, real_wire, seen
from rig.scripted_model import Line, ModelScript, Size, write_model

from mrt.endpoints.survey import survey

PATIENCE_S = 60.0
LARGE = ModelScript(
    name="large", size=Size(layers=8, width=1024, feed_forward=4096, heads=8), lines=(Line("", "It is loaded."),)
)


def free_port() -> int:
    """A port that nobody has now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def props(url: str) -> Any:
    """What llama.cpp says of itself; the question wakes nobody."""
    with urllib.request.urlopen(f"{url}/props", timeout=20) as response:
        return json.load(response)


def wait_until_asleep(url: str) -> None:
    """Its own clock decides when."""
    end = time.monotonic() + PATIENCE_S
    while not props(url)["is_sleeping"]:
        assert time.monotonic() < end, "it never fell asleep"
        threading.Event().wait(0.05)


def test_two_servers_on_two_ports(llama_fast: LlamaServer, llama_heavy: LlamaServer) -> None:
    config = config_of(endpoint("one", "llamacpp", llama_fast.url), endpoint("two", "vllm", f"{llama_heavy.url}/v1"))
    one, two = survey(named_places(config, {}), real_wire(), 20.0)
    assert [(one.kind, one.state), (two.kind, two.state)] == [("llamacpp", "ready"), ("llamacpp", "ready")]
    assert two.hint == "it is llamacpp: mrt config set endpoints.two.kind llamacpp"
    assert [model.id for model in two.models] == ["heavy"]
    (model,) = one.models
    # 16,384 tokens for two slots; the model was made for 32,768.
    assert (model.id, model.loaded, model.context_served, model.context_trained) == ("fast", True, 8192, 32768)
    assert (one.slots, one.busy, one.queue) == (2, 0, 0)
    assert (model.tools, model.vision, model.remote, model.quantization) == (True, False, False, "all F32")


def test_what_is_asked_of_a_real_engine(llama_fast: LlamaServer) -> None:
    with ScriptedServer({"*": forwarding(llama_fast.url)}) as log:
        assert seen(log.url, "llamacpp").models[0].id == "fast"
        assert asked(log) == ["/props", "/metrics", "/v1/models"]


def test_what_is_asked_of_a_sleeping_engine(models_folder: Path) -> None:
    model = write_model(FAST_MODEL, models_folder)
    with (
        llama_server(model, alias="fast", sleep_idle_seconds=1) as server,
        ScriptedServer({"*": forwarding(server.url)}) as log,
    ):
        wait_until_asleep(server.url)
        for kind in ("llamacpp", "openai", "litellm"):
            assert [one.loaded for one in seen(log.url, kind, local=True).models] == [False]
        assert props(server.url)["is_sleeping"] is True
        assert set(asked(log)) <= {"/props", "/v1/models", "/health/liveliness"}


def test_a_busy_server_says_so(mrt: Command, llama_slow: LlamaServer) -> None:
    body = json.dumps({"messages": [{"role": "user", "content": "go"}], "max_tokens": 4000, "stream": True}).encode()
    request = urllib.request.Request(
        f"{llama_slow.url}/v1/chat/completions", body, {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
        answer.read(1)
        report = seen(llama_slow.url, "llamacpp")
    assert (report.state, report.busy, report.slots) == ("ready", 1, 2)


@pytest.mark.parametrize(
    ("given", "state", "message"),
    [("sk-engine-0123456789", "ready", None), ("sk-engine-wrong-12345", "auth", "it refuses the key")],
    ids=["right", "wrong"],
)
def test_a_server_with_a_key(models_folder: Path, given: str, state: str, message: str | None) -> None:
    model = write_model(FAST_MODEL, models_folder)
    with llama_server(model, alias="fast", api_keys=["sk-engine-0123456789"]) as server:
        keyed = seen(server.url, "vllm", {"K": given}, key_env="K")
        bare = seen(server.url, "llamacpp")
    assert (keyed.kind, keyed.state, keyed.message) == ("llamacpp", state, message)
    assert (bare.state, bare.message) == ("auth", "it wants a key")


def test_a_sleeping_server_stays_asleep_and_one_that_is_awake_falls_asleep(mrt: Command, models_folder: Path) -> None:
    with llama_server(write_model(FAST_MODEL, models_folder), alias="fast", sleep_idle_seconds=1) as server:
        configure(
            mrt.home, {"tiers.one": {"model": "box/fast"}, "endpoints.box": {"kind": "llamacpp", "url": server.url}}
        )
        end = time.monotonic() + PATIENCE_S
        while seen(server.url, "llamacpp").models[0].loaded:  # look after look keeps nobody awake
            assert time.monotonic() < end, "it never fell asleep"
            threading.Event().wait(0.2)
        for arguments in (
            ["probe"],
            ["probe", "models"],
            ["probe", "--wait"],
            ["doctor"],
            ["probe", "--endpoint", "box"],
        ):
            assert run_here(mrt.home, *arguments, env={"LOCAL_LLM_BASE_URL": "http://127.0.0.1:9"}).exit_code == 0
            assert props(server.url)["is_sleeping"] is True
        wait_until_asleep(server.url)


@contextmanager
def being_loaded(model: Path) -> Iterator[str]:
    """The address of a server that has only just been started; its tensors are checked one by one, which takes a second."""
    port, done = free_port(), threading.Event()

    def serve() -> None:
        with llama_server(model, alias="large", port=port, check_tensors=True):
            done.wait(PATIENCE_S)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        done.set()
        thread.join()


def test_a_server_that_loads_its_model_is_waited_for(mrt: Command, models_folder: Path) -> None:
    states: list[str] = []
    with being_loaded(write_model(LARGE, models_folder)) as url:
        while "ready" not in states:
            state = seen(url, "llamacpp").state
            states += [state] if states[-1:] != [state] else []
            assert len(states) < 6, states
    assert states[-2:] == ["loading", "ready"]
    assert set(states[:-2]) <= {"down"}


def test_wait_sees_a_server_through_its_start(mrt: Command, models_folder: Path) -> None:
    model = write_model(LARGE, models_folder)
    with being_loaded(model) as url:
        configure(mrt.home, {"tiers.one": {"model": "box/large"}, "endpoints.box": {"kind": "llamacpp", "url": url}})
        result = mrt("probe", "--wait", "--timeout", "60", "--json")
    (tier,) = json.loads(result.stdout)["data"]["tiers"]
    assert (result.exit_code, tier["ready"], tier["listed"]) == (0, True, True)


def test_litellm_with_its_key_without_one_and_with_a_wrong_one(litellm: LiteLLMProxy) -> None:
    right = seen(litellm.url, "litellm", {"K": litellm.key}, key_env="K")
    bare = seen(litellm.url, "litellm")
    wrong = seen(litellm.url, "litellm", {"K": "sk-wrong-0123456789"}, key_env="K")
    stranger = seen(litellm.url, "vllm", {"K": litellm.key}, key_env="K")
    assert (right.kind, right.state, stranger.kind) == ("litellm", "ready", "litellm")
    assert (bare.kind, bare.state, bare.message) == ("litellm", "auth", "it wants a key")
    assert (wrong.kind, wrong.state, wrong.message) == ("litellm", "auth", "it refuses the key")
    models = {model.id: model for model in right.models}
    assert (models["local"].remote, models["mock-claude"].remote, models["mock-claude"].tools) == (False, True, True)
    # Nobody asked the dead upstream, so the proxy itself is well.
    assert models["dead"].remote is False


def test_what_is_asked_of_a_real_proxy(litellm: LiteLLMProxy) -> None:
    with ScriptedServer({"*": forwarding(litellm.url)}) as log:
        assert seen(log.url, "litellm", {"K": litellm.key}, key_env="K").state == "ready"
        assert asked(log) == ["/health/liveliness", "/v1/models", "/health/readiness", "/v1/model/info"]
