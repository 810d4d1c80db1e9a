"""What a probe found out about one endpoint and the models it offers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from mrt.frozen import frozen

State = Literal["ready", "loading", "auth", "down", "unknown"]
# No key was sent and none was asked for; a key was sent and nobody minded; none is there; the one there is was turned down.
Access = Literal["open", "accepted", "missing", "refused"]

# What is said of an endpoint in each state.
SAID: Mapping[State, str] = {
    "ready": "is ready",
    "down": "does not answer",
    "loading": "is loading",
    "auth": "gives no access",
    "unknown": "cannot be used",
}


@frozen
class ModelReport:
    """One model of an endpoint, as the server itself tells it; None means that it does not say.

    `context_served` and `context_trained` are tokens; `vram_bytes` is what it holds on GPUs now. `remote` is true when the
    endpoint passes the prompt on to somebody else's machine, whose name `remote_host` is where it is told. `digest` tells one
    state of a model from another under the same name; Ollama alone tells it.
    """

    id: str
    loaded: bool | None = None
    context_served: int | None = None
    context_trained: int | None = None
    quantization: str | None = None
    size_bytes: int | None = None
    vram_bytes: int | None = None
    remote: bool | None = None
    remote_host: str | None = None
    tools: bool | None = None
    vision: bool | None = None
    reasoning: bool | None = None
    embedding: bool | None = None
    digest: str | None = None


@frozen
class EndpointReport:
    """One endpoint, seen once.

    `kind` is what the server turned out to be, or what it is configured as where it gave no answer to tell by. `access` says how
    it stands with its key, None where no answer told. `url` is fit to be shown. `message` says what is wrong, `hint` the next
    command; both are None when all is well. `queue` counts requests that wait for one of `slots`, `busy` those that run.
    `checked_at` is seconds since 1970.
    """

    name: str
    kind: str
    url: str
    state: State
    version: str | None = None
    latency_ms: int | None = None
    models: tuple[ModelReport, ...] = ()
    access: Access | None = None
    router: bool = False
    slots: int | None = None
    busy: int | None = None
    queue: int | None = None
    message: str | None = None
    hint: str | None = None
    checked_at: float = 0.0

    def model(self, name: str) -> ModelReport | None:
        """The model of that name; Ollama's may be written without `:latest`. None when it is not listed."""
        return next((model for model in self.models if model.id in (name, f"{name}:latest")), None)
