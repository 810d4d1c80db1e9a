"""Keep a key out of whatever a server, or an exception, says about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from mrt.config.secrets import MASK, mask
from mrt.domain import Secret
from mrt.errors import MrtError
from mrt.providers import Wire

# Shorter ones are placeholders such as "none": taking those out of a message would only garble it.
SHORTEST_KEY = 8


def masked(text: str, key: Secret | None) -> str:
    """The text without this key, and without anything else that has the shape of one."""
    value = key.reveal() if key is not None else ""
    return mask(text.replace(value, MASK) if len(value) >= SHORTEST_KEY else text)


def mask_failure(failure: MrtError, key: Secret | None) -> None:
    """Rewrite what a failure says: servers echo the key they refuse, and addresses may hold a password."""
    failure.message = masked(failure.message, key)
    failure.args = (failure.message,)
    if failure.hint is not None:
        failure.hint = masked(failure.hint, key)


def masked_wire(wire: Wire, key: Secret | None) -> Wire:
    """The wire, whose notes and traces show no key."""
    return replace(wire, note=_masking(wire.note, key), trace=None if wire.trace is None else _masking(wire.trace, key))


def _masking(tell: Callable[[str], None], key: Secret | None) -> Callable[[str], None]:
    return lambda text: tell(masked(text, key))
