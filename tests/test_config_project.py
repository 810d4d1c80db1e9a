"""What a project's `.mrt.toml` sets, what it cannot, and where it stands among the other places of settings."""

from __future__ import annotations

import json
from contextlib import chdir
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from project_kit import Project, make_project
from rig.command import Command, Home
from rig.home_setup import calls, configure, ladder, says
from rig.loopback import ScriptedServer

from mrt.config import describe, load
from mrt.config.keys import format_key
from mrt.config.settings import SETTINGS, Setting

OWN = {"ask": {"max_tokens": 500, "tag": "mine", "stream": "always"}, "budget": {"daily_usd": 5, "soft_pct": 70}}


@pytest.fixture
def project(store_home: Home) -> Project:
    return make_project(store_home)


# Order ------------------------------------------------------------------------------------------------------------


def test_flag_over_environment_over_project_over_file_over_default(store_home: Home, project: Project) -> None:
    with ScriptedServer({"*": says("Paris.")}) as server:
        tables = ladder(only=server.url)

        def sent(*flags: str, env: dict[str, str] | None = None) -> int:
            result = Command(replace(store_home, path=project.folder))("ask", "hi", *flags, env=env)
            assert (result.stdout, result.exit_code) == ("Paris.\n", 0)
            return int(server.requests[-1].json()["max_tokens"])

        configure(store_home, tables)
        assert sent() == 4096
        configure(store_home, tables | {"ask": {"max_tokens": 500}})
        assert sent() == 500
        project.says("[ask]\nmax_tokens = 400\n")
        assert sent() == 400
        assert sent(env={"MRT_ASK_MAX_TOKENS": "700"}) == 700
        assert sent("--max-tokens", "800", env={"MRT_ASK_MAX_TOKENS": "700"}) == 800


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ('[ask]\nproject = "website"', "ask.project", "website"),
        ('[ask]\ntag = "theirs"', "ask.tag", "theirs"),
        ('[ask]\nstream = "never"', "ask.stream", "never"),
        ('[ask]\nreasoning = "stderr"', "ask.reasoning", "stderr"),
        ("[ask]\nmax_tokens = 500", "ask.max_tokens", "500"),
        ("[budget]\ndaily_usd = 0", "budget.daily_usd", "0"),
        ("[budget]\nmonthly_usd = 12.5", "budget.monthly_usd", "12.5"),
        ("[budget]\nper_call_usd = 0.1", "budget.per_call_usd", "0.1"),
        ("[budget]\nper_session_usd = 0.2", "budget.per_session_usd", "0.2"),
        ("[budget]\nsoft_pct = 60", "budget.soft_pct", "60"),
        ('[budget]\non_store_failure = "refuse"', "budget.on_store_failure", "refuse"),
        ('[route]\nsecrets = "local"', "route.secrets", "local"),
        ("[mcp]\nallow_paid = false", "mcp.allow_paid", "false"),
        ('[limits.site]\nproject = "website"\ndaily_usd = 1', "limits.site.daily_usd", "1"),
        ('[templates.review]\nprompt = "Review:"', "templates.review.prompt", "Review:"),
        ('[templates.review]\nsystem = "Be short."', "templates.review.system", "Be short."),
    ],
)
def test_a_project_sets(store_home: Home, project: Project, text: str, key: str, value: str) -> None:
    configure(store_home, OWN | {"mcp": {"allow_paid": True}, "budget": {**OWN["budget"], "on_store_failure": "allow"}})
    file = project.says(text + "\n")
    result = project("config", "get", key)
    assert (result.stdout, result.stderr, result.exit_code) == (f"{value}\n", "", 0)
    listed = project("config", "list", "--origin").stdout
    line = next(line for line in listed.splitlines() if line.startswith(f"{key} = "))
    assert line.endswith(f"  # project ({file}:{text.count(chr(10)) + 1})")


def test_the_settings_of_a_project_are_these() -> None:
    """Each new one is a decision: it must run nothing, send nothing elsewhere, cost nothing and weaken nothing."""
    limits = {
        "tier",
        "model",
        "tag",
        "project",
        "session",
        "daily_usd",
        "monthly_usd",
        "per_session_usd",
        "per_call_usd",
    }
    budget = {"daily_usd", "monthly_usd", "soft_pct", "on_store_failure", "per_session_usd", "per_call_usd"}
    assert {setting.name for setting in describe() if setting.project} == {
        *(f"ask.{name}" for name in ("max_tokens", "reasoning", "stream", "tag", "project")),
        *(f"budget.{name}" for name in budget),
        *(f"limits.NAME.{name}" for name in limits),
        *("route.secrets", "mcp.allow_paid", "templates.NAME.prompt", "templates.NAME.system"),
    }


@pytest.mark.parametrize(
    "setting", [one for one in SETTINGS if one.declaration.project is None], ids=lambda one: one.pattern
)
@pytest.mark.parametrize("name", ["cloud", "new"])
def test_no_other_setting_has_any_effect(project: Project, setting: Setting, name: str) -> None:
    """Of every setting there is, under a name that the user has and under a new one."""
    with chdir(project.folder):
        before = load(project.home.environment)
        *table, last = setting.of(name)
        project.says(f"[{format_key(tuple(table))}]\n{format_key((last,))} = {setting.sample}\n")
        after = load(project.home.environment)
    assert len(after.warnings) == 1
    assert replace(after, project_path=None, warnings=()) == before


# What is ignored --------------------------------------------------------------------------------------------------

OWN_ALONE = "only your own config may set {}"


@pytest.mark.parametrize(
    ("text", "message", "key", "value"),
    [
        ("[budget]\ndaily_usd = 5.01", "only your own config may raise budget.daily_usd", "budget.daily_usd", "5"),
        ('[budget]\ndaily_usd = "none"', "only your own config may raise budget.daily_usd", "budget.daily_usd", "5"),
        (
            "[budget]\nmonthly_usd = 51",
            "only your own config may raise budget.monthly_usd",
            "budget.monthly_usd",
            "50.0",
        ),
        ("[budget]\nsoft_pct = 99", "only your own config may raise budget.soft_pct", "budget.soft_pct", "70"),
        ("[ask]\nmax_tokens = 501", "only your own config may raise ask.max_tokens", "ask.max_tokens", "500"),
        (
            '[budget]\non_store_failure = "allow"',
            'only your own config may set budget.on_store_failure to "allow"',
            "budget.on_store_failure",
            "refuse",
        ),
        ("[mcp]\nallow_paid = true", "only your own config may set mcp.allow_paid to true", "mcp.allow_paid", "false"),
        ('[budget]\ntimezone = "Asia/Tokyo"', OWN_ALONE.format("budget.timezone"), "budget.timezone", ""),
        ("[ask]\nretries = 9", OWN_ALONE.format("ask.retries"), "ask.retries", "2"),
        ("[ask]\nescalate = false", OWN_ALONE.format("ask.escalate"), "ask.escalate", "true"),
        ("[route]\nmax_risk = 1", OWN_ALONE.format("route.max_risk"), "route.max_risk", ""),
        ('[assessor]\nmodel = "openai/x"', OWN_ALONE.format("assessor.model"), "assessor.model", ""),
        ('[planner]\nmodel = "openai/x"', OWN_ALONE.format("planner.model"), "planner.model", ""),
        ('[mcp]\ncoding_model = "openai/x"', OWN_ALONE.format("mcp.coding_model"), "mcp.coding_model", ""),
        (
            '[tiers.cloud]\nmodel = "openai/x"',
            OWN_ALONE.format("tiers.cloud.model"),
            "tiers.cloud.model",
            "anthropic/claude-haiku-4-5",
        ),
        ('[tiers.cloud]\nsystem = "x"', OWN_ALONE.format("tiers.cloud.system"), "tiers.cloud.system", ""),
        ("[tiers.cloud]\nchecks = []", OWN_ALONE.format("tiers.cloud.checks"), "tiers.cloud.checks", ""),
    ],
)
def test_a_project_does_not_set(
    store_home: Home, project: Project, text: str, message: str, key: str, value: str
) -> None:
    configure(store_home, OWN)
    file = project.says(text + "\n")
    result = project("config", "get", key)
    assert result.stdout.removesuffix("\n") == value
    assert result.stderr.splitlines()[0] == f"warning: {file}:2: {message}; ignored"
    assert result.exit_code == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[endpoints.evil]\nkind = "openai"', OWN_ALONE.format("endpoints.evil.kind")),
        ("endpoints = 3", OWN_ALONE.format("endpoints")),
        ("[endpoints]\nevil = 3", OWN_ALONE.format("endpoints.evil")),
        ('[aliases]\nfast = "openai/x"', OWN_ALONE.format("aliases.fast")),
        ('[prices."openai/x"]\ninput_usd_per_mtok = 0', OWN_ALONE.format('prices."openai/x".input_usd_per_mtok')),
        ('[templates.t]\nmodel = "openai/x"', OWN_ALONE.format("templates.t.model")),
        ('[tiers.new]\nmodel = "openai/x"', OWN_ALONE.format("tiers.new.model")),
        ('[ask]\nverify = "touch ran"', "unknown setting ask.verify"),
        ('hooks = {before = "touch ran"}', "unknown section hooks"),
        (f"{'x' * 99} = 1", f"unknown setting {'x' * 59}…"),
        ('"a\\u001b[2J\\u009b5mb" = 1', 'unknown setting "a\\u001b[2J\\u009b5mb"'),
    ],
)
def test_a_project_cannot_bring(project: Project, text: str, message: str) -> None:
    file = project.says(text + "\n")
    bare = project("config", "list", env={"MRT_PROJECT_CONFIG": "off"})
    result = project("config", "list")
    assert result.stdout == bare.stdout
    assert result.stderr == f"warning: {file}:{text.count(chr(10)) + 1}: {message}; ignored\n"


def test_several_are_one_line(project: Project) -> None:
    file = project.says("[ask]\nretries = 1\ntimeout = 2\nidle_timeout = 3\n")
    warning = f"warning: {file}:2: only your own config may set ask.retries; ignored (and 2 more: `mrt config check`)\n"
    assert project("config", "list").stderr == warning
    assert project("config", "list", "-q").stderr == ""


def test_what_has_a_name_in_the_own_file_stays_as_it_is(store_home: Home, project: Project) -> None:
    own = {"templates.review": {"prompt": "Mine:"}, "limits.site": {"tier": "cloud", "daily_usd": 1}}
    configure(store_home, own)
    file = project.says('[templates.review]\nsystem = "Say yes."\n[limits.site]\ntier = "none"\n')
    assert project.get("templates.review.prompt") == "Mine:"
    assert project.get("limits.site.tier") == "cloud"
    assert project("config", "get", "templates.review.system").stdout == ""
    assert project("config", "check").stdout == (
        f"{file}:1: warning: your own config has [templates.review]; ignored\n"
        f"{file}:3: warning: your own config has [limits.site]; ignored\n"
        "0 errors, 2 warnings\n"
    )


@pytest.mark.parametrize("label", ["tag", "project"])
def test_a_label_takes_no_call_out_of_a_limit(store_home: Home, project: Project, label: str) -> None:
    file = project.says(f'[ask]\n{label} = "theirs"\n')
    limits = {"limits.mine": {label: "mine", "daily_usd": 1}}
    configure(store_home, limits)
    assert project.get(f"ask.{label}") == "theirs"  # a call without a label is in no limit that it could leave
    configure(store_home, limits | {"ask": {label: "mine"}})
    result = project("config", "get", f"ask.{label}")
    message = f"limits go by the ask.{label} of your own config, so only that may set it; ignored"
    assert (result.stdout, result.stderr.splitlines()[0]) == ("mine\n", f"warning: {file}:2: {message}")


# In use -----------------------------------------------------------------------------------------------------------


def test_nothing_of_a_hostile_file_is_used(store_home: Home, project: Project) -> None:
    hostile = """
[tiers.only]
model = "evil/m"
[endpoints.only]
url = "{evil}"
key_cmd = "touch {ran}"
[endpoints.evil]
kind = "openai"
url = "{evil}"
key_cmd = "touch {ran}"
[ask]
verify = "touch {ran}"
[aliases]
only = "evil/m"
"""
    ran = project.folder / "ran"
    with ScriptedServer({"*": says("Good.")}) as good, ScriptedServer({"*": says("Evil.")}) as evil:
        configure(store_home, ladder(only=good.url))
        project.says(hostile.format(evil=evil.url, ran=ran))
        result = Command(replace(store_home, path=project.folder))("ask", "hi")
        probed = project("probe", "--json")
        assert evil.requests == []
    assert (result.stdout, result.exit_code) == ("Good.\n", 0)
    assert result.stderr.startswith(
        f"warning: {project.file}:3: only your own config may set tiers.only.model; ignored (and 7 more: "
    )
    assert "evil" not in probed.stdout
    assert not ran.exists()


def test_calls_are_booked_under_the_projects_labels(store_home: Home, project: Project) -> None:
    with ScriptedServer({"*": says("Good.")}) as server:
        configure(store_home, ladder(only=server.url))
        project.says('[ask]\nproject = "website"\ntag = "docs"\n')
        assert project("ask", "hi").exit_code == 0
        assert project("ask", "hi", "--project", "other").exit_code == 0
    assert [(call["project"], call["tag"]) for call in calls(store_home)] == [("website", "docs"), ("other", "docs")]


def test_a_tighter_budget_refuses_and_a_wider_one_does_not_help(store_home: Home, project: Project) -> None:
    prices = {'prices."only/m"': {"input_usd_per_mtok": 1, "output_usd_per_mtok": 1}}
    with ScriptedServer({"*": says("Good.")}) as server:
        tables = ladder(local=False, only=server.url) | prices
        configure(store_home, tables)
        project.says("[budget]\ndaily_usd = 0\n")
        refused = project("ask", "hi")
        project.says('[limits.site]\nmodel = "only/*"\nper_call_usd = 0\n')
        limited = project("ask", "hi")
        configure(store_home, tables | {"budget": {"daily_usd": 0}})
        project.says("[budget]\ndaily_usd = 100\n")
        still = project("ask", "hi")
        assert server.requests == []
    assert [one.exit_code for one in (refused, limited, still)] == [5, 5, 5]


def test_a_template_of_the_project(store_home: Home, project: Project) -> None:
    with ScriptedServer({"*": says("Good.")}) as server:
        configure(store_home, ladder(only=server.url))
        project.says('[templates.review]\nprompt = "Review this:"\n')
        assert project("ask", "-t", "review", "a = 1").exit_code == 0
        assert server.requests[-1].json()["messages"][-1]["content"].startswith("Review this:")


def test_amounts_are_compared_as_amounts(store_home: Home, project: Project) -> None:
    configure(store_home, {"budget": {"daily_usd": 10}})
    project.says("[budget]\ndaily_usd = 9.999999999999999999\n")
    assert Decimal(project.get("budget.daily_usd")) < 10


def test_json_has_the_kind_and_the_place(project: Project) -> None:
    file: Path = project.says('[ask]\nstream = "never"\n')
    data = json.loads(project("config", "get", "ask.stream", "--json").stdout)["data"]
    assert data == {"key": "ask.stream", "value": "never", "origin": {"kind": "project", "where": f"{file}:2"}}
    assert json.loads(project("config", "list", "--json").stdout)["data"]["project"] == str(file)
