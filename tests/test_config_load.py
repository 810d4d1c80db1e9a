"""The config file: where it is, what it gives, and what holds without it."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from decimal import Decimal
from pathlib import Path

import pytest
from config_kit import NOWHERE, Write, failure
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
from mrt.config.settings import SETTINGS


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
