"""Values on the pipe between grader and sandbox: exact built-in types as JSON, anything else only by its type's name.

A value is a pair [tag, content]. Code that a model wrote may return an object of its own that claims to equal everything; it
arrives here as `Other` and equals nothing.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

# Deep enough for any answer, shallow enough for the interpreter's own recursion limit.
MOST_DEPTH = 60
_LARGEST = sys.float_info.max
_MOST_ALIKE = 50


# The types that a value may be of; bool before int, which it is a kind of.
_BUILT_IN = (bool, int, float, complex, str, bytes, bytearray, list, tuple, set, frozenset, dict)


class Other(NamedTuple):
    """A value that is of no built-in type: all that is known is the name of its type."""

    type_name: str


class Clock:
    """A clock that a task sets and the code under test reads by calling it."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def __repr__(self) -> str:
        return f"Clock({self.now:g})"


def encode(value: Any, depth: int = 0, loosely: bool = False) -> list[Any]:
    """`value` as [tag, content]. Subclasses of built-in types are others, or `loosely` what they hold: a Counter is a dict."""
    kind = _built_in(type(value)) if loosely else type(value)
    if depth > MOST_DEPTH:
        return ["other", "a value nested too deep"]
    if value is None or kind is bool or kind is str:
        return [kind.__name__, value]
    if kind is int:
        return ["int", hex(value)]  # decimal digits are limited, and slow for large numbers
    if kind is float:
        return ["float", value.hex()]
    if kind is complex:
        return ["complex", [value.real.hex(), value.imag.hex()]]
    if kind in (bytes, bytearray):
        return [kind.__name__, bytes(value).hex()]
    if kind in (list, tuple, set, frozenset):
        return [kind.__name__, [encode(item, depth + 1, loosely) for item in kind.__iter__(value)]]
    if kind is dict:
        pairs = dict.items(value)
        return ["dict", [[encode(key, depth + 1, loosely), encode(item, depth + 1, loosely)] for key, item in pairs]]
    if kind is Clock:
        return ["clock", value.now.hex()]
    return ["other", type(value).__name__]


def _built_in(kind: type) -> type:
    return kind if kind in _BUILT_IN else next((base for base in _BUILT_IN if issubclass(kind, base)), kind)


_SCALARS: dict[str, Callable[[Any], Any]] = {
    "NoneType": lambda _: None,
    "bool": bool,
    "str": str,
    "int": lambda content: int(content, 16),
    "float": float.fromhex,
    "complex": lambda content: complex(float.fromhex(content[0]), float.fromhex(content[1])),
    "bytes": bytes.fromhex,
    "bytearray": bytearray.fromhex,
    "clock": lambda content: Clock(float.fromhex(content)),
    "other": lambda content: Other(str(content)),
}
_COLLECTIONS: dict[str, Callable[[Any], Any]] = {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}


def decode(pair: Any, depth: int = 0) -> Any:
    """The value of [tag, content]. What is no such pair is an `Other`: the far side may have written anything."""
    try:
        tag, content = pair
        if depth > MOST_DEPTH:
            return Other("a value nested too deep")
        if tag in ("list", "tuple"):
            return _COLLECTIONS[tag](decode(item, depth + 1) for item in content)
        if tag in _COLLECTIONS:
            return _COLLECTIONS[tag](_spread([decode(item, depth + 1) for item in content]))
        if tag == "dict":
            keys = _spread([decode(key, depth + 1) for key, _ in content])
            return dict(zip(keys, (decode(item, depth + 1) for _, item in content), strict=True))
        return _SCALARS[tag](content)
    except (TypeError, ValueError, KeyError, IndexError, OverflowError):
        return Other("a value that cannot be read")


def _spread(keys: list[Any]) -> list[Any]:
    """The keys, unless many have the same hash: a table of them takes time by their square, which a far side may intend."""
    if keys and max(Counter(map(hash, keys)).values()) > _MOST_ALIKE:
        raise ValueError("keys that are made to collide")
    return keys


def same(found: Any, expected: Any, tolerance: float = 0.0) -> bool:
    """Whether two decoded values are equal in type and content, all the way down.

    An int may stand where a float is expected, as in Python's own typing. `tolerance` is relative above 1 and absolute below.
    """
    if isinstance(found, Other) or isinstance(expected, Other):
        return False
    if type(expected) is float and type(found) in (int, float):
        return _near(found, expected, tolerance)
    if type(found) is not type(expected):
        return False
    if type(expected) in (list, tuple):
        return len(found) == len(expected) and all(
            same(one, other, tolerance) for one, other in zip(found, expected, strict=True)
        )
    if type(expected) is dict:
        return _same_items(found, expected, tolerance)
    if type(expected) in (set, frozenset):
        return len(found) == len(expected) and sorted(map(_typed, found)) == sorted(map(_typed, expected))
    return bool(found == expected)


def _same_items(found: dict[Any, Any], expected: dict[Any, Any], tolerance: float) -> bool:
    if len(found) != len(expected):
        return False
    by_key = {_typed(key): item for key, item in found.items()}
    return all(_typed(key) in by_key and same(by_key[_typed(key)], item, tolerance) for key, item in expected.items())


def _typed(value: Any) -> str:
    """A key's text with its type, so that 1, 1.0 and True are three keys; large integers have no decimal text."""
    kind = type(value)
    if kind is tuple:
        return f"tuple:({','.join(map(_typed, value))})"
    if kind is frozenset:
        return f"frozenset:({','.join(sorted(map(_typed, value)))})"
    return f"{kind.__name__}:{hex(value) if kind is int else repr(value)}"


def _near(found: float, expected: float, tolerance: float) -> bool:
    if found != found or expected != expected:  # noqa: PLR0124 - only NaN differs from itself
        return found != found and expected != expected  # noqa: PLR0124
    if found == expected:
        return True
    if not (-_LARGEST <= found <= _LARGEST and -_LARGEST <= expected <= _LARGEST):
        return False  # infinity is near nothing, and a larger integer has no float to compare
    return abs(found - expected) <= tolerance * max(1.0, abs(expected))
