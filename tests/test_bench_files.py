"""Files of `mrt bench`: what cannot be written is refused before a model is asked, and "last" is a run that can be read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rig.command import Command, Home
from rig.loopback import ScriptedServer
from test_bench_report import answer, keep, say, suite_folder

MISSING = "error: cannot write /nowhere/run: there is no directory /nowhere\nhint: make it first: mkdir -p /nowhere\n"
MIXED = "error: {option} - would mix with the report, which goes to stdout\nhint: name a file: {option} FILE\n"


@pytest.mark.parametrize("option", ["--html", "--csv", "--md"])
@pytest.mark.parametrize(("name", "said"), [("/nowhere/run", MISSING), ("-", MIXED)], ids=["missing", "stdout"])
def test_refused_before_a_model_is_asked(
    home: Home, server: ScriptedServer, mrt: Command, option: str, name: str, said: str
) -> None:
    for command in (["only"], ["report", "last"]):
        result = mrt("bench", *command, option, name)
        assert result.stderr == said.format(option=option)
        assert (result.stdout, result.exit_code) == ("", 2)
    assert server.requests == []


def test_a_report_is_replaced_in_one_step(store_home: Home, tmp_path: Path) -> None:
    keep(store_home, "20260101-a", suite_folder(tmp_path / "own", {1: 1}), [answer(1)])
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "run.md").write_text("old")
    assert say(store_home, "report", "last", "--md", folder / "run.md", "--csv", folder / "run.csv").exit_code == 0
    assert sorted(path.name for path in folder.iterdir()) == ["run.csv", "run.md"]
    assert "add-1" in (folder / "run.csv").read_text()
    assert (folder / "run.md").read_text().startswith("## box/m")


@pytest.fixture
def cut_off(store_home: Home, tmp_path: Path) -> Path:
    """A run, and a newer journal that was cut off as it began; gives the newer one."""
    keep(store_home, "20260101-a", suite_folder(tmp_path / "own", {1: 1}), [answer(1)])
    path = store_home.data / "mrt" / "bench" / "20260102-b.jsonl"
    path.write_text('{"run": {"id": "2026')
    return path


def test_last_is_the_newest_that_can_be_read(store_home: Home, cut_off: Path) -> None:
    result = say(store_home, "report", "last", "--json")
    assert json.loads(result.stdout)["data"]["run_id"] == "20260101-a"
    assert (
        result.stderr == f"warning: {cut_off} cannot be read as a run of mrt bench: the last one before it is taken\n"
    )


def test_without_any_that_can_be_read(store_home: Home, cut_off: Path) -> None:
    (cut_off.parent / "20260101-a.jsonl").unlink()
    result = say(store_home, "report", "last")
    assert result.stderr.endswith("error: there is no run yet\nhint: mrt bench MODEL makes one\n")
    assert result.exit_code == 2


def test_one_that_is_named_is_that_one(store_home: Home, cut_off: Path) -> None:
    result = say(store_home, "report", "20260102")
    assert result.stderr.startswith(f"error: {cut_off} is no run of mrt bench\n")
    assert result.exit_code == 2
