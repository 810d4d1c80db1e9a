"""Models that servers have: as llama.cpp, vLLM, LM Studio and llama-swap name them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from model_kit import answer, captured, sources
from rig.cast import FAST_MODEL
from rig.llama_server import LlamaServer
from rig.loopback import Response, ScriptedServer
from rig.responses import json_response
from rig.scripted_model import write_model

from mrt.errors import MrtError
from mrt.models import Sources, resolve_model, resolve_running
from mrt.models.running import plain_file_type


def test_llamacpp_serves_a_file_of_this_machine(llama_fast: LlamaServer, models_folder: Path) -> None:
    """llama.cpp's own server, which names the file it serves."""
    running = resolve_running("near", sources(llama_fast.url, "llamacpp"))
    path = write_model(FAST_MODEL, models_folder)
    assert (running.shape.name, running.shape.confidence) == (path.name, "exact")
    assert (running.context, running.parallel) == (8192, 2)
    assert running.shape.source == f"GGUF header of {path}, served by near"
    assert running.shape.file_bytes == path.stat().st_size


def llamacpp(path: str, **meta: Any) -> dict[str, Response]:
    """A llama.cpp server elsewhere, that serves another file."""
    props = {**captured()["llamacpp/props"]["body"], "model_path": path, "model_ftype": "Q4_K - Medium"}
    models = {"data": [{"id": path, "meta": meta}]}
    return {"/props": json_response(200, props), "/v1/models": json_response(200, models)}


@pytest.mark.parametrize(
    ("path", "meta", "expected"),
    [
        pytest.param(
            "/models/Qwen2.5-Coder-14B-Instruct-Q4_K_M.gguf",
            {"n_embd": 5120, "n_vocab": 152064, "n_params": 14770033664, "size": 8982143520},
            ("qwen2", 48, "exact", 14770033664, 8982143520),
            id="by the file's name",
        ),
        pytest.param(
            "/models/mine.gguf",
            {"n_embd": 5120, "n_vocab": 152064, "n_params": 14770033664},
            ("qwen2", 48, "exact", 14770033664, None),
            id="by its build",
        ),
        pytest.param(
            "/models/mine.gguf",
            {"n_params": 6_900_000_000},
            ("llama", 32, "approximate", 6_900_000_000, None),
            id="by its size",
        ),
    ],
)
def test_llamacpp_elsewhere_is_told_by_what_it_says(path: str, meta: dict[str, Any], expected: tuple[Any, ...]) -> None:
    with ScriptedServer(llamacpp(path, **meta)) as server:
        running = resolve_running("near", sources(server.url, "llamacpp"))
    shape = running.shape
    assert (shape.architecture, len(shape.layers), shape.confidence, shape.parameters, shape.file_bytes) == expected
    assert (shape.name, shape.quantization, running.context, running.parallel) == (Path(path).name, "Q4_K_M", 2048, 1)


def test_llamacpp_that_says_nothing_is_told() -> None:
    with (
        ScriptedServer(llamacpp("/models/mine.gguf")) as server,
        pytest.raises(MrtError, match="does not say what its model is"),
    ):
        resolve_running("near", sources(server.url, "llamacpp"))


def test_a_server_that_loads_is_waited_for() -> None:
    with (
        ScriptedServer({"*": answer("llamacpp/loading")}) as server,
        pytest.raises(MrtError, match="still loading") as raised,
    ):
        resolve_running("near", sources(server.url, "llamacpp"))
    assert raised.value.code == "overloaded"


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("Q4_K - Medium", "Q4_K_M"),
        ("Q3_K - Large", "Q3_K_L"),
        ("Q5_K - Small", "Q5_K_S"),
        ("all F32", "F32"),
        ("Q8_0", "Q8_0"),
        ("(guessed) Q4_0", "Q4_0"),
        ("IQ4_XS - 4.25 bpw", "IQ4_XS"),
        ("MXFP4 MoE", "MXFP4_MoE"),
    ],
)
def test_llamacpps_words_for_a_file_type(words: str, name: str) -> None:
    assert plain_file_type(words) == name


def vllm(**row: Any) -> dict[str, Response]:
    """A vLLM server with one model."""
    listed = captured()["vllm/models"]["body"]
    return {"/v1/models": json_response(200, {**listed, "data": [{**listed["data"][0], **row}]})}


def test_vllm_names_a_repository_that_the_catalog_knows() -> None:
    with ScriptedServer(vllm(id="coder", root="Qwen/Qwen2.5-Coder-14B-Instruct", max_model_len=16384)) as server:
        running = resolve_running("near", sources(server.url, "vllm"))
        named = resolve_model("near/coder", sources=sources(server.url, "vllm"))
    assert (running.shape.name, running.shape.embedding, running.context) == ("near/coder", 5120, 16384)
    assert named.name == "near/coder"


@pytest.mark.parametrize(
    ("name", "quantization", "confidence"),
    [
        pytest.param("Qwen/Qwen2.5-7B-Instruct", "BF16", "exact", id="as it is"),
        pytest.param("Qwen/Qwen2.5-7B-Instruct-AWQ", "Q4_0", "approximate", id="4 bits"),
        pytest.param("Qwen/Qwen2.5-7B-Instruct-FP8", "Q8_0", "approximate", id="8 bits"),
    ],
)
def test_vllm_runs_a_repositorys_own_weights(name: str, quantization: str, confidence: str) -> None:
    with ScriptedServer(vllm(id=name, root=name)) as server:
        shape = resolve_running("near", sources(server.url, "vllm")).shape
    assert (shape.quantization, shape.confidence) == (quantization, confidence)


@pytest.mark.parametrize(
    ("endpoint", "message"),
    [
        pytest.param("near", "near serves /models/tiny, which the catalog does not know", id="unknown"),
        pytest.param("near/other", "has no model 'other'", id="not served"),
    ],
)
def test_vllm_with_a_model_nobody_knows(endpoint: str, message: str) -> None:
    with ScriptedServer({"/v1/models": answer("vllm/models")}) as server, pytest.raises(MrtError) as raised:
        resolve_running(endpoint, sources(server.url, "vllm"))
    assert message in raised.value.message
    assert raised.value.code == "model_not_found"


def test_several_models_want_one_named() -> None:
    rows = {"data": [{"id": "qwen3-8b"}, {"id": "llama-3.1-8b-instruct"}]}
    with ScriptedServer({"/v1/models": json_response(200, rows)}) as server:
        with pytest.raises(MrtError) as raised:
            resolve_running("near", sources(server.url, "llama_swap"))
        running = resolve_running("near/qwen3-8b", sources(server.url, "llama_swap"))
    assert (raised.value.message, raised.value.hint) == (
        f"{server.url} has 2 models",
        "name one: near/qwen3-8b, near/llama-3.1-8b-instruct",
    )
    assert (running.shape.embedding, running.context) == (4096, None)


def test_lm_studio_says_what_is_loaded_and_how() -> None:
    rows = {
        "data": [
            {"id": "qwen2.5-7b-instruct", "state": "not-loaded"},
            {
                "id": "qwen2.5-coder-14b-instruct",
                "state": "loaded",
                "quantization": "Q6_K",
                "loaded_context_length": 4096,
            },
        ]
    }
    with ScriptedServer({"/api/v0/models": json_response(200, rows)}) as server:
        running = resolve_running("near", sources(server.url, "lm_studio"))
    assert (running.shape.embedding, running.shape.quantization, running.context) == (5120, "Q6_K", 4096)


def test_a_gateway_says_nothing_of_memory() -> None:
    with (
        ScriptedServer() as server,
        pytest.raises(MrtError, match="near is a litellm endpoint, which does not tell what its models take"),
    ):
        resolve_running("near", sources(server.url, "litellm"))


def test_no_server_is_asked_offline() -> None:
    offline = Sources(endpoints=frozenset({"near"}))
    with pytest.raises(MrtError, match="near/tiny cannot be asked offline"):
        resolve_model("near/tiny", sources=offline)


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_told(status: int) -> None:
    with ScriptedServer({"*": json_response(status, {"error": "no"})}) as server, pytest.raises(MrtError) as raised:
        resolve_running("near", sources(server.url, "vllm"))
    assert raised.value.code == "auth"
