"""What the tests of mrt ask share."""

from __future__ import annotations

import json
from typing import Any

from rig.command import Home
from rig.home_setup import configure, ladder
from rig.loopback import ScriptedServer

from mrt.router.complexity import assess_prompt
from mrt.router.ladder import explain

PARIS = "Paris.\n"


def two_tiers(home: Home, first: str, second: str, **first_settings: Any) -> None:
    """A config of two local tiers."""
    tables = ladder(low=first, high=second)
    for name in ("low", "high"):
        tables[f"tiers.{name}"] |= {"think": "off", "checks": []}
    tables["tiers.low"] |= first_settings
    configure(home, tables)


def prompt_of(server: ScriptedServer) -> str:
    """The last message of the last request."""
    content: str = server.requests[-1].json()["messages"][-1]["content"]
    return content


# What the router makes of the prompt "hi".
HI = explain(assess_prompt("hi"))

FREE = {"state": "free", "usd": "0"}


def events(text: str) -> list[dict[str, Any]]:
    """The lines of --stream-json."""
    return [json.loads(line) for line in text.splitlines()]
