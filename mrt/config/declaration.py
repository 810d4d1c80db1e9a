"""How a setting is declared: its kind and help, its other names, and what a project's file may do to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from mrt.config.values import Kind

OWN_ALONE = "only your own config may set {key}"


class Offer(NamedTuple):
    """A value that a project's file would give a setting, and the user's own one; `limited` is true where limits go by that."""

    own: Any
    wanted: Any
    limited: bool = False


class Rule(NamedTuple):
    """What a project's file, which may have come with somebody's repository, may do to a setting.

    `may` says it in words; `allows` says whether an offer is taken; `otherwise` is the message of one that is not, with {key}
    and {value} in it.
    """

    may: str
    allows: Callable[[Offer], bool]
    otherwise: str = OWN_ALONE


def only(value: Any, written: str) -> Rule:
    """A project may set this value, the strict one; `written` is how TOML has it."""
    return Rule(f"set it to {written}", lambda offer: offer.wanted in (value, offer.own), OWN_ALONE + " to {value}")


def _is_lower(offer: Offer) -> bool:
    """Whether it is no more than the user's own; None is no limit at all."""
    return offer.own is None or (offer.wanted is not None and offer.wanted <= offer.own)


# Nothing hangs on it but how an answer is shown.
HARMLESS = Rule("set it", lambda _: True)
# A limit may be tightened, and never raised or taken away.
LOWER = Rule("lower it", _is_lower, "only your own config may raise {key}")
# Another label must not take a call out of the limits that its own label puts it under.
LABEL = Rule(
    "set it, unless limits of yours go by it",
    lambda offer: not (offer.limited and offer.own),
    "limits go by the {key} of your own config, so only that may set it",
)
# Where sections have names, a project adds names and changes none: what is new changes nothing that the user has.
ADDED = Rule("set it under a new NAME", lambda _: True)


class Declaration(NamedTuple):
    """What a field says of the setting it is.

    `example` is for settings whose default says nothing; `also` has older names of the environment variable by the name of the
    section ("" where sections have none). Without `project` a project's file cannot set it.
    """

    kind: Kind
    help: str
    example: Any = None
    also: Mapping[str, str] = {}
    project: Rule | None = None


def declared(
    kind: Kind,
    explanation: str,
    example: Any = None,
    also: Mapping[str, str] | None = None,
    project: Rule | None = None,
) -> dict[str, Any]:
    """Field metadata that makes the field a setting."""
    return {"setting": Declaration(kind, explanation, example, also or {}, project)}
