"""Redirects and proxies: where neither key nor prompt goes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from http_kit import ANSWER, KEY, TEXT, closed_port, failure
from rig.asking import World, finish, target
from rig.loopback import ScriptedServer
from rig.responses import head, redirect, sse

from mrt.domain import Secret
from mrt.errors import UpstreamError
from mrt.providers import is_loopback, open_client


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_on_the_same_server_is_followed_with_the_key(status: int) -> None:
    routes = {"/v1/chat/completions": redirect("/elsewhere", status), "/elsewhere": sse(ANSWER)}
    with ScriptedServer(routes) as server:
        reply = finish(World().call(target(server.url, key=Secret(KEY))))
        sent = [(request.method, request.headers["authorization"], request.body) for request in server.requests]
    assert reply.text == TEXT
    assert sent == [("POST", f"Bearer {KEY}", server.requests[0].body)] * 2


@pytest.mark.parametrize("protocol", ["chat", "anthropic", "ollama"])
@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1:{port}/",
        "http://127.0.0.1:{port}@localhost:{port}/x",
        "//127.0.0.1:{port}/v1/chat/completions",
    ],
)
def test_a_redirect_elsewhere_gets_neither_key_nor_prompt(location: str, protocol: str) -> None:
    with ScriptedServer({"*": sse(ANSWER)}) as thief:
        with ScriptedServer({"*": redirect(location.format(port=thief.port))}) as server:
            reply = finish(World().call(target(server.url, protocol, key=Secret(KEY))))
        assert thief.requests == []
    code, message = failure(reply)
    assert code == "upstream"
    assert "neither key nor prompt goes there" in message
    assert reply.failure is not None
    assert reply.failure.hint == "if that is right, set the url of endpoint near to it"


@pytest.mark.parametrize("location", ["https://127.0.0.1:{port}/", "http://localhost:{port}/", "http://127.0.0.1/"])
def test_another_scheme_host_or_port_is_elsewhere(location: str) -> None:
    with ScriptedServer() as server:
        server.routes["*"] = redirect(location.format(port=server.port))
        reply = finish(World().call(target(server.url, key=Secret(KEY))))
        assert len(server.requests) == 1
    assert "another host" in failure(reply)[1]


@pytest.mark.parametrize("location", ["http://[", "http://127.0.0.1:99999999/", "http://127.0.0.1:x/"])
def test_a_redirect_to_no_address(location: str) -> None:
    with ScriptedServer({"*": redirect(location)}) as server:
        reply = finish(World().call(target(server.url)))
    assert isinstance(reply.failure, UpstreamError)


@pytest.mark.parametrize("response", [redirect("/v1/chat/completions"), [head(307, {"content-length": "0"})]])
def test_a_redirect_in_a_circle(response: list[bytes]) -> None:
    with ScriptedServer({"*": response}) as server:
        reply = finish(World().call(target(server.url)))
        assert len(server.requests) == 4
    assert failure(reply) == ("upstream", f"{server.url} redirects in a circle")


@pytest.fixture
def proxies(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Sets every proxy variable to one address."""

    def everywhere(url: str) -> None:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, url)
            monkeypatch.setenv(name.lower(), url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)

    return everywhere


def test_this_machine_is_reached_without_a_proxy(proxies: Callable[[str], None]) -> None:
    with closed_port() as port, ScriptedServer({"*": sse(ANSWER)}) as server:
        proxies(f"http://127.0.0.1:{port}")
        assert finish(World().call(target(server.url))).text == TEXT


def test_other_machines_are_reached_through_the_proxy(proxies: Callable[[str], None]) -> None:
    with ScriptedServer({"*": sse(ANSWER)}) as proxy:
        proxies(proxy.url)
        assert finish(World().call(target("http://koala.invalid"))).text == TEXT
        assert proxy.requests[0].path == "http://koala.invalid/v1/chat/completions"


def test_a_proxy_that_cannot_be_used(proxies: Callable[[str], None]) -> None:
    proxies("gopher://127.0.0.1:70")
    code, message = failure(finish(World().call(target("http://koala.invalid"))))
    assert code == "config"
    assert message.startswith("the environment's proxy or certificates cannot be used")


def test_certificates_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/certificates.pem")
    assert failure(finish(World().call(target("https://koala.invalid"))))[0] == "config"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://localhost:1", True),
        ("http://LOCALHOST", True),
        ("http://127.0.0.1:11434/v1", True),
        ("http://127.1.2.3", True),
        ("http://[::1]:8080", True),
        ("http://0.0.0.0:8080", True),
        ("http://models.localhost", True),
        ("http://127.0.0.1.example.org", False),
        ("http://127.example.org", False),
        ("http://localhost.example.org", False),
        ("http://192.168.1.7", False),
        ("http://user:localhost@koala", False),
        ("http://[::1", False),
        ("", False),
    ],
)
def test_what_is_on_this_machine(url: str, expected: bool) -> None:
    assert is_loopback(url) is expected


def test_plain_http_needs_no_certificates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/certificates.pem")
    with open_client("http://127.0.0.1") as client:
        assert not client.follow_redirects
