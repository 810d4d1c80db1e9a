"""The README says what the program says: generated parts are fresh, and its set-up commands are the ones the gate runs."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONSOLE = re.findall(r"<!-- (\w+) -->\n```console\n\$ (.*)\n```", README)


def test_generated_parts_are_fresh() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cogapp", "--check", "--diff", "README.md"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_figure_is_left_open() -> None:
    assert not re.findall(r"@[A-Z]+@", README)


def test_set_up_is_two_commands() -> None:
    assert [name for name, _ in CONSOLE] == ["install", "tests"]


def test_the_gate_runs_the_test_command_of_the_readme() -> None:
    gate = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    extract = re.search(r'eval "\$\((.*)\)"', gate)
    assert extract is not None
    shown = subprocess.run(["bash", "-c", extract[1]], cwd=ROOT, capture_output=True, text=True)
    assert shown.stdout.strip() == dict(CONSOLE)["tests"]


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_the_main_job_of_the_first_command_runs_offline(store_home) -> None:
    job = dict(CONSOLE)["install"].partition("&& mrt ")[2]
    done = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m mrt {job}"],
        env=dict(store_home.environment),
        cwd=store_home.path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("local-fast (ollama/llama3.1:8b): complexity ")


def test_every_shipped_price_has_a_source_and_a_date() -> None:
    import json

    tables = sorted((ROOT / "mrt" / "data" / "prices").glob("*.jsonl"))
    assert len(tables) == 8
    for table in tables:
        about = json.loads(table.read_text(encoding="utf-8").partition("\n")[0])
        assert about["source"]
        assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", about["date"])
