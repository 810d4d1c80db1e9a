"""What can close a tier for one prompt, each gate with the figure it judges by."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from mrt.domain import usd
from mrt.router.facts import Known, Money

State = Literal["open", "closed", "unknown"]


class Gate(NamedTuple):
    """One gate: whether it is open, and why in a few words with the figure."""

    name: str
    state: State
    figure: str


def reach_gates(known: Known) -> tuple[Gate, ...]:
    """All gates but those of money."""
    return tuple(_reach_gates(known))


def money_gates(money: Money) -> tuple[Gate, ...]:
    """Price known, and budget left."""
    if money.bound.nano is None:
        return (Gate("price", "closed" if money.refusal else "unknown", money.refusal or "not known"),)
    price = Gate("price", "open", _price(money))
    if money.refusal:
        return (price, Gate("budget", "closed", money.refusal))
    if money.left_nano is None:
        return (price, Gate("budget", "open", "none is in the way"))
    return (price, Gate("budget", "open", f"${usd(money.left_nano)} left"))


def _price(money: Money) -> str:
    return "no API cost" if money.bound.state == "free" else f"at most ${usd(money.bound.nano or 0)}"


def _reach_gates(known: Known) -> Iterator[Gate]:
    if known.confined:
        yield Gate("secrets", "closed", known.confined)
    yield _endpoint(known)
    if known.state in ("ready", "loading"):
        yield _model(known)
    yield _context(known)
    if known.needed_bytes is not None:
        yield _memory(known)
    if known.lacks:
        yield Gate("needs", "closed", f"the model has no {' and no '.join(known.lacks)}")


def _endpoint(known: Known) -> Gate:
    if known.state is None or known.age_s is None or known.state == "unknown":
        return Gate("endpoint", "unknown", "not checked")
    when = f"checked {age(known.age_s)} ago"
    if known.state in ("down", "auth"):
        return Gate("endpoint", "closed", f"{known.trouble or known.state} ({when})")
    return Gate("endpoint", "open", f"{'up' if known.state == 'ready' else 'loading'}, {when}")


def _model(known: Known) -> Gate:
    if known.listed is False:
        return Gate("model", "closed", "the server does not have this model")
    if known.listed is None:
        return Gate("model", "unknown", "the server does not say what it has")
    if known.loaded is None:
        return Gate("model", "open", "there")
    if known.loaded:
        return Gate("model", "open", "loaded")
    return Gate(
        "model", "open", "cold" + ("" if known.load_seconds is None else f", about {known.load_seconds:.0f} s to load")
    )


def _context(known: Known) -> Gate:
    wanted = known.input_tokens + known.output_tokens
    figure = f"{known.input_tokens} + {known.output_tokens} tokens"
    if known.context is None:
        return Gate("context", "unknown", f"{figure}; the served context is not known")
    if wanted > known.context:
        return Gate("context", "closed", f"{figure} do not fit {known.context} {known.context_from}".rstrip())
    return Gate("context", "open", f"{figure} of {known.context} {known.context_from}".rstrip())


def _memory(known: Known) -> Gate:
    needed, free = known.needed_bytes or 0, known.free_bytes
    figure = f"{gibibytes(needed)} needed" + (f" for {known.memory}" if known.memory else "")
    if free is None:
        return Gate("memory", "unknown", f"{figure}; what is free is not known")
    return Gate("memory", "closed" if needed > free else "open", f"{figure}, {gibibytes(free)} free")


def gibibytes(count: int) -> str:
    """Bytes as people compare them."""
    return f"{count / 2**30:.1f} GiB"


def age(seconds: float) -> str:
    """How long ago, roughly."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.0f} h"
