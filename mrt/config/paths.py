"""Where the config file, the data directory and the spend store are."""

from __future__ import annotations

from mrt.places import (
    CONFIG_VARIABLE,
    PROJECT_FILE,
    PROJECT_VARIABLE,
    STORE_VARIABLE,
    cache_directory,
    config_path,
    data_directory,
    expand,
    home,
    readable_by_others,
    store_path,
)

__all__ = [
    "CONFIG_VARIABLE",
    "PROJECT_FILE",
    "PROJECT_VARIABLE",
    "STORE_VARIABLE",
    "cache_directory",
    "config_path",
    "data_directory",
    "expand",
    "home",
    "readable_by_others",
    "store_path",
]
