"""`mrt export`: where its texts go, and what it says of mistakes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from project_kit import make_project
from rig.command import Command, Home
from rig.home_setup import configure, run_here

KEY = "sk-canary-0123456789abcdef"
TARGETS = ("litellm", "ollama-modelfile", "env")
TABLES = {
    "tiers.local-fast": {"model": "ollama/llama3.1:8b", "system": f"Never say {KEY}."},
    "tiers.cloud": {"model": "koala/gpt-4o"},
    "endpoints.koala": {"kind": "litellm", "url": "http://koala:4000", "key_cmd": f"echo {KEY}"},
}


@pytest.mark.parametrize("target", TARGETS)
def test_a_file_is_written_once_and_replaced_on_demand(store_home: Home, tmp_path: Path, target: str) -> None:
    configure(store_home, {"tiers.local-fast": {"model": "ollama/m"}})
    path = tmp_path / "out"
    first = run_here(store_home, "export", target, "--output", path)
    assert (first.exit_code, first.stdout) == (0, "")
    assert first.stderr.endswith(f"wrote {path}\n")
    written = path.read_text()
    assert written == run_here(store_home, "export", target).stdout
    path.write_text("mine")
    second = run_here(store_home, "export", target, "--output", path)
    assert (second.exit_code, second.stdout) == (2, "")
    assert second.stderr == f"error: {path} exists\nhint: replace it with --force, or name another file\n"
    assert path.read_text() == "mine"
    assert run_here(store_home, "export", target, "-o", path, "--force").exit_code == 0
    assert path.read_text() == written
    assert [item.name for item in tmp_path.iterdir() if item.is_file()] == ["out"]


@pytest.mark.parametrize("target", TARGETS)
def test_json_has_the_text_and_all_that_is_said_of_it(store_home: Home, tmp_path: Path, target: str) -> None:
    configure(store_home, {"tiers.local-fast": {"model": "ollama/m", "max_complexity": 3}})
    path = tmp_path / "out"
    result = run_here(store_home, "export", target, "--json", "--output", path)
    document = json.loads(result.stdout)
    assert (document["command"], document["errors"]) == ("export", [])
    data = document["data"]
    assert (data["target"], data["path"], data["text"]) == (target, str(path), path.read_text())


@pytest.mark.parametrize("by", ["its name", "a link", "the project's file"])
def test_the_configuration_is_never_replaced(store_home: Home, by: str) -> None:
    configure(store_home, TABLES)
    project = make_project(store_home)
    path = own = store_home.config / "mrt" / "config.toml"
    if by == "a link":
        path = project.folder / "link"
        path.symlink_to(own)
    if by == "the project's file":
        path = own = project.says('ask = {tag = "mine"}\n')
    before = own.read_bytes()
    result = project("export", "env", "--force", "--output", str(path))
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"error: {path} is the configuration that is exported\nhint: name another file\n"
    assert own.read_bytes() == before


@pytest.mark.skipif(not Path("/dev/stdout").exists(), reason="there is no /dev/stdout here")
def test_a_pipe_by_its_name_in_dev_is_written_to(mrt: Command) -> None:
    result = mrt("export", "env", "-q", "--output", "/dev/stdout")
    assert (result.exit_code, result.stdout) == (0, mrt("export", "env").stdout)


def test_a_dash_is_stdout(store_home: Home) -> None:
    result = run_here(store_home, "export", "env", "--output", "-")
    assert (result.exit_code, result.stdout) == (0, run_here(store_home, "export", "env").stdout)


def test_quiet_says_nothing_beside_the_text(store_home: Home) -> None:
    configure(store_home, {"tiers.local-fast": {"model": "ollama/m", "max_complexity": 3}})
    assert run_here(store_home, "export", "litellm", "-q").stderr == ""


@pytest.mark.parametrize("target", ["litellm", "env"])
def test_no_key_is_written(store_home: Home, target: str) -> None:
    configure(store_home, TABLES)
    result = run_here(store_home, "export", target, env={"ANTHROPIC_API_KEY": KEY})
    assert result.exit_code == 0, result.stderr
    assert KEY not in result.stdout + result.stderr


def test_a_persona_with_a_key_is_not_written(store_home: Home) -> None:
    configure(store_home, TABLES)
    result = run_here(store_home, "export", "ollama-modelfile")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        "error: tier local-fast: its system holds what looks like a key\nhint: take it out of the configuration first\n"
    )


def test_a_folder_is_no_file(store_home: Home, tmp_path: Path) -> None:
    result = run_here(store_home, "export", "litellm", "--output", tmp_path)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"error: cannot write {tmp_path}: it is a directory\n")


def test_an_unknown_target_is_guessed(mrt: Command) -> None:
    result = mrt("export", "litelm")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "litellm" in result.stderr


def test_without_a_target_there_is_help(mrt: Command) -> None:
    result = mrt("export")
    assert result.exit_code == 0
    assert result.stdout.startswith("Examples:\n  mrt export litellm --output litellm.yaml\n")
    assert all(target in result.stdout for target in TARGETS)


@pytest.mark.parametrize("target", TARGETS)
def test_help_opens_with_examples(mrt: Command, target: str) -> None:
    result = mrt("export", target, "--help")
    assert result.stdout.startswith("Examples:\n  ")
    assert f"Usage: mrt export {target} [OPTIONS]" in result.stdout


def test_the_default_tiers_are_exported_too(store_home: Home) -> None:
    result = run_here(store_home, "export", "litellm")
    assert result.exit_code == 0
    assert [line.split(": ")[1] for line in result.stdout.splitlines() if "model_name" in line] == [
        "local-fast",
        "local-heavy",
        "cloud",
    ]
