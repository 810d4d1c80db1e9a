"""`mrt export litellm`: what each setting becomes, and what is said of those that become nothing."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from rig.command import Home
from rig.home_setup import Tables, configure, run_here

from mrt.config import Config, EndpointSettings, Tier
from mrt.config.compound import Example
from mrt.config.model import Price
from mrt.config.settings import SETTINGS
from mrt.errors import UsageError
from mrt.exports.litellm import export_litellm
from mrt.exports.litellm_lost import reason
from mrt.exports.litellm_prices import prices
from mrt.pricing import Rates
from mrt.pricing.table import user_rates

KEY = "sk-canary-0123456789abcdef"


def exported(home: Home, tables: Tables, *flags: str, env: dict[str, str] | None = None) -> dict[str, Any]:
    """The JSON of the command, with the parsed file as `config`."""
    configure(home, tables)
    result = run_here(home, "export", "litellm", "--json", *flags, env=env)
    assert result.exit_code == 0, result.stderr
    data: dict[str, Any] = json.loads(result.stdout)["data"]
    return {**data, "config": yaml.safe_load(data["text"])}


def one(home: Home, tier: dict[str, Any], more: Tables | None = None, **env: str) -> dict[str, Any]:
    """The parameters of a single tier."""
    data = exported(home, {"tiers.only": tier, **(more or {})}, env=env)
    (entry,) = data["config"]["model_list"]
    assert entry["model_name"] == "only"
    parameters: dict[str, Any] = entry["litellm_params"]
    return parameters


SERVERS = {
    "ollama": ({}, "ollama/llama3.1:8b", "ollama_chat/llama3.1:8b", "http://localhost:11434", "mrt"),
    "vllm": ({}, "vllm/org/m", "hosted_vllm/org/m", "http://localhost:8000/v1", "mrt"),
    "lm_studio": ({}, "lm_studio/m", "lm_studio/m", "http://127.0.0.1:1234/v1", "mrt"),
    "llamacpp": ({}, "llamacpp/m", "llamafile/m", "http://localhost:8080/v1", "mrt"),
    "llama-swap": ({}, "llama_swap/m", "llamafile/m", "http://localhost:8080/v1", "mrt"),
    "litellm": ({}, "litellm/m", "litellm_proxy/m", "http://localhost:4000/v1", "mrt"),
    "openai": ({}, "openai/gpt-4o", "openai/gpt-4o", None, "os.environ/OPENAI_API_KEY"),
    "anthropic": ({}, "anthropic/claude-x", "anthropic/claude-x", None, "os.environ/ANTHROPIC_API_KEY"),
    "openrouter": ({}, "openrouter/a/b:free", "openrouter/a/b:free", None, "os.environ/OPENROUTER_API_KEY"),
    "xai": ({}, "xai/grok-4", "xai/grok-4", None, "os.environ/XAI_API_KEY"),
    "gemini": ({}, "gemini/g", "gemini/g", None, "os.environ/GEMINI_API_KEY"),
    "gemini elsewhere": (
        {"GEMINI_BASE_URL": "http://g/v1"},
        "gemini/g",
        "openai/g",
        "http://g/v1",
        "os.environ/GEMINI_API_KEY",
    ),
    "openai elsewhere": (
        {"OPENAI_BASE_URL": "http://o"},
        "openai/g",
        "openai/g",
        "http://o/v1",
        "os.environ/OPENAI_API_KEY",
    ),
    "ollama elsewhere": ({"OLLAMA_BASE_URL": "http://o/v1/"}, "ollama/g", "ollama_chat/g", "http://o", "mrt"),
    "a key for local ones": (
        {"LOCAL_LLM_API_KEY": KEY},
        "vllm/g",
        "hosted_vllm/g",
        "http://localhost:8000/v1",
        "os.environ/LOCAL_LLM_API_KEY",
    ),
}


@pytest.mark.parametrize("case", SERVERS)
def test_every_provider_has_its_client(store_home: Home, case: str) -> None:
    env, model, expected, base, key = SERVERS[case]
    parameters = one(store_home, {"model": model}, **env)
    assert (parameters["model"], parameters.get("api_base"), parameters.get("api_key")) == (expected, base, key)


ENDPOINTS = {
    "openai, paid": (
        {"kind": "openai", "url": "http://s/v1", "key_env": "S_KEY"},
        "openai/m",
        "http://s/v1",
        "os.environ/S_KEY",
    ),
    "openai, free": ({"kind": "openai", "url": "http://s", "local": True}, "llamafile/m", "http://s/v1", "mrt"),
    "anthropic": ({"kind": "anthropic", "url": "http://s/v1/messages"}, "anthropic/m", "http://s", "mrt"),
    "litellm": ({"kind": "litellm", "url": "http://s:4000/"}, "litellm_proxy/m", "http://s:4000/v1", "mrt"),
    "ollama": (
        {"kind": "ollama", "url": "http://s/api", "key_env": "S_KEY"},
        "ollama_chat/m",
        "http://s",
        "os.environ/S_KEY",
    ),
    "key_cmd": (
        {"kind": "vllm", "url": "http://s", "key_cmd": f"echo {KEY}"},
        "hosted_vllm/m",
        "http://s/v1",
        "os.environ/MY_BOX_1_API_KEY",
    ),
    "key_file": (
        {"kind": "llama_swap", "url": "http://s", "key_file": "k"},
        "llamafile/m",
        "http://s/v1",
        "os.environ/MY_BOX_1_API_KEY",
    ),
    "a password": ({"kind": "vllm", "url": f"http://me:{KEY}@s"}, "hosted_vllm/m", "os.environ/MY_BOX_1_URL", "mrt"),
}


@pytest.mark.parametrize("case", ENDPOINTS)
def test_every_endpoint_has_its_client_address_and_key(store_home: Home, case: str) -> None:
    endpoint, expected, base, key = ENDPOINTS[case]
    data = exported(store_home, {"tiers.only": {"model": "my-box.1/m"}, 'endpoints."my-box.1"': endpoint} | FLAT)
    (entry,) = data["config"]["model_list"]
    parameters = entry["litellm_params"]
    assert (parameters["model"], parameters["api_base"], parameters["api_key"]) == (expected, base, key)
    named = [value.removeprefix("os.environ/") for value in (base, key) if value.startswith("os.environ/")]
    assert [needed["name"] for needed in data["variables"]] == ["LITELLM_MASTER_KEY", *named]
    assert KEY not in json.dumps(data)


FLAT = {"budget": {"daily_usd": "none", "monthly_usd": "none"}}


def test_variables_of_two_endpoints_do_not_meet(store_home: Home) -> None:
    endpoint = {"kind": "vllm", "url": "http://s", "key_cmd": "x"}
    tables = {"tiers.a": {"model": "a.b/m"}, "tiers.b": {"model": "a-b/m"}}
    data = exported(store_home, {**tables, "endpoints.a-b": endpoint, 'endpoints."a.b"': endpoint})
    keys = [entry["litellm_params"]["api_key"] for entry in data["config"]["model_list"]]
    assert keys == ["os.environ/A_B_API_KEY", "os.environ/A_B_API_KEY_2"]


def test_the_proxy_s_own_key_is_not_that_of_an_endpoint(store_home: Home) -> None:
    endpoint = {"kind": "litellm", "url": "http://k", "key_env": "LITELLM_MASTER_KEY"}
    config = exported(store_home, {"tiers.a": {"model": "k/m"}, "endpoints.k": endpoint})["config"]
    assert config["model_list"][0]["litellm_params"]["api_key"] == "os.environ/LITELLM_MASTER_KEY"
    assert config["general_settings"] == {"master_key": "os.environ/LITELLM_MASTER_KEY_2"}


def test_a_price_without_the_date_of_the_model_is_its_price(store_home: Home) -> None:
    price = {"input_usd_per_mtok": 7, "output_usd_per_mtok": 7}
    data = exported(store_home, {"tiers.a": {"model": "openai/m-2026-01-01"}, 'prices."openai/m"': price})
    assert data["config"]["model_list"][0]["litellm_params"]["input_cost_per_token"] == 7e-06
    assert data["unmapped"] == []


def test_what_a_request_of_the_tier_says_is_carried_over(store_home: Home) -> None:
    tier = {"model": "ollama/m", "temperature": 0.0, "max_tokens": 5, "timeout": 9, "context": 4096}
    options = {"top_p": 0.5, "num_gpu": 3, "seed": 1, "keep_alive": "1h"}
    parameters = one(store_home, {**tier, "options": options})
    expected = {"temperature": 0.0, "max_tokens": 5, "timeout": 9.0, "num_ctx": 4096, **options}
    assert {name: parameters.get(name) for name in expected} == expected


def test_an_address_that_is_not_shown_is_told_as_litellm_wants_it(store_home: Home) -> None:
    endpoint = {"kind": "vllm", "url": f"http://me:{KEY}@box:8000"}
    data = exported(store_home, {"tiers.a": {"model": "box/m"}, "endpoints.box": endpoint})
    what = "the address of box: http://box:8000/v1 with the password or key that is left out here"
    assert data["variables"][1] == {"name": "BOX_URL", "what": what}


TIMES = {
    "of the tier": ({"timeout": 30}, {}, {"timeout": 30.0, "stream_timeout": 30.0}, 300.0),
    "of the tier, a long one": ({"timeout": 900}, {}, {"timeout": 900.0, "stream_timeout": 300.0}, 300.0),
    "of all": ({}, {"timeout": 60}, {}, 60.0),
    "of the first token": ({}, {"first_token_timeout": 7}, {}, 7.0),
}


@pytest.mark.parametrize("case", TIMES)
def test_a_stream_takes_no_longer_than_a_whole_answer_may(store_home: Home, case: str) -> None:
    tier, ask, own, shared = TIMES[case]
    config = exported(store_home, {"tiers.a": {"model": "ollama/m", **tier}, "ask": ask})["config"]
    parameters = config["model_list"][0]["litellm_params"]
    assert {name: value for name, value in parameters.items() if name.endswith("timeout")} == own
    assert config["router_settings"]["stream_timeout"] == shared


def test_prices_are_per_token_and_a_cache_without_a_price_is_no_gift(store_home: Home) -> None:
    price = {"input_usd_per_mtok": 2.5, "output_usd_per_mtok": 10, "cached_input_usd_per_mtok": 1.25}
    parameters = one(store_home, {"model": "openai/of-mine"}, {'prices."openai/of-mine"': price})
    names = ("input_cost_per_token", "output_cost_per_token", "cache_read_input_token_cost")
    assert [parameters[name] for name in names] == [2.5e-06, 1e-05, 1.25e-06]
    assert parameters["cache_creation_input_token_cost"] == 2.5e-06


def test_the_built_in_price_is_carried_over_too(store_home: Home) -> None:
    parameters = one(store_home, {"model": "anthropic/claude-haiku-4-5"})
    assert (parameters["input_cost_per_token"], parameters["output_cost_per_token"]) == (1e-06, 5e-06)


def rates(*above: tuple[int, int]) -> Rates:
    """One dollar in and two out, and so many more dollars in above each of these lengths."""
    tiers = tuple((over, Rates(Decimal(dollars), Decimal(2))) for over, dollars in above)
    return Rates(Decimal(1), Decimal(2), Decimal("0.1"), above=tiers)


STEPS = {
    "one LiteLLM knows": (rates((200_000, 5)), {"": 1, "_above_200k_tokens": 5}),
    "the same in other words": (rates((199_999, 5)), {"": 1, "_above_200k_tokens": 5}),
    "two": (rates((128_000, 5), (272_000, 3)), {"": 1, "_above_128k_tokens": 5, "_above_272k_tokens": 3}),
    "one it does not know": (rates((32_000, 5)), {"": 5}),
}


@pytest.mark.parametrize("case", STEPS)
def test_prices_that_rise_with_the_length(case: str) -> None:
    found = {field.key: field.value for field in prices(STEPS[case][0])}
    per_million = {
        name.removeprefix(INPUT): value * 1_000_000 for name, value in found.items() if name.startswith(INPUT)
    }
    assert per_million == STEPS[case][1]


INPUT = "input_cost_per_token"


def test_an_unknown_price_is_closed_under_a_budget_and_named_without(store_home: Home) -> None:
    tables = {"tiers.only": {"model": "openai/of-nobody"}}
    closed = exported(store_home, tables)
    parameters = closed["config"]["model_list"][0]["litellm_params"]
    assert (parameters["max_budget"], "input_cost_per_token" in parameters) == (-1, False)
    assert any("no price is known for openai/of-nobody" in note for note in closed["notes"])
    for opened in (exported(store_home, tables, "--allow-unpriced"), exported(store_home, {**tables, **FLAT})):
        assert opened["config"]["model_list"][0]["litellm_params"].get("max_budget") != -1
        assert any("no price is known for openai/of-nobody" in note for note in opened["notes"])


def test_failures_go_up_the_ladder_and_past_what_is_closed(store_home: Home) -> None:
    models = {"a": "ollama/m", "b": "openai/of-nobody", "c": "anthropic/claude-haiku-4-5", "d": "xai/grok-4"}
    tables = {f"tiers.{name}": {"model": model, "context": 8192} for name, model in models.items()}
    tables["tiers.d"]["context"] = 16384
    router = exported(store_home, tables)["config"]["router_settings"]
    assert router["fallbacks"] == [{"a": ["c", "d"]}, {"b": ["c", "d"]}, {"c": ["d"]}]
    assert router["context_window_fallbacks"] == [{"a": ["d"]}, {"b": ["d"]}, {"c": ["d"]}]


def test_every_setting_is_carried_over_or_has_a_reason() -> None:
    carried = {setting.pattern for setting in SETTINGS if reason(setting.pattern) is None}
    assert carried == {
        *(f"tiers.NAME.{key}" for key in ("model", "temperature", "max_tokens", "timeout", "context", "options")),
        *(f"endpoints.NAME.{key}" for key in ("kind", "url", "key_env", "key_cmd", "key_file", "local")),
        *(f"prices.NAME.{key}_usd_per_mtok" for key in ("input", "output", "cached_input", "cache_write")),
        *(f"limits.NAME.{key}" for key in ("tier", "model", "tag", "project", "session", "daily_usd", "monthly_usd")),
        *("budget.daily_usd", "budget.monthly_usd"),
        *(f"ask.{key}" for key in ("max_tokens", "timeout", "first_token_timeout", "retries")),
    }


def test_where_keys_in_prompts_may_go_is_not_kept_by_the_proxy(store_home: Home) -> None:
    (lost,) = exported(store_home, {"tiers.a": {"model": "ollama/m"}, "route": {"secrets": "local"}})["unmapped"]
    assert lost["setting"] == "route.secrets"
    assert lost["reason"] == "LiteLLM does not look for keys in prompts: it sends them to any tier"


@pytest.mark.parametrize("period", ["daily_usd", "monthly_usd"])
def test_a_limit_of_nothing_is_not_taken_for_no_limit(store_home: Home, period: str) -> None:
    """LiteLLM reads 0 as none; below 0 it refuses every call."""
    budget = {"daily_usd": "none", "monthly_usd": "none", period: 0}
    config = exported(store_home, {"tiers.only": {"model": "xai/grok-4"}, "budget": budget})["config"]
    pools = config["router_settings"].get("provider_budget_config", {})
    amounts = [pool["budget_limit"] for pool in pools.values()]
    amounts += [entry["litellm_params"].get("max_budget") for entry in config["model_list"]]
    assert [amount for amount in amounts if amount is not None] == [-1]


def test_only_an_overload_is_tried_again(store_home: Home) -> None:
    router = exported(store_home, {"ask": {"retries": 3}})["config"]["router_settings"]
    policy = {"RateLimitErrorRetries": 3, "ServiceUnavailableErrorRetries": 3, "DefaultRetries": 0}
    assert (router["num_retries"], router["retry_policy"]) == (0, policy)
    assert "retry_policy" not in exported(store_home, {"ask": {"retries": 0}})["config"]["router_settings"]


def test_whose_budget_it_is_is_noted_where_something_costs(store_home: Home) -> None:
    said = "the budget of $5 daily and $50 monthly holds in the proxy alone and by its own count: what mrt spends is not in it"
    assert said in exported(store_home, {"tiers.a": {"model": "xai/grok-4"}})["notes"]
    assert said not in exported(store_home, {"tiers.a": {"model": "ollama/m"}})["notes"]


def test_a_key_that_another_would_stand_in_for_is_noted(store_home: Home) -> None:
    endpoint = {"kind": "openai", "url": "http://shop", "key_env": "SHOP_KEY"}
    data = exported(store_home, {"tiers.a": {"model": "shop/m"}, "endpoints.shop": endpoint})
    assert "without SHOP_KEY LiteLLM sends OPENAI_API_KEY to shop, where that is set" in data["notes"]
    assert ': "${LITELLM_MASTER_KEY:?}" "${SHOP_KEY:?}" && litellm' in data["text"]
    data = exported(store_home, {"tiers.a": {"model": "openai/m"}}, env={"OPENAI_BASE_URL": "http://o"})
    assert not [note for note in data["notes"] if "sends" in note]


def test_what_is_not_carried_over_is_said_on_stderr(store_home: Home) -> None:
    tables = {"tiers.a": {"model": "ollama/m", "system": "Be brief.", "checks": ["code"]}, "route": {"max_risk": 0.1}}
    configure(store_home, {**tables, "limits.n": {"tag": "nightly", "daily_usd": 1}})
    result = run_here(store_home, "export", "litellm")
    said = [line for line in result.stderr.splitlines() if line.startswith("not carried over: ")]
    assert [line.partition(" (")[0].removeprefix("not carried over: ") for line in said] == [
        "limits.n",
        "tiers.a.system",
        "tiers.a.checks",
        "route.max_risk",
    ]


# --- whatever stands in the texts

WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
MODELS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=1)


VALUES = WORDS | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False)
DEEP = VALUES | st.lists(VALUES, max_size=2) | st.dictionaries(WORDS, VALUES, max_size=2)


@settings(deadline=None)
@given(MODELS, WORDS, st.dictionaries(WORDS, DEEP, max_size=4))
def test_texts_cannot_change_the_file_s_shape(model: str, text: str, options: dict[str, Any]) -> None:
    model = "".join(model.split()) or "m"
    example = (Example(text, text),)
    tiers = (
        Tier("a", f"shop/{model}", system=text, examples=example, options=options),
        Tier("b", "ollama/m", options=options),
    )
    endpoint = EndpointSettings("shop", "openai", "http://s/v1", key_env="SHOP_KEY")
    price = Price(Decimal(1), Decimal(2))
    config = Config(tiers=tiers, endpoints={"shop": endpoint}, prices={f"shop/{model}": price})
    export = export_litellm(config, {}, lambda target: user_rates(price, target.name))
    parsed = yaml.safe_load(export.text)
    assert list(parsed) == ["model_list", "router_settings", "litellm_settings", "general_settings"]
    first, second = parsed["model_list"]
    assert (first["model_name"], second["model_name"]) == ("a", "b")
    assert first["litellm_params"]["model"] == f"openai/{model}"
    lost = {lost.setting for lost in export.lost}
    body = first["litellm_params"].get("extra_body", {})
    for name, value in options.items():
        passed = body.get(name, first["litellm_params"].get(name))
        assert passed == value or f"tiers.a.options.{name}" in lost


def test_a_tier_that_leads_nowhere_is_an_error(store_home: Home) -> None:
    configure(store_home, {"tiers.a": {"model": "koala/m"}})
    result = run_here(store_home, "export", "litellm")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        "error: unknown provider or endpoint 'koala'\nhint: `mrt help config` shows how to name a server\n"
    )


def test_without_tiers_there_is_nothing_to_export() -> None:
    with pytest.raises(UsageError, match="there are no tiers to export"):
        export_litellm(Config(tiers=()), {}, lambda _: None)


def test_a_price_that_litellm_cannot_say_is_noted(store_home: Home) -> None:
    data = exported(store_home, {"tiers.a": {"model": "openrouter/qwen/qwen-plus"}})
    (note,) = [note for note in data["notes"] if "costs more" in note]
    assert note.startswith("openrouter/qwen/qwen-plus costs more from some length on")
