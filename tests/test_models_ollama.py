"""Models that an Ollama server has, as it shows them."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from model_kit import answer, captured, sources
from rig.asking import World
from rig.loopback import Request, Response, ScriptedServer
from rig.responses import body_response, json_response

from mrt.errors import MrtError
from mrt.models import Sources, resolve_model, resolve_running


def ollama(show: Response | None = None, tags: Response | None = None, ps: str = "ollama/ps") -> dict[str, Any]:
    """Routes of an Ollama server that has the captured models."""

    def shown(request: Request) -> Response:
        known = {"tiny", "tiny:latest", "tiny512", "think"}
        return (show or answer("ollama/show")) if request.json()["model"] in known else answer("ollama/show_404")

    return {"/api/show": shown, "/api/tags": tags or answer("ollama/tags"), "/api/ps": answer(ps)}


def changed(**changes: Any) -> Response:
    """The captured details of a model with some of them changed."""
    return json_response(200, {**captured()["ollama/show"]["body"], **changes})


def test_ollama_shows_metadata_and_tensors() -> None:
    with ScriptedServer(ollama()) as server:
        shape = resolve_model("near/tiny", sources=sources(server.url, "ollama"))
    layer = shape.layers[0]
    assert (shape.name, shape.architecture, shape.embedding, shape.vocabulary) == ("near/tiny", "llama", 64, 310)
    assert (len(shape.layers), layer.heads, layer.kv_heads, layer.key_head, layer.feed_forward) == (2, 4, 2, 16, 128)
    assert (shape.context_trained, shape.quantization, shape.confidence) == (2048, "Q8_0", "exact")
    assert (shape.file_bytes, shape.parameters, shape.tied_embeddings) == (129333, 113728, False)
    assert (shape.tools, shape.vision, shape.thinking, shape.embeds) == (False, False, False, False)
    assert shape.source == "/api/show of near"
    assert len(shape.tensors or ()) == 21


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param(
            {"capabilities": ["completion", "tools", "vision", "thinking"]}, (True, True, True), id="capabilities"
        ),
        pytest.param({"capabilities": None}, (None, None, None), id="an old server says none"),
    ],
)
def test_ollama_says_what_a_model_can(changes: dict[str, Any], expected: tuple[bool | None, ...]) -> None:
    with ScriptedServer(ollama(changed(**changes))) as server:
        shape = resolve_model("near/tiny", sources=sources(server.url, "ollama"))
    assert (shape.tools, shape.vision, shape.thinking) == expected


def test_a_list_that_ollama_leaves_out_is_read_off_the_tensors() -> None:
    body = captured()["ollama/show"]["body"]
    info = {**body["model_info"], "llama.attention.head_count_kv": []}
    with ScriptedServer(ollama(changed(model_info={**info, "llama.attention.key_length": 16}))) as server:
        shape = resolve_model("near/tiny", sources=sources(server.url, "ollama"))
    assert [layer.kv_heads for layer in shape.layers] == [2, 2]


def gemma4_shown() -> Response:
    """A model whose layers differ, as Ollama shows it: lists of more than five values are left out."""
    sizes = {True: (256, 8), False: (512, 2)}
    slides = [True, True, True, True, False, True, False]
    tensors = [{"name": "token_embd.weight", "type": "Q6_K", "shape": [256, 1000]}]
    for index, window in enumerate(slides):
        size, kv_heads = sizes[window]
        tensors += [
            {"name": f"blk.{index}.attn_q.weight", "type": "Q8_0", "shape": [256, 8 * size]},
            {"name": f"blk.{index}.attn_k.weight", "type": "Q8_0", "shape": [256, kv_heads * size]},
            {"name": f"blk.{index}.ffn_up.weight", "type": "Q8_0", "shape": [256, 512 * (1 + index % 2)]},
            {"name": f"blk.{index}.ffn_gate.weight", "type": "Q8_0", "shape": [256, 512 * (1 + index % 2)]},
        ]
    facts = {
        "block_count": 7,
        "embedding_length": 256,
        "attention.head_count": 8,
        "attention.head_count_kv": [],
        "attention.key_length": 512,
        "attention.value_length": 512,
        "attention.key_length_swa": 256,
        "attention.value_length_swa": 256,
        "attention.sliding_window": 512,
        "attention.sliding_window_pattern": [],
        "feed_forward_length": [],
    }
    info = {"general.architecture": "gemma4"} | {f"gemma4.{key}": value for key, value in facts.items()}
    return changed(model_info=info, tensors=tensors)


def test_layers_that_differ_are_read_off_the_tensors() -> None:
    with ScriptedServer(ollama(gemma4_shown())) as server:
        shape = resolve_model("near/tiny", sources=sources(server.url, "ollama"))
    assert [layer.window for layer in shape.layers] == [512, 512, 512, 512, None, 512, None]
    assert [(layer.kv_heads, layer.key_head) for layer in shape.layers] == [
        *[(8, 256)] * 4,
        (2, 512),
        (8, 256),
        (2, 512),
    ]
    assert [layer.feed_forward for layer in shape.layers] == [512, 1024, 512, 1024, 512, 1024, 512]
    assert shape.notes == ()


def test_a_pattern_that_nothing_tells_is_the_architectures() -> None:
    body = captured()["ollama/show"]["body"]["model_info"]
    info = {key.replace("llama.", "gemma3."): value for key, value in body.items()} | {
        "general.architecture": "gemma3",
        "gemma3.block_count": 6,
        "gemma3.attention.sliding_window": 1024,
        "gemma3.attention.sliding_window_pattern": [],
    }
    with ScriptedServer(ollama(changed(model_info=info))) as server:
        shape = resolve_model("near/tiny", sources=sources(server.url, "ollama"))
    assert [layer.window for layer in shape.layers] == [1024] * 5 + [None]
    assert shape.notes == ("which layers slide was not told: by the rule of the architecture",)


def test_ollamas_own_name_of_an_architecture_is_understood() -> None:
    body = captured()["ollama/show"]["body"]["model_info"]
    info = {key.replace("llama.", "gptoss."): value for key, value in body.items()} | {
        "general.architecture": "gptoss",
        "gptoss.attention.sliding_window": 128,
    }
    with ScriptedServer(ollama(changed(model_info=info))) as server:
        shape = resolve_model("near/tiny", sources=sources(server.url, "ollama"))
    assert (shape.architecture, [layer.window for layer in shape.layers]) == ("gpt-oss", [128, None])


def test_a_projector_beside_the_model_is_what_the_tag_weighs_more() -> None:
    with ScriptedServer(ollama(changed(projector_info={"general.architecture": "clip"}))) as server:
        shape = resolve_model("near/tiny", sources=sources(server.url, "ollama"))
    assert 0 < shape.projector_bytes < 129333


@pytest.mark.parametrize(
    "tensors",
    [
        pytest.param(None, id="none"),
        pytest.param([{"name": "a", "type": "Q99", "shape": [64]}], id="an unknown type"),
        pytest.param([{"name": "a", "type": "F32", "shape": [-1]}], id="a size below zero"),
        pytest.param([{"name": "a", "type": "F32", "shape": [1] * 9}], id="many dimensions"),
        pytest.param(["a"], id="no objects"),
    ],
)
def test_without_a_table_that_is_understood_the_metadata_have_to_do(tensors: Any) -> None:
    with ScriptedServer(ollama(changed(tensors=tensors))) as server:
        shape = resolve_model("near/tiny", sources=sources(server.url, "ollama"))
    assert (shape.tensors, shape.confidence, len(shape.layers), shape.tied_embeddings) == (None, "good", 2, False)
    assert "the server does not show the tensors" in shape.notes


def test_an_old_server_that_says_a_size_only_gives_an_estimate() -> None:
    details = {"parameter_size": "7.6B", "quantization_level": "Q4_0"}
    with ScriptedServer(ollama(changed(model_info=None, tensors=None, details=details))) as server:
        shape = resolve_model("near/tiny", sources=sources(server.url, "ollama"))
    assert (shape.parameters, shape.quantization, shape.confidence, shape.file_bytes) == (
        7_600_000_000,
        "Q4_0",
        "approximate",
        129333,
    )


@pytest.mark.parametrize(
    ("name", "routes", "code", "message"),
    [
        pytest.param("near/tinny", ollama(), "model_not_found", "has no model 'tinny'", id="no such model"),
        pytest.param(
            "near/tiny",
            ollama(changed(remote_model="gpt")),
            "usage",
            "tiny runs in the cloud and takes no memory here",
            id="cloud",
        ),
        pytest.param(
            "near/tiny",
            ollama(json_response(500, {})),
            "not_an_api",
            "does not show its model 'tiny' (HTTP 500)",
            id="failure",
        ),
        pytest.param(
            "near/tiny", ollama(body_response(200, b"[", "text/plain")), "not_an_api", "(HTTP 200)", id="no JSON"
        ),
        pytest.param(
            "near/tiny",
            ollama(changed(model_info={}, details={})),
            "not_an_api",
            "says nothing of its model's shape",
            id="no facts",
        ),
        pytest.param(
            "near/tiny",
            {},
            "not_an_api",
            "does not answer /api/ps as servers of kind ollama do (HTTP 404)",
            id="another server",
        ),
        pytest.param(
            "near/tiny",
            ollama(changed(model_info={"general.architecture": "clip"})),
            "usage",
            "near/tiny is a projector, no model of its own",
            id="projector",
        ),
    ],
)
def test_what_ollama_cannot_show_is_told(name: str, routes: dict[str, Any], code: str, message: str) -> None:
    with ScriptedServer(routes) as server, pytest.raises(MrtError) as raised:
        resolve_model(name, sources=sources(server.url, "ollama"))
    assert raised.value.code == code
    assert message in raised.value.message


def test_a_near_name_of_the_server_is_offered() -> None:
    with ScriptedServer(ollama()) as server, pytest.raises(MrtError) as raised:
        resolve_model("near/tinny", sources=sources(server.url, "ollama"))
    assert raised.value.hint == "did you mean tiny, tiny512 or think?"


def test_a_server_that_is_down_leaves_the_catalog() -> None:
    with ScriptedServer() as server:
        pass
    with pytest.raises(MrtError) as raised:
        resolve_model("near/llama3.1:8b", sources=sources(server.url, "ollama"))
    assert (raised.value.code, raised.value.hint) == ("unreachable", "`mrt fit llama3.1:8b` reads the catalog instead")


def test_the_model_that_ollama_runs() -> None:
    with ScriptedServer(ollama()) as server:
        running = resolve_running("near", sources(server.url, "ollama"))
    assert (running.shape.name, running.context, running.parallel, running.vram_bytes) == (
        "near/tiny:latest",
        2048,
        None,
        0,
    )


def test_ollama_without_a_loaded_model_wants_one_named() -> None:
    with ScriptedServer(ollama(ps="ollama/ps_empty")) as server:
        with pytest.raises(MrtError, match="has no model loaded"):
            resolve_running("near", sources(server.url, "ollama"))
        running = resolve_running("near/tiny", sources(server.url, "ollama"))
    assert (running.shape.name, running.context, running.vram_bytes) == ("near/tiny", None, None)


VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**70), 2**70),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(max_size=5),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=5,
)
PLACES = [
    ("model_info",),
    ("tensors",),
    ("details",),
    ("capabilities",),
    ("projector_info",),
    ("details", "quantization_level"),
    ("details", "parameter_size"),
    *(("model_info", key) for key in captured()["ollama/show"]["body"]["model_info"]),
    *(("tensors", index, key) for index in (0, 3, 10) for key in ("name", "type", "shape")),
]


def put(document: Any, place: tuple[Any, ...], value: Any) -> Any:
    """A copy of a document with a value at a place."""
    if not place:
        return value
    copy = list(document) if isinstance(document, list) else dict(document)
    copy[place[0]] = put(copy[place[0]] if len(place) > 1 else None, place[1:], value)
    return copy


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(place=st.sampled_from(PLACES), value=VALUES, size=VALUES)
def test_whatever_a_server_shows_is_a_model_or_one_line(place: tuple[Any, ...], value: Any, size: Any) -> None:
    shown = put(captured()["ollama/show"]["body"], place, value)

    def handler(request: httpx.Request) -> httpx.Response:
        listed = {"models": [{"name": "tiny:latest", "size": size}]}
        return httpx.Response(200, json=shown if request.url.path == "/api/show" else listed)

    world = World(client=lambda url: httpx.Client(transport=httpx.MockTransport(handler)))
    where = sources("http://127.0.0.1:1", "ollama")
    try:
        shape = resolve_model("near/tiny", sources=Sources(where.aliases, where.endpoints, where.target, world.wire))
    except MrtError as error:
        assert "\n" not in error.message
    else:
        assert shape.layers
        assert shape.embedding > 0
