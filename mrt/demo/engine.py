"""llama.cpp's own server, from the xllamacpp wheel, in a child process with a tiny model that is made on the spot."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

from mrt.demo import engine_child
from mrt.demo.script import ModelScript
from mrt.errors import MrtError, UsageError

PACKAGES = ("gguf", "numpy", "xllamacpp")
START_S = 60.0
_HINT = "pip install 'mrt[engine]'"


def available() -> bool:
    """Whether the packages are there; none of them is imported."""
    return not _missing()


@contextlib.contextmanager
def engines(models: Sequence[ModelScript], folder: Path, environment: Mapping[str, str]) -> Iterator[list[str]]:
    """The addresses of servers of these models while the block runs; models and logs are written into `folder`.

    Raises UsageError where the packages are missing or do not run here, MrtError when a server does not start.
    """
    if missing := _missing():
        raise UsageError(f"--engine needs {', '.join(missing)}", _HINT)
    with contextlib.ExitStack() as stack:
        # All of them first, so that they load their models at the same time.
        children = [stack.enter_context(_child(model, folder, environment)) for model in models]
        yield [_address(child) for child in children]


def _missing() -> list[str]:
    return [name for name in PACKAGES if find_spec(name) is None]


@contextlib.contextmanager
def _child(model: ModelScript, folder: Path, environment: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    from mrt.demo.tiny_model import write_model

    path = write_model(model, folder)
    fields = json.dumps({"n_ctx": model.context_length, "n_parallel": 1, "model_alias": [model.name]})
    command = [sys.executable, str(Path(engine_child.__file__)), str(path), fields]
    with (
        path.with_suffix(".log").open("wb") as log,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=dict(environment)
        ) as process,
    ):
        try:
            yield process
        finally:
            process.kill()


def _address(process: subprocess.Popen[bytes]) -> str:
    """The URL that the child tells once its model is loaded."""
    words = _first_line(process).split(maxsplit=1)
    if words[:1] == ["READY"]:
        return words[1].strip()
    if words[:1] == ["UNAVAILABLE"]:
        raise UsageError(f"xllamacpp does not work here: {words[1].strip()}", _HINT)
    process.kill()
    if process.wait() == -getattr(signal, "SIGILL", 0):
        raise UsageError("xllamacpp needs a processor with AVX2, FMA, F16C and BMI2", "mrt demo runs without it")
    raise MrtError(f"llama.cpp's server did not start (exit code {process.returncode})", "mrt demo runs without it")


def _first_line(process: subprocess.Popen[bytes]) -> str:
    """What the child says first; one that takes too long is killed, which ends the line as well."""
    timer = threading.Timer(START_S, process.kill)
    timer.start()
    try:
        return process.stdout.readline().decode() if process.stdout else ""
    finally:
        timer.cancel()
        timer.join()
