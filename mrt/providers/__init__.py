"""The wire: one module per protocol behind one Protocol."""

from mrt.providers.address import is_loopback, shown
from mrt.providers.assembly import Delta, estimate_prompt, most_prompt_tokens
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
