"""A key goes to its own endpoint and nowhere else: not into an output, not into a file, whatever a server says about it."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from rig.command import Command, Home
from rig.home_setup import configure, ladder, run_here, says
from rig.loopback import Action, Request, Response, ScriptedServer
from rig.responses import body_response, html, json_response, redirect, sse
from rig.wire_chat import say

from mrt.cli import run
from mrt.output import Console

# The second one has no shape that could be known: only the value itself gives it away.
KEYS = ("sk-canary-0123456789abcdef", "wren.linnet.siskin.dunnock")
VERBOSE = ("-vv", "--debug", "--debug-http", "-u")


@pytest.fixture(params=KEYS, ids=["shaped", "shapeless"])
def key(request: pytest.FixtureRequest) -> str:
    """A key that must not be seen again."""
    value: str = request.param
    return value


def sources(home: Home, key: str) -> dict[str, tuple[dict[str, Any], dict[str, str]]]:
    """Settings of the endpoint, and the environment, by where the key comes from."""
    file = home.path / "key"
    file.write_text(f"{key}\n")
    file.chmod(0o600)
    return {
        "key_env": ({"key_env": "CANARY"}, {"CANARY": key}),
        "key_cmd": ({"key_cmd": f"cat {file}"}, {}),
        "key_file": ({"key_file": str(file)}, {}),
    }


def setup(home: Home, server: ScriptedServer, settings: Mapping[str, Any], local: bool = True) -> None:
    """One tier at the server, whose key comes from these settings."""
    tables = ladder(only=server.url, local=local)
    tables["endpoints.only"] |= settings
    configure(home, tables | {"budget": {"daily_usd": "none", "monthly_usd": "none"}})


def written(home: Home) -> Iterator[tuple[Path, bytes]]:
    """Every file in the home but the key's own."""
    for path in home.path.rglob("*"):
        if path.is_file() and path.name != "key":
            yield path, path.read_bytes()


def assert_unseen(key: str, home: Home, *outputs: bytes) -> None:
    """The key is in none of the outputs and in none of the files."""
    needle = key.encode()
    assert not [output for output in outputs if needle in output]
    assert not [path for path, content in written(home) if needle in content]


def echoing(answer: Callable[[str], Response]) -> Callable[[Request], Response]:
    """A server that puts the key it was sent into what it answers."""
    return lambda request: answer(request.headers["authorization"].removeprefix("Bearer "))


FAULTS: dict[str, Callable[[str], Response]] = {
    "whole": lambda key: says("Paris."),
    "401": lambda key: json_response(401, {"error": {"message": f"Incorrect API key provided: {key}"}}, {"x-key": key}),
    "403-text": lambda key: body_response(403, f"the key {key} may not".encode(), "text/plain"),
    "429": lambda key: json_response(429, {"error": f"key {key} is too fast"}, {"retry-after-ms": "1"}),
    "500": lambda key: json_response(500, {"error": {"message": f"failed for {key}", "key": key}}),
    "400-field": lambda key: json_response(400, {"detail": [{"msg": f"bad {key}", "loc": ["body", key]}]}),
    "page": lambda key: html(f"<h1>{key}</h1>", 404),
    "in-the-stream": lambda key: sse([*say("Par"), {"error": {"message": f"session of {key} ended", "code": 401}}]),
    "stream-error-first": lambda key: sse([{"error": f"no such key: {key}"}]),
    "no-chat-answer": lambda key: json_response(200, {"key": key}),
    "refusal-with-words": lambda key: sse(
        [{"choices": [{"delta": {}, "finish_reason": "content_filter"}]}, {"error": key}]
    ),
    "redirect": lambda key: redirect(f"http://127.0.0.1:9/?key={key}"),
    "reset": lambda key: [Action.RESET],
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("mode", [(), ("--json",), ("--stream-json",)], ids=["text", "json", "lines"])
def test_no_failure_shows_the_key(store_home: Home, key: str, fault: str, mode: Sequence[str]) -> None:
    with ScriptedServer({"*": echoing(FAULTS[fault])}) as server:
        setup(store_home, server, {"key_env": "CANARY"})
        result = run_here(store_home, "ask", *mode, *VERBOSE, "hi", env={"CANARY": key, "MRT_ASK_RETRIES": "1"})
        assert server.requests[0].headers["authorization"] == f"Bearer {key}"
    assert (result.exit_code == 0) == (fault == "whole")
    assert "internal error" not in result.stderr
    assert_unseen(key, store_home, result.stdout_bytes, result.stderr_bytes)


@pytest.mark.parametrize("source", ["key_env", "key_cmd", "key_file"])
def test_no_verb_shows_the_key(mrt: Command, store_home: Home, key: str, source: str) -> None:
    settings, env = sources(store_home, key)[source]
    runs = [
        ("ask", *VERBOSE, "hi"),
        ("ask", "--json", "hi"),
        ("ask", "-m", "only/m", *VERBOSE, "hi"),
        ("ask", "--dry-run", *VERBOSE, "hi"),
        ("ask", "--dry-run", "--json", "hi"),
        ("config", "show"),
        ("config", "show", "--json"),
        ("config", "check"),
        ("help", "environment"),
        ("help", "config"),
        ("spned",),
    ]
    with ScriptedServer({"*": says("Paris.")}) as server:
        setup(store_home, server, settings)
        results = [mrt(*words, env=env) for words in runs]
        asked = [request for request in server.requests if request.method == "POST"]
        assert {request.headers["authorization"] for request in asked} == {f"Bearer {key}"}
    assert [result.exit_code for result in results] == [0] * 10 + [2]
    assert_unseen(key, store_home, *(part for result in results for part in (result.stdout_bytes, result.stderr_bytes)))


@pytest.mark.parametrize("source", ["key_env", "key_cmd", "key_file"])
def test_a_dry_run_does_not_even_fetch_the_key(store_home: Home, source: str) -> None:
    fetched = store_home.path / "fetched"
    settings = {"key_env": "NOT_SET", "key_cmd": f"touch {fetched}", "key_file": "/nonexistent"}
    with ScriptedServer() as server:
        setup(store_home, server, {source: settings[source]})
        assert run_here(store_home, "ask", "--dry-run", "hi").exit_code == 0
        assert server.requests == []
    assert not fetched.exists()


@pytest.mark.parametrize("kind", ["openai", "anthropic", "ollama", "vllm", "litellm"])
def test_a_redirect_carries_no_key_away(store_home: Home, key: str, kind: str) -> None:
    with ScriptedServer({"*": says("stolen")}) as thief, ScriptedServer({"*": redirect(f"{thief.url}/v1")}) as server:
        tables = ladder(kind, only=server.url)
        tables["endpoints.only"]["key_env"] = "CANARY"
        configure(store_home, tables)
        result = run_here(store_home, "ask", *VERBOSE, "hi", env={"CANARY": key})
        assert result.exit_code == 3
        assert thief.requests == []
        assert key in str(server.requests[0].headers)
    assert_unseen(key, store_home, result.stdout_bytes, result.stderr_bytes)


def test_each_endpoint_gets_its_own_key_only(store_home: Home) -> None:
    with ScriptedServer({"*": json_response(500, {})}) as low, ScriptedServer({"*": says("Paris.")}) as high:
        tables = ladder(low=low.url, high=high.url)
        tables["endpoints.low"]["key_env"] = "LOW"
        configure(store_home, tables)
        env = {"LOW": KEYS[0], "OPENAI_API_KEY": KEYS[1], "ANTHROPIC_API_KEY": KEYS[1]}
        assert run_here(store_home, "ask", "hi", env=env).stdout == "Paris.\n"
        assert low.requests[0].headers["authorization"] == f"Bearer {KEYS[0]}"
        assert not any(key in str(high.requests[0].headers) for key in KEYS)


def test_a_provider_named_by_hand_is_probed_without_a_trace_of_the_key(store_home: Home, key: str) -> None:
    with ScriptedServer({"*": echoing(FAULTS["401"])}) as server:
        env = {"VLLM_BASE_URL": server.url, "VLLM_API_KEY": key}
        result = run_here(store_home, "ask", "-m", "vllm/m", *VERBOSE, "hi", env=env)
        assert server.requests[0].headers["authorization"] == f"Bearer {key}"
    assert result.exit_code == 4
    assert result.stderr.endswith("hint: export VLLM_API_KEY=...\n")
    assert_unseen(key, store_home, result.stdout_bytes, result.stderr_bytes)


@pytest.mark.parametrize("broken", ["line\nbreak", "tab\tbed", "ümlaut"], ids=["newline", "tab", "not-ascii"])
def test_a_key_that_no_header_can_carry_is_not_shown(store_home: Home, broken: str) -> None:
    key = f"sk-canary-0123456789{broken}"
    with ScriptedServer() as server:
        setup(store_home, server, {"key_env": "CANARY"})
        result = run_here(store_home, "ask", *VERBOSE, "hi", env={"CANARY": key})
    assert result.exit_code == 4
    assert "holds characters that no header can carry" in result.stderr
    assert "canary" not in result.stderr


def test_a_password_in_an_address_is_not_shown(store_home: Home) -> None:
    password = "hunter2-canary"
    tables = ladder(only=f"http://me:{password}@127.0.0.1:9")
    configure(store_home, tables)
    for options in ((), ("--json",), ("--dry-run",), ("--dry-run", "--json"), VERBOSE):
        result = run_here(store_home, "ask", *options, "hi")
        assert password not in result.stdout
        assert password not in result.stderr
    assert password.encode() not in (store_home.data / "mrt" / "spend.db").read_bytes()


def test_a_key_that_leaves_unencrypted_is_worth_a_warning(store_home: Home, key: str) -> None:
    tables = ladder(only="http://192.0.2.1:9", local=False)
    tables["endpoints.only"]["key_env"] = "CANARY"
    limits = {"daily_usd": "none", "monthly_usd": "none"}
    configure(store_home, tables | {"ask": {"connect_timeout": 0.1, "retries": 0}, "budget": limits})
    result = run_here(store_home, "ask", "hi", env={"CANARY": key})
    assert result.exit_code == 3
    assert result.stderr.startswith("warning: the key of only goes to http://192.0.2.1:9 unencrypted\n")
    assert_unseen(key, store_home, result.stderr_bytes)


def test_a_short_placeholder_garbles_no_message(store_home: Home) -> None:
    with ScriptedServer({"*": json_response(401, {"error": "none of this is known"})}) as server:
        setup(store_home, server, {"key_env": "CANARY"})
        result = run_here(store_home, "ask", "hi", env={"CANARY": "none"})
    assert result.stderr.startswith("error: only/m: none of this is known (HTTP 401)\n")


class Trap(io.StringIO):
    """A stdout that fails in a way nobody foresaw, with a key in the message."""

    def write(self, text: str) -> int:
        raise RuntimeError(f"unforeseen: {KEYS[0]}")


def test_a_traceback_shows_no_key(store_home: Home) -> None:
    stderr = io.StringIO()
    with ScriptedServer({"*": says("Paris.")}) as server:
        setup(store_home, server, {})
        assert run(["ask", "--debug", "hi"], Console(None, Trap(), stderr, store_home.environment)) == 1
    told = stderr.getvalue()
    assert "Traceback (most recent call last):" in told
    assert KEYS[0] not in told
    assert told.splitlines()[-2] == "error: internal error: RuntimeError: unforeseen: ***"


def test_json_lines_of_a_failure_hold_a_mask(store_home: Home, key: str) -> None:
    with ScriptedServer({"*": echoing(FAULTS["401"])}) as server:
        setup(store_home, server, {"key_env": "CANARY"})
        result = run_here(store_home, "ask", "--json", "hi", env={"CANARY": key})
    document = json.loads(result.stdout)
    assert document["errors"][0]["message"] == "only/m: Incorrect API key provided: *** (HTTP 401)"
    assert document["data"]["attempts"][0]["reason"] == "Incorrect API key provided: *** (HTTP 401)"
