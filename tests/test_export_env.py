"""`mrt export env`: what a shell makes of it gives the same settings without a config file."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rig.command import Home
from rig.home_setup import configure, run_here

from mrt.config import Config, Tier, load
from mrt.config.compound import Example
from mrt.config.listing import rows
from mrt.config.model import AskSettings, Budget, RouteSettings
from mrt.exports.environment import export_environment
from mrt.exports.shells import SHELLS, powershell

KEY = "sk-canary-0123456789abcdef"
# Prints the environment, names and values apart by what no variable can hold.
PRINT = "import os, sys; sys.stdout.write('\\0'.join(f'{n}={v}' for n, v in os.environ.items()))"


def environment_of(shell: str, text: str, folder: Path) -> dict[str, str]:
    """What programs see that a real shell starts after it has read the text."""
    file = folder / "exported"
    file.write_text(text, encoding="utf-8", newline="")
    if shell == "docker":
        return dict(line.split("=", 1) for line in text.split("\n") if line)
    python = shutil.which("python3")
    scripts = {
        "sh": ["sh", "-c", 'eval "$(cat "$1")" && "$2" -c "$3"', "sh", str(file), str(python), PRINT],
        "dotenv": ["sh", "-c", 'set -a && . "$1" && "$2" -c "$3"', "sh", str(file), str(python), PRINT],
        "fish": ["fish", "--no-config", "-c", "source $argv[1]; $argv[2] -c $argv[3]", str(file), str(python), PRINT],
    }
    if shutil.which(scripts[shell][0]) is None:
        pytest.skip(f"no {shell} here")
    bare = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "LC_ALL": "C.UTF-8", "PYTHONUTF8": "1"}
    done = subprocess.run(scripts[shell], env=bare, capture_output=True, timeout=60, check=True)
    seen = dict(pair.split("=", 1) for pair in done.stdout.decode().split("\0"))
    return {name: value for name, value in seen.items() if name.startswith("MRT_") or name.endswith("_BASE_URL")}


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
LINES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1)
NAMES = st.lists(LINES.filter(str.strip), min_size=1, max_size=3).map(tuple)
VALUES = st.booleans() | st.integers(-(2**40), 2**40) | LINES | st.floats(-1e9, 1e9)
TIERS = st.builds(
    Tier,
    st.just("local-fast"),
    st.sampled_from(["ollama/m", "vllm/org/m", "anthropic/claude-haiku-4-5"]),
    st.floats(0, 10),
    st.none() | TEXTS,
    st.lists(st.builds(Example, TEXTS, TEXTS), max_size=2).map(tuple),
    st.none() | st.floats(0, 2),
    options=st.dictionaries(LINES, VALUES, max_size=2),
    checks=st.none() | NAMES,
)
AMOUNTS = st.none() | st.decimals(0, 1000, places=4)
CONFIGS = st.builds(
    lambda tier, budget, ask, route: Config(
        tiers=(tier, Tier("local-heavy", "ollama/h", 10.0), Tier("cloud", "xai/grok-4")),
        budget=budget,
        ask=ask,
        route=route,
    ),
    TIERS,
    st.builds(Budget, AMOUNTS, AMOUNTS, st.sampled_from([None, "UTC"]), per_call_usd=AMOUNTS.filter(lambda x: x != 0)),
    st.builds(AskSettings, max_tokens=st.integers(1, 99999), escalate=st.booleans(), tag=st.none() | LINES),
    st.builds(RouteSettings, max_risk=st.none() | st.floats(0, 1), secrets=st.sampled_from(["any", "local"])),
)


def values(config: Config) -> dict[str, Any]:
    """Every setting, as the configuration shows it."""
    return {row.key: row.value for row in rows(config)}


@pytest.mark.parametrize("shell", ["sh", "fish", "dotenv", "docker"])
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(config=CONFIGS)
def test_without_the_file_everything_is_the_same_or_was_named(tmp_path: Path, shell: str, config: Config) -> None:
    export = export_environment(config, {}, shell)
    seen = environment_of(shell, export.text, tmp_path)
    again = load({**seen, "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)})
    before, after = values(config), values(again)
    different = {key for key in before if before[key] != after[key]}
    assert different <= {lost.setting for lost in export.lost}


def test_the_whole_way(store_home: Home, tmp_path: Path) -> None:
    tables = {
        "tiers.local-fast": {"model": "gpu/llama3.1:8b", "max_complexity": 3, "system": 'It\'s #1:\n"$HOME"'},
        "tiers.local-heavy": {"model": "ollama/hermes3:70b", "max_complexity": 10},
        "tiers.cloud": {"model": "anthropic/claude-haiku-4-5"},
        "endpoints.gpu": {"kind": "ollama", "url": "http://localhost:11434", "key_cmd": f"echo {KEY}"},
        "budget": {"daily_usd": 2.5, "monthly_usd": "none"},
    }
    configure(store_home, tables)
    result = run_here(store_home, "export", "env")
    assert result.stdout == (
        "# ANTHROPIC_API_KEY: the key of anthropic\n"
        "# OLLAMA_API_KEY: the key of gpu\n"
        "export MRT_TIERS_LOCAL_FAST_MODEL=ollama/llama3.1:8b\n"
        "export MRT_TIERS_LOCAL_FAST_MAX_COMPLEXITY=3.0\n"
        "export MRT_TIERS_LOCAL_FAST_SYSTEM='It'\"'\"'s #1:\n\"$HOME\"'\n"
        "export MRT_TIERS_LOCAL_HEAVY_MODEL=ollama/hermes3:70b\n"
        "export MRT_TIERS_LOCAL_HEAVY_MAX_COMPLEXITY=10.0\n"
        "export MRT_TIERS_CLOUD_MODEL=anthropic/claude-haiku-4-5\n"
        "export MRT_BUDGET_DAILY_USD=2.5\n"
        "export MRT_BUDGET_MONTHLY_USD=none\n"
    )
    assert result.stderr == (
        "note: tiers.local-fast.model is ollama/llama3.1:8b here, which is gpu/llama3.1:8b of the file\n"
        "note: set ANTHROPIC_API_KEY: the key of anthropic\n"
        "note: set OLLAMA_API_KEY: the key of gpu\n"
    )
    shown = _settings(store_home)
    (store_home.config / "mrt" / "config.toml").unlink()
    again = _settings(store_home, environment_of("sh", result.stdout, tmp_path))
    translated = {"tiers.local-fast.model": "ollama/llama3.1:8b"}
    assert again == {key: value for key, value in (shown | translated).items() if not key.startswith("endpoints.")}


def _settings(home: Home, env: Mapping[str, str] | None = None) -> dict[str, Any]:
    document = json.loads(run_here(home, "config", "show", "--json", env=env).stdout)
    return {row["key"]: row["value"] for row in document["data"]["settings"]}


def told(home: Home, tables: Mapping[str, Mapping[str, Any]], **env: str) -> dict[str, Any]:
    """The JSON of the command."""
    configure(home, tables)
    data: dict[str, Any] = json.loads(run_here(home, "export", "env", "--json", env=env).stdout)["data"]
    return data


BASE = {"tiers.local-fast": {"model": "box/m"}}
PLACES = {
    "a server of one's own": ({"kind": "vllm", "url": "http://box:9"}, {}, "VLLM_BASE_URL=http://box:9", "vllm/m"),
    "a gateway": ({"kind": "litellm", "url": "http://box:9"}, {}, "LITELLM_BASE_URL=http://box:9", "litellm/m"),
    "at its usual place": ({"kind": "ollama", "url": "http://localhost:11434"}, {}, None, "ollama/m"),
    "a cloud's protocol": ({"kind": "openai", "url": "http://box:9"}, {}, None, "box/m"),
    "a paid server": ({"kind": "vllm", "url": "http://box:9", "local": False}, {}, None, "box/m"),
    "with a password": ({"kind": "vllm", "url": f"http://me:{KEY}@box:9"}, {}, None, "vllm/m"),
}


@pytest.mark.parametrize("case", PLACES)
def test_an_endpoint_becomes_its_provider_where_variables_can_say_so(store_home: Home, case: str) -> None:
    endpoint, env, line, model = PLACES[case]
    data = told(store_home, {**BASE, "endpoints.box": endpoint}, **env)
    lines = data["text"].splitlines()
    assert f"export MRT_TIERS_LOCAL_FAST_MODEL={model}" in lines
    addresses = [text for text in lines if "_BASE_URL=" in text]
    assert addresses == ([f"export {line}"] if line else [])
    assert KEY not in json.dumps(data)


def test_a_model_of_an_endpoint_does_not_become_one_of_the_cloud_of_that_name(store_home: Home) -> None:
    tables = {
        "tiers.cloud": {"model": "openai/gpt-4o"},
        "endpoints.openai": {"kind": "openai", "url": "https://gateway.example/v1", "key_env": "GATEWAY_KEY"},
        "planner": {"model": "cloud"},
        "aliases": {"four": "openai/gpt-4o"},
        "assessor": {"model": "four"},
    }
    data = told(store_home, tables)
    assert "openai" not in data["text"]
    reason = "without the file openai/gpt-4o is at another server"
    lost = [lost["setting"] for lost in data["unmapped"] if lost["reason"] == reason]
    assert lost == ["tiers.cloud.model", "assessor.model"]
    assert "export MRT_PLANNER_MODEL=cloud\n" in data["text"]
    assert not [note for note in data["notes"] if "openai" in note]


def test_a_provider_has_one_address(store_home: Home) -> None:
    tables = {
        "tiers.local-fast": {"model": "one/m"},
        "tiers.local-heavy": {"model": "two/m"},
        "tiers.cloud": {"model": "xai/grok-4"},
        "endpoints.one": {"kind": "vllm", "url": "http://one"},
        "endpoints.two": {"kind": "vllm", "url": "http://two"},
    }
    data = told(store_home, tables)
    assert "export VLLM_BASE_URL=http://one\n" in data["text"]
    assert "export MRT_TIERS_LOCAL_HEAVY_MODEL=two/m\n" in data["text"]
    assert "tiers.local-heavy.model is two/m, which nobody knows without the file's [endpoints]" in data["notes"]
    assert {"setting": "endpoints.two", "reason": "only a config file can name it"} in data["unmapped"]


def test_addresses_of_the_environment_go_along(store_home: Home) -> None:
    data = told(store_home, {}, OLLAMA_BASE_URL="http://gpu:1", LOCAL_LLM_API_KEY=KEY, OPENAI_API_KEY=KEY)
    assert "export OLLAMA_BASE_URL=http://gpu:1\n" in data["text"]
    assert [needed["name"] for needed in data["variables"]] == ["OLLAMA_API_KEY", "ANTHROPIC_API_KEY"]
    assert KEY not in json.dumps(data)


def test_what_only_a_file_can_say_is_named(store_home: Home) -> None:
    tables = {
        "tiers.mine": {"model": "ollama/m", "system": f"The key is {KEY}."},
        "aliases": {"quick": "ollama/m"},
        "limits.night": {"tag": "night", "daily_usd": 1},
        "prices.\"openai/x\"": {"input_usd_per_mtok": 1, "output_usd_per_mtok": 1},
        "templates.short": {"prompt": "Shorten:"},
        "budget": {"daily_usd": 1},
    }  # fmt: skip
    data = told(store_home, tables)
    named = {lost["setting"] for lost in data["unmapped"]}
    assert named == {"tiers.mine", "aliases.quick", "limits.night", 'prices."openai/x"', "templates.short", "tiers"}
    assert KEY not in json.dumps(data)


@pytest.mark.parametrize(
    "options", [{"api_key": "of-no-use"}, {"headers": {"Authorization": "Bearer of-no-use"}}, {"list": [{"user": KEY}]}]
)
def test_an_option_that_holds_a_key_is_named_and_not_written(store_home: Home, options: dict[str, Any]) -> None:
    data = told(store_home, {"tiers.local-fast": {"model": "ollama/m", "options": options}})
    lost = {"setting": "tiers.local-fast.options", "reason": "it holds what looks like a key"}
    assert lost in data["unmapped"]
    assert not [text for text in (KEY, "of-no-use") if text in json.dumps(data)]


MINE = {
    "tiers.local-fast": {"model": "same"},
    "tiers.mine": {"model": "box/m"},
    "endpoints.box": {"kind": "vllm", "url": "http://box:9"},
    "aliases": {"same": "ollama/m", "quick": "box/q", "local-fast": "xai/grok-4"},
}
NAMES = {
    "a tier that only the file has": ("mine", "vllm/m"),
    "a tier that is there without a file": ("local-fast", "local-fast"),
    "an alias": ("quick", "vllm/q"),
}


@pytest.mark.parametrize("case", NAMES)
def test_a_model_means_the_same_without_the_file(store_home: Home, case: str) -> None:
    name, expected = NAMES[case]
    data = told(store_home, {**MINE, "mcp": {"coding_model": name}})
    assert "export MRT_TIERS_LOCAL_FAST_MODEL=ollama/m\n" in data["text"]
    assert f"export MRT_MCP_CODING_MODEL={expected}\n" in data["text"]
    changed = f"mcp.coding_model is {expected} here, which is {name} of the file"
    assert (changed in data["notes"]) is (name != expected)


def test_a_value_that_no_variable_can_hold_is_named() -> None:
    tiers = (Tier("local-fast", "ollama/m", system="", think="off"), Tier("local-heavy", "ollama/m", system="a\0b"))
    lost = {lost.setting: lost.reason for lost in export_environment(Config(tiers=tiers), {}, "sh").lost}
    assert lost["tiers.local-fast.system"] == "an empty variable counts as none"
    assert lost["tiers.local-heavy.system"] == "no variable can hold the character of code 0"


def test_a_model_that_leads_nowhere_stays_as_it_is(store_home: Home) -> None:
    assert "export MRT_ASSESSOR_MODEL=nowhere/m\n" in told(store_home, {"assessor": {"model": "nowhere/m"}})["text"]


@pytest.mark.parametrize("text", ["${HOME}", "it's $5", "\\ `"])
def test_a_value_that_readers_of_env_files_disagree_on_is_named(text: str) -> None:
    config = Config(tiers=(Tier("local-fast", "ollama/m", system=text),))
    export = export_environment(config, {}, "dotenv")
    assert "SYSTEM" not in export.text
    assert "tiers.local-fast.system" in {lost.setting for lost in export.lost}


def test_powershell_doubles_every_kind_of_single_quote() -> None:
    assert powershell("it's \u2018$x\u2019 \u201b") == "'it''s \u2018\u2018$x\u2019\u2019 \u201b\u201b'"


def test_a_shell_that_is_none(store_home: Home) -> None:
    result = run_here(store_home, "export", "env", "--shell", "fsh")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"error: unknown shell 'fsh' (did you mean fish?)\nhint: shells are {', '.join(SHELLS)}\n"
