"""Child process: runs llama.cpp's own HTTP server, from the xllamacpp wheel, until its standard input ends.

Usage: engine_child.py MODEL PARAMETERS, where PARAMETERS is JSON with fields of xllamacpp's CommonParams ("a.b" for nested ones).
Prints `READY URL` once the model is loaded, or `UNAVAILABLE REASON` where xllamacpp does not import. Standard input ends when the
parent dies, however it dies: nothing is left behind.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any


def main() -> None:
    ready = os.dup(1)
    # llama.cpp may log to either stream; the first one is for the READY line alone.
    os.dup2(2, 1)
    try:
        server = start(sys.argv[1], json.loads(sys.argv[2]))
    except ImportError as error:
        os.write(ready, f"UNAVAILABLE {' '.join(str(error).split())}\n".encode())
        return
    os.write(ready, f"READY {server.listening_address}\n".encode())
    sys.stdin.buffer.read()
    # The server's own shutdown waits for requests in flight; an endless answer never ends by itself.
    os._exit(0)


def start(model: str, fields: dict[str, Any]) -> Any:
    """A running server on any free port of the loopback interface."""
    import xllamacpp

    parameters = xllamacpp.CommonParams()
    parameters.model.path = model
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = 0
    parameters.cpuparams.n_threads = 1
    parameters.warmup = False
    for name, value in fields.items():
        *owners, attribute = name.split(".")
        target = parameters
        for owner in owners:
            target = getattr(target, owner)
        setattr(target, attribute, value)
    return xllamacpp.Server(parameters)


if __name__ == "__main__":
    main()
