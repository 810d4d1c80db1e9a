"""Frozen dataclasses that cost next to nothing to define.

`@dataclass(frozen=True)` compiles six methods for every class, about 0.7 ms each time the program starts; a command that
imports thirty of them pays more for that than for its work. `frozen` makes the same classes, for `fields` and `replace`
too, with methods that all of them share. Making an instance takes about 3 µs longer instead.

Which to use: `frozen` for every class of values that do not change; a `NamedTuple` for a small one that is unpacked or made by
the ten thousand; `@dataclass` for the few whose instances change. There is no `__post_init__`: what must be checked or
worked out is so in the function that makes the instance.
"""

from __future__ import annotations

from dataclasses import MISSING, FrozenInstanceError, dataclass, field
from typing import Any, NoReturn, TypeVar, dataclass_transform

Kind = TypeVar("Kind", bound=type)
_FIELDS = "__dataclass_fields__"


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(made: Kind) -> Kind:
    """The class as a dataclass whose instances do not change; equal, and hashed, by their fields."""
    dataclass(init=False, repr=False, eq=False)(made)  # collects the fields and compiles nothing
    for method in (__init__, __repr__, __eq__, __hash__, __setattr__, __delattr__):
        if method.__name__ not in vars(made) or vars(made)[method.__name__] is None:
            setattr(made, method.__name__, method)
    return made


def __init__(self: Any, *args: Any, **named: Any) -> None:
    fields = getattr(self, _FIELDS)
    if len(args) > len(fields):
        raise TypeError(f"{type(self).__name__} takes {len(fields)} values, not {len(args)}")
    values = dict(zip(fields, args, strict=False))
    if wrong := next((name for name in named if name in values or name not in fields), None):
        raise TypeError(f"{type(self).__name__} got {wrong!r} twice or has no such field")
    values.update(named)
    for name, item in fields.items() if len(values) < len(fields) else ():
        if name not in values:
            values[name] = _default(self, item)
    self.__dict__.update(values)


def _default(instance: Any, item: Any) -> Any:
    if item.default is not MISSING:
        return item.default
    if item.default_factory is not MISSING:
        return item.default_factory()
    raise TypeError(f"{type(instance).__name__} lacks {item.name!r}")


def __repr__(self: Any) -> str:
    shown = ", ".join(f"{name}={getattr(self, name)!r}" for name, item in getattr(self, _FIELDS).items() if item.repr)
    return f"{type(self).__qualname__}({shown})"


def __eq__(self: Any, other: object) -> Any:
    return _compared(self) == _compared(other) if other.__class__ is self.__class__ else NotImplemented


def _compared(instance: Any) -> tuple[Any, ...]:
    return tuple(getattr(instance, name) for name, item in getattr(instance, _FIELDS).items() if item.compare)


def __hash__(self: Any) -> int:
    fields = getattr(self, _FIELDS).items()
    return hash(
        tuple(getattr(self, name) for name, item in fields if (item.compare if item.hash is None else item.hash))
    )


def __setattr__(_self: Any, name: str, _: Any) -> NoReturn:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def __delattr__(_self: Any, name: str) -> NoReturn:
    raise FrozenInstanceError(f"cannot delete field {name!r}")
