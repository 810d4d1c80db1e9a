"""Servers as a probe meets them: captured ones of every kind, one shaped after LM Studio's documentation, and broken ones."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from mrt.config import Config, EndpointSettings, Tier
from mrt.endpoints.place import Place, places
from mrt.endpoints.report import EndpointReport
from mrt.endpoints.survey import survey
from mrt.providers import Wire, open_client
from rig.loopback import Response, Route, ScriptedServer
from rig.responses import body_response, json_response

TABLE = Path(__file__).parents[1] / "data" / "probes.json"
KEY = "sk-canary-0123456789abcdef"


@cache
def table() -> Mapping[str, Mapping[str, Any]]:
    """Captured answers by server and path."""
    found: Mapping[str, Mapping[str, Any]] = json.loads(TABLE.read_text(encoding="utf-8"))
    return found


def routes(server: str, **changed: Route) -> dict[str, Route]:
    """What the captured server answers, by path; other paths get a 404. `changed` takes the place of `path_name`."""
    found: dict[str, Route] = {path: _response(answer) for path, answer in table()[server].items()}
    return found | {"/" + name.replace("__", "/"): route for name, route in changed.items()}


def _response(answer: Mapping[str, Any]) -> Response:
    headers = dict(answer["headers"])
    kind = headers.pop("content-type", "text/plain")
    return body_response(answer["status"], answer["body"].encode(), kind, headers)


def document(server: str, path: str) -> Any:
    """The JSON of one captured answer."""
    return json.loads(table()[server][path]["body"])


LM_STUDIO_NEW = {
    "models": [
        {
            "type": "llm",
            "key": "qwen/qwen3-8b",
            "display_name": "Qwen3 8B",
            "architecture": "qwen3",
            "quantization": {"name": "Q4_K_M", "bits_per_weight": 4},
            "size_bytes": 5027784224,
            "params_string": "8B",
            "loaded_instances": [{"id": "qwen/qwen3-8b", "config": {"context_length": 8192}}],
            "max_context_length": 40960,
            "format": "gguf",
            "capabilities": {"vision": False, "trained_for_tool_use": True},
        },
        {
            "type": "embedding",
            "key": "text-embedding-nomic",
            "quantization": {"name": "F16"},
            "size_bytes": 274290560,
            "loaded_instances": [],
            "max_context_length": 2048,
        },
    ]
}
LM_STUDIO_OLD = {
    "object": "list",
    "data": [
        {
            "id": "qwen2-vl-7b",
            "type": "vlm",
            "arch": "qwen2_vl",
            "compatibility_type": "mlx",
            "quantization": "4bit",
            "state": "not-loaded",
            "max_context_length": 32768,
        },
        {
            "id": "llama-3.2-3b",
            "type": "llm",
            "arch": "llama",
            "compatibility_type": "gguf",
            "quantization": "Q8_0",
            "state": "loaded",
            "max_context_length": 131072,
            "loaded_context_length": 4096,
            "capabilities": ["tool_use"],
        },
    ],
}


def lm_studio(*, new: bool = True) -> dict[str, Route]:
    """A server that says 200 to everything, as LM Studio does; an older one has the list of `/api/v0` alone."""

    def anything(request: Any) -> Response:
        text = f"Unexpected endpoint or method. ({request.method} {request.path})"
        return json_response(200, {"error": text}, {"x-powered-by": "Express"})

    listed = {
        "data": [
            {"id": row["id"], "object": "model", "owned_by": "organization_owner"} for row in LM_STUDIO_OLD["data"]
        ]
    }
    found: dict[str, Route] = {
        "*": anything,
        "/v1/models": json_response(200, listed),
        "/api/v0/models": json_response(200, LM_STUDIO_OLD),
    }
    return found | ({"/api/v1/models": json_response(200, LM_STUDIO_NEW)} if new else {})


def real_wire() -> Wire:
    """Real connections and clocks."""
    return Wire(open_client, time.monotonic, time.time, time.sleep, lambda: 0.0)


def endpoint(name: str, kind: Any, url: str, **fields: Any) -> EndpointSettings:
    """One configured endpoint."""
    return EndpointSettings(name, kind, url, **fields)


def config_of(*endpoints: EndpointSettings, tiers: Sequence[Tier] = ()) -> Config:
    """A config of these endpoints and tiers alone."""
    return Config(tiers=tuple(tiers), endpoints={one.name: one for one in endpoints})


def named_places(config: Config, environment: Mapping[str, str] | None = None) -> tuple[Place, ...]:
    """The places that the config names, without the usual ports."""
    return tuple(place for place in places(config, environment or {}) if place.named)


def seen(
    url: str, kind: str = "openai", environment: Mapping[str, str] | None = None, seconds: float = 20.0, **fields: Any
) -> EndpointReport:
    """What a survey says of one endpoint `box` of this kind."""
    config = config_of(endpoint("box", kind, url, **fields))
    (report,) = survey(named_places(config, environment), real_wire(), seconds)
    return report


def asked(server: ScriptedServer) -> list[str]:
    """The paths that were asked, each with its method where that is not GET."""
    return [
        request.path if request.method == "GET" else f"{request.method} {request.path}" for request in server.requests
    ]


def forwarding(url: str) -> Route:
    """A route that hands everything on to the real server at `url`, so that there is a log of what was asked of it."""

    def forward(request: Any) -> Response:
        headers = {name: value for name, value in request.headers.items() if name not in ("host", "connection")}
        onward = urllib.request.Request(url + request.path, request.body or None, headers, method=request.method)
        try:
            with urllib.request.urlopen(onward, timeout=30) as answer:
                status, found, body = answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                status, found, body = error.code, error.headers, error.read()
        named = {"server": found["server"]} if found["server"] else {}
        return body_response(status, body, found.get("content-type", "text/plain"), named)

    return forward


@contextmanager
def black_hole() -> Iterator[str]:
    """An address that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def tls_port() -> Iterator[str]:
    """A port that speaks TLS, and has no certificate to show; its address begins with http:// all the same."""
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)

    def shake(connection: socket.socket) -> None:
        try:
            context.wrap_socket(connection, server_side=True).close()
        except OSError:
            connection.close()

    with _accepting(shake) as url:
        yield url


@contextmanager
def raw_server(answer: bytes, *, drip: bool = False) -> Iterator[str]:
    """Sends these bytes to whoever asks, whatever they ask; with `drip` one by one, a fiftieth of a second apart."""
    stopping = threading.Event()

    def send(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(5)
            connection.recv(65536)
            for piece in [bytes([one]) for one in answer] if drip else [answer]:
                connection.sendall(piece)
                if stopping.wait(0.02 if drip else 0):
                    return

    with _accepting(send) as url:
        yield url
        stopping.set()


@contextmanager
def _accepting(serve: Callable[[socket.socket], None]) -> Iterator[str]:
    """A port whose every connection is served in a thread of its own."""
    stopping = threading.Event()
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        listener.settimeout(0.05)

        def accept() -> None:
            while not stopping.is_set():
                try:
                    connection, _ = listener.accept()
                except TimeoutError:
                    continue
                threading.Thread(target=serve, args=(connection,)).start()

        acceptor = threading.Thread(target=accept)
        acceptor.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            stopping.set()
            acceptor.join()
