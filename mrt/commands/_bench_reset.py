"""Unload a model between answers, where its server can be told to."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

from mrt.cascade import World
from mrt.domain import Target
from mrt.output import Console

_SECONDS = 60.0


def reset_of(console: Console, target: Target, world: World) -> Callable[[], None]:
    """What unloads the model: Ollama is told to keep it no longer. Elsewhere nothing can, which is said once."""
    if target.protocol != "ollama":
        console.warn(
            f"{target.name} cannot be unloaded from here (only Ollama can be told to): --reset-every does nothing"
        )
        return lambda: None

    def reset() -> None:
        import httpx

        url = target.url.rstrip("/") + "/api/generate"
        try:
            with closing(world.wire.client(url)) as client:
                client.post(url, json={"model": target.model, "keep_alive": 0}, timeout=_SECONDS).raise_for_status()
        except httpx.HTTPError as error:
            console.warn(f"{target.name} could not be unloaded: {type(error).__name__}")

    return reset
