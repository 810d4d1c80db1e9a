"""`mrt ask` against real engines: llama.cpp as the fast and the heavy local tier, a LiteLLM proxy as the cloud."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from rig.cast import CODE, ESCALATION_REASON
from rig.command import Command, Home
from rig.home_setup import beginning, calls, configure
from rig.litellm_proxy import LiteLLMProxy
from rig.llama_server import LlamaServer, llama_server
from rig.loopback import Action, ScriptedServer
from rig.scripted_model import Line, ModelScript, script, write_model

FAST, HEAVY = "fast/fast", "heavy/heavy"
GOOD = "Hello from the heavy model.\n"


def engines(fast: str, heavy: str, **fast_settings: Any) -> dict[str, dict[str, Any]]:
    """The two local tiers."""
    return {
        "tiers.local-fast": {"model": FAST, **fast_settings},
        "tiers.local-heavy": {"model": HEAVY, "checks": [], "max_tokens": 100},
        "endpoints.fast": {"kind": "llamacpp", "url": fast},
        "endpoints.heavy": {"kind": "llamacpp", "url": heavy},
        "ask": {"retries": 0},
    }


class Stumble(NamedTuple):
    """One way in which the fast model's answer is no good; the heavy one then answers."""

    prompt: str
    check: str
    reason: str
    outcome: str = "rejected"
    stdout: str = GOOD
    settings: dict[str, Any] | None = None


STUMBLES = {
    "handoff": Stumble(
        "a hard one",
        "handoff",
        f"the model hands off: {ESCALATION_REASON}",
        stdout="Here is the whole plan, step by step.\n",
    ),
    "confidence": Stumble(
        "unsure",
        "confidence",
        "mean token confidence 0.30 is below 0.6",
        stdout="It is exactly forty two.\n",
        settings={"checks": ["confidence=0.6"]},
    ),
    "length": Stumble("capital", "max_tokens", "cut at the token limit", "failed", settings={"max_tokens": 3}),
    "loop": Stumble("loop", "repetition", "repetition: ", stdout="It goes round once and stops.\n"),
}


@pytest.mark.parametrize("stumble", STUMBLES.values(), ids=STUMBLES)
def test_a_poor_answer_moves_up(
    mrt: Command, store_home: Home, llama_fast: LlamaServer, llama_heavy: LlamaServer, stumble: Stumble
) -> None:
    configure(store_home, engines(llama_fast.url, llama_heavy.url, **(stumble.settings or {})))
    result = mrt("ask", stumble.prompt)
    assert (result.exit_code, result.stdout) == (0, stumble.stdout), result.stderr
    (line,) = result.stderr.splitlines()
    assert line.startswith("escalated to local-heavy from local-fast: ")
    assert stumble.reason in line
    first, second = calls(store_home)
    assert (first["tier"], first["outcome"], first["check_name"]) == ("local-fast", stumble.outcome, stumble.check)
    assert (second["tier"], second["outcome"], second["check_name"]) == ("local-heavy", "accepted", None)
    assert first["operation_id"] == second["operation_id"]
    for call in (first, second):
        assert call["input_tokens"] > 0
        assert call["output_tokens"] > 0
        assert (call["cost_state"], call["cost_nano"], call["local"]) == ("free", 0, 1)


def test_what_llama_cpp_counts_is_booked(
    mrt: Command, store_home: Home, llama_fast: LlamaServer, llama_heavy: LlamaServer
) -> None:
    configure(store_home, engines(llama_fast.url, llama_heavy.url))
    result = mrt("ask", "the capital of France")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "Paris is the capital of France.\n", "")
    (call,) = calls(store_home)
    assert (call["state"], call["outcome"], call["usage_source"]) == ("settled", "accepted", "reported")
    assert (call["endpoint"], call["model"], call["served_model"]) == ("fast", "fast", "fast")
    assert call["finish_reason"] == "stop"
    assert 0 <= call["ttft_ms"] <= call["total_ms"]
    assert json.loads(call["decision"])["order"] == ["local-fast", "local-heavy"]


@pytest.mark.parametrize(
    ("prompt", "options", "stdout"),
    [
        ("write code", ("-x",), "def add(a, b):\n    return a + b\n"),
        ("write code", (), CODE + "\n"),
        ("think about it", (), "The sum is 4.\n"),
    ],
    ids=["extracted", "code", "reasoning-stays-out"],
)
def test_the_fast_model_answers_what_it_can(
    mrt: Command, store_home: Home, llama_fast: LlamaServer, prompt: str, options: tuple[str, ...], stdout: str
) -> None:
    configure(store_home, engines(llama_fast.url, "http://127.0.0.1:9"))
    assert mrt("ask", *options, prompt).stdout == stdout


def test_a_refusal_asked_for_is_an_answer(mrt: Command, store_home: Home, llama_fast: LlamaServer) -> None:
    configure(store_home, engines(llama_fast.url, "http://127.0.0.1:9"))
    result = mrt("ask", "translate into English: refuse")
    assert (result.exit_code, result.stdout) == (0, "I'm sorry, but I can't help with that.\n")


CLUMSY = ModelScript(
    (
        Line("code", "```python\ndef add(a, b:\n    return a + b\n```"),
        Line("silence", "\n \n"),
        Line("object", "one, two"),
        Line("", "I'm sorry, but I can't help with that."),
    ),
    name="clumsy",
)


@pytest.fixture(scope="module")
def llama_clumsy(models_folder: Path) -> Iterator[LlamaServer]:
    """A model that gets everything wrong in its own way."""
    with llama_server(write_model(CLUMSY, models_folder), alias="fast", n_ctx=4096) as server:
        yield server


@pytest.mark.parametrize(
    ("prompt", "check", "reason"),
    [
        (
            "write Python code that adds",
            "code",
            "code block 1 of 1 (python) does not parse: line 1: '(' was never closed",
        ),
        ("silence", "empty", "empty answer"),
        ("an object as JSON", "json", "json: not JSON: line 1, column 1: Expecting value"),
        ("help me", "refusal", "the answer refuses: \"i'm sorry, but i can't help\""),
    ],
    ids=["broken-code", "empty", "no-json", "refusal"],
)
def test_a_clumsy_model_is_replaced(
    store_home: Home, llama_clumsy: LlamaServer, llama_heavy: LlamaServer, prompt: str, check: str, reason: str
) -> None:
    configure(store_home, engines(llama_clumsy.url, llama_heavy.url))
    result = Command(store_home)("ask", prompt)
    assert (result.exit_code, result.stdout) == (0, GOOD), result.stderr
    assert result.stderr.startswith("escalated to local-heavy from local-fast: ")
    assert reason in result.stderr
    first, second = calls(store_home)
    assert (first["check_name"], second["outcome"]) == (check, "accepted")


def test_an_engine_that_dies_in_mid_answer(
    mrt: Command, store_home: Home, models_folder: Path, llama_heavy: LlamaServer
) -> None:
    endless = ModelScript((Line("", "on and on it goes, as far as one can see, ", endless=True),), name="doomed")
    with llama_server(write_model(endless, models_folder), alias="fast") as doomed:
        configure(store_home, engines(doomed.url, llama_heavy.url, checks=[], max_tokens=100000))
        with mrt.start("ask", "--stream", "go", stdin=subprocess.DEVNULL) as process:
            assert process.stdout is not None
            assert process.stdout.read(20) == b"on and on it goes, a"
            doomed.kill()
            stdout, stderr = process.communicate(timeout=30)
    assert process.returncode == 0
    assert stdout.decode().endswith(f"\n{GOOD}")
    assert "── escalated to local-heavy from local-fast: truncated: " in stdout.decode()
    assert stderr.decode().startswith("── escalated to local-heavy from local-fast: truncated: ")
    first, second = calls(store_home)
    assert (first["outcome"], first["check_name"], first["state"]) == ("failed", "truncated", "partial")
    assert first["usage_source"] == "estimated"
    assert first["output_tokens"] > 0
    assert second["outcome"] == "accepted"


def test_a_prompt_beyond_the_context_goes_where_there_is_more(
    mrt: Command, store_home: Home, models_folder: Path, llama_heavy: LlamaServer
) -> None:
    with llama_server(write_model(script("small", name="small"), models_folder), alias="fast", n_ctx=512) as small:
        configure(store_home, engines(small.url, llama_heavy.url))
        result = mrt("ask", "x" * 900)
    assert (result.exit_code, result.stdout) == (0, GOOD)
    assert "context" in result.stderr
    assert calls(store_home)[0]["check_name"] == "context"


def test_nothing_listens_anywhere(mrt: Command, store_home: Home) -> None:
    configure(store_home, engines("http://127.0.0.1:9", "http://127.0.0.1:9"))
    result = mrt("ask", "hi")
    nobody = "cannot connect to http://127.0.0.1:9 (connection refused)"
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr == (
        f"escalated to local-heavy from local-fast: {nobody}\n"
        f"error: no tier could answer: local-fast (fast/fast): {nobody}; local-heavy (heavy/heavy): {nobody}\n"
        "hint: start the server (Ollama: `ollama serve`) or check its address, or name another:"
        " mrt config set tiers.local-fast.model PROVIDER/MODEL\n"
    )
    assert [(call["outcome"], call["check_name"]) for call in calls(store_home)] == [("failed", "unreachable")] * 2


# --- the cloud


def cloud(proxy: LiteLLMProxy, model: str) -> dict[str, dict[str, Any]]:
    """One paid tier at the proxy; what it costs is known only from the proxy's own words, unless mrt is told a price."""
    return {
        "tiers.cloud": {"model": f"koala/{model}", "max_tokens": 100},
        "endpoints.koala": {"kind": "litellm", "url": proxy.url, "key_env": "KOALA_KEY"},
        'prices."koala/local"': {"input_usd_per_mtok": 1, "output_usd_per_mtok": 2},
        "ask": {"retries": 0},
    }


class Charge(NamedTuple):
    """How a call to the cloud ends in the store."""

    exit_code: int
    stdout: str
    words: str
    outcome: str
    check: str | None
    cost_state: str
    cost_nano: int | None
    served: str | None = None


CHARGES = {
    "local": Charge(0, "Hello from the engine behind the proxy.\n", "", "accepted", None, "reported", 35_000, "local"),
    "with-fallback": Charge(0, "Hello from the mock cloud.\n", "", "accepted", None, "reported", 80_000, "mock-cloud"),
    "unpriced": Charge(0, "Hello from the engine behind the proxy.\n", "", "accepted", None, "unknown", None),
    "mock-429": Charge(8, "", "rate limit", "failed", "rate_limit", "priced", 0),
    "mock-context": Charge(3, "", "context window exceeded", "failed", "context", "priced", 0),
    "mock-500": Charge(3, "", "mock internal server error", "failed", "upstream", "unknown", None),
    "dead": Charge(3, "", "connection error", "failed", "upstream", "unknown", None),
    "nowhere": Charge(3, "", "invalid model name", "failed", "model_not_found", "priced", 0),
    "cut-upstream": Charge(3, "The beginning\n", "", "failed", "upstream", "unknown", None),
}


@pytest.mark.parametrize("model", CHARGES)
def test_what_the_proxy_charges_is_booked(mrt: Command, store_home: Home, litellm: LiteLLMProxy, model: str) -> None:
    expected = CHARGES[model]
    configure(store_home, cloud(litellm, model))
    result = mrt("ask", "--allow-unpriced", "hi", env={"KOALA_KEY": litellm.key})
    assert (result.exit_code, result.stdout) == (expected.exit_code, expected.stdout), result.stderr
    assert expected.words in result.stderr.lower()
    assert litellm.key not in result.stderr
    (call,) = calls(store_home)
    assert (call["outcome"], call["check_name"]) == (expected.outcome, expected.check)
    assert (call["cost_state"], call["cost_nano"]) == (expected.cost_state, expected.cost_nano)
    assert expected.served in (None, call["served_model"])


def test_a_key_that_the_proxy_refuses(mrt: Command, store_home: Home, litellm: LiteLLMProxy) -> None:
    configure(store_home, cloud(litellm, "local"))
    result = mrt("ask", "hi", env={"KOALA_KEY": "sk-wrong-canary-0123456789"})
    assert (result.exit_code, result.stdout) == (4, "")
    assert result.stderr.endswith("hint: check the key in KOALA_KEY\n")
    assert "canary" not in result.stderr


def test_from_a_dead_local_tier_to_the_cloud(mrt: Command, store_home: Home, litellm: LiteLLMProxy) -> None:
    tables = {"tiers.local-fast": {"model": FAST}, "endpoints.fast": {"kind": "llamacpp", "url": "http://127.0.0.1:9"}}
    configure(store_home, tables | cloud(litellm, "local"))
    result = mrt("ask", "hi", env={"KOALA_KEY": litellm.key})
    assert (result.exit_code, result.stdout) == (0, "Hello from the engine behind the proxy.\n")
    assert [(call["tier"], call["cost_state"]) for call in calls(store_home)] == [
        ("local-fast", "free"),
        ("cloud", "reported"),
    ]


# --- interruptions


def busy_slots(server: LlamaServer) -> int:
    """How many slots generate right now."""
    slots = httpx.get(f"{server.url}/slots", trust_env=False, timeout=10).json()
    return sum(bool(slot["is_processing"]) for slot in slots)


def wait_until(happened: Callable[[], bool]) -> None:
    """Poll until it is so; fails after ten seconds."""
    until = time.monotonic() + 10
    while not happened():
        assert time.monotonic() < until, "it did not happen within 10 seconds"
        threading.Event().wait(0.02)


def slow(server: LlamaServer) -> dict[str, dict[str, Any]]:
    """One tier that never comes to an end."""
    return {
        "tiers.only": {"model": "slow/slow", "checks": [], "max_tokens": 100000},
        "endpoints.slow": {"kind": "llamacpp", "url": server.url},
    }


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)],
    ids=["ctrl-c", "term", "hangup"],
)
def test_a_signal_frees_the_slot_and_books_what_was_used(
    mrt: Command, store_home: Home, llama_slow: LlamaServer, number: int, code: int
) -> None:
    configure(store_home, slow(llama_slow))
    with mrt.start("ask", "go", stdin=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        assert process.stdout.read(9) == b"tick tock"
        assert busy_slots(llama_slow) == 1
        os.kill(process.pid, number)
        stdout, told = process.communicate(timeout=30)
    assert (process.returncode, told.decode()) == (code, "error: interrupted\n")
    assert stdout.endswith(b"\n")
    wait_until(lambda: busy_slots(llama_slow) == 0)
    (call,) = calls(store_home)
    assert (call["outcome"], call["state"], call["usage_source"]) == ("interrupted", "partial", "estimated")
    assert call["output_tokens"] > 0
    assert call["input_tokens"] > 0


def test_a_reader_that_has_enough_ends_the_answer(mrt: Command, store_home: Home, llama_slow: LlamaServer) -> None:
    configure(store_home, slow(llama_slow))
    with mrt.start("ask", "go", stdin=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        process.stdout.read(9)
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == b""
        assert process.wait(30) == 0
    wait_until(lambda: busy_slots(llama_slow) == 0)
    (call,) = calls(store_home)
    assert call["outcome"] == "interrupted"


def test_a_killed_process_frees_the_slot_and_is_booked_later(
    mrt: Command, store_home: Home, llama_slow: LlamaServer, llama_fast: LlamaServer
) -> None:
    configure(store_home, slow(llama_slow) | {"endpoints.fast": {"kind": "llamacpp", "url": llama_fast.url}})
    with mrt.start("ask", "go", stdin=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        process.stdout.read(9)
        process.kill()
        process.wait(30)
    wait_until(lambda: busy_slots(llama_slow) == 0)
    assert calls(store_home)[0]["state"] == "reserved"
    assert mrt("ask", "-m", FAST, "hi").stdout == "Hello from the fast model.\n"
    assert [call["state"] for call in calls(store_home)] == ["void", "settled"]


def test_a_server_sees_the_client_leave(mrt: Command, store_home: Home) -> None:
    with ScriptedServer({"*": [*beginning("Well"), Action.HOLD]}) as server:
        configure(store_home, {"tiers.only": {"model": "vllm/m", "think": "off"}})
        with mrt.start("ask", "hi", env={"VLLM_BASE_URL": server.url}, stdin=subprocess.DEVNULL) as process:
            assert process.stdout is not None
            assert process.stdout.read(4) == b"Well"
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 130
        (request,) = server.requests
        assert request.disconnected.wait(10)
