"""`mrt config` in this process, through the one error boundary of the command line."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from mrt.cli import run
from mrt.output import Console


class Result(NamedTuple):
    stdout: str
    stderr: str
    exit_code: int

    @property
    def data(self) -> Any:
        return json.loads(self.stdout)["data"]

    @property
    def errors(self) -> Any:
        return json.loads(self.stdout)["errors"]


class Shell:
    """Runs the command line in this process, in a home of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.path = home / "mrt" / "config.toml"

    def __call__(self, *arguments: str, env: Mapping[str, str] | None = None) -> Result:
        stdout, stderr = io.StringIO(), io.StringIO()
        environment = {"HOME": str(self.home), "XDG_CONFIG_HOME": str(self.home), **(env or {})}
        code = run(["config", *arguments], Console(None, stdout, stderr, environment))
        return Result(stdout.getvalue(), stderr.getvalue(), code)

    def write(self, text: str) -> None:
        self.path.parent.mkdir(exist_ok=True)
        self.path.write_text(text)
