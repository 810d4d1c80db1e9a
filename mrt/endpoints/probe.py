"""Ask a server about a model without making it do anything: is it there, can it call tools."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from mrt.domain import Target
from mrt.endpoints.kinds import PROVIDERS
from mrt.errors import AuthError, ModelNotFound, MrtError, Overloaded
from mrt.providers import Timers, Wire, protocol
from mrt.providers.http import fetch_json

# Servers that answer only the models they list. llama.cpp answers any name with the model it has; a gateway may hide names.
_LISTS_ALL = frozenset({"ollama", "vllm", "llama_swap"})


@dataclass(frozen=True)
class Finding:
    """What a probe found; `warning` says what could not be known."""

    warning: str | None = None


def check_model(target: Target, wire: Wire, timers: Timers) -> Finding:
    """Whether `target` can be switched to, by reading its list of models.

    A local server must answer: unreachable, too slow, unauthorized, still loading, or without this model, it raises. A cloud
    provider is not ruled out by a passing trouble: only a refused key raises, the rest is a warning.
    """
    try:
        status, payload = fetch_json(target, _models_url(target), timers, wire)
    except MrtError as error:
        if PROVIDERS[target.kind].local:
            raise
        return Finding(f"{target.endpoint} could not be checked: {error.message}")
    if status in (401, 403):
        raise AuthError(f"{target.endpoint} refuses the key (HTTP {status})", target.key_hint)
    if status == 503 and PROVIDERS[target.kind].local:
        raise Overloaded(f"{target.url} is still loading its model (HTTP 503)", "wait for it and ask again")
    listed = model_names(payload)
    if listed and target.kind in _LISTS_ALL and not _is_listed(target.model, listed):
        raise ModelNotFound(f"{target.url} has no model {target.model!r}{_near(target.model, listed)}", _remedy(target))
    if status >= 500:
        return Finding(f"{target.endpoint} could not be checked: HTTP {status}")
    return Finding()


def offers_tools(target: Target, wire: Wire, timers: Timers) -> bool | None:
    """Whether this model can be given a tool, as its server says; None when the server could not be asked."""
    try:
        if target.kind == "llamacpp":
            _, props = fetch_json(target, _root(target) + "/props", timers, wire)
            return _path(props, "chat_template_caps", "supports_tools") is True
        if target.kind == "ollama":
            _, shown = fetch_json(target, _root(target) + "/api/show", timers, wire, {"model": target.model})
            return "tools" in (_path(shown, "capabilities") or ())
        if target.kind == "lm_studio":
            url = f"{_root(target)}/api/v0/models/{quote(target.model)}"
            return "tool_use" in (_path(fetch_json(target, url, timers, wire)[1], "capabilities") or ())
    except MrtError:
        return None
    # vLLM says nothing beforehand, but rejects tools in so many words: the request is mended then, once.
    return target.kind == "vllm"


def model_names(payload: Any) -> tuple[str, ...]:
    """The models in a list of either shape: `data[].id` or `models[].name`."""
    if not isinstance(payload, dict):
        return ()
    rows = payload.get("data") if isinstance(payload.get("data"), list) else payload.get("models")
    names = (row.get("id") or row.get("name") or row.get("model") for row in rows or () if isinstance(row, dict))
    return tuple(name for name in names if isinstance(name, str))


def _models_url(target: Target) -> str:
    if target.protocol == "ollama":
        return _root(target) + "/api/tags"
    if target.protocol == "anthropic":
        return _root(target) + "/v1/models"
    return protocol(target).url(target).removesuffix("/chat/completions") + "/models"


def _root(target: Target) -> str:
    return target.url.rstrip("/").removesuffix("/v1").removesuffix("/api")


def _is_listed(model: str, listed: tuple[str, ...]) -> bool:
    return any(name in (model, f"{model}:latest") for name in listed)


def _near(model: str, listed: tuple[str, ...]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(model, listed, n=2)
    return f"; it has {' and '.join(near)}" if near else ""


def _remedy(target: Target) -> str:
    return f"ollama pull {target.model}" if target.kind == "ollama" else "`--no-probe` asks it all the same"


def _path(document: Any, *names: str) -> Any:
    for name in names:
        document = document.get(name) if isinstance(document, dict) else None
    return document
