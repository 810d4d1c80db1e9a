"""llama.cpp's own HTTP server, from the xllamacpp wheel, in a child process on the loopback interface."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from mrt.demo import engine_child
from rig.availability import unavailable

START_SECONDS = 60.0
CHILD = Path(engine_child.__file__)


@dataclass(frozen=True)
class LlamaServer:
    """A running server. `log` holds what llama.cpp itself says."""

    url: str
    log: Path
    process: subprocess.Popen[bytes]

    @property
    def pid(self) -> int:
        return self.process.pid

    def kill(self) -> None:
        """End the server at once, in the middle of whatever it is sending, as the out-of-memory killer would."""
        self.process.kill()
        self.process.wait()


@contextlib.contextmanager
def llama_server(
    model: Path, *, alias: str | None = None, n_ctx: int = 4096, n_parallel: int = 1, **parameters: Any
) -> Iterator[LlamaServer]:
    """Serve the GGUF file `model` while the block runs; its log lies beside the model.

    `n_ctx` is the context in tokens, shared out among `n_parallel` slots; `alias` is the model's name. `parameters` are fields of
    xllamacpp's CommonParams, such as `api_keys=["key"]`. Skips the test where the wheel does not work. Raises RuntimeError when
    the server does not start.
    """
    fields = {"n_ctx": n_ctx, "n_parallel": n_parallel, "endpoint_metrics": True, **parameters}
    if alias:
        fields["model_alias"] = [alias]
    descriptor, name = tempfile.mkstemp(prefix=f"{model.stem}-", suffix=".log", dir=model.parent)
    log = Path(name)
    with os.fdopen(descriptor, "wb") as log_file, _child(model, fields, log_file) as process:
        yield LlamaServer(_address(process, log), log, process)


@contextlib.contextmanager
def _child(model: Path, fields: dict[str, Any], log: IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, str(CHILD), str(model), json.dumps(fields)]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        env=without_coverage(),
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    """The URL that the child reports once its model is loaded."""
    words = _first_line(process).split(maxsplit=1)
    if words and words[0] == "READY":
        return words[1].strip()
    process.kill()
    if words and words[0] == "UNAVAILABLE":
        unavailable(f"xllamacpp does not work here: {words[1].strip()}")
    if process.wait() == -getattr(signal, "SIGILL", 0):
        unavailable("xllamacpp needs a processor with AVX2, FMA, F16C and BMI2")
    tail = log.read_text(errors="replace")[-3000:]
    raise RuntimeError(f"llama.cpp's server did not start (exit {process.returncode}):\n{tail}")


def _first_line(process: subprocess.Popen[bytes]) -> str:
    """The child's first line; a child that takes too long is killed, which ends the line as well."""
    timer = threading.Timer(START_SECONDS, process.kill)
    timer.start()
    try:
        assert process.stdout is not None
        return process.stdout.readline().decode()
    finally:
        timer.cancel()
        timer.join()


def without_coverage() -> dict[str, str]:
    """This process's environment for children that run none of the product's code."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("COV_", "COVERAGE_"))}
