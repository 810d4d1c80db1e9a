"""Kinds of settings that hold more than one value: lists, tables, worked examples."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple

from mrt.config.values import TEXT, Invalid, Kind, is_number, shown, type_name


class Example(NamedTuple):
    """One worked example of a persona: what a user says and how the model should answer."""

    user: str
    assistant: str


def _check_examples(value: Any) -> tuple[Example, ...]:
    if not isinstance(value, list):
        raise Invalid(f"must be a list of examples, not {type_name(value)}", _EXAMPLE_HINT)
    return tuple(_check_example(item) for item in value)


_EXAMPLE_HINT = 'write {user = "...", assistant = "..."}'


def _check_example(item: Any) -> Example:
    if not isinstance(item, dict) or set(item) != {"user", "assistant"}:
        raise Invalid('must hold tables with "user" and "assistant", and nothing else', _EXAMPLE_HINT)
    return Example(TEXT.check(item["user"]), TEXT.check(item["assistant"]))


def _check_names(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise Invalid(f"must be a list of names, not {type_name(value)}")
    if wrong := [item for item in value if not isinstance(item, str) or not item.strip()]:
        raise Invalid(f"must be a list of names, without {shown(wrong[0])}")
    return tuple(value)


def _names(text: str) -> Any:
    if text.strip().startswith("["):
        return toml_value("a list of names")(text)
    return [name.strip() for name in text.split(",") if name.strip()]


def _check_table(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Invalid(f"must be a table, not {type_name(value)}", "write {name = value, ...}")
    return {name: _plain(item) for name, item in value.items()}


def _plain(value: Any) -> Any:
    """The value as JSON can carry it to a server."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, str | bool):
        return value
    if not is_number(value) or abs(value) > 2**63:
        raise Invalid(f"must hold text, numbers, true or false, not {type_name(value)}")
    return float(value) if isinstance(value, Decimal) else value


def toml_value(expected: str) -> Callable[[str], Any]:
    """A reader of one value in TOML syntax, for `config set` and the environment."""

    def parse(text: str) -> Any:
        import tomllib

        try:
            document = tomllib.loads(f"value = {text}", parse_float=Decimal)
        except (ValueError, RecursionError):
            document = {}
        if list(document) != ["value"]:
            raise Invalid(f"must be {expected} in TOML syntax, not {shown(text)}")
        return document["value"]

    return parse


EXAMPLES = Kind("list of {user, assistant}", _check_examples, toml_value("a list of examples"))
NAMES = Kind("list of names", _check_names, _names)
TABLE = Kind("table", _check_table, toml_value("a table"))
