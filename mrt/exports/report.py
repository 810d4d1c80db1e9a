"""What an export says beside its text: what it could not carry over, and what has to be set where it is used."""

from __future__ import annotations

from typing import NamedTuple

from mrt.frozen import frozen


class Lost(NamedTuple):
    """A setting that the other program has no place for: its dotted key, and why."""

    setting: str
    reason: str


class Needed(NamedTuple):
    """An environment variable that the other program reads. `what` says what it must hold, in a few words."""

    name: str
    what: str


@frozen
class Export:
    """A text for another program. Notes are things to know before it is used; no part of it holds a key."""

    text: str
    lost: tuple[Lost, ...] = ()
    needed: tuple[Needed, ...] = ()
    notes: tuple[str, ...] = ()


def grouped(lost: tuple[Lost, ...]) -> dict[str, list[str]]:
    """Settings by the reason why they were left out, in their order."""
    reasons: dict[str, list[str]] = {}
    for setting, reason in lost:
        reasons.setdefault(reason, []).append(setting)
    return reasons
