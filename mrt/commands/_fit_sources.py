"""Models for `mrt fit`: by a name of any kind, by what an endpoint serves, with a projector beside them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mrt.errors import Unreachable, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mrt.domain import Target
    from mrt.memory.shape import ModelShape
    from mrt.models.running import Running
    from mrt.models.sources import Sources
    from mrt.output import Console
    from mrt.providers import Wire

# Servers that need no entry in the config to be asked.
LOCAL = ("ollama", "llamacpp", "vllm", "lm_studio")


def resolved(name: str, quantization: str | None, console: Console, unconverted: bool = False) -> ModelShape:
    """The model of a name, with its repository's own weights where they are run `unconverted`.

    A tag is no alias and no server's, so that the configuration need not be read for it.
    """
    from mrt.models import Sources, resolve_model

    is_tag = ":" in name and "/" not in name
    where = Sources() if is_tag else sources(console)
    return resolve_model(name, quantization, replace(where, unconverted=unconverted))


def sources(console: Console) -> Sources:
    """The user's aliases and servers."""
    from mrt.commands._settings import configured
    from mrt.models.sources import Sources

    config = configured(console)

    def target(named: str) -> Target:
        from mrt.endpoints import resolve, with_key

        return with_key(resolve(named, config, console.environment), config, console.environment)

    def wire() -> Wire:
        from mrt.commands._wire import real_wire

        return real_wire(console)

    return Sources(config.aliases, frozenset((*config.endpoints, *LOCAL)), target, wire)


def running(endpoint: str, models: Sequence[str], console: Console) -> Running:
    """The model that an endpoint runs, or the one of its models that is named, and how it runs it."""
    from mrt.models import resolve_running

    if len(models) > 1:
        raise UsageError("--endpoint takes one model", f"mrt fit --endpoint {endpoint} {models[0]}")
    where = sources(console)
    if endpoint not in where.endpoints:
        from mrt.near import did_you_mean, nearest

        hint = did_you_mean(nearest(endpoint, where.endpoints, 3), f"it is one of {', '.join(sorted(where.endpoints))}")
        raise UsageError(f"no endpoint {endpoint!r}", hint)
    try:
        return resolve_running(f"{endpoint}/{models[0]}" if models else endpoint, where)
    except Unreachable as error:
        error.hint = error.hint or f"start {endpoint}, or name the model itself: mrt fit qwen3:8b"
        raise


def with_projector(shape: ModelShape, given: str) -> ModelShape:
    """The model with a projector: what its file takes, or a size; "off" leaves out the one it is known to have."""
    from mrt.machine.simulate import parse_size

    if given.lower() in ("off", "none"):
        return replace(shape, projector_bytes=0, tower_bytes=0)
    path = Path(given)
    if path.is_file():
        from mrt.models.gguf.files import projector_size

        return replace(shape, projector_bytes=projector_size(path))
    try:
        return replace(shape, projector_bytes=parse_size(given, "--mmproj"))
    except UsageError:
        raise UsageError(
            f"--mmproj {given!r} is neither a file nor a size", "as in --mmproj mmproj.gguf or --mmproj 850MiB"
        ) from None
