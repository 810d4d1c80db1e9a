"""Whether values that come from a file have the types their dataclass names: a file can be damaged, or written by hand."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints


def checked(kind: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that are fields of `kind`; others, of a later version, are passed over. Raises TypeError for a wrong type."""
    hints = _hints(kind)
    found = {name: value for name, value in values.items() if name in hints}
    for name, value in found.items():
        if not _fits(value, hints[name]):
            raise TypeError(f"{name} is no {hints[name]}")
    return found


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def _fits(value: Any, hint: Any) -> bool:
    origin = get_origin(hint)
    if origin is UnionType:
        return any(_fits(value, one) for one in get_args(hint))
    if origin is Literal:
        return isinstance(value, str) and value in get_args(hint)
    if hint in (int, float):
        allowed = (int,) if hint is int else (int, float)
        return isinstance(value, allowed) and not isinstance(value, bool) and math.isfinite(value)
    return isinstance(value, origin or hint)
