"""`mrt config`: exact stdout, stderr and exit codes, through the one error boundary of the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from config_shell import Result, Shell

from mrt.config import load
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

BUDGET_SETTINGS = "daily_usd, monthly_usd, timezone, soft_pct, on_store_failure, per_session_usd, per_call_usd"


@pytest.fixture
def config(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


# Help -------------------------------------------------------------------------------------------------------------


def test_alone_it_shows_its_help_with_examples_first(config: Shell) -> None:
    result = config()
    assert result.stdout.startswith("Examples:\n  mrt config show --origin\n")
    assert (result.stderr, result.exit_code) == ("", 0)
    commands = result.stdout.partition("Commands:\n")[2].split("\n")
    assert [line.split()[0] for line in commands if line.strip()] == [
        "check",
        "get",
        "init",
        "list",
        "path",
        "set",
        "show",
    ]
    assert "..." not in result.stdout.partition("Commands:")[2]


@pytest.mark.parametrize("name", ["check", "get", "init", "list", "path", "set", "show"])
@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_every_command_has_help_with_examples_first(
    config: Shell, capsys: pytest.CaptureFixture[str], name: str, flag: str
) -> None:
    assert config(name, flag).exit_code == 0
    shown = capsys.readouterr().out
    assert shown.startswith("Examples:\n  ")
    assert "--json" in shown


def test_an_unknown_command_is_a_usage_error_with_a_suggestion(config: Shell) -> None:
    result = config("shwo")
    assert (result.stdout, result.exit_code) == ("", 2)
    assert "show" in result.stderr


# path -------------------------------------------------------------------------------------------------------------


def test_path_is_printed_whether_the_file_exists_or_not(config: Shell) -> None:
    assert config("path") == Result(f"{config.path}\n", "", 0)
    assert config("path", "--config", "/x/y.toml") == Result("/x/y.toml\n", "", 0)
    assert config("path", env={"MRT_CONFIG": "/x/z.toml"}) == Result("/x/z.toml\n", "", 0)
    assert config("path", "--json").data == {"path": str(config.path), "exists": False, "project": None}
    config.write("")
    assert config("path", "--json").data == {"path": str(config.path), "exists": True, "project": None}


# show -------------------------------------------------------------------------------------------------------------


def test_show_prints_every_setting_that_has_a_value(config: Shell) -> None:
    config.write(FILE)
    assert config("show") == Result(
        """\
tiers.fast.model = "koala/gpt"
tiers.fast.system = "line one\\nline two"
tiers.fast.think = "auto"
endpoints.koala.kind = "litellm"
endpoints.koala.url = "http://localhost:4000"
budget.daily_usd = "none"
budget.monthly_usd = 50.0
budget.soft_pct = 80
budget.on_store_failure = "refuse"
prices."koala/gpt".input_usd_per_mtok = 2.50
prices."koala/gpt".output_usd_per_mtok = 10
ask.max_tokens = 4096
ask.timeout = 600.0
ask.connect_timeout = 5.0
ask.first_token_timeout = 300.0
ask.idle_timeout = 120.0
ask.stdin_timeout = 1.0
ask.retries = 2
ask.reasoning = "none"
ask.escalate = true
ask.stream = "auto"
route.policy = "capability"
route.learn = true
route.secrets = "any"
assessor.when = "boundary"
assessor.max_tokens = 256
assessor.timeout = 10.0
planner.max_tokens = 2048
planner.timeout = 120.0
mcp.allow_paid = false
mcp.tag = "mcp"
""",
        "",
        0,
    )


def test_show_with_origins_says_where_each_value_came_from(config: Shell) -> None:
    config.write(FILE)
    lines = config("show", "--origin", env={"MRT_ASK_RETRIES": "0"}).stdout.splitlines()
    assert f'tiers.fast.model = "koala/gpt"                                # {config.path}:2' in lines
    assert "ask.retries = 0                                               # MRT_ASK_RETRIES" in lines
    assert "budget.soft_pct = 80                                          # default" in lines


def test_what_show_prints_is_a_config_file_that_means_the_same(config: Shell, tmp_path: Path) -> None:
    config.write(
        FILE + '[aliases]\nquick = "koala/gpt"\n[templates.short]\nprompt = "\\"ä\\": {input}"\n'
        '[tiers.more]\nmodel = "quick"\nchecks = []\noptions = {top_p = 0.5}\n'
    )
    copy = tmp_path / "copy.toml"
    for options in ([], ["--origin"]):
        copy.write_text(config("show", *options).stdout)
        original, read = load({}, config.path), load({}, copy)
        for part in (
            "tiers",
            "endpoints",
            "budget",
            "prices",
            "ask",
            "route",
            "assessor",
            "planner",
            "mcp",
            "aliases",
            "templates",
        ):
            assert getattr(read, part) == getattr(original, part), part


def test_show_as_json_has_values_of_their_own_types_and_origins(config: Shell) -> None:
    config.write(
        FILE + '[tiers.more]\nmodel = "koala/x"\nexamples = [{user = "a", assistant = "b"}]\nchecks = ["code"]\n'
    )
    data = config("show", "--json").data
    assert data["path"] == str(config.path)
    rows = {row["key"]: row for row in data["settings"]}
    assert rows["budget.daily_usd"] == {
        "key": "budget.daily_usd",
        "value": "none",
        "origin": {"kind": "file", "where": f"{config.path}:10"},
    }
    assert rows["budget.monthly_usd"]["value"] == "50.0"
    assert rows["budget.monthly_usd"]["origin"] == {"kind": "default", "where": None}
    assert rows["ask.retries"]["value"] == 2
    assert rows["ask.escalate"]["value"] is True
    assert rows["tiers.more.examples"]["value"] == [{"user": "a", "assistant": "b"}]
    assert rows["tiers.more.checks"]["value"] == ["code"]
    assert config("show", "--json", "--config", str(config.path)).data == data


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_nothing_that_looks_like_a_key_is_shown(config: Shell, options: list[str]) -> None:
    secret = "sk-abcdef1234567890"
    config.write(f"""\
[tiers.a]
model = "ollama/x"
system = "my key is {secret}"
options = {{user = "{secret}", list = ["{secret}"]}}
examples = [{{user = "{secret}", assistant = "x"}}]
[endpoints.k]
kind = "vllm"
url = "http://me:hunter2@koala"
key_cmd = "echo {secret}"
""")
    for command in (
        ["show"],
        ["get", "tiers.a.system"],
        ["get", "tiers.a.options"],
        ["get", "endpoints.k.url"],
        ["check"],
    ):
        result = config(*command, *options)
        assert secret not in result.stdout + result.stderr
        assert "hunter2" not in result.stdout + result.stderr
    assert "***" in config("show").stdout


def test_a_broken_file_is_one_error_for_show(config: Shell) -> None:
    config.write("[budget]\ndayly_usd = 1\n")
    message = f"{config.path}:2: unknown setting budget.dayly_usd"
    assert config("show") == Result("", f"error: {message}\nhint: did you mean budget.daily_usd?\n", 2)
    result = config("show", "--json")
    assert (result.data, result.exit_code) == (None, 2)
    assert result.errors == [
        {"code": "config", "message": message, "hint": "did you mean budget.daily_usd?", "exit_code": 2}
    ]


# get --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("tiers.fast.model", "koala/gpt", "koala/gpt"),
        ("tiers.fast.system", "line one\nline two", "line one\nline two"),
        ("budget.daily_usd", "none", "none"),
        ("budget.soft_pct", "80", 80),
        ("prices.koala/gpt.input_usd_per_mtok", "2.50", "2.50"),
        ('prices."koala/gpt".output_usd_per_mtok', "10", "10"),
        ("ask.escalate", "true", True),
    ],
)
def test_get_prints_one_value_as_a_script_wants_it(config: Shell, key: str, text: str, value: object) -> None:
    config.write(FILE)
    assert config("get", key) == Result(f"{text}\n", "", 0)
    assert config("get", key, "--json").data["value"] == value


def test_get_prints_lists_and_tables(config: Shell) -> None:
    config.write(
        '[tiers.a]\nmodel = "ollama/x"\nchecks = ["code", "json"]\noptions = {top_p = 0.5}\n[endpoints.k]\n'
        'kind = "vllm"\nurl = "http://x"\nkey_file = "k.key"\n'
    )
    assert config("get", "tiers.a.checks").stdout == "code,json\n"
    assert config("get", "tiers.a.options").stdout == "{top_p = 0.5}\n"
    assert config("get", "endpoints.k.key_file").stdout == f"{config.path.parent}/k.key\n"


def test_get_of_a_setting_without_a_value_prints_nothing(config: Shell) -> None:
    assert config("get", "budget.timezone") == Result("", "budget.timezone is not set\n", 0)
    assert config("get", "budget.timezone", "-q") == Result("", "", 0)
    assert config("get", "budget.timezone", "--json").data == {
        "key": "budget.timezone",
        "value": None,
        "origin": {"kind": "default", "where": None},
    }


@pytest.mark.parametrize(
    ("key", "message", "hint"),
    [
        ("budget.dayly_usd", "unknown setting budget.dayly_usd", "did you mean budget.daily_usd?"),
        (
            "budget",
            "unknown setting budget",
            f"settings of [budget] are {BUDGET_SETTINGS}",
        ),
        ("tiers.clod.model", "there is no [tiers.clod]", "did you mean tiers.cloud.model?"),
        ("tiers.xyzzy.model", "there is no [tiers.xyzzy]", "tiers there are: local-fast, local-heavy, cloud"),
        ("aliases.x", "there is no alias x", "there are no aliases yet"),
    ],
)
def test_get_of_an_unknown_key_is_a_usage_error_with_the_nearest_one(
    config: Shell, key: str, message: str, hint: str
) -> None:
    assert config("get", key) == Result("", f"error: {message}\nhint: {hint}\n", 2)
    assert config("get", key, "--json").errors == [{"code": "usage", "message": message, "hint": hint, "exit_code": 2}]


# check ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [None, "", FILE, initial_text()], ids=["no file", "empty", "file", "starter"])
def test_check_of_a_good_configuration_ends_with_0(config: Shell, text: str | None) -> None:
    if text is not None:
        config.write(text)
    assert config("check") == Result("no problems\n", "", 0)
    result = config("check", "--json")
    assert (result.data, result.errors, result.exit_code) == ({"path": str(config.path), "findings": []}, [], 0)


def test_check_lists_all_problems_and_ends_with_2(config: Shell) -> None:
    config.write('[tiers.a]\nmodel = "ollama/x"\nmax_complexity = "four"\n[budget]\ndayly_usd = 1\n')
    env = {"MRT_ASK_RETRY": "1"}
    assert config("check", env=env) == Result(
        f"""\
{config.path}:3: error: tiers.a.max_complexity must be a number, not text
{config.path}:5: error: unknown setting budget.dayly_usd
  hint: did you mean budget.daily_usd?
MRT_ASK_RETRY: warning: this sets nothing
  hint: did you mean MRT_ASK_RETRIES?
2 errors, 1 warning
""",
        "",
        2,
    )
    result = config("check", "--json", env=env)
    assert (result.stderr, result.exit_code) == ("", 2)
    assert [finding["severity"] for finding in result.data["findings"]] == ["error", "error", "warning"]
    assert result.data["findings"][1] == {
        "severity": "error",
        "where": f"{config.path}:5",
        "message": "unknown setting budget.dayly_usd",
        "hint": "did you mean budget.daily_usd?",
    }
    assert [error["message"] for error in result.errors] == [
        f"{config.path}:3: tiers.a.max_complexity must be a number, not text",
        f"{config.path}:5: unknown setting budget.dayly_usd",
    ]


def test_check_ends_with_0_when_there_are_only_warnings(config: Shell) -> None:
    result = config("check", env={"MRT_ASK_RETRY": "1"})
    assert result.stdout.endswith("0 errors, 1 warning\n")
    assert result.exit_code == 0


def test_check_works_on_a_file_that_cannot_be_parsed(config: Shell) -> None:
    config.write("[budget\n")
    result = config("check")
    assert result.stdout.startswith(f"{config.path}:1:8: error: not valid TOML: ")
    assert result.stdout.endswith("\n1 error, 0 warnings\n")
    assert (result.stderr, result.exit_code) == ("", 2)


def test_check_of_a_file_that_does_not_exist_is_an_error(config: Shell) -> None:
    result = config("check", "--config", "/nonexistent/x.toml")
    assert result.stdout.startswith("/nonexistent/x.toml: error: this file does not exist (named by --config)\n")
    assert result.exit_code == 2
