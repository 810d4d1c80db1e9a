"""File, environment and flags make one Config, and a mistake in any of them is one clear error."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrt.config import (
    DEFAULT_TIERS,
    AskSettings,
    Budget,
    Config,
    EndpointSettings,
    Example,
    Origin,
    Price,
    Template,
    Tier,
    config_path,
    data_directory,
    describe,
    load,
    store_path,
)
from mrt.config.keys import format_key, parse_key
from mrt.config.listing import rows
from mrt.config.render import plain_text, toml_text
from mrt.config.settings import SETTINGS, Setting
from mrt.config.source import line_numbers
from mrt.errors import ConfigError, ExitCode, UsageError

NOWHERE = {"HOME": "/nonexistent"}
# One of each, so that settings of named sections have a place.
NAMES = {
    "tiers": "a.b",
    "endpoints": "koala",
    "limits": "nightly",
    "prices": "koala/gpt-4.1",
    "aliases": "fast",
    "templates": "short",
}
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

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(text: str) -> Path:
        path = tmp_path / "config.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def failure(
    path: Path | None, environment: Mapping[str, str] = NOWHERE, overrides: Mapping[str, str] | None = None
) -> UsageError:
    with pytest.raises(UsageError) as caught:
        load(environment, path, overrides)
    return caught.value


# Where the files are ----------------------------------------------------------------------------------------------


def test_the_paths_follow_the_xdg_directories() -> None:
    environment = {"HOME": "/h", "XDG_CONFIG_HOME": "/c", "XDG_DATA_HOME": "/d"}
    assert config_path(environment) == Path("/c/mrt/config.toml")
    assert data_directory(environment) == Path("/d/mrt")
    assert store_path(environment) == Path("/d/mrt/spend.db")


@pytest.mark.parametrize("value", [None, "", "relative/dir"])
def test_without_a_usable_xdg_directory_the_paths_are_in_the_home(value: str | None) -> None:
    environment = {"HOME": "/h"} | ({} if value is None else {"XDG_CONFIG_HOME": value, "XDG_DATA_HOME": value})
    assert config_path(environment) == Path("/h/.config/mrt/config.toml")
    assert store_path(environment) == Path("/h/.local/share/mrt/spend.db")


def test_variables_name_the_files_themselves() -> None:
    environment = {"HOME": "/h", "MRT_CONFIG": "~/x.toml", "MRT_DB": "rel.db"}
    assert config_path(environment) == Path("/h/x.toml")
    assert store_path(environment) == Path("rel.db")


def test_the_home_directory_is_known_without_a_variable() -> None:
    assert config_path({}) == Path.home() / ".config/mrt/config.toml"


def test_an_explicit_path_wins_over_the_variable_and_that_over_the_usual_place(tmp_path: Path) -> None:
    places = {name: tmp_path / name / "config.toml" for name in ("flag", "variable", "mrt")}
    for number, place in enumerate(places.values(), 1):
        place.parent.mkdir()
        place.write_text(f"ask.retries = {number}")
    environment = {"XDG_CONFIG_HOME": str(tmp_path), "MRT_CONFIG": str(places["variable"])}
    assert load(environment, places["flag"]).ask.retries == 1
    assert load(environment).ask.retries == 2
    config = load(environment | {"MRT_CONFIG": ""})
    assert (config.ask.retries, config.path) == (3, places["mrt"])


def test_the_usual_file_may_be_absent_but_not_one_that_was_named(tmp_path: Path) -> None:
    missing = tmp_path / "no.toml"
    assert load({"XDG_CONFIG_HOME": str(tmp_path)}).path is None
    by_flag = failure(missing)
    assert by_flag.message == f"{missing}: this file does not exist (named by --config)"
    assert by_flag.hint == "`mrt config init` writes one"
    assert "(named by MRT_CONFIG)" in failure(None, {"MRT_CONFIG": str(missing)}).message


def test_what_is_no_readable_text_file_is_a_config_error(tmp_path: Path) -> None:
    latin = tmp_path / "latin.toml"
    latin.write_bytes(b"# one\nx = '\xe9'\n")
    assert failure(tmp_path).message == f"{tmp_path}: this is a directory, not a config file"
    assert failure(latin).message == f"{latin}:2: this is not UTF-8 text"
    assert failure(latin / "below").message == f"{latin}/below: cannot be read: Not a directory"
    assert "cannot be read" in failure(Path("nul\0byte")).message


# Defaults and the file --------------------------------------------------------------------------------------------


def test_without_a_file_the_defaults_hold() -> None:
    config = load(NOWHERE)
    assert config == Config(origins=config.origins)
    assert set(config.origins.values()) == {Origin("default", "")}
    assert [(tier.name, tier.model, tier.max_complexity) for tier in config.tiers] == [
        ("local-fast", "ollama/llama3.1:8b", 4.0),
        ("local-heavy", "ollama/hermes3:70b", 10.0),
        ("cloud", "anthropic/claude-haiku-4-5", None),
    ]
    assert config.budget == Budget(Decimal("5.0"), Decimal("50.0"), None, 80, "refuse")
    assert config.ask == AskSettings(4096, 600.0, 5.0, 300.0, 120.0, 1.0, 2, "none", True, "auto")


def test_every_section_of_a_file_arrives(write: Write) -> None:
    path = write("""
[tiers.zulu]
model = "koala/gpt-4o"
max_complexity = 3
system = "be\\nshort"
examples = [{user = "2+2", assistant = "4"}]
temperature = 0
max_tokens = 9
timeout = 1.5
context = 8192
options = {top_p = 0.5, stop = ["a", true], deep = {n = 1}}
checks = ["code", "confidence=0.6"]
think = "implicit"
tools = false

[tiers.alpha]
model = "ollama/x"

[endpoints.koala]
kind = "litellm"
url = "http://koala:4000/v1"
key_env = "KOALA_KEY"
key_cmd = "pass show koala"
key_file = "/k/koala.key"
local = false

[budget]
daily_usd = 0.1
monthly_usd = "none"
timezone = "Europe/Berlin"

[prices."koala/gpt-4o"]
input_usd_per_mtok = 2.5
output_usd_per_mtok = 10
cached_input_usd_per_mtok = 0

[route]
max_risk = 0.25
policy = "min_cost"
learn = false

[assessor]
model = "ollama/judge"
when = "always"

[planner]
model = "ollama/plan"

[aliases]
fast = "ollama/qwen2.5-coder:7b"

[templates.short]
prompt = "Shorten: {input}"
model = "fast"
""")
    config = load(NOWHERE, path)
    zulu, alpha = config.tiers
    assert zulu == Tier(
        "zulu",
        "koala/gpt-4o",
        3.0,
        "be\nshort",
        (Example("2+2", "4"),),
        0.0,
        9,
        1.5,
        8192,
        {"top_p": 0.5, "stop": ["a", True], "deep": {"n": 1}},
        ("code", "confidence=0.6"),
        "implicit",
        False,
    )
    assert type(zulu.options["top_p"]) is float
    assert alpha == Tier("alpha", "ollama/x")
    assert config.endpoints == {
        "koala": EndpointSettings(
            "koala", "litellm", "http://koala:4000/v1", "KOALA_KEY", "pass show koala", "/k/koala.key", False
        )
    }
    assert config.budget == Budget(Decimal("0.1"), None, "Europe/Berlin")
    assert config.prices == {"koala/gpt-4o": Price(Decimal("2.5"), Decimal(10), Decimal(0))}
    assert (config.route.max_risk, config.route.policy, config.route.learn) == (0.25, "min_cost", False)
    assert (config.assessor.model, config.assessor.when, config.planner.model) == (
        "ollama/judge",
        "always",
        "ollama/plan",
    )
    assert config.aliases == {"fast": "ollama/qwen2.5-coder:7b"}
    assert config.templates == {"short": Template("short", "Shorten: {input}", None, "fast")}
    assert config.path == path


def test_an_empty_tiers_section_defines_none_and_the_default_ones_hold(write: Write) -> None:
    assert load(NOWHERE, write("[tiers]\n")).tiers == DEFAULT_TIERS


def test_a_config_can_be_a_key_of_a_cache() -> None:
    assert hash(DEFAULT_TIERS[0]) == hash(Tier("local-fast", "ollama/llama3.1:8b", 4.0))


@pytest.mark.parametrize("head", ["\ufeff", "# äöü\r\n"], ids=["byte order mark", "CRLF"])
def test_files_of_other_editors_are_read(tmp_path: Path, head: str) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(f"{head}ask.retries = 7\r\n".encode())
    assert load(NOWHERE, path).ask.retries == 7


@pytest.mark.parametrize(
    ("written", "meant"),
    [("keys/k", "{directory}/keys/k"), ("~/k", "/h/k"), ("/abs/k", "/abs/k")],
)
def test_a_key_file_is_relative_to_the_config_file(write: Write, written: str, meant: str) -> None:
    path = write(f'[endpoints.k]\nkind = "vllm"\nurl = "http://x"\nkey_file = "{written}"')
    endpoint = load({"HOME": "/h"}, path).endpoints["k"]
    assert endpoint.key_file == meant.format(directory=path.parent)


@given(st.decimals(0, 10**9, allow_nan=False, allow_infinity=False, places=9))
@settings(deadline=None)
def test_amounts_of_money_stay_exact(tmp_path_factory: pytest.TempPathFactory, amount: Decimal) -> None:
    path = tmp_path_factory.getbasetemp() / "money.toml"
    path.write_text(f"[budget]\ndaily_usd = {amount:f}\n")
    assert load(NOWHERE, path).budget.daily_usd == amount


# Precedence and origins -------------------------------------------------------------------------------------------


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
def test_flag_wins_over_environment_over_file_over_default(write: Write, setting: Setting) -> None:
    key = setting.of(name_of(setting))
    dotted, variable = format_key(key), setting.variables(key)[0]
    text = plain_text(setting.kind.check(tomllib.loads(f"v = {setting.sample}", parse_float=Decimal)["v"]))
    if not setting.required and setting.section != "aliases":
        assert load(NOWHERE, write(BASE)).origins[dotted] == Origin("default", "")

    path = write(base_with(key, setting.sample))
    line = path.read_text().count("\n")
    from_file = load(NOWHERE, path)
    from_environment = load(NOWHERE | {variable: text}, path)
    from_flag = load(NOWHERE | {variable: text}, path, {dotted: text})
    assert from_file.origins[dotted] == Origin("file", f"{path}:{line}")
    assert from_environment.origins[dotted] == Origin("environment", variable)
    assert from_flag.origins[dotted] == Origin("flag", "--" + key[-1].replace("_", "-"))
    assert value_of(from_file, dotted) == value_of(from_environment, dotted) == value_of(from_flag, dotted)
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
    assert load(environment, path, {"ask.retries": "3"}).ask.retries == 3


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
        ("tiers.cloud.system", "", ""),
        ("budget.daily_usd", "NONE", None),
        ("budget.daily_usd", "-0.0", Decimal(0)),
        ("budget.timezone", "UTC", "UTC"),
    ],
)
def test_flags_carry_values_as_text(setting: str, text: str, value: object) -> None:
    assert value_of(load(NOWHERE, None, {setting: text}), setting) == value


# Mistakes ---------------------------------------------------------------------------------------------------------


ALL_SECTIONS = (
    "sections are tiers, endpoints, budget, limits, prices, ask, route, assessor, planner, aliases, templates"
)
FILE_MISTAKES = {
    "wrong type": (
        '[tiers.local-fast]\nmodel = "ollama/x"\n\n\n\n\ntemperature = "hot"\n',
        "7: tiers.local-fast.temperature must be a number, not text",
        "run `mrt config check`",
    ),
    "temperature range": (
        '[tiers.a]\nmodel = "ollama/x"\ntemperature = 2.5',
        "3: tiers.a.temperature must be a number from 0 to 2, not 2.5",
        "run `mrt config check`",
    ),
    "complexity range": (
        '[tiers.a]\nmodel = "ollama/x"\nmax_complexity = 11',
        "3: tiers.a.max_complexity must be a number from 0 to 10, not 11",
        "run `mrt config check`",
    ),
    "typo in a budget": (
        "[budget]\ndaily_us = 1",
        "2: unknown setting budget.daily_us",
        "did you mean budget.daily_usd?",
    ),
    "typo in a section": ("[bugdet]\ndaily_usd = 1", "1: unknown section bugdet", "did you mean budget?"),
    "setting in no section": (
        "daily_usd = 1",
        "1: unknown setting daily_usd",
        "did you mean budget.daily_usd?",
    ),
    "setting in another section": (
        "[ask]\nmonthly_usd = 1",
        "2: unknown setting ask.monthly_usd",
        "did you mean budget.monthly_usd?",
    ),
    "nothing near": (
        "[planner]\nxyzzy = 1",
        "2: unknown setting planner.xyzzy",
        "settings of [planner] are model",
    ),
    "no section near": (
        "[xyzzy]",
        "1: unknown section xyzzy",
        ALL_SECTIONS,
    ),
    "tier typo": (
        '[tiers.a]\nmodle = "x/y"',
        "2: unknown setting tiers.a.modle (and 1 more)",
        "did you mean tiers.a.model?",
    ),
    "literal key": (
        '[endpoints.a]\nkind = "vllm"\nurl = "http://x"\napi_key = "s3cret"',
        "4: unknown setting endpoints.a.api_key",
        "keys do not stand in the config file: use key_env, key_cmd or key_file of an endpoint",
    ),
    "tier without model": (
        "[tiers.a]\nmax_complexity = 3",
        "1: tiers.a.model is missing",
        'add model = "ollama/llama3.1:8b" to [tiers.a]',
    ),
    "settings of no tier": (
        '[tiers]\nmodel = "ollama/x"',
        "2: tiers.model must be a section, not text",
        "settings of tiers stand in sections of their own: [tiers.NAME]",
    ),
    "array of tiers": ('[[tiers]]\nmodel = "ollama/x"', "1: tiers must be a section, not a list", "write [tiers]"),
    "budget as a value": ("budget = 3", "1: budget must be a section, not 3", "write [budget]"),
    "name": (
        '[tiers."a b"]\nmodel = "ollama/x"',
        '1: tiers."a b" has a name that cannot be used',
        "names are made of letters, digits, dots, dashes and underscores",
    ),
    "alias name": (
        '[aliases]\n"a/b" = "ollama/x"',
        '2: aliases."a/b" has a name that cannot be used',
        "names are made of letters, digits, dots, dashes and underscores",
    ),
    "price of no endpoint": (
        '[prices."gpt"]\ninput_usd_per_mtok = 1',
        "1: prices.gpt must name an endpoint and a model",
        'write [prices."ENDPOINT/MODEL"]',
    ),
    "price of no model": (
        '[prices."a/"]\ninput_usd_per_mtok = 1',
        '1: prices."a/" must name an endpoint and a model',
        "write PROVIDER/MODEL",
    ),
    "half a price": (
        '[prices."a/b"]\ninput_usd_per_mtok = 1',
        '1: prices."a/b".output_usd_per_mtok is missing',
        'add output_usd_per_mtok = 10.0 to [prices."a/b"]',
    ),
    "negative budget": (
        "[budget]\ndaily_usd = -1",
        "2: budget.daily_usd must be an amount in dollars, 0 or more, not -1",
        '"none" means no limit, 0 means that nothing may be paid',
    ),
    "budget not a number": (
        "[budget]\ndaily_usd = nan",
        "2: budget.daily_usd must be an amount in dollars, 0 or more, not NaN",
        '"none" means no limit, 0 means that nothing may be paid',
    ),
    "infinite budget": (
        "[budget]\ndaily_usd = inf",
        "2: budget.daily_usd must be an amount in dollars, 0 or more, not Infinity",
        '"none" means no limit, 0 means that nothing may be paid',
    ),
    "budget beyond the ledger": (
        "[budget]\ndaily_usd = 1e300",
        "2: budget.daily_usd must be at most 1000000000 dollars, not 1E+300",
        '"none" means no limit, 0 means that nothing may be paid',
    ),
    "budget as a word": (
        '[budget]\ndaily_usd = "much"',
        '2: budget.daily_usd must be an amount in dollars, 0 or more, not "much"',
        '"none" means no limit, 0 means that nothing may be paid',
    ),
    "true is no number": (
        "[ask]\ntimeout = true",
        "2: ask.timeout must be a number, not true",
        "run `mrt config check`",
    ),
    "no time at all": (
        "[ask]\ntimeout = 0",
        "2: ask.timeout must be a number of seconds above 0, a week at most, not 0",
        "run `mrt config check`",
    ),
    "half a token": (
        "[ask]\nmax_tokens = 0.5",
        "2: ask.max_tokens must be a whole number, not 0.5",
        "run `mrt config check`",
    ),
    "no token": (
        "[ask]\nmax_tokens = 0",
        "2: ask.max_tokens must be a whole number of at least 1, not 0",
        "run `mrt config check`",
    ),
    "too many tokens": (
        f"[ask]\nmax_tokens = 0x{'f' * 5000}",
        "2: ask.max_tokens must be a whole number of at least 1, not a number of that size",
        "run `mrt config check`",
    ),
    "percent": (
        "[budget]\nsoft_pct = 101",
        "2: budget.soft_pct must be a whole number from 1 to 100, not 101",
        "run `mrt config check`",
    ),
    "choice": (
        '[ask]\nstream = "alway"',
        '2: ask.stream must be "auto", "always" or "never", not "alway"',
        'did you mean "always"?',
    ),
    "choice of another type": (
        "[ask]\nstream = 1979-05-27",
        '2: ask.stream must be "auto", "always" or "never", not a date or time',
        "run `mrt config check`",
    ),
    "yes is no boolean": (
        '[ask]\nescalate = "yes"',
        "2: ask.escalate must be true or false, not text",
        "run `mrt config check`",
    ),
    "time zone": (
        '[budget]\ntimezone = "Mars/Olympus"',
        '2: budget.timezone must be an IANA time zone, not "Mars/Olympus"',
        "for example Europe/Berlin or UTC",
    ),
    "time zone that is a path": (
        '[budget]\ntimezone = "../../etc/passwd"',
        '2: budget.timezone must be an IANA time zone, not "../../etc/passwd"',
        "for example Europe/Berlin or UTC",
    ),
    "time zone that is a folder": (
        '[budget]\ntimezone = "Europe"',
        '2: budget.timezone must be an IANA time zone, not "Europe"',
        "for example Europe/Berlin or UTC",
    ),
    "time zone of another type": (
        "[budget]\ntimezone = 3",
        "2: budget.timezone must be text, not 3",
        "run `mrt config check`",
    ),
    "model with white space": (
        '[planner]\nmodel = "ollama/a b"',
        '2: planner.model must be a model id without white space, not "ollama/a b"',
        "write PROVIDER/MODEL",
    ),
    "empty model": (
        '[planner]\nmodel = ""',
        '2: planner.model must be a model id without white space, not ""',
        "write PROVIDER/MODEL",
    ),
    "model without a name": (
        '[planner]\nmodel = "ollama/"',
        '2: planner.model must name a provider and a model, not "ollama/"',
        "write PROVIDER/MODEL",
    ),
    "model without a provider": (
        '[planner]\nmodel = "/x"',
        '2: planner.model must name a provider and a model, not "/x"',
        "write PROVIDER/MODEL",
    ),
    "reserved prefix": (
        '[planner]\nmodel = "openai-compat/x"',
        "2: planner.model must not use the reserved prefix openai-compat/",
        'add an [endpoints.NAME] section with kind = "openai" and write NAME/MODEL',
    ),
    "model of another type": (
        "[planner]\nmodel = 3",
        "2: planner.model must be a model id, not 3",
        "run `mrt config check`",
    ),
    "alias of another type": (
        "[aliases]\nfast = {model = 3}",
        "2: aliases.fast must be a model id, not a table",
        "run `mrt config check`",
    ),
    "endpoint kind": (
        '[endpoints.a]\nkind = "olama"\nurl = "http://x"',
        (
            '2: endpoints.a.kind must be "openai", "anthropic", "ollama", "vllm", "lm_studio", "llamacpp", "llama_swap" '
            'or "litellm", not "olama"'
        ),
        'did you mean "ollama"?',
    ),
    "url": (
        '[endpoints.a]\nkind = "vllm"\nurl = "koala:4000"',
        "3: endpoints.a.url must be a URL that starts with http:// or https://",
        "run `mrt config check`",
    ),
    "a key for the name of a variable": (
        '[endpoints.a]\nkind = "vllm"\nurl = "http://x"\nkey_env = "sk-abcdef123456"',
        "4: endpoints.a.key_env must be the name of an environment variable",
        "run `mrt config check`",
    ),
    "key command over two lines": (
        '[endpoints.a]\nkind = "vllm"\nurl = "http://x"\nkey_cmd = "a\\nb"',
        "4: endpoints.a.key_cmd must be one line of text",
        "run `mrt config check`",
    ),
    "system of another type": (
        '[tiers.a]\nmodel = "ollama/x"\nsystem = ["a"]',
        "3: tiers.a.system must be text, not a list",
        "run `mrt config check`",
    ),
    "examples of another type": (
        '[tiers.a]\nmodel = "ollama/x"\nexamples = "a"',
        "3: tiers.a.examples must be a list of examples, not text",
        'write {user = "...", assistant = "..."}',
    ),
    "example with another key": (
        '[tiers.a]\nmodel = "ollama/x"\nexamples = [{user = "a", answer = "b"}]',
        '3: tiers.a.examples must hold tables with "user" and "assistant", and nothing else',
        'write {user = "...", assistant = "..."}',
    ),
    "example of another type": (
        '[tiers.a]\nmodel = "ollama/x"\nexamples = [{user = "a", assistant = 1}]',
        "3: tiers.a.examples must be text, not 1",
        "run `mrt config check`",
    ),
    "checks of another type": (
        '[tiers.a]\nmodel = "ollama/x"\nchecks = "code"',
        "3: tiers.a.checks must be a list of names, not text",
        "run `mrt config check`",
    ),
    "empty check": (
        '[tiers.a]\nmodel = "ollama/x"\nchecks = ["code", " "]',
        '3: tiers.a.checks must be a list of names, without " "',
        "run `mrt config check`",
    ),
    "options of another type": (
        '[tiers.a]\nmodel = "ollama/x"\noptions = [1]',
        "3: tiers.a.options must be a table, not a list",
        "write {name = value, ...}",
    ),
    "option that JSON cannot hold": (
        '[tiers.a]\nmodel = "ollama/x"\n[tiers.a.options]\nwhen = 1979-05-27',
        "3: tiers.a.options must hold text, numbers, true or false, not a date or time",
        "run `mrt config check`",
    ),
    "infinite option": (
        '[tiers.a]\nmodel = "ollama/x"\noptions = {n = inf}',
        "3: tiers.a.options must hold text, numbers, true or false, not Infinity",
        "run `mrt config check`",
    ),
}


@pytest.mark.parametrize(("text", "message", "hint"), FILE_MISTAKES.values(), ids=FILE_MISTAKES)
def test_a_mistake_in_the_file_is_one_error_with_its_line(write: Write, text: str, message: str, hint: str) -> None:
    path = write(text)
    error = failure(path)
    assert isinstance(error, ConfigError)
    assert (error.message, error.hint) == (f"{path}:{message}", hint)
    assert (error.exit_code, error.code) == (ExitCode.USAGE, "config")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[ask]\nretries = \n", "2:11"),
        ("[ask]\nretries = 1\nretries = 2\n", "3:12"),
        ('[ask]\nstream = """auto\n\n', "2"),
    ],
    ids=["no value", "same key twice", "string without an end"],
)
def test_a_mistake_in_the_syntax_has_a_line_and_a_column(write: Write, text: str, place: str) -> None:
    path = write(text)
    error = failure(path)
    assert error.message.startswith(f"{path}:{place}: not valid TOML: ")
    assert "line" not in error.message.removeprefix(str(path))
    assert error.hint == "mend it, then run `mrt config check`"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"[ask]\nretries = {'9' * 5000}", "not valid TOML"),
        ("[ask]\nretries = " + "[" * 5000, "not valid TOML"),
    ],
    ids=["more digits than Python reads", "deeper than Python reads"],
)
def test_what_the_parser_itself_cannot_take_is_a_config_error_too(write: Write, text: str, message: str) -> None:
    assert message in failure(write(text)).message


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


@pytest.mark.parametrize(
    ("dotted", "message", "hint"),
    [
        ("ask.timeout", '--timeout: ask.timeout must be a number, not "x"', "run `mrt config check`"),
        ("ask.max_token", "--max-token: unknown setting ask.max_token", "did you mean ask.max_tokens?"),
        ("tiers.clod.model", "--model: there is no [tiers.clod]", "did you mean tiers.cloud.model?"),
        (
            "tiers.xyzzy.model",
            "--model: there is no [tiers.xyzzy]",
            "tiers there are: local-fast, local-heavy, cloud",
        ),
        ("endpoints.koala.url", "--url: there is no [endpoints.koala]", "there are no endpoints yet"),
        ("aliases.fast", "--fast: there is no alias fast", "there are no aliases yet"),
        ("tiers.model", "--model: unknown setting tiers.model", "did you mean tiers.NAME.model?"),
        ("", '--: unknown setting ""', ALL_SECTIONS),
        ("xyzzy.ask", "--ask: unknown setting xyzzy.ask", ALL_SECTIONS),
    ],
)
def test_a_mistake_in_a_flag_names_the_flag(dotted: str, message: str, hint: str) -> None:
    error = failure(None, NOWHERE, {dotted: "x"})
    assert (error.message, error.hint) == (message, hint)


def test_a_wrong_value_in_the_file_is_an_error_even_where_a_flag_replaces_it(write: Write) -> None:
    path = write("[ask]\nretries = 'x'\n")
    assert "retries must be a whole number" in failure(path, NOWHERE, {"ask.retries": "1"}).message


# Laws -------------------------------------------------------------------------------------------------------------


@given(st.text())
@settings(deadline=None)
def test_any_text_at_all_gives_a_config_or_one_config_error(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_text(text, encoding="utf-8", newline="")
    try:
        assert load(NOWHERE, path).path == path
    except ConfigError as error:
        assert error.message.startswith(str(path))


VALUES = st.one_of(
    st.text(max_size=8),
    st.integers(),
    st.booleans(),
    st.decimals(allow_nan=False, allow_infinity=False).map(lambda number: number + Decimal("0.5") - Decimal("0.5")),
)


@given(st.sampled_from(SETTINGS), st.recursive(VALUES, lambda inner: st.lists(inner, max_size=3), max_leaves=4))
@settings(deadline=None)
def test_any_value_of_any_setting_loads_or_is_refused_with_its_line(
    tmp_path_factory: pytest.TempPathFactory, setting: Setting, value: Any
) -> None:
    path = tmp_path_factory.getbasetemp() / "value.toml"
    key = setting.of(NAMES.get(setting.section, ""))
    path.write_text(f"# first\n{format_key(key)} = {toml_text(value)}\n", encoding="utf-8", newline="")
    try:
        assert load(NOWHERE, path).origins[format_key(key)] == Origin("file", f"{path}:2")
    except ConfigError as error:
        assert error.message.startswith(f"{path}:2: {'.'.join(format_key(key).split('.')[:1])}")


@given(st.text())
def test_line_numbers_never_fail(text: str) -> None:
    count = text.count("\n") + 1
    assert all(1 <= line <= count for line in line_numbers(text).values())


def test_line_numbers_look_past_strings_and_comments() -> None:
    text = '''\
a = """
[no]
no = 1
"""  # "" here
# """ no string
[ "quo\\u0074ed" . 'lit eral' ]
b . c = \'\'\'x """ y\'\'\'
list = [
  "no = 1",
]
[[many]]
"bad \\q" = 1
'''
    assert line_numbers(text) == {
        ("a",): 1,
        ("quoted",): 6,
        ("quoted", "lit eral"): 6,
        ("quoted", "lit eral", "b"): 7,
        ("quoted", "lit eral", "b", "c"): 7,
        ("quoted", "lit eral", "list"): 8,
        ("many",): 11,
        ("many", "bad \\q"): 12,
    }


NAME = st.text(st.characters(codec="ascii", categories=["L", "N"], include_characters="._-/:"), min_size=1)


@given(st.sampled_from(["tiers", "endpoints", "prices"]), NAME)
def test_a_dotted_key_reads_back_with_quotes_and_without(section: str, name: str) -> None:
    key = (section, name, "model")
    assert parse_key(format_key(key)) == key
    assert parse_key(f"{section}.{name}.model") == key


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_text_reads_back_from_toml(text: str) -> None:
    # The parser reads a carriage return with its line feed as one line end only in multi-line strings; these have none.
    assert tomllib.loads(f"v = {toml_text(text)}") == {"v": text}


# The table of declarations ----------------------------------------------------------------------------------------


def test_every_setting_is_described_and_its_sample_is_a_value_it_takes() -> None:
    described = describe()
    assert [row.name for row in described] == [setting.pattern for setting in SETTINGS]
    for row, setting in zip(described, SETTINGS, strict=True):
        assert row.type and row.help and not row.help.endswith("."), row.name
        assert row.environment[0] == "MRT_" + setting.pattern.replace(".", "_").upper()
        setting.kind.check(tomllib.loads(f"v = {setting.sample}", parse_float=Decimal)["v"])


def test_the_reference_knows_types_defaults_and_all_variables() -> None:
    rows_by_name = {row.name: row for row in describe()}
    daily = rows_by_name["budget.daily_usd"]
    assert (daily.type, daily.default) == ('dollars, or "none"', "5.0")
    assert daily.environment == ("MRT_BUDGET_DAILY_USD", "TIER_CLOUD_DAILY_BUDGET_USD")
    assert rows_by_name["tiers.NAME.model"].environment == (
        "MRT_TIERS_NAME_MODEL",
        "TIER_LOCAL_FAST_MODEL",
        "TIER_LOCAL_HEAVY_MODEL",
        "TIER_CLOUD_MODEL",
    )
    assert rows_by_name["tiers.NAME.options"].default == "{}"
    assert rows_by_name["aliases.NAME"].type == "model id"


def test_no_two_settings_share_a_variable() -> None:
    variables = [name for row in describe() for name in row.environment]
    assert len(variables) == len(set(variables))


def test_importing_and_loading_without_a_file_stays_light() -> None:
    program = (
        "import sys; before = set(sys.modules); import mrt.config; mrt.config.load({'HOME': '/nonexistent'}); "
        "print(' '.join(m for m in set(sys.modules) - before if m.partition('.')[0] in "
        "('click', 'tomlkit', 'tomllib', 'difflib', 'zoneinfo', 'httpx', 'sqlite3', 'subprocess', 'asyncio', 'tempfile') "
        "or m in ('mrt.config.check', 'mrt.config.edit', 'mrt.config.secrets', 'mrt.config.listing')))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
