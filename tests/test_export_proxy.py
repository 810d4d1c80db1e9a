"""A real LiteLLM proxy on an exported configuration: it answers through each tier, falls back, and refuses over budget."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from rig.command import Command, make_home
from rig.home_setup import calls, configure, says
from rig.litellm_exported import proxy_on
from rig.llama_server import LlamaServer
from rig.loopback import Request, Response, ScriptedServer
from rig.responses import anthropic_sse, json_response
from rig.wire_anthropic import end, say, start

MASTER, OPENAI, ANTHROPIC, OLLAMA = (
    "sk-master-of-the-test",
    "sk-key-of-openai",
    "sk-key-of-anthropic",
    "sk-key-of-ollama",
)
OF_ANOTHER = "sk-key-of-another-ollama"
THINKING = {"type": "enabled", "budget_tokens": 1024}
CHAT, MESSAGES, NATIVE = "/v1/chat/completions", "/v1/messages", "/api/chat"
NOBODY = "http://127.0.0.1:9"


def chat(request: Request) -> Response:
    """An answer of 100 tokens in and 50 out; LiteLLM asks for streams and for whole answers."""
    body = request.json()
    if body.get("stream"):
        return says("Chat", " says.", incoming=100, outgoing=50)
    message = {"role": "assistant", "content": "Chat says."}
    usage = {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150}
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    return json_response(
        200, {"id": "c", "object": "chat.completion", "model": body["model"], "choices": [choice], "usage": usage}
    )


def claude(request: Request) -> Response:
    """The same in the Messages protocol."""
    if request.json().get("stream"):
        first = start("claude-test", input_tokens=100)
        return anthropic_sse([first, *say("Claude", " says."), *end(usage={"output_tokens": 50})])
    message = {"id": "m", "type": "message", "role": "assistant", "model": "claude-test", "stop_reason": "end_turn"}
    content = [{"type": "text", "text": "Claude says."}]
    return json_response(200, {**message, "content": content, "usage": {"input_tokens": 100, "output_tokens": 50}})


def native(_: Request) -> Response:
    """The same from Ollama."""
    message = {"role": "assistant", "content": "Ollama says."}
    counts = {"prompt_eval_count": 100, "eval_count": 50}
    now = "2026-01-01T00:00:00Z"
    return json_response(
        200, {"model": "m", "created_at": now, "message": message, "done": True, "done_reason": "stop", **counts}
    )


class Stage(NamedTuple):
    """A proxy on the exported configuration, and what stands behind it."""

    url: str
    chat: ScriptedServer
    claude: ScriptedServer
    ollama: ScriptedServer
    text: str


def tables(engine: str, chat: str, claude: str, ollama: str) -> dict[str, dict[str, Any]]:
    """Every way a tier can be: free and up, free and down, paid, under a limit of its own, of unknown price."""
    return {
        "tiers.native": {
            "model": "gpu/m:8b",
            "temperature": 0.0,
            "context": 4096,
            "options": {"num_gpu": 3, "min_p": 0.1},
        },
        "endpoints.gpu": {"kind": "ollama", "url": f"{ollama}/v1", "key_env": "GPU_KEY"},
        "tiers.keyless": {"model": "open/m:8b"},
        "endpoints.open": {"kind": "ollama", "url": ollama},
        "tiers.thinks": {"model": "rig/m", "options": {"reasoning_effort": "low", "grammar": "x"}},
        "endpoints.rig": {"kind": "llamacpp", "url": chat},
        "tiers.fast": {"model": "box/fast", "max_complexity": 4, "system": "Be # brief: 'x'", "context": 16384},
        "tiers.short": {"model": "box/fast", "context": 40, "timeout": 30},
        "tiers.down": {"model": "down/m"},
        "tiers.cloud": {
            "model": "shop/gpt-test",
            "max_tokens": 77,
            "temperature": 0.5,
            "options": {"top_p": 0.9, "min_p": 0.1, "metadata": {"who": "me: #1"}},
        },
        "tiers.dear": {"model": "shop/dear-test"},
        "tiers.claude": {"model": "talk/claude-test", "options": {"top_k": 4, "thinking": THINKING}},
        "tiers.shut": {"model": "shop/of-unknown-price"},
        "endpoints.box": {"kind": "llamacpp", "url": engine},
        "endpoints.down": {"kind": "openai", "url": NOBODY, "local": True},
        "endpoints.shop": {"kind": "openai", "url": chat, "key_env": "SHOP_KEY"},
        "endpoints.talk": {"kind": "anthropic", "url": claude, "key_cmd": f"echo {ANTHROPIC}"},
        'prices."shop/gpt-test"': {"input_usd_per_mtok": 10, "output_usd_per_mtok": 20},
        'prices."shop/dear-test"': {"input_usd_per_mtok": 10, "output_usd_per_mtok": 20},
        'prices."talk/claude-test"': {"input_usd_per_mtok": 5000, "output_usd_per_mtok": 10000},
        "limits.dear": {"tier": "dear", "daily_usd": 0.003},
        "budget": {"daily_usd": 5.0, "monthly_usd": 50.0},
    }


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, llama_fast: LlamaServer) -> Iterator[Stage]:
    """The proxy, once for this module."""
    folder = tmp_path_factory.mktemp("exported")
    home = make_home(folder / "home")
    with (
        ScriptedServer({CHAT: chat}) as shop,
        ScriptedServer({MESSAGES: claude}) as talk,
        ScriptedServer({NATIVE: native}) as gpu,
    ):
        configure(home, tables(llama_fast.url, shop.url, talk.url, gpu.url))
        config = folder / "litellm.yaml"
        result = Command(home)("export", "litellm", "--output", config)
        assert result.exit_code == 0, result.stderr
        variables = {"LITELLM_MASTER_KEY": MASTER, "SHOP_KEY": OPENAI, "TALK_API_KEY": ANTHROPIC, "GPU_KEY": OLLAMA}
        variables["OLLAMA_API_KEY"] = OF_ANOTHER
        with proxy_on(config, variables) as url:
            yield Stage(url, shop, talk, gpu, config.read_text())


@pytest.fixture
def client(tmp_path: Path) -> Command:
    """mrt in a home of its own, where the proxy's groups are the models of an endpoint."""
    return Command(make_home(tmp_path / "client"))


def asked(server: ScriptedServer) -> list[Request]:
    """The prompts that reached a server; LiteLLM looks at other things there, too."""
    return [request for request in server.requests if request.path in (CHAT, MESSAGES, NATIVE)]


def post(stage: Stage, group: str, prompt: str = "hi", **fields: Any) -> httpx.Response:
    """What the proxy says over plain HTTP."""
    return httpx.post(
        f"{stage.url}{CHAT}",
        headers={"authorization": f"Bearer {MASTER}"},
        json={"model": group, "messages": [{"role": "user", "content": prompt}], **fields},
        trust_env=False,
        timeout=60,
    )


def ask(stage: Stage, client: Command, group: str, *flags: str) -> tuple[int, dict[str, Any], dict[str, Any]]:
    """`mrt ask` through the proxy: exit code, the JSON answer, the booked call."""
    configure(
        client.home,
        {
            "endpoints.koala": {"kind": "litellm", "url": stage.url, "key_env": "KOALA_KEY"},
            "tiers.there": {"model": f"koala/{group}", "max_tokens": 64},
            # The proxy says nothing of a cost of 0, so it is told here that this group is free.
            'prices."koala/fast"': {"input_usd_per_mtok": 0, "output_usd_per_mtok": 0},
            "ask": {"retries": 0},
        },
    )
    result = client("ask", "--json", "--allow-unpriced", *flags, "hi", env={"KOALA_KEY": MASTER})
    return result.exit_code, json.loads(result.stdout), calls(client.home)[-1]


ANSWERS = {
    "fast": ("Hello from the fast model.", "fast", 0),
    "cloud": ("Chat says.", "cloud", 2_000_000),
    "down": ("Chat says.", "cloud", 2_000_000),
}


@pytest.mark.parametrize("group", ANSWERS)
def test_mrt_asks_the_proxy_and_books_who_answered_for_what(stage: Stage, client: Command, group: str) -> None:
    text, served, nano = ANSWERS[group]
    code, document, call = ask(stage, client, group)
    assert code == 0, document
    assert (document["data"]["answer"], document["data"]["served_model"]) == (text, served)
    assert (call["served_model"], call["cost_nano"]) == (served, nano)
    state = "reported" if nano else "priced"
    assert call["cost_state"] == state
    assert document["data"]["cost"] == {"state": state, "usd": "0.002" if nano else "0"}
    if nano:
        # What a client says of the answer's length comes before what the tier says.
        assert asked(stage.chat)[-1].json()["max_tokens"] == 64


def test_every_group_has_its_own_model_and_parameters(stage: Stage) -> None:
    answer = post(stage, "cloud")
    assert answer.json()["choices"][0]["message"]["content"] == "Chat says."
    assert float(answer.headers["x-litellm-response-cost"]) == pytest.approx(0.002)
    sent = asked(stage.chat)[-1]
    fields = {"max_tokens": 77, "temperature": 0.5, "top_p": 0.9, "min_p": 0.1, "metadata": {"who": "me: #1"}}
    assert sent.json() == {"model": "gpt-test", "messages": [{"role": "user", "content": "hi"}], **fields}
    assert (sent.path, sent.headers["authorization"]) == (CHAT, f"Bearer {OPENAI}")


def test_ollama_is_asked_in_its_own_protocol(stage: Stage) -> None:
    answer = post(stage, "native")
    assert answer.json()["choices"][0]["message"]["content"] == "Ollama says."
    sent = asked(stage.ollama)[-1]
    options = {"num_predict": 4096, "temperature": 0.0, "num_ctx": 4096, "num_gpu": 3, "min_p": 0.1}
    assert (sent.json()["model"], sent.json()["options"]) == ("m:8b", options)
    assert (sent.path, sent.headers["authorization"]) == (NATIVE, f"Bearer {OLLAMA}")
    # A prompt that is too long is to fail, and then go up the ladder; Ollama would drop its beginning.
    assert (sent.json()["truncate"], sent.json()["shift"]) == (False, False)


def test_a_server_without_a_key_gets_nobody_else_s(stage: Stage) -> None:
    assert post(stage, "keyless").status_code == 200
    assert OF_ANOTHER not in asked(stage.ollama)[-1].headers["authorization"]


def test_fields_that_litellm_would_leave_out_are_sent(stage: Stage) -> None:
    assert post(stage, "thinks").status_code == 200
    body = asked(stage.chat)[-1].json()
    assert (body["reasoning_effort"], body["grammar"]) == ("low", "x")
    post(stage, "thinks", reasoning_effort="high")
    assert asked(stage.chat)[-1].json()["reasoning_effort"] == "high"


def test_a_tier_that_is_down_falls_back_up_the_ladder(stage: Stage) -> None:
    answer = post(stage, "down")
    assert (answer.status_code, answer.headers["x-litellm-model-group"]) == (200, "cloud")
    assert answer.headers["x-litellm-attempted-fallbacks"] == "1"


def test_a_prompt_that_is_too_long_goes_to_a_longer_context(stage: Stage) -> None:
    answer = post(stage, "short", "word " * 200)
    assert (answer.status_code, answer.headers["x-litellm-model-group"]) == (200, "cloud")


def test_a_model_of_unknown_price_is_closed(stage: Stage, client: Command) -> None:
    before = len(asked(stage.chat))
    answer = post(stage, "shut")
    assert answer.status_code == 429
    assert answer.json()["error"]["message"].startswith("No deployments available - crossed budget")
    code, document, _ = ask(stage, client, "shut")
    assert (code, document["errors"][0]["code"]) == (8, "quota")
    assert len(asked(stage.chat)) == before


def spend_until_refused(stage: Stage, group: str, most: int = 100) -> tuple[int, httpx.Response]:
    """How many calls this very group answered, and the first answer that was a refusal or another group's.

    LiteLLM books a call after its answer has left, so the next one may still pass.
    """
    for count in range(most):
        answer = post(stage, group)
        if answer.status_code != 200 or answer.headers["x-litellm-model-group"] != group:
            return count, answer
    raise AssertionError(f"{group} was never refused")


def test_over_budget_the_proxy_refuses(stage: Stage, client: Command) -> None:
    code, document, call = ask(stage, client, "claude")
    assert (code, document["data"]["answer"], document["data"]["served_model"]) == (0, "Claude says.", "claude")
    assert (call["cost_state"], call["cost_nano"]) == ("reported", 1_000_000_000)
    # A call of `dear` costs $0.002 of $0.003; then it goes up to `claude`, as after any failure.
    count, answer = spend_until_refused(stage, "dear")
    assert count >= 2
    assert (answer.status_code, answer.headers["x-litellm-model-group"]) == (200, "claude")
    # A call of `claude` costs $1, and its share of $5 a day is $1.66.
    count, answer = spend_until_refused(stage, "claude")
    assert answer.status_code == 429
    before = len(asked(stage.claude))
    for group in ("claude", "dear"):
        answer = post(stage, group)
        assert answer.status_code == 429
        assert "crossed budget" in answer.json()["error"]["message"]
        code, document, call = ask(stage, client, group)
        assert (code, document["errors"][0]["code"]) == (8, "quota")
        assert (call["outcome"], call["check_name"], call["cost_nano"]) == ("failed", "quota", 0)
    assert len(asked(stage.claude)) == before
    # What others spend is theirs.
    assert post(stage, "cloud").status_code == 200
    sent = asked(stage.claude)[-1]
    assert (sent.path, sent.headers["x-api-key"]) == (MESSAGES, ANTHROPIC)
    assert (sent.json()["top_k"], sent.json()["thinking"]) == (4, THINKING)


def test_the_file_holds_no_key(stage: Stage) -> None:
    assert not [key for key in (MASTER, OPENAI, ANTHROPIC, OLLAMA) if key in stage.text]
