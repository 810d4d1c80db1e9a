"""The real wire and its clocks, and the check of a model that someone wants to switch to."""

from __future__ import annotations

import time

from mrt.cascade.masking import masked_wire
from mrt.config import Config
from mrt.domain import Target
from mrt.endpoints import check_model, warnings, with_key
from mrt.errors import NotAnApi
from mrt.output import Console
from mrt.providers import Timers, Wire, open_client


def real_wire(console: Console, trace: bool = False) -> Wire:
    """Real clocks and connections; notes go to `-v`, the traffic to stderr with `trace`."""

    def jitter() -> float:
        import random

        return random.random()  # noqa: S311 - spreads retries, guards nothing

    return Wire(
        client=open_client,
        clock=time.monotonic,
        now=time.time,
        sleep=time.sleep,
        jitter=jitter,
        note=console.detail,
        trace=(lambda line: console.aside(line + "\n")) if trace else None,
    )


def probe_before_asking(target: Target, config: Config, console: Console, wire: Wire, timers: Timers) -> str | None:
    """`probe` for a model that is asked right after: a server that answers without a list is put to the test by the prompt."""
    try:
        return probe(target, config, console, wire, timers)
    except NotAnApi as error:
        console.detail(f"{target.name} could not be checked: {error.message}")
        return None


def probe(target: Target, config: Config, console: Console, wire: Wire, timers: Timers) -> str | None:
    """Check a model before switching to it, with warnings for what could not be known; gives its digest where that is told.

    Raises an MrtError when a local server does not answer or lacks the model, or when a cloud provider refuses the key.
    """
    target = with_key(target, config, console.environment)
    for warning in warnings(target):
        console.warn(warning)
    with console.waiting(f"looking for {target.name} ..."):
        finding = check_model(target, masked_wire(wire, target.key), timers)
    if finding.warning:
        console.warn(finding.warning)
    return finding.digest
