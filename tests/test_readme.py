"""The README says what the program says: every fenced block is generated, run, loaded or parsed; nothing else may stand in it."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from readme_kit import README, ROOT, Block, blocks, prose, steps
from readme_session import alike, rendered, run_block
from readme_world import engines, example_config, machine
from rig.command import Command, Home
from test_recipes import RECIPES

BLOCKS = blocks()
SET_UP = {block.name: block.text for block in BLOCKS if block.mark in {("", "install"), ("", "tests")}}


def _fate(block: Block) -> str:
    """Which of the tests looks at a block; "" for none."""
    if block.generated and block.language in {"console", "json"}:
        return "generated"
    if block.language in {"bash", "crontab", "yaml"}:
        return "recipe" if block.mark and block.mark[0] == "recipe" else ""
    if block.language == "console" and block.mark:
        return block.mark[0] or ("set-up" if block.name in SET_UP else "")
    return block.language if block.language in {"toml", "json"} else ""


def _of(fate: str) -> list[Block]:
    return [block for block in BLOCKS if _fate(block) == fate]


def test_no_block_escapes() -> None:
    assert [f"line {block.line}: {block.language}" for block in BLOCKS if not _fate(block)] == []
    assert re.findall(r"^\s*(?:```|~~~|<pre).*", prose(), re.MULTILINE) == []


def test_the_kinds_of_blocks_are_told_apart() -> None:
    text = "```text\n$ mrt\n```\n\n<!-- run: x -->\n```console\n$ a \\\n  b\nout\n$ c\n```\n```console\n$ d\n```\n"
    escaping, run, unmarked = blocks(text)
    assert [_fate(escaping), _fate(run), _fate(unmarked)] == ["", "run", ""]
    assert steps(run) == [("a \\\n  b", "out"), ("c", "")]


def test_generated_parts_are_fresh() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cogapp", "--check", "--diff", "README.md"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_figure_is_left_open() -> None:
    assert not re.findall(r"@[A-Z]+@", README)


def test_every_recipe_is_known() -> None:
    assert sorted(block.name for block in _of("recipe")) == sorted(RECIPES)


@pytest.mark.parametrize("block", _of("run"), ids=lambda block: block.name)
def test_the_examples_show_what_the_commands_show(block: Block, store_home: Home, models_folder: Path) -> None:
    # With servers of its own: what they keep of earlier prompts is shown as cached tokens.
    with engines(models_folder) as urls, machine(store_home, *urls) as where:
        assert alike(rendered(run_block(block, where))) == alike(block.text)


@pytest.mark.parametrize("block", _of("part"), ids=lambda block: block.name)
def test_what_is_shown_in_part_is_there_in_this_order(block: Block, mrt: Command) -> None:
    command, *shown = block.text.splitlines()
    done = mrt(*shlex.split(command)[2:])
    assert done.exit_code == 0
    left = alike(done.stdout)
    for part in "\n".join(shown).split("…"):
        before, found, left = left.partition(alike(part) or "\n")
        assert found, f"{part}\nis not in\n{before}"


@pytest.mark.parametrize("block", _of("toml"), ids=lambda block: block.name)
def test_the_configurations_have_no_problem(block: Block, mrt: Command, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(block.text)
    done = mrt("config", "check", "--config", path)
    assert (done.exit_code, done.stdout, done.stderr) == (0, "no problems\n", "")


@pytest.mark.parametrize("block", _of("json"), ids=lambda block: block.name)
def test_the_documents_are_json(block: Block) -> None:
    assert json.loads(block.text)


def test_the_examples_use_the_first_configuration() -> None:
    assert example_config() == _of("toml")[0].text


def test_set_up_is_two_commands() -> None:
    assert list(SET_UP) == ["install", "tests"]
    assert [text.count("$ ") for text in SET_UP.values()] == [1, 1]


def test_the_gate_runs_the_test_command_of_the_readme() -> None:
    gate = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    extract = re.search(r'eval "\$\((.*)\)"', gate)
    assert extract is not None
    shown = subprocess.run(["bash", "-c", extract[1]], cwd=ROOT, capture_output=True, text=True)
    assert f"$ {shown.stdout}" == SET_UP["tests"]


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_the_main_job_of_the_first_command_runs_offline(store_home: Home) -> None:
    job = SET_UP["install"].strip().partition("&& mrt ")[2]
    before = list(store_home.path.iterdir())
    done = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m mrt {job}"],
        env=dict(store_home.environment),
        cwd=store_home.path,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    verbs = {line.split()[2] for line in done.stdout.splitlines() if line.startswith("$ mrt ")}
    assert verbs >= {"probe", "fit", "route", "ask", "spend"}
    assert list(store_home.path.iterdir()) == before


def test_every_shipped_price_has_a_source_and_a_date() -> None:
    tables = sorted((ROOT / "mrt" / "data" / "prices").glob("*.jsonl"))
    assert len(tables) == 8
    for table in tables:
        about = json.loads(table.read_text(encoding="utf-8").partition("\n")[0])
        assert about["source"]
        assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", about["date"])
