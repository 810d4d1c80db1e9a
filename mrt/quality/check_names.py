"""Reads a configured list of checks; it replaces the default one."""

from __future__ import annotations

from collections.abc import Sequence

from mrt.errors import UsageError
from mrt.near import did_you_mean, nearest

DEFAULT_CONFIDENCE = "0.45"
DEFAULT_CHECKS = ("refusal", "repetition", "code", "json", f"confidence={DEFAULT_CONFIDENCE}")
ALWAYS_ON = ("finish", "empty")

_PLAIN = ("refusal", "repetition", "code", "json", "schema")
_EXTERNAL = ("verify", "agree")  # these run a command or ask a model: the cascade's business
_KNOWN = (*ALWAYS_ON, *_PLAIN, "confidence", *_EXTERNAL)
_USES = "finish, empty, refusal, repetition, code, json, schema, confidence=0.45, verify=COMMAND, agree, agree=MODEL"


def parse_checks(names: Sequence[str]) -> tuple[str, ...]:
    """The checks as "name" or "name=argument", in order and each once; those that are always on are left out.

    Raises UsageError for an unknown check, a figure that cannot be, a missing or a needless argument.
    """
    checks = (_parsed(name) for name in names)
    return tuple(dict.fromkeys(check for check in checks if check not in ALWAYS_ON))


def external_checks(names: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """The checks that need the world, as (name, argument): verify with its command, agree with its model or ""."""
    split = (split_check(name) for name in parse_checks(names))
    return tuple((name, argument) for name, argument in split if name in _EXTERNAL)


def own_checks(names: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """The checks that look at the reply alone, as (name, argument)."""
    split = (split_check(name) for name in parse_checks(names))
    return tuple((name, argument) for name, argument in split if name not in _EXTERNAL)


def split_check(check: str) -> tuple[str, str]:
    """Name and argument, without the spaces around them."""
    name, _, argument = check.partition("=")
    return name.strip(), argument.strip()


def _parsed(check: str) -> str:
    name, argument = split_check(check)
    if name not in _KNOWN:
        raise UsageError(f"there is no check {name!r}", did_you_mean(nearest(name, _KNOWN), f"the checks are {_USES}"))
    if name == "confidence":
        return f"confidence={_share(check, argument or DEFAULT_CONFIDENCE)}"
    if name == "verify" and not argument:
        raise UsageError("the check verify needs a command", "write it as verify=COMMAND")
    if name not in _EXTERNAL and "=" in check:
        raise UsageError(f"the check {name} takes no argument: {check!r}", f"write it as {name}")
    return f"{name}={argument}" if argument else name


def _share(check: str, figure: str) -> str:
    try:
        share = float(figure)
    except ValueError:
        share = -1.0
    if not 0 < share <= 1:
        raise UsageError(
            f"{check!r} is no possible confidence", f"a number above 0, at most 1: confidence={DEFAULT_CONFIDENCE}"
        )
    return f"{share:g}"
