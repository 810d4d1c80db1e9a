"""A project with a `.mrt.toml` under a home, and `mrt` run in it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path

from rig.command import Home, Result
from rig.home_setup import run_here

STRANGER = 54321


@dataclass(frozen=True)
class Project:
    """A folder under the home; commands run in `folder`, or in one inside it."""

    home: Home
    folder: Path

    @property
    def file(self) -> Path:
        return self.folder / ".mrt.toml"

    def says(self, text: str) -> Path:
        """Write the project's file."""
        self.file.write_text(text)
        return self.file

    def __call__(self, *words: str, inside: str = ".", env: Mapping[str, str] | None = None) -> Result:
        """Run in the project, or in this folder of it, which is made."""
        (self.folder / inside).mkdir(parents=True, exist_ok=True)
        with chdir(self.folder / inside):
            return run_here(self.home, *words, env=env)

    def get(self, key: str, *flags: str, env: Mapping[str, str] | None = None) -> str:
        """What `mrt config get` says."""
        result = self("config", "get", key, *flags, env=env)
        assert result.exit_code == 0, result.stderr
        return result.stdout.removesuffix("\n")


def make_project(home: Home) -> Project:
    """An empty one."""
    folder = home.path / "work" / "site"
    folder.mkdir(parents=True)
    return Project(home, folder)


def a_strangers(path: Path, text: str) -> None:
    """The file as if another user had put it there: owned by one, or, where none can be made one, a link to root's."""
    path.write_text(text)
    if os.geteuid() == 0:
        os.chown(path, STRANGER, STRANGER)
    else:
        path.unlink()
        path.symlink_to("/etc/hosts")
