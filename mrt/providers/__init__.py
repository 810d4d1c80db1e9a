"""The wire: one module per protocol behind one Protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mrt.lazy import exports

if TYPE_CHECKING:
    from mrt.providers.address import is_loopback, shown
    from mrt.providers.assembly import Delta
    from mrt.providers.estimate import estimate_prompt, most_prompt_tokens
    from mrt.providers.http import Exchange, Timers, Wire, open_client
    from mrt.providers.stream import Call, protocol
    from mrt.providers.tools import escalation

__all__ = [
    "Call",
    "Delta",
    "Exchange",
    "Timers",
    "Wire",
    "escalation",
    "estimate_prompt",
    "is_loopback",
    "most_prompt_tokens",
    "open_client",
    "protocol",
    "shown",
]

__getattr__ = exports(
    __name__,
    address="is_loopback shown",
    assembly="Delta",
    estimate="estimate_prompt most_prompt_tokens",
    http="Exchange Timers Wire open_client",
    stream="Call protocol",
    tools="escalation",
)
