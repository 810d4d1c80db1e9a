"""`mrt help`: topics made from what they describe, the help of every verb, and what was probably meant."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from rig.command import Home
from rig.home_setup import run_here

from mrt.cli import VERBS, group
from mrt.commands._topics import TOPICS
from mrt.commands._tree import context_of, walk
from mrt.config import DEFAULT_TIERS, config_path, describe, store_path
from mrt.endpoints import PROVIDERS
from mrt.endpoints.cache import cache_path

COMMANDS = [context.command_path.split()[1:] for context in walk(context_of(group, []))][1:]


def text_of(home: Home, *words: str) -> str:
    done = run_here(home, "help", *words)
    assert (done.exit_code, done.stderr) == (0, "")
    return done.stdout


MORE_VARIABLES = (
    "MRT_CONFIG",
    "MRT_DB",
    "XDG_DATA_HOME",
    "NO_COLOR",
    "MRT_PAGER",
    "HTTPS_PROXY",
    "CUDA_VISIBLE_DEVICES",
    "TZ",
)


# --- topics


def test_the_line_of_help_names_every_topic() -> None:
    assert VERBS["help"] == f"Explain a verb or a topic: {', '.join(TOPICS)}."


def test_alone_it_lists_the_topics(store_home: Home) -> None:
    lines = text_of(store_home).splitlines()
    assert [line.split()[0] for line in lines] == list(TOPICS)


@pytest.mark.parametrize("topic", TOPICS)
def test_a_topic_is_text_that_fits_a_screen(store_home: Home, topic: str) -> None:
    text = text_of(store_home, topic)
    assert len(text) > 400
    assert all(len(line) <= 132 for line in text.splitlines())
    document = json.loads(run_here(store_home, "help", topic, "--json").stdout)
    assert document["data"] == {"topic": topic, "text": text.removesuffix("\n")}


def test_environment_names_every_variable(store_home: Home) -> None:
    text = text_of(store_home, "environment")
    variables = [name for setting in describe() for name in setting.environment]
    keys = [f"{provider.variables}_API_KEY" for provider in PROVIDERS.values()]
    assert not [name for name in (*MORE_VARIABLES, *variables, *keys) if name not in text]


def test_config_names_every_setting(store_home: Home) -> None:
    text = text_of(store_home, "config")
    assert not [setting for setting in describe() if setting.name not in text or setting.help not in text]


def test_tiers_are_the_built_in_ones_and_their_settings(store_home: Home) -> None:
    text = text_of(store_home, "tiers")
    assert not [tier for tier in DEFAULT_TIERS if f"{tier.name} " not in text or f"{tier.model} " not in text]
    assert not [item for item in describe() if item.name.startswith("tiers.") and item.help not in text]
    for name, provider in PROVIDERS.items():
        assert (f" {name}," in text.replace("(", " ").replace(")", ",")) is provider.local


def test_privacy_names_the_places_that_are_used(store_home: Home) -> None:
    text = text_of(store_home, "privacy")
    bare = {"HOME": "/home/me"}
    for path in (config_path(bare), store_path(bare), cache_path(bare)):
        assert f"  ~{path.as_posix().removeprefix('/home/me')} " in text


# --- verbs


@pytest.mark.parametrize("words", [words for words in COMMANDS if words != ["config"]], ids=" ".join)
def test_the_help_of_a_command_is_its_own(
    store_home: Home, words: Sequence[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_here(store_home, *words, "--help").exit_code == 0
    assert text_of(store_home, *words) == capsys.readouterr().out


def test_what_is_a_topic_and_a_verb_is_explained_as_a_topic(store_home: Home) -> None:
    assert text_of(store_home, "config").startswith("Settings of config.toml")
    assert "Usage: mrt config set" in text_of(store_home, "config", "set")


# --- what was meant


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (("spned",), "Did you mean 'spend'?"),
        (("probee",), "Did you mean 'probe'?"),
        (("fit", "--quantt", "x"), "'--quant'"),
        (("ask", "--modle", "x"), "'--model'"),
        (("ask", "--dryrun", "x"), "Did you mean '--dry-run'?"),
        (("--versoin",), "Did you mean '--version'?"),
        (("--json", "probe"), "--json stands behind the verb, as in `mrt probe --json`"),
        (("--jsn",), "--json stands behind the verb, as in `mrt probe --json`"),
        (("completion", "bsh"), "error: Invalid value for 'SHELL': 'bsh' is not one of 'bash', "),
        (("completion", "bsh"), "hint: did you mean bash?"),
        (("completion", "pwsh"), "hint: did you mean powershell?"),
        (("completion",), "error: Missing argument 'SHELL'. Choose from: bash, zsh, fish, powershell\n"),
        (("mcp", "config", "claude"), "error: Invalid value for 'CLIENT': 'claude' is not one of "),
        (("ask", "hi", "--tier"), "hint: `mrt ask --help` shows how it is used"),
        (("mcp", "config", "vscode", "--config"), "hint: `mrt mcp config --help` shows how it is used"),
        (("ask", "--effort", "hihg", "x"), "hint: did you mean high?"),
        (("spend", "--by", "dya"), "hint: did you mean day?"),
        (("spend", "export", "--format", "json"), "hint: did you mean jsonl?"),
        (("route", "feedback", "godo"), "hint: did you mean good?"),
        (("config", "gte"), "Did you mean 'get'?"),
        (("spend", "chekc"), "Did you mean 'check'?"),
        (("bench", "dif", "a", "b"), "hint: did you mean `mrt bench diff`?"),
        (("route", "learn", "--rolback"), "Did you mean '--rollback'?"),
        (("config", "get", "budget.dailyusd"), "hint: did you mean budget.daily_usd?"),
        (("help", "exit"), "(did you mean exit-codes?)"),
        (("help", "enviroment"), "(did you mean environment?)"),
        (("help", "aks"), "(did you mean ask?)"),
        (("help", "spend", "imprt"), "`mrt spend` has no command 'imprt' (did you mean import?)"),
        (("help", "ask", "me"), "`mrt ask` has no command 'me'\n"),
        (("help", "xyzzy"), "no topic and no verb 'xyzzy'\n"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_wrong_word_is_refused_with_the_right_one(store_home: Home, arguments: Sequence[str], meant: str) -> None:
    done = run_here(store_home, *arguments)
    assert done.exit_code == 2
    assert meant in done.stderr
    assert "hint: " in done.stderr
