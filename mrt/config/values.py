"""Kinds of setting values: what each accepts, from TOML or from text, and how it says no."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple

from mrt.near import did_you_mean, nearest

# Amounts become nano-dollars in 64-bit columns; a billion dollars leaves room for sums.
MOST_USD = 1_000_000_000
MOST_SECONDS = 7 * 24 * 3600
MOST_COUNT = 2**31 - 1
NO_LIMIT = "none"
_RESERVED_PREFIX = "openai-compat"
_BOOLEANS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


class Invalid(ValueError):
    """A value that a setting cannot take; the message reads on from the setting's name."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class Kind(NamedTuple):
    """A kind of value: its name for people, TOML value -> config value, text of `config set` or the environment -> TOML value.

    Both functions raise Invalid.
    """

    name: str
    check: Callable[[Any], Any]
    parse: Callable[[str], Any] = str


def shown(value: object) -> str:
    """A value as messages show it: text quoted, short and without keys; what is no scalar by its type."""
    if isinstance(value, str):
        from mrt.config.secrets import mask

        masked = mask(value)
        return f'"{masked if len(masked) <= 60 else masked[:59] + "…"}"'
    return type_name(value)


def type_name(value: object) -> str:
    """What stands there instead of what was expected."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal):
        return str(value) if not isinstance(value, int) or value.bit_length() <= 64 else "a number of that size"
    names: dict[type, str] = {str: "text", list: "a list", dict: "a table"}
    return names.get(type(value), "a date or time")


def is_number(value: object) -> bool:
    """True for a finite number; true and false are none."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return False
    return isinstance(value, int) or Decimal(value).is_finite()


def number(least: float, most: float, name: str | None = None, *, above: bool = False) -> Kind:
    """A number from `least` (or above it) to `most`; a float in the config."""
    name = name or f"number from {least:g} to {most:g}"

    def check(value: Any) -> float:
        if not is_number(value):
            raise Invalid(f"must be a number, not {type_name(value)}")
        if not least <= value <= most or (above and value == least):
            raise Invalid(f"must be a {name}, not {type_name(value)}")
        return float(value)

    return Kind(name, check, lambda text: _decimal(text, "a number"))


def integer(least: int, most: int = MOST_COUNT) -> Kind:
    """A whole number from `least` to `most`."""
    name = f"whole number from {least} to {most}" if most < MOST_COUNT else f"whole number of at least {least}"

    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise Invalid(f"must be a whole number, not {type_name(value)}")
        if not least <= value <= most:
            raise Invalid(f"must be a {name}, not {type_name(value)}")
        return value

    return Kind(name, check, _whole)


def choice(*names: str) -> Kind:
    """One of some words."""
    listed = ", ".join(f'"{name}"' for name in names[:-1]) + f' or "{names[-1]}"'

    def check(value: Any) -> str:
        if value not in names:
            near = [f'"{name}"' for name in nearest(str(value), names)]
            raise Invalid(f"must be {listed}, not {shown(value)}", did_you_mean(near, "") or None)
        return str(value)

    return Kind(listed, check)


def text(name: str = "text", *, pattern: str | None = None, expected: str = "text") -> Kind:
    """Text; all of it matches `pattern` where there is one, and then the message says what was `expected`."""

    def check(value: Any) -> str:
        if not isinstance(value, str):
            raise Invalid(f"must be text, not {type_name(value)}")
        if not _is_unicode(value):
            raise Invalid("must be UTF-8 text")
        if pattern is not None and not re.fullmatch(pattern, value):
            raise Invalid(f"must be {expected}")
        return value

    return Kind(name, check)


def _decimal(value: str, expected: str) -> Decimal:
    try:
        return Decimal(value.strip())
    except ArithmeticError:
        raise Invalid(f"must be {expected}, not {shown(value)}") from None


def _whole(value: str) -> int:
    try:
        return int(value)
    except ValueError:
        raise Invalid(f"must be a whole number, not {shown(value)}") from None


def _boolean(value: str) -> bool:
    try:
        return _BOOLEANS[value.strip().lower()]
    except KeyError:
        raise Invalid(f"must be true or false, not {shown(value)}") from None


def _check_boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Invalid(f"must be true or false, not {type_name(value)}")
    return value


def _check_money(value: Any) -> Decimal:
    if not is_number(value) or value < 0:
        raise Invalid(f"must be an amount in dollars, 0 or more, not {shown(value)}")
    if value > MOST_USD:
        raise Invalid(f"must be at most {MOST_USD} dollars, not {type_name(value)}")
    return Decimal(value).copy_abs()


def _check_limit(value: Any) -> Decimal | None:
    if value == NO_LIMIT:
        return None
    try:
        return _check_money(value)
    except Invalid as error:
        raise Invalid(error.message, f'"{NO_LIMIT}" means no limit, 0 means that nothing may be paid') from None


def _limit(value: str) -> Decimal | str:
    return NO_LIMIT if value.strip().lower() == NO_LIMIT else _decimal(value, f'an amount in dollars or "{NO_LIMIT}"')


def _check_model(value: Any) -> str:
    """A model id: PROVIDER/MODEL or ENDPOINT/MODEL. Whether that provider exists is not judged here."""
    if not isinstance(value, str):
        raise Invalid(f"must be a model id, not {type_name(value)}")
    if not value or re.search(r"[\s\x00-\x1f\x7f]", value) or not _is_unicode(value):
        raise Invalid(f"must be a model id without white space, not {shown(value)}", "write PROVIDER/MODEL")
    prefix, slash, rest = value.partition("/")
    if prefix.lower() == _RESERVED_PREFIX and slash:
        raise Invalid(
            f"must not use the reserved prefix {_RESERVED_PREFIX}/",
            'add an [endpoints.NAME] section with kind = "openai" and write NAME/MODEL',
        )
    if slash and not (prefix and rest):
        raise Invalid(f"must name a provider and a model, not {shown(value)}", "write PROVIDER/MODEL")
    return value


def _check_zone(value: Any) -> str:
    from zoneinfo import ZoneInfo

    name = _ZONE_TEXT.check(value)
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise Invalid(f"must be an IANA time zone, not {shown(value)}", "for example Europe/Berlin or UTC") from None
    return str(name)


def _is_unicode(value: str) -> bool:
    """False when bytes of another encoding came through the environment or the command line."""
    return not any("\ud800" <= character <= "\udfff" for character in value)


_ZONE_TEXT = text()
TEXT = text()
LINE = text(pattern=r"[^\x00-\x1f\x7f]+", expected="one line of text")
VARIABLE = text(
    "name of an environment variable",
    pattern=r"[A-Za-z_][A-Za-z0-9_]*",
    expected="the name of an environment variable",
)
URL = text(
    "URL",
    pattern=r"https?://(?:[^\s/@]*@)?(?:\[[0-9A-Fa-f:.]+\]|[^\s/:@?#\[\]]+)(?::\d{1,5})?(?:[/?#]\S*)?",
    expected="a URL that starts with http:// or https://",
)
BOOLEAN = Kind("true or false", _check_boolean, _boolean)
SECONDS = number(0, MOST_SECONDS, "number of seconds above 0, a week at most", above=True)
MONEY = Kind("dollars", _check_money, lambda value: _decimal(value, "an amount in dollars"))
LIMIT = Kind(f'dollars, or "{NO_LIMIT}"', _check_limit, _limit)
MODEL = Kind("model id", _check_model)
ZONE = Kind("IANA time zone", _check_zone)
