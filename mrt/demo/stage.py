"""Set up everything a demo needs, and take all of it away again, however the demo ends."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from mrt.demo import cast
from mrt.demo.server import Service, serving
from mrt.demo.simulated import anthropic, llamacpp, ollama
from mrt.demo.world import Seat, World, inherited, make_world
from mrt.errors import MrtError


@contextlib.contextmanager
def staged(environment: Mapping[str, str], *, engine: bool = False) -> Iterator[World]:
    """Three servers and a folder while the block runs; with `engine` the two local tiers run on llama.cpp.

    `environment` is the user's. Raises MrtError where this machine has no room for them, UsageError where the engine's
    packages are missing.
    """
    with contextlib.ExitStack() as stack:
        folder = _folder(stack)
        local = _engines(stack, folder, environment) if engine else _scripted(stack)
        cloud = _seat(stack, "sim-anthropic", "anthropic", anthropic(cast.cloud("paid")), "paid")
        yield make_world(folder, *local, cloud, environment)


def _folder(stack: contextlib.ExitStack) -> Path:
    try:
        return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mrt-demo-"))).resolve()
    except OSError as error:
        raise MrtError(f"no temporary folder: {error.strerror}", "TMPDIR=FOLDER names another place") from error


def _scripted(stack: contextlib.ExitStack) -> tuple[Seat, Seat]:
    return (
        _seat(stack, "sim-ollama", "ollama", ollama(cast.fast("small")), "small"),
        _seat(stack, "sim-llamacpp", "llamacpp", llamacpp(cast.heavy("large")), "large"),
    )


def _engines(stack: contextlib.ExitStack, folder: Path, environment: Mapping[str, str]) -> tuple[Seat, Seat]:
    from mrt.demo.engine import engines

    models = (cast.fast("tiny-small"), cast.heavy("tiny-large"))
    first, second = stack.enter_context(engines(models, folder, inherited(environment)))
    return Seat("llamacpp-1", "llamacpp", first, models[0].name), Seat("llamacpp-2", "llamacpp", second, models[1].name)


def _seat(stack: contextlib.ExitStack, endpoint: str, kind: str, service: Service, model: str) -> Seat:
    return Seat(endpoint, kind, stack.enter_context(serving(service)), model)
