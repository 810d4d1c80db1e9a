"""Several processes that change the config file at the same time: no edit is lost, and a reader never sees half a file."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from mrt.config.edit import carry_out, create, plan
from mrt.config.files import alone_in
from mrt.errors import ConfigError

WRITERS, EDITS = 4, 12
# Begins when told to, so that all are under way together.
WRITER = f"""
import sys
from pathlib import Path
from mrt.config.edit import carry_out, plan
sys.stdin.read()
for number in range({EDITS}):
    carry_out(plan(Path(sys.argv[1]), [(f"aliases.p{{sys.argv[2]}}-{{number}}", "ollama/llama3.1:8b")]))
"""


@pytest.mark.skipif(os.name != "posix", reason="folders have no locks here")
def test_no_edit_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "config.toml"
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(path), str(number)], stdin=subprocess.PIPE)
        for number in range(WRITERS)
    ]
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.close()
    while any(writer.poll() is None for writer in writers):
        tomllib.loads(path.read_text() if path.exists() else "")
    assert [writer.wait() for writer in writers] == [0] * WRITERS
    aliases = tomllib.loads(path.read_text())["aliases"]
    assert set(aliases) == {f"p{writer}-{number}" for writer in range(WRITERS) for number in range(EDITS)}
    assert [entry.name for entry in path.parent.iterdir()] == ["config.toml"]


def test_what_was_written_since_the_plan_stays(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    change = plan(path, [("budget.daily_usd", "2")])
    path.write_text("[budget]\nmonthly_usd = 30  # ours\n")
    assert carry_out(change).text == path.read_text() == "[budget]\nmonthly_usd = 30  # ours\ndaily_usd = 2\n"


def test_what_became_impossible_since_the_plan_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    change = plan(path, [("budget.daily_usd", "2")])
    path.write_text("[budget\n")
    with pytest.raises(ConfigError):
        carry_out(change)
    assert path.read_text() == "[budget\n"


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"cannot write .*: Not a directory"):
        create(tmp_path / "file" / "mrt" / "config.toml")


def test_the_lock_ends_with_its_block(tmp_path: Path) -> None:
    with pytest.raises(KeyError), alone_in(tmp_path):
        raise KeyError
    with alone_in(tmp_path / "new"):
        assert (tmp_path / "new").is_dir()
