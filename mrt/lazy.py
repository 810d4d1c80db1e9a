"""Packages whose names load when they are first used: to name one of them must not import what all of them need.

For packages that a command uses in part (servers, models, the ledger, the wire). One whose modules are always needed together,
such as the configuration, imports them as usual.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any


def exports(package: str, **modules: str) -> Callable[[str], Any]:
    """A package's `__getattr__`; `modules` has the names that each of its modules gives: `job="Job Step"`.

    No module may bear one of these names itself: imported alone, it would take the place of what it exports.
    """
    homes = {name: module for module, names in modules.items() for name in names.split()}

    def load(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        from importlib import import_module

        value = getattr(import_module(f"{package}.{homes[name]}"), name)
        setattr(sys.modules[package], name, value)
        return value

    return load
