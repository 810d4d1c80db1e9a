"""From a model id to a server and its address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from endpoint_kit import CLOUD, EMPTY, LOCAL, NAMES, named

from mrt.config import Config, Tier
from mrt.endpoints import PROVIDERS, resolve
from mrt.endpoints.resolve import resolve_tier
from mrt.errors import UsageError
from mrt.providers import protocol


@pytest.mark.parametrize(
    ("name", "endpoint", "model"),
    [
        ("ollama/llama3.1:8b", "ollama", "llama3.1:8b"),
        ("vllm/Qwen/Qwen2.5-7B-Instruct", "vllm", "Qwen/Qwen2.5-7B-Instruct"),
        ("lm_studio/a", "lm_studio", "a"),
        ("llamacpp/x", "llamacpp", "x"),
        ("openai/gpt-4o", "openai", "gpt-4o"),
        ("koala/gpt-4o", "koala", "gpt-4o"),
        ("fast", "ollama", "qwen2.5-coder:7b"),
        ("first", "ollama", "small"),
        ("second", "ollama", "qwen2.5-coder:7b"),
    ],
)
def test_a_name_leads_to_a_model(name: str, endpoint: str, model: str) -> None:
    tiers = (Tier("first", "ollama/small"), Tier("second", "fast"))
    config = replace(named(), tiers=tiers, aliases={"fast": "ollama/qwen2.5-coder:7b"})
    found = resolve(name, config, {})
    assert (found.endpoint, found.model, found.name) == (endpoint, model, f"{endpoint}/{model}")
    assert found.key is None


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("ollama/", "'ollama/' has no usable model after the slash", "write PROVIDER/MODEL, for example"),
        ("ollama/a b", "'ollama/a b' has no usable model after the slash", "write PROVIDER/MODEL"),
        ("ollama/ ", "has no usable model after the slash", "write PROVIDER/MODEL"),
        ("ollama/a\tb", "has no usable model after the slash", "write PROVIDER/MODEL"),
        ("ollama/a\u2003b", "has no usable model after the slash", "write PROVIDER/MODEL"),
        ("openai-compat/x", "openai-compat/ is reserved", "name the server in the config: [endpoints.NAME]"),
        ("openai-compat/", "openai-compat/ is reserved", "name the server"),
        ("olama/x", "unknown provider or endpoint 'olama' (did you mean ollama", "mrt help config"),
        ("kaola/x", "(did you mean koala", "mrt help config"),
        ("zzz/x", "unknown provider or endpoint 'zzz'", "mrt help config"),
        ("/x", "unknown provider or endpoint ''", "mrt help config"),
        ("llama3", "'llama3' is no tier, alias or PROVIDER/MODEL", "`mrt config show` lists the tiers"),
        ("locl-fast", "'locl-fast' is no tier, alias or PROVIDER/MODEL (did you mean local-fast", "config show"),
        ("", "'' is no tier, alias or PROVIDER/MODEL", "config show"),
        ("ollama", "'ollama' is an endpoint, not a model", "mrt probe models --endpoint ollama"),
        ("koala", "'koala' is an endpoint, not a model", "mrt probe models --endpoint koala"),
    ],
)
def test_a_name_that_leads_nowhere(name: str, message: str, hint: str) -> None:
    config = replace(named(), tiers=(Tier("local-fast", "ollama/x"),))
    with pytest.raises(UsageError) as caught:
        resolve(name, config, {})
    assert message in caught.value.message
    assert hint in (caught.value.hint or "")


def test_a_tier_must_name_a_provider() -> None:
    with pytest.raises(UsageError) as caught:
        resolve_tier(Tier("fast", "llama3.1:8b"), EMPTY, {})
    assert caught.value.message == "tier fast: 'llama3.1:8b' is no PROVIDER/MODEL"
    assert caught.value.hint == "write for example: mrt config set tiers.fast.model ollama/llama3.1:8b"


def test_a_tier_says_how_its_model_thinks() -> None:
    assert resolve("t", Config(tiers=(Tier("t", "ollama/x", think="implicit"),)), {}).think == "implicit"


def test_an_endpoint_goes_before_a_provider_of_its_name() -> None:
    assert resolve("ollama/x", named("ollama", "ollama", "http://box:11434"), {}).url == "http://box:11434"


DEFAULTS = {
    "ollama": "http://localhost:11434",
    "vllm": "http://localhost:8000",
    "lm_studio": "http://127.0.0.1:1234",
    "llamacpp": "http://localhost:8080",
}


@pytest.mark.parametrize("provider", LOCAL)
@pytest.mark.parametrize(
    ("environment", "url"),
    [
        ({}, None),
        ({"{}_BASE_URL": "http://own:1"}, "http://own:1"),
        ({"LOCAL_LLM_BASE_URL": "http://all:2"}, "http://all:2"),
        ({"{}_BASE_URL": "http://own:1", "LOCAL_LLM_BASE_URL": "http://all:2"}, "http://own:1"),
        ({"{}_BASE_URL": "", "LOCAL_LLM_BASE_URL": "http://all:2"}, "http://all:2"),
        ({"{}_BASE_URL": "  ", "LOCAL_LLM_BASE_URL": " "}, None),
        ({"{}_BASE_URL": "", "LOCAL_LLM_BASE_URL": ""}, None),
        ({"{}_BASE_URL": " http://own:1 "}, "http://own:1"),
        ({"OPENAI_BASE_URL": "http://openai:3"}, None),
    ],
    ids=str,
)
def test_where_a_local_server_is(provider: str, environment: Mapping[str, str], url: str | None) -> None:
    environment = {name.format(NAMES[provider]): value for name, value in environment.items()}
    assert resolve(f"{provider}/x", EMPTY, environment).url == (url or DEFAULTS[provider])


def test_the_address_of_one_provider_is_no_other_s() -> None:
    environment = {
        f"{stem}_BASE_URL": f"http://{stem.lower()}" for stem in (*NAMES.values(), "OPENAI", "ANTHROPIC", "GROQ")
    }
    for provider, stem in (*NAMES.items(), ("openai", "OPENAI"), ("anthropic", "ANTHROPIC"), ("groq", "GROQ")):
        assert resolve(f"{provider}/x", EMPTY, environment).url == f"http://{stem.lower()}"


@pytest.mark.parametrize("provider", [*CLOUD, "litellm"])
def test_a_cloud_provider_is_not_among_the_local_ones(provider: str) -> None:
    environment = {"LOCAL_LLM_BASE_URL": "http://all:2", "LOCAL_LLM_API_KEY": "sk-local"}
    found = resolve(f"{provider}/x", EMPTY, environment)
    assert found.url == PROVIDERS[provider].url
    assert not found.local


@pytest.mark.parametrize("base", ["http://h:1", "http://h:1/", "http://h:1/v1", "http://h:1/v1/"])
@pytest.mark.parametrize(
    ("provider", "path"),
    [
        ("ollama", "/api/chat"),
        ("vllm", "/v1/chat/completions"),
        ("lm_studio", "/v1/chat/completions"),
        ("llamacpp", "/v1/chat/completions"),
        ("litellm", "/v1/chat/completions"),
        ("openai", "/v1/chat/completions"),
        ("anthropic", "/v1/messages"),
    ],
)
def test_addresses_with_and_without_v1_work(provider: str, path: str, base: str) -> None:
    found = resolve(f"{provider}/x", EMPTY, {f"{PROVIDERS[provider].variables}_BASE_URL": base})
    assert protocol(found).url(found) == f"http://h:1{path}"


@pytest.mark.parametrize(
    ("provider", "url"),
    [
        ("openai", "https://api.openai.com/v1/chat/completions"),
        ("gemini", "https://generativelanguage.googleapis.com/v1beta/openai/chat/completions"),
        ("groq", "https://api.groq.com/openai/v1/chat/completions"),
        ("openrouter", "https://openrouter.ai/api/v1/chat/completions"),
        ("anthropic", "https://api.anthropic.com/v1/messages"),
    ],
)
def test_cloud_addresses(provider: str, url: str) -> None:
    found = resolve(f"{provider}/x", EMPTY, {})
    assert protocol(found).url(found) == url


@pytest.mark.parametrize(
    ("name", "config", "free"),
    [
        ("ollama/llama3", EMPTY, True),
        ("ollama/gpt-oss:120b-cloud", EMPTY, False),
        ("ollama/kimi-k2:cloud", EMPTY, False),
        ("vllm/x-cloud", EMPTY, True),
        ("openai/llama3", EMPTY, False),
        ("litellm/llama3", EMPTY, False),
        ("koala/x", named(), False),
        ("koala/x", named(local=True), True),
        ("koala/x", named(kind="vllm"), True),
        ("koala/x", named(kind="vllm", local=False), False),
        ("koala/x-cloud", named(kind="ollama", local=True), False),
    ],
)
def test_what_is_free_is_decided_by_the_endpoint(name: str, config: Config, free: bool) -> None:
    assert resolve(name, config, {}).local is free
