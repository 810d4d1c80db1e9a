"""Where a project's `.mrt.toml` is looked for, when it is not read, and `mrt config` about it."""

from __future__ import annotations

import json
import os
import subprocess
from contextlib import chdir
from dataclasses import replace
from pathlib import Path

import pytest
from project_kit import Project, a_strangers, make_project
from rig.command import Command, Home
from rig.home_setup import configure, run_here

NEVER = '[ask]\nstream = "never"\n'


@pytest.fixture
def project(store_home: Home) -> Project:
    return make_project(store_home)


# Where ------------------------------------------------------------------------------------------------------------


def test_it_is_the_nearest_one_around(project: Project) -> None:
    project.says(NEVER)
    assert project.get("ask.stream") == "never"
    assert project("config", "get", "ask.stream", inside="a/b/c").stdout == "never\n"
    (project.folder / "a" / "b" / ".mrt.toml").write_text('[ask]\nstream = "always"\n')
    assert project("config", "get", "ask.stream", inside="a/b/c").stdout == "always\n"
    assert project("config", "get", "ask.stream", inside="a").stdout == "never\n"


def test_two_are_not_mixed(project: Project) -> None:
    project.says('[ask]\nstream = "never"\ntag = "outer"\n')
    (project.folder / "inner").mkdir()
    (project.folder / "inner" / ".mrt.toml").write_text('[ask]\nstream = "always"\n')
    assert project("config", "get", "ask.tag", inside="inner").stdout == ""


def test_a_worktree_has_its_own(project: Project) -> None:
    def git(*words: str) -> None:
        subprocess.run(["git", *words], cwd=project.folder, check=True, capture_output=True)

    git("init", "-q")
    project.says(NEVER)
    git("add", ".mrt.toml")
    git("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "m")
    git("worktree", "add", "-q", "../other")
    assert project("config", "get", "ask.stream", inside="../other/sub").stdout == "never\n"


@pytest.mark.parametrize("place", ["home", "outside"])
def test_the_home_folder_is_no_project(store_home: Home, project: Project, place: str, tmp_path: Path) -> None:
    """Neither its own file counts nor one around it."""
    (store_home.path if place == "home" else tmp_path).joinpath(".mrt.toml").write_text(NEVER)
    assert project.get("ask.stream") == "auto"
    with chdir(store_home.path):
        assert run_here(store_home, "config", "get", "ask.stream").stdout == "auto\n"


def test_the_home_folder_by_another_name(store_home: Home, project: Project, tmp_path: Path) -> None:
    (store_home.path / ".mrt.toml").write_text(NEVER)
    (tmp_path / "link").symlink_to(store_home.path)
    assert project.get("ask.stream", env={"HOME": str(tmp_path / "link")}) == "auto"


def test_outside_of_the_home_it_goes_up_to_the_root(store_home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere" / "deep"
    folder.mkdir(parents=True)
    (tmp_path / "elsewhere" / ".mrt.toml").write_text(NEVER)
    with chdir(folder):
        assert run_here(store_home, "config", "get", "ask.stream").stdout == "never\n"


def test_the_own_config_is_no_project(store_home: Home, project: Project) -> None:
    configure(store_home, {"ask": {"stream": "never", "retries": 7}})
    project.file.symlink_to(store_home.config / "mrt" / "config.toml")
    result = project("config", "get", "ask.retries")
    assert (result.stdout, result.stderr) == ("7\n", "")
    assert project("config", "path").stderr == ""


def test_a_folder_that_is_gone_has_none(store_home: Home, tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    with chdir(tmp_path / "gone"):
        (tmp_path / "gone").rmdir()
        assert run_here(store_home, "config", "get", "ask.stream").stdout == "auto\n"
        os.chdir(tmp_path)


# When not ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("switch", "wanted"),
    [("off", "auto"), ("OFF", "auto"), ("0", "auto"), ("no", "auto"), ("on", "never"), ("", "never")],
)
def test_it_can_be_turned_off(project: Project, switch: str, wanted: str) -> None:
    project.says(NEVER)
    assert project.get("ask.stream", env={"MRT_PROJECT_CONFIG": switch}) == wanted


def test_a_switch_that_is_neither_on_nor_off(project: Project) -> None:
    result = project("config", "get", "ask.stream", env={"MRT_PROJECT_CONFIG": "of"})
    wanted = "error: MRT_PROJECT_CONFIG must be on or off\nhint: `MRT_PROJECT_CONFIG=off` reads no .mrt.toml\n"
    assert (result.stdout, result.stderr, result.exit_code) == ("", wanted, 2)


def test_a_config_file_that_is_named_stands_alone(project: Project, tmp_path: Path) -> None:
    project.says(NEVER + "retries = 3\n")
    named = tmp_path / "named.toml"
    named.write_text("[ask]\nretries = 5\n")
    for flags, env in (("--config", str(named)), {}), ((), {"MRT_CONFIG": str(named)}):
        assert project.get("ask.stream", *flags, env=env) == "auto"
        result = project("config", "path", *flags, env=env)
        assert (result.stdout, result.stderr) == (f"{named}\n", "")


def test_a_strangers_file_is_not_read(project: Project) -> None:
    a_strangers(project.file, NEVER)
    result = project("config", "get", "ask.stream")
    warning = f"{project.file}: this file belongs to somebody else; ignored"
    assert (result.stdout, result.stderr, result.exit_code) == ("auto\n", f"warning: {warning}\n", 0)
    checked = project("config", "check")
    where, _, what = warning.partition(": ")
    assert (checked.stdout, checked.exit_code) == (f"{where}: warning: {what}\n0 errors, 1 warning\n", 0)
    named = project("config", "path")
    assert named.stderr == f"project: {project.file} (this file belongs to somebody else; ignored)\n"
    assert json.loads(project("config", "path", "--json").stdout)["data"]["project"] is None
    written = project("config", "set", "--project", "ask.tag", "x")
    assert written.stderr == (
        f"error: {project.file}: this file belongs to somebody else\nhint: remove it, or go elsewhere\n"
    )
    assert written.exit_code == 2


def test_a_link_to_a_file_of_ones_own_is_followed(project: Project, tmp_path: Path) -> None:
    (tmp_path / "shared.toml").write_text(NEVER)
    project.file.symlink_to(tmp_path / "shared.toml")
    assert project.get("ask.stream") == "never"


@pytest.mark.parametrize("kind", ["endless", "fifo", "folder", "large", "dangling"])
def test_what_is_no_file_is_not_waited_for(project: Project, kind: str) -> None:
    refused = "" if kind == "dangling" else "this is no regular file"
    if kind == "endless":
        project.file.symlink_to("/dev/zero")
    elif kind == "fifo":
        os.mkfifo(project.file)
    elif kind == "folder":
        project.file.mkdir()
    elif kind == "large":
        project.says("#" * (2**20 + 1))
        refused = "this file is too large"
    else:
        project.file.symlink_to("nowhere")
    result = project("config", "get", "ask.stream")
    warning = f"warning: {project.file}: {refused}; ignored\n" if refused else ""
    assert (result.stdout, result.stderr, result.exit_code) == ("auto\n", warning, 0)


# Broken -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        ("[ask\n", ":1:5", "not valid TOML: Expected ']' at the end of a table declaration"),
        ("ask = 3\n", ":1", "ask must be a section, not 3"),
        ("[ask]\nstream = 3\n", ":2", 'ask.stream must be "auto", "always" or "never", not 3'),
        ("[limits]\nx = 1\n", ":2", "limits.x must be a section, not 1"),
        (
            '[budget]\ndaily_usd = "many"\n',
            ":2",
            'budget.daily_usd must be an amount in dollars, 0 or more, not "many"',
        ),
        ('[templates."a b"]\nprompt = "x"\n', ":1", 'templates."a b" has a name that cannot be used'),
    ],
)
def test_a_broken_one_ends_with_2(project: Project, text: str, where: str, message: str) -> None:
    project.says(text)
    for words in (("ask", "hi"), ("route", "hi"), ("config", "list")):
        result = project(*words)
        assert (result.stdout, result.exit_code) == ("", 2)
        assert result.stderr.startswith(f"error: {project.file}{where}: {message}\nhint: ")
    checked = project("config", "check")
    assert (checked.stdout.splitlines()[0], checked.exit_code) == (f"{project.file}{where}: error: {message}", 2)


def test_wrong_values_where_a_project_sets_nothing_stop_nothing(project: Project) -> None:
    file = project.says('[endpoints.x]\nurl = 3\n[ask]\nretries = "many"\n')
    assert project("config", "check").stdout == (
        f"{file}:2: warning: only your own config may set endpoints.x.url; ignored\n"
        f"{file}:4: warning: only your own config may set ask.retries; ignored\n"
        "0 errors, 2 warnings\n"
    )


def test_control_sequences_reach_no_terminal(store_home: Home, project: Project) -> None:
    project.says('"\\u001b[2J\\u009b2J\\u202e" = 1\n')
    folder = project.folder / "a\x1b[2Jb"
    folder.mkdir()
    project.file.rename(folder / ".mrt.toml")
    result = Command(replace(store_home, path=folder))("config", "path", tty=True)
    assert b"\x1b[2J" not in result.stdout_bytes
    shown = Command(replace(store_home, path=folder))("config", "check", tty=True)
    assert "unknown setting" in shown.stdout
    assert not [part for part in ("\x1b[2J", "\x9b", "\u202e") if part in shown.stdout]


def test_a_key_in_it_is_an_error(project: Project) -> None:
    file = project.says(f'[ask]\ntag = "{"sk-" + "a1b2" * 8}"\n')
    file.chmod(0o600)
    assert project("config", "check").stdout == (
        f"{file}:2: error: something that looks like a key stands here\n"
        "  hint: take it out and name its place with key_env, key_cmd or key_file\n"
        "1 error, 0 warnings\n"
    )


def test_a_limit_that_limits_nothing_is_found_where_it_stands(store_home: Home, project: Project) -> None:
    configure(store_home, {"ask": {"retries": 1}})
    file = project.says('[limits.site]\ntag = "x"\n')
    assert project("config", "check").stdout.splitlines()[0] == f"{file}:1: warning: limits.site sets no limit"


# mrt config -------------------------------------------------------------------------------------------------------


def test_path_names_both(store_home: Home, project: Project) -> None:
    file = project.says("")
    own = store_home.config / "mrt" / "config.toml"
    result = project("config", "path")
    assert (result.stdout, result.stderr, result.exit_code) == (f"{own}\n", f"project: {file}\n", 0)
    data = json.loads(project("config", "path", "--json").stdout)["data"]
    assert data == {"path": str(own), "exists": False, "project": str(file)}


def test_set_writes_it(project: Project) -> None:
    result = project("config", "set", "--project", "ask.project", "website", "limits.site.daily_usd", "1")
    assert (result.stdout, result.exit_code) == ("", 0)
    assert result.stderr == (
        f'added [limits.site]\nset ask.project = "website" in {project.file}\n'
        f"set limits.site.daily_usd = 1 in {project.file}\n"
    )
    assert project.file.read_text() == '[ask]\nproject = "website"\n\n[limits.site]\ndaily_usd = 1\n'
    assert project("config", "set", "--project", "ask.tag", "x", inside="sub").exit_code == 0
    assert 'tag = "x"' in project.file.read_text()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("ask.retries", "3"), "only your own config may set ask.retries"),
        (("ask.retries", "1"), "only your own config may set ask.retries"),
        (("budget.daily_usd", "6"), "only your own config may raise budget.daily_usd"),
        (("mcp.allow_paid", "true"), "only your own config may set mcp.allow_paid to true"),
        (("templates.mine.prompt", "x"), "your own config has [templates.mine]"),
        (("tiers.cloud.model", "openai/x"), "only your own config may set tiers.cloud.model"),
        (("ask.stream", "often"), 'ask.stream must be "auto", "always" or "never", not "often"'),
    ],
)
def test_set_refuses_what_would_be_ignored(
    store_home: Home, project: Project, words: tuple[str, str], message: str
) -> None:
    configure(store_home, {"templates.mine": {"prompt": "x"}})
    project.says("[ask]\nretries = 1\n")  # which is ignored already
    result = project("config", "set", "--project", "--no-probe", *words)
    assert (result.stderr.splitlines()[0], result.exit_code) == (f"error: {message}", 2)
    assert project.file.read_text() == "[ask]\nretries = 1\n"


@pytest.mark.parametrize(
    ("flags", "env", "message"),
    [
        (("--config", "x.toml"), {}, "a config file is named, so no .mrt.toml is read"),
        ((), {"MRT_CONFIG": "x.toml"}, "a config file is named, so no .mrt.toml is read"),
        ((), {"MRT_PROJECT_CONFIG": "off"}, "MRT_PROJECT_CONFIG is off, so no .mrt.toml is read"),
    ],
)
def test_set_writes_none_that_would_not_be_read(
    project: Project, flags: tuple[str, ...], env: dict[str, str], message: str
) -> None:
    result = project("config", "set", "--project", *flags, "ask.tag", "x", env=env)
    assert (result.stderr.splitlines()[0], result.exit_code) == (f"error: {message}", 2)
    assert not project.file.exists()


def test_set_makes_no_project_of_the_home(store_home: Home) -> None:
    with chdir(store_home.path):
        result = run_here(store_home, "config", "set", "--project", "ask.tag", "x")
    assert (result.stderr.splitlines()[0], result.exit_code) == ("error: your home folder is no project", 2)
    assert not (store_home.path / ".mrt.toml").exists()


def test_set_of_the_own_file_says_that_the_project_wins(project: Project) -> None:
    file = project.says(NEVER)
    result = project("config", "set", "ask.stream", "always")
    assert result.stderr.splitlines()[0] == f"warning: ask.stream stands in {file}:2 too, which wins over the file"


def test_the_doctor_names_it(project: Project) -> None:
    file = project.says(NEVER + "retries = 3\n")
    found = json.loads(project("doctor", "--json").stdout)["data"]["findings"]
    details = [one["detail"] for one in found if one["area"] == "config"]
    assert details[0] == f"{file}:3: only your own config may set ask.retries; ignored"
    assert details[1].endswith(f", and the project's {file}; settings: 1 in the project's")


def test_help_does_not_look_for_it(project: Project) -> None:
    project.says("[ask\n")
    for words in (("--help",), ("help", "config"), ("config", "set", "--help")):
        assert Command(replace(project.home, path=project.folder))(*words).exit_code == 0
