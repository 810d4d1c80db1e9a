"""`mrt mcp` against llama.cpp's own server: answers, escalation, and a cancelled call that frees the engine's slot."""

from __future__ import annotations

import time
from typing import Any

import anyio
import httpx
from mcp import Client
from mcp_kit import PATIENCE_S, ask, talk
from rig.cast import CODE
from rig.command import Home
from rig.home_setup import calls, configure
from rig.llama_server import LlamaServer


def engines(fast: str, heavy: str, **settings: Any) -> dict[str, dict[str, Any]]:
    """Two local tiers."""
    return {
        "tiers.local-fast": {"model": "fast/fast", **settings},
        "tiers.local-heavy": {"model": "heavy/heavy", "checks": [], "max_tokens": 100},
        "endpoints.fast": {"kind": "llamacpp", "url": fast},
        "endpoints.heavy": {"kind": "llamacpp", "url": heavy},
        "ask": {"retries": 0},
    }


def test_the_engine_answers_and_a_poor_answer_moves_up(
    store_home: Home, llama_fast: LlamaServer, llama_heavy: LlamaServer
) -> None:
    configure(store_home, engines(llama_fast.url, llama_heavy.url))

    async def say(client: Client) -> list[Any]:
        prompts = ("the capital of France", "a hard one", "write code")
        tools = ("ask_local_model", "ask_local_model", "ask_coding_model")
        return [await client.call_tool(tool, {"prompt": prompt}) for tool, prompt in zip(tools, prompts, strict=True)]

    plain, hard, code = talk(store_home, say)
    data = plain.structured_content
    assert (data["answer"], data["tier"], data["served_model"]) == (
        "Paris is the capital of France.",
        "local-fast",
        "fast",
    )
    assert data["usage"]["source"] == "reported"
    assert hard.structured_content["answer"] == "Here is the whole plan, step by step."
    assert [attempt["outcome"] for attempt in hard.structured_content["attempts"]] == ["rejected", "accepted"]
    assert code.structured_content["tier"] == "local-heavy"
    assert {call["cost_state"] for call in calls(store_home)} == {"free"}


def test_a_named_engine_writes_code(store_home: Home, llama_fast: LlamaServer) -> None:
    tables = engines(llama_fast.url, "http://127.0.0.1:9") | {"mcp": {"coding_model": "fast/fast"}}
    configure(store_home, tables)
    result = ask(store_home, "ask_coding_model", prompt="write code", tests="assert add(2, 3) == 5", code_only=True)
    data = result.structured_content
    assert (data["answer"], data["model"], data["tier"]) == (CODE, "fast/fast", "direct")
    assert result.is_error is False or data["error"]["code"] == "sandbox"


def test_the_engines_models_are_listed(store_home: Home, llama_fast: LlamaServer) -> None:
    configure(store_home, engines(llama_fast.url, "http://127.0.0.1:9"))
    data = ask(store_home, "list_local_models").structured_content
    (model,) = [model for model in data["models"] if model["endpoint"] == "fast"]
    assert (model["name"], model["loaded"], model["kind"]) == ("fast/fast", True, "llamacpp")
    assert model["context_served"] > 0


def busy(url: str) -> int:
    """How many of the engine's slots work."""
    return sum(slot["is_processing"] for slot in httpx.get(f"{url}/slots").json())


def idle(url: str) -> bool:
    """Whether all slots are free, as soon as they are."""
    until = time.monotonic() + PATIENCE_S
    while busy(url):
        if time.monotonic() > until:
            return False
    return True


def test_a_cancelled_call_frees_the_engine(store_home: Home, llama_slow: LlamaServer) -> None:
    configure(
        store_home,
        {
            "tiers.slow": {"model": "slow/slow", "checks": [], "max_tokens": 3000, "tools": False},
            "endpoints.slow": {"kind": "llamacpp", "url": llama_slow.url},
        },
    )

    async def say(client: Client) -> None:
        began = anyio.Event()

        async def note(_: float, __: float | None, message: str | None) -> None:
            if message and "so far" in message:
                began.set()

        async def call() -> None:
            await client.call_tool("ask_local_model", {"prompt": "tick"}, progress_callback=note)

        async with anyio.create_task_group() as group:
            group.start_soon(call)
            await began.wait()
            assert await anyio.to_thread.run_sync(busy, llama_slow.url) == 1
            group.cancel_scope.cancel()
        assert await anyio.to_thread.run_sync(idle, llama_slow.url)

    talk(store_home, say)
    (call,) = calls(store_home)
    assert (call["outcome"], call["state"]) == ("interrupted", "partial")
    assert call["output_tokens"] > 0
