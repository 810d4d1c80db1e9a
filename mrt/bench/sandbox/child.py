"""The process inside: reads its orders from one pipe, puts up the walls, runs the code, writes typed values to the other pipe.

What is expected is not known here. A candidate that leaves early, patches what it finds or writes to the pipe itself can only
change its own values, and those are judged outside.
"""

from __future__ import annotations

import fcntl
import json
import os
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from mrt.bench.sandbox import guard
from mrt.bench.sandbox.probes import PROBES
from mrt.bench.sandbox.steps import Step, failure, take
from mrt.bench.sandbox.values import decode, encode

MODULE = "answer"
Send = Callable[[dict[str, Any]], None]


def main(orders_descriptor: int, results_descriptor: int, root: str) -> None:
    """One run: orders in, results out, then the end of the process without any clean-up of the candidate's."""
    with open(orders_descriptor, "rb") as pipe:
        orders = json.loads(pipe.read())
    send = _sender(_private(results_descriptor))
    _hide_ourselves(root)
    try:
        send({"walls": guard.put_up(orders["walls"])})
    except (OSError, ValueError) as error:
        send({"no_walls": f"{error.strerror or error}" if isinstance(error, OSError) else str(error)})
        os._exit(0)
    if "probes" in orders:
        _probe(orders["probes"], send)
    else:
        _run(orders, send)
    os._exit(0)


def _private(descriptor: int) -> int:
    """The pipe for results under a number of its own: in a container it comes as stdout, which the candidate may write to."""
    if descriptor > 2:
        return descriptor
    own = fcntl.fcntl(descriptor, fcntl.F_DUPFD, 3)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)
    return own


def _sender(descriptor: int) -> Send:
    dumps, write = json.dumps, os.write

    def send(result: dict[str, Any]) -> None:
        data = (dumps(result) + "\n").encode("ascii")
        while data:
            data = data[write(descriptor, data) :]

    return send


def _hide_ourselves(root: str) -> None:
    """Our own package is no library for the candidate: off the path, and out of the modules it can see by name."""
    sys.path[:] = [path for path in sys.path if path != root]
    for name in [name for name in sys.modules if name == "mrt" or name.startswith("mrt.")]:
        del sys.modules[name]


def _probe(orders: dict[str, Any], send: Send) -> None:
    for name, attack in PROBES.items():
        try:
            succeeded = attack(orders)
        except BaseException:
            succeeded = False
        send({"probe": name, "succeeded": bool(succeeded)})


def _run(orders: dict[str, Any], send: Send) -> None:
    # A module that can be found by its name, as dataclasses with annotations in quotes look for theirs.
    sys.modules[MODULE] = ModuleType(MODULE)
    names = vars(sys.modules[MODULE])
    try:
        exec(compile(orders["code"], "<answer>", "exec", dont_inherit=True), names)  # noqa: S102 - this is the sandbox
    except BaseException as error:
        send({"load_error": failure(error)})
        return
    send({"defines": sorted(name for name in names if isinstance(name, str) and not name.startswith("__"))[:1000]})
    for number, case in enumerate(orders["cases"]):
        held: dict[str, Any] = {}
        send({"case": number, "outcomes": [_outcome(step, names, held) for step in case]})
    send({"done": True})


def _outcome(step: Step, names: dict[str, Any], held: dict[str, Any]) -> dict[str, Any]:
    """What one step gives: its value or what it raised, and its arguments as they are afterwards."""
    arguments = [decode(argument) for argument in step.get("arguments", ())]
    try:
        outcome: dict[str, Any] = {
            "value": encode(take(step, arguments, names, held), loosely=bool(step.get("loosely")))
        }
    except BaseException as error:
        outcome = failure(error)
    try:
        outcome["arguments"] = [encode(argument) for argument in arguments]
    except BaseException:
        outcome["arguments"] = []
    return outcome


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
