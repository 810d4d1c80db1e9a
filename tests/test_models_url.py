"""GGUF files behind a URL: the header is read by ranged requests, the body never."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from model_kit import llama_metadata, llama_tensors, write_gguf
from rig.asking import World
from rig.loopback import Action, Handler, Request, Response, ScriptedServer
from rig.responses import body_response, head, html, redirect

from mrt.errors import MrtError
from mrt.memory.shape import ModelShape
from mrt.models import Sources, resolve_model

SOURCES = Sources(wire=World().wire)
PATH = "/org/repo/resolve/main/small-Q8_0.gguf"


def ranged(content: bytes) -> Handler:
    """A server that sends the part that was asked for, as the hub's file hosts do."""

    def handler(request: Request) -> Response:
        match = re.fullmatch(r"bytes=(\d+)-(\d+)", request.headers.get("range", ""))
        assert match is not None
        start, end = int(match[1]), min(int(match[2]) + 1, len(content))
        if start >= len(content):
            return body_response(416, b"", "text/plain", {"content-range": f"bytes */{len(content)}"})
        told = {"content-range": f"bytes {start}-{end - 1}/{len(content)}"}
        return body_response(206, content[start:end], "application/octet-stream", told)

    return handler


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A file of 7 MB with a header of 2 MB."""
    words = [f"a rather long word with the number {number}" for number in range(40_000)]
    facts = llama_metadata() | {"general.file_type": 7, "tokenizer.ggml.tokens": words}
    tensors = llama_tensors() | {"token_embd.weight": ("Q8_0", (256, 20_000))}
    return write_gguf(tmp_path_factory.mktemp("url") / "m.gguf", facts, tensors).read_bytes()


def read(url: str) -> ModelShape:
    """The model at a URL."""
    return resolve_model(url, sources=SOURCES)


def test_only_the_header_is_fetched(content: bytes) -> None:
    with ScriptedServer({PATH: ranged(content)}) as server:
        shape = read(server.url + PATH)
        asked = [request.headers["range"] for request in server.requests]
    assert (shape.name, shape.quantization, shape.vocabulary, shape.file_bytes) == (
        "small-Q8_0.gguf",
        "Q8_0",
        20_000,
        len(content),
    )
    assert (shape.source, shape.confidence) == (f"GGUF header at {server.url}{PATH}", "exact")
    ends = [int(asked_range.rpartition("-")[2]) for asked_range in asked]
    assert asked[0] == "bytes=0-65535"
    assert len(asked) <= 5
    assert max(ends) < len(content) - 1_000_000


def test_a_server_that_knows_no_ranges_is_left_after_the_header(content: bytes) -> None:
    """It sends everything from the start, and would go on; the rest stays unsent."""
    told = head(200, {"content-type": "application/octet-stream", "content-length": str(len(content))})
    with ScriptedServer({PATH: [told, content[: 3 * 1024 * 1024], Action.HOLD]}) as server:
        shape = read(server.url + PATH)
        (request,) = server.requests
        assert request.disconnected.wait(20)
    assert (shape.vocabulary, shape.file_bytes, shape.confidence) == (20_000, len(content), "exact")


def test_redirects_are_followed_to_where_the_file_lies(content: bytes) -> None:
    with (
        ScriptedServer({"/blob": ranged(content)}) as store,
        ScriptedServer({PATH: redirect(f"{store.url}/blob?signature=x", 302)}) as hub,
    ):
        shape = read(hub.url + PATH)
        assert (len(hub.requests), len(store.requests) >= 1) == (1, True)
        assert all("authorization" not in request.headers for request in store.requests + hub.requests)
    assert shape.vocabulary == 20_000


def test_parts_are_found_beside_each_other(tmp_path: Path) -> None:
    tensors = llama_tensors()
    names = list(tensors)
    parts = {
        "/big-00001-of-00002.gguf": write_gguf(
            tmp_path / "1", llama_metadata(), {name: tensors[name] for name in names[:5]}
        ).read_bytes(),
        "/big-00002-of-00002.gguf": write_gguf(
            tmp_path / "2", llama_metadata(), {name: tensors[name] for name in names[5:]}
        ).read_bytes(),
    }
    with ScriptedServer({path: ranged(data) for path, data in parts.items()}) as server:
        shape = read(f"{server.url}/big-00002-of-00002.gguf?download=true")
        assert all(request.path.endswith("?download=true") for request in server.requests)
    assert (len(shape.tensors or ()), shape.file_bytes) == (len(tensors), sum(map(len, parts.values())))


def test_a_file_shorter_than_its_tensors_is_told(content: bytes) -> None:
    with (
        ScriptedServer({PATH: ranged(content[: len(content) - 3 * 1024 * 1024])}) as server,
        pytest.raises(MrtError, match=r"small-Q8_0\.gguf is cut off: 3\.0 MiB of \d\.\d MiB are missing"),
    ):
        read(server.url + PATH)


@pytest.mark.parametrize(
    ("response", "code", "message"),
    [
        pytest.param(
            body_response(404, b"", "text/plain"), "model_not_found", "URL is not there (HTTP 404)", id="not there"
        ),
        pytest.param(body_response(401, b"", "text/plain"), "auth", "URL asks for a login (HTTP 401)", id="a login"),
        pytest.param(
            body_response(500, b"", "text/plain"), "upstream", "URL cannot be read (HTTP 500)", id="a failure"
        ),
        pytest.param(html(), "usage", "URL is no GGUF file", id="a page"),
        pytest.param(redirect(PATH), "upstream", "URL redirects in a circle", id="a circle"),
        pytest.param(
            redirect("file:///etc/hostname"),
            "upstream",
            "URL redirects to an address that is not http",
            id="a file of this machine",
        ),
        pytest.param(
            body_response(206, b"GGUF" * 10, "application/octet-stream", {"content-range": "bytes 100-139/900"}),
            "upstream",
            "URL answers with another part than was asked for",
            id="another part",
        ),
        pytest.param([Action.RESET], "upstream", None, id="a reset"),
    ],
)
def test_what_is_no_file_is_told_in_one_line(response: Response, code: str, message: str | None) -> None:
    with ScriptedServer({PATH: response}) as server, pytest.raises(MrtError) as raised:
        read(server.url + PATH)
    assert raised.value.code == code
    assert raised.value.hint
    if message is not None:
        assert raised.value.message == message.replace("URL", server.url + PATH)


def test_nobody_there_is_told() -> None:
    with ScriptedServer() as server:
        pass
    with pytest.raises(MrtError) as raised:
        read(f"{server.url}{PATH}?token=secret")
    assert raised.value.code == "unreachable"
    assert raised.value.hint == "download the file, and name it on this machine"
    assert "secret" not in raised.value.message
