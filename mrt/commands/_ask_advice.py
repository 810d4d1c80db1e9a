"""Before the first question to a local model: one line if it does not fit this machine, then never again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mrt.errors import MrtError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mrt.domain import Target
    from mrt.ledger import Store
    from mrt.memory.hardware import Machine
    from mrt.output import Console


def advise_once(target: Target, store: Store, console: Console, read: Callable[[], Machine] | None = None) -> None:
    """Warn of the model that is about to answer, once per model and machine; servers elsewhere have memory of their own.

    `read` gives the machine, this one unless it is said.
    """
    from mrt.ledger.facts import recall, remember
    from mrt.ledger.owner import host_name
    from mrt.providers import is_loopback

    if console.quiet or not target.local or not is_loopback(target.url):
        return
    fact = f"advised on {host_name()}"
    try:
        if recall(store, target.url, target.model, fact) is not None:
            return
        said = _advisory(target.model, read)
        remember(store, target.url, target.model, fact, said or "")
    except MrtError:
        return  # advice is no reason to keep an answer back
    if said:
        console.warn(f"{said}; `mrt fit {target.model}` shows what would")


def _advisory(model: str, read: Callable[[], Machine] | None) -> str | None:
    """None too where nothing is known of the model."""
    from mrt.models import resolve_model

    try:
        shape = resolve_model(model)
    except MrtError:
        return None
    from mrt.machine.reading import read as read_this
    from mrt.memory.advisory import advisory

    return advisory(shape, (read or read_this)())
