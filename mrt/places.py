"""Where the config file, the data directory and the spend store are. It needs nothing: each TAB that completes loads it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

CONFIG_VARIABLE = "MRT_CONFIG"
STORE_VARIABLE = "MRT_DB"
PROJECT_VARIABLE = "MRT_PROJECT_CONFIG"
PROJECT_FILE = ".mrt.toml"


def config_path(environment: Mapping[str, str]) -> Path:
    """`MRT_CONFIG`, else mrt/config.toml in the user's config directory. The file may be absent."""
    if named := environment.get(CONFIG_VARIABLE):
        return expand(environment, named)
    return _base(environment, "XDG_CONFIG_HOME", ".config") / "mrt" / "config.toml"


def data_directory(environment: Mapping[str, str]) -> Path:
    """The directory of what mrt keeps: `$XDG_DATA_HOME/mrt`. It may be absent."""
    return _base(environment, "XDG_DATA_HOME", ".local/share") / "mrt"


def cache_directory(environment: Mapping[str, str]) -> Path:
    """The directory of what mrt can do without: `$XDG_CACHE_HOME/mrt`. It may be absent."""
    return _base(environment, "XDG_CACHE_HOME", ".cache") / "mrt"


def store_path(environment: Mapping[str, str]) -> Path:
    """The spend store: `MRT_DB`, else spend.db in the data directory."""
    if named := environment.get(STORE_VARIABLE):
        return expand(environment, named)
    return data_directory(environment) / "spend.db"


def expand(environment: Mapping[str, str], path: str) -> Path:
    """The path with a leading `~/` replaced by the home directory."""
    return home(environment) / path[2:] if path.startswith("~/") else Path(path)


def home(environment: Mapping[str, str]) -> Path:
    """The home directory that the environment names, else the user database's."""
    named = environment.get("HOME") or environment.get("USERPROFILE")
    return Path(named) if named else Path.home()


def _base(environment: Mapping[str, str], variable: str, usual: str) -> Path:
    # The XDG specification has relative paths ignored.
    named = environment.get(variable, "")
    return Path(named) if named and Path(named).is_absolute() else home(environment) / usual


def readable_by_others(path: Path) -> bool:
    """Whether the file's mode lets anyone but its owner in; modes mean nothing on Windows."""
    return os.name == "posix" and bool(path.stat().st_mode & 0o077)
