"""Servers that misbehave cost their time and no more, and are called what they are."""

from __future__ import annotations

import socket
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from rig.loopback import Action, Response, ScriptedServer
from rig.probe_servers import (
    black_hole,
    config_of,
    endpoint,
    named_places,
    raw_server,
    real_wire,
    routes,
    seen,
    tls_port,
)
from rig.responses import body_response, chunk, head, html, json_response, redirect

from mrt.domain import Target
from mrt.endpoints.line import Line
from mrt.endpoints.report import EndpointReport
from mrt.endpoints.survey import survey
from mrt.providers.visit import Visit

SHORT_S = 0.5
# Twice what a thread is given to end by itself: a busy machine wakes it late.
LATE_S = 1.5
ENDLESS = [
    head(200, {"content-type": "application/json", "transfer-encoding": "chunked"}),
    *[chunk(b"[" * 65536)] * 2000,
]


@contextmanager
def scripted(*answers: object) -> Iterator[str]:
    """A server that gives the same answer to everything."""
    with ScriptedServer({"*": list(answers)}) as server:  # type: ignore[list-item]
        yield server.url


@contextmanager
def answers_once(response: Response) -> Iterator[str]:
    """A server that answers one question and hangs at the next."""
    with ScriptedServer({"/props": response, "*": [Action.HOLD]}) as server:
        yield server.url


@contextmanager
def circle() -> Iterator[str]:
    """A server that sends everybody in a circle."""
    with ScriptedServer({"*": redirect("/again")}) as server:
        yield server.url


@contextmanager
def elsewhere() -> Iterator[str]:
    """A server that sends everybody to another host."""
    with ScriptedServer({"*": redirect("http://198.51.100.7/v1/models")}) as server:
        yield server.url


def refused_port() -> Iterator[str]:
    """A port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    yield f"http://127.0.0.1:{port}"


SLOW = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n" + b"[" * 100000
LARGE = b'{"data": [' + b'{"id": "m", "object": "model"},' * 340_000 + b'{"id": "m"}]}'
FAULTS: dict[str, tuple[Callable[[], object], str, str, str | None]] = {
    "nobody-listens": (
        contextmanager(refused_port),
        "down",
        "cannot connect to",
        "start it: llama-server -m MODEL.gguf",
    ),
    "black-hole": (
        black_hole,
        "down",
        "takes connections, but gave no answer within 0.5 s",
        "it runs, but is busy or stuck",
    ),
    "slow-loris": (lambda: raw_server(SLOW, drip=True), "down", "takes connections, but gave no answer", "it runs"),
    "stops-halfway": (
        lambda: scripted(head(200, {"content-length": "500"}), b'{"data": [', Action.HOLD),
        "down",
        "began to answer, but did not end within 0.5 s",
        "it runs",
    ),
    "slow-head": (
        lambda: raw_server(b"HTTP/1.1 200 OK\r\nx: " + b"y" * 9999, drip=True),
        "down",
        "takes connections, but gave no answer within 0.5 s",
        "it runs",
    ),
    "falls-silent": (
        lambda: answers_once(json_response(404, {})),
        "down",
        "began to answer, but did not end within 0.5 s",
        "it runs",
    ),
    "tls-port": (tls_port, "unknown", "it speaks TLS, not plain HTTP", "write https:// in its url"),
    "tls-port-of-go": (
        lambda: scripted(*body_response(400, b"Client sent an HTTP request to an HTTPS server.", "text/plain")),
        "unknown",
        "it speaks TLS, not plain HTTP",
        "write https:// in its url",
    ),
    "tls-port-of-nginx": (
        lambda: scripted(*html("The plain HTTP request was sent to HTTPS port", 400)),
        "unknown",
        "it speaks TLS, not plain HTTP",
        "write https:// in its url",
    ),
    "closes": (lambda: raw_server(b""), "unknown", "closed the connection without an answer", None),
    "ssh": (
        lambda: raw_server(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"),
        "unknown",
        "does not speak HTTP",
        "check the url of endpoint box",
    ),
    "reset": (lambda: scripted(Action.RESET), "unknown", "closed the connection without an answer", None),
    "endless-body": (lambda: scripted(*ENDLESS), "unknown", "it sends more than 4 MiB where a list is due", None),
    "ten-megabytes": (
        lambda: scripted(*body_response(200, LARGE, "application/json")),
        "unknown",
        "it sends more than 4 MiB where a list is due",
        None,
    ),
    "redirect-loop": (circle, "unknown", "redirects in a circle", "check the url of endpoint box"),
    "redirect-elsewhere": (
        elsewhere,
        "unknown",
        "redirects to http://198.51.100.7:80, another host: no key goes there",
        None,
    ),
    "page": (
        lambda: scripted(*html()),
        "unknown",
        "not as a model server (HTTP 200, text/html)",
        "check the url of box",
    ),
    "forbidden-page": (
        lambda: scripted(*html(status=403)),
        "unknown",
        "not as a model server (HTTP 403, text/html)",
        None,
    ),
    "not-found": (lambda: scripted(*json_response(404, {})), "unknown", "not as a model server (HTTP 404", None),
    "no-backend": (lambda: scripted(*html("Bad", 503)), "unknown", "it is not available now (HTTP 503)", None),
    "bad-gateway": (
        lambda: scripted(*html("Bad", 502)),
        "unknown",
        "a gateway answers, but not the server behind it (HTTP 502)",
        None,
    ),
    "too-many-requests": (
        lambda: scripted(*json_response(429, {"error": {"message": "slow down"}})),
        "unknown",
        "it turns requests away for now (HTTP 429)",
        None,
    ),
    "redirect-to-a-file": (
        lambda: scripted(*redirect("file:///etc/passwd")),
        "unknown",
        "redirects to an address that is none",
        None,
    ),
    "deep-json": (
        lambda: scripted(*body_response(200, b"[" * 200_000 + b"]" * 200_000, "application/json")),
        "unknown",
        "not as a model server",
        None,
    ),
    "half-a-body": (
        lambda: scripted(
            head(200, {"content-type": "application/json", "content-length": "500"}), b'{"data"', Action.CLOSE
        ),
        "unknown",
        "closed the connection without an answer",
        None,
    ),
    "bad-gzip": (
        lambda: scripted(*body_response(200, b"no gzip", "application/json", {"content-encoding": "gzip"})),
        "unknown",
        "not as a model server",
        None,
    ),
}


@pytest.mark.parametrize(("server", "state", "message", "hint"), FAULTS.values(), ids=FAULTS)
def test_a_fault_costs_its_time_and_is_named(
    server: Callable[[], object], state: str, message: str, hint: str | None
) -> None:
    with server() as url:  # type: ignore[attr-defined]
        start = time.monotonic()
        # Only those that keep silent need the clock; the others get time to be read on a busy machine.
        report = seen(url, "llamacpp", seconds=SHORT_S if state == "down" else 20.0)
        took = time.monotonic() - start
    assert report.state == state
    assert message in (report.message or "")
    assert hint is None or hint in (report.hint or "")
    assert state != "down" or took < SHORT_S + LATE_S


def test_what_a_server_sends_beyond_measure_is_not_kept() -> None:
    with scripted(*body_response(200, LARGE, "application/json")) as url:
        seen(url, "llamacpp")  # everything is imported
        tracemalloc.start()
        seen(url, "llamacpp")
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    # A few times the most that is read of one answer.
    assert peak < 16 * 2**20


def test_a_gzip_that_was_not_asked_for_is_read_and_a_bomb_is_not() -> None:
    import gzip

    listed = gzip.compress(b'{"data": [{"id": "m"}]}')
    bomb = gzip.compress(b"[" * 50_000_000)
    for body, state in ((listed, "ready"), (bomb, "unknown")):
        packed = body_response(200, body, "application/json", {"content-encoding": "gzip"})
        with ScriptedServer({"/v1/models": packed}) as server:
            assert seen(server.url, "openai", local=True).state == state


def test_a_server_that_goes_silent_after_it_was_recognised_is_ready_with_what_it_told() -> None:
    props = routes("llamacpp")["/props"]
    with ScriptedServer({"/props": props, "*": [Action.HOLD]}) as server:
        report = seen(server.url, "llamacpp", seconds=SHORT_S)
    assert (report.kind, report.state, report.slots, report.busy) == ("llamacpp", "ready", 1, None)


def test_one_redirect_on_the_same_server_is_followed() -> None:
    def moved(request: object) -> list[bytes]:
        path = request.path  # type: ignore[attr-defined]
        return redirect(f"/moved{path}") if not path.startswith("/moved") else json_response(404, {})

    routes_ = {"*": moved, "/moved/v1/models": json_response(200, {"data": [{"id": "m"}]})}
    with ScriptedServer(routes_) as server:
        assert seen(server.url, "openai", local=True).state == "ready"


def test_black_holes_do_not_wait_for_one_another() -> None:
    with black_hole() as first, black_hole() as second, black_hole() as third, ScriptedServer(routes("ollama")) as good:
        urls = {"a": first, "b": second, "c": third}
        config = config_of(
            endpoint("good", "ollama", good.url), *(endpoint(name, "vllm", url) for name, url in urls.items())
        )
        start = time.monotonic()
        reports = survey(named_places(config), real_wire(), SHORT_S)
        took = time.monotonic() - start
    assert [report.state for report in reports] == ["ready", "down", "down", "down"]
    assert SHORT_S <= took < SHORT_S + LATE_S


def test_a_name_that_is_never_resolved_does_not_hold_the_others_up(monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    from mrt.endpoints import survey as module

    over = threading.Event()

    def stuck(*_: object) -> EndpointReport:
        over.wait(30)
        return EndpointReport("lost", "litellm", "", "ready")

    monkeypatch.setattr(module, "look", stuck)
    config = config_of(endpoint("lost", "litellm", "http://koala:4000"))
    (report,) = survey(named_places(config), real_wire(), 0.1)
    over.set()
    assert (report.name, report.state) == ("lost", "down")
    assert report.message == "http://koala:4000 gave no answer within 0.1 s"
    assert report.hint == "see whether http://koala:4000 is right and its machine runs"


@pytest.mark.parametrize(
    ("server", "message", "hint"),
    [
        (
            lambda: raw_server(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
            "it speaks plain HTTP, not TLS",
            "write http:// in its url",
        ),
        (tls_port, "handshake failure", "start it: litellm --config FILE"),
    ],
    ids=["plain", "no-common-cipher"],
)
def test_a_port_spoken_to_in_tls(server: Callable[[], object], message: str, hint: str) -> None:
    with server() as url:  # type: ignore[attr-defined]
        report = seen(url.replace("http:", "https:"), "litellm")
    assert message in (report.message or "")
    assert report.hint == hint


def test_a_question_that_is_not_on_the_list_cannot_be_asked() -> None:
    target = Target("box", "-", "llamacpp", "chat", "http://127.0.0.1:9", local=True)
    wire = real_wire()
    with Visit(target, 1.0, wire, wire.clock()) as visit:
        for path in ("/slots", "/health", "/unload", "/upstream/tiny", "/props?model=tiny", "/metrics", "/api/ps"):
            with pytest.raises(ValueError, match="is not asked of a stranger"):
                Line(target, visit).ask(path)
        with pytest.raises(ValueError, match="is not asked of litellm"):
            Line(target, visit).ask("/health", "litellm")
