"""Environment variables in the configuration: what they replace, the older names, and mistakes in them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from config_kit import NAMES, NOWHERE, Write, failure

from mrt.config import Budget, Config, Example, Origin, Tier, load
from mrt.config.keys import format_key
from mrt.config.listing import rows
from mrt.config.render import plain_text, toml_text
from mrt.config.settings import SETTINGS, Setting

BASE = """\
[tiers."a.b"]
model = "ollama/base"
[endpoints.koala]
kind = "openai"
url = "http://base"
[limits.nightly]
[prices."koala/gpt-4.1"]
input_usd_per_mtok = 7
output_usd_per_mtok = 7
[aliases]
fast = "ollama/base"
[templates.short]
"""


def name_of(setting: Setting) -> str:
    return NAMES.get(setting.section, "")


def each_setting(test: Any) -> Any:
    return pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.pattern)(test)


def base_with(key: tuple[str, ...], sample: str) -> str:
    """The base file with a key set to a sample, on the last line."""
    document = tomllib.loads(BASE)
    own = document.setdefault(key[0], {})
    for part in key[1:-1]:
        own = own.setdefault(part, {})
    own.pop(key[-1], None)
    tables = sorted(flat_tables(document), key=lambda table: table[0] == key[:-1])
    lines = [
        f"[{format_key(table)}]\n" + "".join(f"{last} = {toml_text(value)}\n" for last, value in content.items())
        for table, content in tables
    ]
    return "".join(lines) + f"{format_key(key[-1:])} = {sample}\n"


@each_setting
def test_the_environment_wins_over_the_file_and_that_over_the_default(write: Write, setting: Setting) -> None:
    key = setting.of(name_of(setting))
    dotted, variable = format_key(key), setting.variables(key)[0]
    text = plain_text(setting.kind.check(tomllib.loads(f"v = {setting.sample}", parse_float=Decimal)["v"]))
    if not setting.required and setting.section != "aliases":
        assert load(NOWHERE, write(BASE)).origins[dotted] == Origin("default", "")

    path = write(base_with(key, setting.sample))
    line = path.read_text().count("\n")
    from_file = load(NOWHERE, path)
    from_environment = load(NOWHERE | {variable: text}, path)
    assert from_file.origins[dotted] == Origin("file", f"{path}:{line}")
    assert from_environment.origins[dotted] == Origin("environment", variable)
    assert value_of(from_file, dotted) == value_of(from_environment, dotted)
    assert load(NOWHERE | {variable: ""}, path).origins[dotted].kind == "file"


def flat_tables(document: Mapping[str, Any]) -> list[tuple[tuple[str, ...], Mapping[str, Any]]]:
    tables: list[tuple[tuple[str, ...], Mapping[str, Any]]] = []
    for section, content in document.items():
        if section in ("tiers", "endpoints", "limits", "prices", "templates"):
            tables += [((section, name), table) for name, table in content.items()]
        else:
            tables.append(((section,), content))
    return tables


def value_of(config: Config, dotted: str) -> Any:
    return next(row.value for row in rows(config) if row.key == dotted)


def test_a_stronger_value_replaces_a_weaker_one(write: Write) -> None:
    path = write("[ask]\nretries = 1\n")
    environment = NOWHERE | {"MRT_ASK_RETRIES": "2"}
    assert load(NOWHERE, path).ask.retries == 1
    assert load(environment, path).ask.retries == 2


def test_the_environment_gives_a_required_setting_that_the_file_lacks(write: Write) -> None:
    path = write("[tiers.a]\nmax_complexity = 3\n")
    assert load(NOWHERE | {"MRT_TIERS_A_MODEL": "ollama/x"}, path).tiers == (Tier("a", "ollama/x", 3.0),)


@pytest.mark.parametrize(
    ("variable", "value", "tier", "model"),
    [
        ("TIER_LOCAL_FAST_MODEL", "llama3.1:8b", 0, "ollama/llama3.1:8b"),
        ("TIER_LOCAL_FAST_MODEL", "vllm/qwen", 0, "vllm/qwen"),
        ("TIER_LOCAL_FAST_MODEL", "hf.co/org/repo:Q4", 0, "ollama/hf.co/org/repo:Q4"),
        ("TIER_LOCAL_HEAVY_MODEL", "hermes3:70b", 1, "ollama/hermes3:70b"),
        ("TIER_CLOUD_MODEL", "claude-haiku-4-5", 2, "anthropic/claude-haiku-4-5"),
        ("TIER_CLOUD_MODEL", "gpt-4o", 2, "openai/gpt-4o"),
        ("TIER_CLOUD_MODEL", "o1", 2, "openai/o1"),
        ("TIER_CLOUD_MODEL", "o3-mini", 2, "openai/o3-mini"),
        ("TIER_CLOUD_MODEL", "o4-mini", 2, "openai/o4-mini"),
        ("TIER_CLOUD_MODEL", "grok-4", 2, "xai/grok-4"),
        ("TIER_CLOUD_MODEL", "gemini-2.5-pro", 2, "gemini/gemini-2.5-pro"),
        ("TIER_CLOUD_MODEL", "openrouter/x/y", 2, "openrouter/x/y"),
        ("TIER_CLOUD_MODEL", "mystery", 2, "mystery"),
        ("TIER_CLOUD_MODEL", "meta-llama/llama", 2, "meta-llama/llama"),
        ("MRT_TIERS_LOCAL_FAST_MODEL", "llama3", 0, "llama3"),
    ],
)
def test_older_names_take_model_ids_without_a_provider(variable: str, value: str, tier: int, model: str) -> None:
    config = load(NOWHERE | {variable: value})
    assert config.tiers[tier].model == model
    assert config.origins[f"tiers.{config.tiers[tier].name}.model"] == Origin("environment", variable)


def test_an_endpoint_of_the_file_counts_as_a_provider_in_the_older_names(write: Write) -> None:
    path = write(
        '[tiers.local-fast]\nmodel = "ollama/x"\n[endpoints.koala]\nkind = "vllm"\nurl = "http://koala:8000"\n'
    )
    assert load(NOWHERE | {"TIER_LOCAL_FAST_MODEL": "koala/m"}, path).tiers[0].model == "koala/m"


def test_the_older_names_of_the_budgets_work_and_the_newer_ones_win() -> None:
    older = {"TIER_CLOUD_DAILY_BUDGET_USD": "1.5", "TIER_CLOUD_MONTHLY_BUDGET_USD": "none"}
    assert load(NOWHERE | older).budget == Budget(Decimal("1.5"), None)
    newer = load(NOWHERE | older | {"MRT_BUDGET_DAILY_USD": "2", "MRT_BUDGET_MONTHLY_USD": "0"})
    assert newer.budget == Budget(Decimal(2), Decimal(0))


def test_the_environment_makes_no_tier(write: Write) -> None:
    path = write('[tiers.only]\nmodel = "ollama/x"\n')
    environment = NOWHERE | {"MRT_TIERS_OTHER_MODEL": "ollama/y", "TIER_CLOUD_MODEL": "gpt-4o"}
    assert load(environment, path).tiers == (Tier("only", "ollama/x"),)


@pytest.mark.parametrize(
    ("setting", "text", "value"),
    [
        ("ask.escalate", "off", False),
        ("ask.escalate", " Yes ", True),
        ("tiers.cloud.checks", "code, confidence=0.6,", ("code", "confidence=0.6")),
        ("tiers.cloud.checks", '["verify=grep a,b"]', ("verify=grep a,b",)),
        ("tiers.cloud.options", "{top_p = 0.5}", {"top_p": 0.5}),
        ("tiers.cloud.examples", '[{user = "a", assistant = "b"}]', (Example("a", "b"),)),
        ("budget.daily_usd", "NONE", None),
        ("budget.daily_usd", "-0.0", Decimal(0)),
        ("budget.timezone", "UTC", "UTC"),
    ],
)
def test_variables_carry_values_as_text(setting: str, text: str, value: object) -> None:
    variable = "MRT_" + setting.replace(".", "_").upper()
    assert value_of(load(NOWHERE | {variable: text}), setting) == value


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("MRT_ASK_TIMEOUT", "soon", 'ask.timeout must be a number, not "soon"'),
        ("MRT_ASK_TIMEOUT", "nan", "ask.timeout must be a number, not NaN"),
        ("MRT_ASK_RETRIES", "1.5", 'ask.retries must be a whole number, not "1.5"'),
        ("MRT_ASK_ESCALATE", "maybe", 'ask.escalate must be true or false, not "maybe"'),
        ("MRT_BUDGET_DAILY_USD", "x", 'budget.daily_usd must be an amount in dollars or "none", not "x"'),
        ("TIER_CLOUD_DAILY_BUDGET_USD", "-3", "budget.daily_usd must be an amount in dollars, 0 or more, not -3"),
        (
            "TIER_LOCAL_FAST_MODEL",
            "a b",
            'tiers.local-fast.model must be a model id without white space, not "ollama/a b"',
        ),
        ("TIER_CLOUD_MODEL", "openai-compat/x", "tiers.cloud.model must not use the reserved prefix openai-compat/"),
        ("MRT_TIERS_CLOUD_OPTIONS", "top_p=1", 'tiers.cloud.options must be a table in TOML syntax, not "top_p=1"'),
        ("MRT_TIERS_CLOUD_OPTIONS", "{}\nx = 1", 'tiers.cloud.options must be a table in TOML syntax, not "{}\nx = 1"'),
        ("MRT_TIERS_CLOUD_SYSTEM", "caf\udce9", "tiers.cloud.system must be UTF-8 text"),
        (
            "MRT_PLANNER_MODEL",
            "ollama/\udce9",
            'planner.model must be a model id without white space, not "ollama/\udce9"',
        ),
        ("MRT_ASK_STREAM", "s" * 99, f'ask.stream must be "auto", "always" or "never", not "{"s" * 59}…"'),
        ("MRT_ASK_STREAM", "sk-abc123456789", 'ask.stream must be "auto", "always" or "never", not "***"'),
    ],
)
def test_a_mistake_in_the_environment_names_the_variable(variable: str, value: str, message: str) -> None:
    error = failure(None, NOWHERE | {variable: value})
    assert error.message == f"{variable}: {message}"


def test_a_wrong_value_in_the_file_is_an_error_even_where_a_variable_replaces_it(write: Write) -> None:
    path = write("[ask]\nretries = 'x'\n")
    assert "retries must be a whole number" in failure(path, NOWHERE | {"MRT_ASK_RETRIES": "1"}).message
