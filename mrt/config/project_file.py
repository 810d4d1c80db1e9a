"""Where the project's file is, and whether it may be read: `.mrt.toml` in the current folder or the nearest one around it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from mrt.config.paths import CONFIG_VARIABLE, PROJECT_FILE, PROJECT_VARIABLE, config_path, home
from mrt.errors import ConfigError

# More than any project has to say; what came with a repository may be of any size.
LARGEST = 2**20
_SWITCH = {"": True, "on": True, "yes": True, "true": True, "1": True}
_SWITCH |= {"off": False, "no": False, "false": False, "0": False}


class ProjectFile(NamedTuple):
    """The file, and why it is not read; "" when it is."""

    path: Path
    refused: str = ""


def find_project(environment: Mapping[str, str], named: Path | None = None) -> ProjectFile | None:
    """The project's file, None when there is none or none is wanted.

    A config file that a flag or `MRT_CONFIG` names stands alone, as it does for other tools. The search ends below the home
    folder, or at the root. Raises ConfigError when the variable that turns it off says neither on nor off.
    """
    if standalone(environment, named) or not is_wanted(environment):
        return None
    for folder in project_folders(environment):
        path = os.path.join(folder, PROJECT_FILE)  # noqa: PTH118
        try:
            link = os.lstat(path)
            file = os.stat(path)  # noqa: PTH116
        except OSError:
            continue
        if not _is_own_config(environment, file):
            return ProjectFile(Path(path), _refusal(link, file))
    return None


def standalone(environment: Mapping[str, str], named: Path | None = None) -> bool:
    """Whether a config file is named, beside which no project's counts."""
    return named is not None or bool(environment.get(CONFIG_VARIABLE))


def is_wanted(environment: Mapping[str, str]) -> bool:
    """Whether project's files are read at all. Raises ConfigError."""
    text = environment.get(PROJECT_VARIABLE, "").strip().lower()
    if text not in _SWITCH:
        raise ConfigError(f"{PROJECT_VARIABLE} must be on or off", f"`{PROJECT_VARIABLE}=off` reads no {PROJECT_FILE}")
    return _SWITCH[text]


def project_folders(environment: Mapping[str, str]) -> Iterator[str]:
    """The current folder and those around it, up to the root; the home folder and those around that are no project's."""
    try:
        folder = os.getcwd()  # noqa: PTH109
    except OSError:  # it was removed
        return
    end = os.path.realpath(home(environment))
    while folder != end:
        yield folder
        outer = os.path.dirname(folder)  # noqa: PTH120
        if outer == folder:
            return
        folder = outer


def _is_own_config(environment: Mapping[str, str], file: os.stat_result) -> bool:
    try:
        return os.path.samestat(config_path(environment).stat(), file)
    except OSError:
        return False


def _refusal(link: os.stat_result, file: os.stat_result) -> str:
    """Why the file is not read: what is no file may never end, and a stranger's was not put there by this user."""
    if not stat.S_ISREG(file.st_mode):
        return "this is no regular file"
    if os.name == "posix" and {link.st_uid, file.st_uid} != {os.geteuid()}:
        return "this file belongs to somebody else"
    return "this file is too large" if file.st_size > LARGEST else ""
