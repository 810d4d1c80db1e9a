"""`mrt config set` and `init`: what is written, what is refused, and what is said of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from config_shell import Result, Shell
from rig.loopback import ScriptedServer, in_turn
from rig.responses import json_response

from mrt.config.edit import initial_text

FILE = """\
[tiers.fast]
model = "koala/gpt"
system = "line one\\nline two"

[endpoints.koala]
kind = "litellm"
url = "http://localhost:4000"

[budget]
daily_usd = "none"

[prices."koala/gpt"]
input_usd_per_mtok = 2.50
output_usd_per_mtok = 10
"""


@pytest.fixture
def config(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


# set --------------------------------------------------------------------------------------------------------------


def test_set_writes_the_value_and_says_where(config: Shell) -> None:
    assert config("set", "budget.daily_usd", "2.50") == Result("", f"set budget.daily_usd = 2.50 in {config.path}\n", 0)
    assert config.path.read_text() == "[budget]\ndaily_usd = 2.50\n"
    assert config("get", "budget.daily_usd").stdout == "2.50\n"


def test_set_takes_pairs_and_says_what_it_added(config: Shell) -> None:
    pairs = ("endpoints.koala.kind", "litellm", "endpoints.koala.url", "http://koala:4000")
    assert config("set", *pairs) == Result(
        "",
        f'added [endpoints.koala]\nset endpoints.koala.kind = "litellm" in {config.path}\n'
        f'set endpoints.koala.url = "http://koala:4000" in {config.path}\n',
        0,
    )
    result = config("set", "tiers.a.model", "koala/m", "tiers.a.temperature", "0", "--json", "--no-probe")
    assert result.stderr == ""
    assert result.data == {
        "path": str(config.path),
        "values": {"tiers.a.model": "koala/m", "tiers.a.temperature": 0.0},
        "added": ["tiers.local-fast", "tiers.local-heavy", "tiers.cloud", "tiers.a"],
    }


CLOSED = "http://127.0.0.1:9"
LISTED = json_response(200, {"models": [{"name": "here:1b"}]})
SWITCHES: dict[str, tuple[str, list[bytes] | None, int, str]] = {
    "local, present": ("ollama", LISTED, 0, "set tiers.a.model"),
    "local, missing": (
        "ollama",
        json_response(200, {"models": [{"name": "hers:1b"}]}),
        3,
        "has no model 'here:1b'; it has hers:1b",
    ),
    "local, refused": ("ollama", None, 3, "connection refused"),
    "local, key refused": ("ollama", json_response(401, {"error": "no"}), 4, "refuses the key"),
    "local, loading": ("llamacpp", json_response(503, {"error": {"message": "Loading model"}}), 3, "still loading"),
    "cloud, refused": ("litellm", None, 0, "warning: box could not be checked: cannot connect"),
    "cloud, failing": ("litellm", json_response(500, {}), 0, "warning: box could not be checked: HTTP 500"),
    "cloud, key refused": ("litellm", json_response(401, {"error": "no"}), 4, "refuses the key"),
}


@pytest.mark.parametrize(("kind", "answer", "code", "words"), SWITCHES.values(), ids=SWITCHES)
def test_a_new_model_is_asked_for_before_it_is_set(
    config: Shell, kind: str, answer: list[bytes] | None, code: int, words: str
) -> None:
    with ScriptedServer({"*": in_turn(answer or LISTED)}) as server:
        config.path.parent.mkdir()
        url = CLOSED if answer is None else server.url
        before = f'[tiers.a]\nmodel = "ollama/old"\n\n[endpoints.box]\nkind = "{kind}"\nurl = "{url}"\n'
        config.path.write_text(before)
        result = config("set", "tiers.a.model", "box/here:1b")
    assert (result.exit_code, words in result.stderr) == (code, True), result.stderr
    assert ("the value stays as it was" in result.stderr) == (code != 0)
    assert (config.path.read_text() == before) == (code != 0)
    assert {request.method for request in server.requests} <= {"GET"}


def test_no_probe_sets_a_model_that_nobody_serves(config: Shell) -> None:
    environment = {"OLLAMA_BASE_URL": CLOSED}
    assert config("set", "tiers.local-fast.model", "ollama/x", env=environment).exit_code == 3
    assert not config.path.exists()
    assert config("set", "tiers.local-fast.model", "ollama/x", "--no-probe", env=environment).exit_code == 0
    assert 'model = "ollama/x"' in config.path.read_text()


def test_set_warns_when_a_variable_hides_the_new_value(config: Shell) -> None:
    result = config("set", "ask.retries", "1", env={"MRT_ASK_RETRIES": "5"})
    assert result.stderr == (
        f"warning: MRT_ASK_RETRIES is set and wins over the file\nset ask.retries = 1 in {config.path}\n"
    )
    assert result.exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (
            ["budget.daily_usd", "much"],
            'budget.daily_usd must be an amount in dollars or "none", not "much"',
            "`mrt help config` says what each setting takes",
        ),
        (["budget.daily", "1"], "unknown setting budget.daily", "did you mean budget.daily_usd?"),
        (
            ["ask.retries"],
            "ask.retries has no value: mrt config set KEY VALUE",
            "`mrt config set --help` shows how it is used",
        ),
    ],
)
def test_set_refuses_what_would_not_load_and_writes_nothing(
    config: Shell, arguments: list[str], message: str, hint: str
) -> None:
    assert config("set", *arguments) == Result("", f"error: {message}\nhint: {hint}\n", 2)
    assert not config.path.exists()
    config.write(FILE)
    assert config("set", *arguments, "--json").errors[0]["message"] == message
    assert config.path.read_text() == FILE


def test_set_never_repeats_a_key(config: Shell) -> None:
    result = config("set", "endpoints.koala.key_env", "sk-abcdef1234567890")
    assert (result.stdout, result.exit_code) == ("", 2)
    assert "sk-abc" not in result.stderr


def test_set_writes_the_file_that_a_flag_names(config: Shell, tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    assert config("set", "ask.retries", "1", "--config", str(other)).exit_code == 0
    assert other.read_text() == "[ask]\nretries = 1\n"
    assert not config.path.exists()


# init -------------------------------------------------------------------------------------------------------------


def test_init_writes_the_starter_file_once(config: Shell) -> None:
    assert config("init") == Result("", f"wrote {config.path}\n", 0)
    assert config.path.read_text() == initial_text()
    assert config("init") == Result(
        "", f"error: {config.path} exists already\nhint: `mrt config init --force` replaces it\n", 2
    )
    config.write("# mine\n")
    assert config("init", "--force", "--json").data == {"path": str(config.path)}
    assert config.path.read_text() == initial_text()
