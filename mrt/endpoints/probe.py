"""Ask a server about a model without making it do anything: is it there, can it call tools."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from mrt.domain import Target
from mrt.endpoints.kinds import LISTS_ALL, PROVIDERS
from mrt.errors import AuthError, ConfigError, ModelNotFound, MrtError, NotAnApi, Overloaded, TimedOut
from mrt.frozen import frozen
from mrt.near import nearest
from mrt.providers import Timers, Wire, protocol, shown
from mrt.providers.failure import classify, error_text
from mrt.providers.jsontext import dump
from mrt.providers.question import fetch_json

_TRANSIENT = frozenset({408, 425, 429})


@frozen
class Finding:
    """What a probe found; `warning` says what could not be known, `digest` tells this state of the model from others."""

    warning: str | None = None
    digest: str | None = None


def check_model(target: Target, wire: Wire, timers: Timers) -> Finding:
    """Whether `target` can be switched to, by reading its list of models.

    A local server must answer: unreachable, too slow, unauthorized, still loading, or without this model, it raises. A cloud
    provider is not ruled out by a passing trouble: only a refused key raises, the rest is a warning.
    """
    try:
        status, payload = _ask(target, models_url(target), wire, timers)
    except ConfigError:
        raise
    except MrtError as error:
        if PROVIDERS[target.kind].local:
            if isinstance(error, TimedOut):  # no option of the verb that wants to know gives it more time
                error.hint = f"see how it is: mrt probe --endpoint {target.endpoint}"
            raise
        return Finding(f"{target.endpoint} could not be checked: {error.message}")
    if is_refusal(status, payload):
        raise AuthError(f"{target.endpoint} refuses the key (HTTP {status})", target.key_hint)
    if PROVIDERS[target.kind].local:
        return Finding(digest=_check_local(target, status, payload))
    if status >= 500 or status in _TRANSIENT:
        return Finding(f"{target.endpoint} could not be checked: HTTP {status}")
    if status == 200 and model_names(payload) is None:
        return Finding(f"{target.endpoint} could not be checked: it answers, but not as a model server")
    return Finding()


def is_refusal(status: int, payload: Any) -> bool:
    """Whether the server wants a key, or another one. Some say so with a 400; LiteLLM without a database knows no other way."""
    if status != 400:
        return status in (401, 403)
    return classify(status, error_text(payload) or "", dump(payload)).code == "auth"


def _check_local(target: Target, status: int, payload: Any) -> str | None:
    if status == 503:
        raise Overloaded(f"{shown(target.url)} is still loading its model (HTTP 503)", "wait for it and ask again")
    if status != 200:
        raise NotAnApi(
            f"{shown(target.url)} does not list its models (HTTP {status})", f"check the url of {target.endpoint}"
        )
    listed = model_names(payload)
    if listed is None:
        raise NotAnApi(f"{shown(target.url)} answers, but not as a model server", f"check the url of {target.endpoint}")
    if target.kind in LISTS_ALL and not _is_listed(target.model, listed):
        raise ModelNotFound(
            f"{shown(target.url)} has no model {target.model!r}{has_instead(target.model, listed)}", _remedy(target)
        )
    rows = _path(payload, "models")
    named = (row for row in rows if isinstance(row, dict)) if isinstance(rows, list) else ()
    found = next((row for row in named if _is_listed(target.model, (str(row.get("name")),))), {})
    digest = found.get("digest")
    return digest if isinstance(digest, str) else None


def _ask(
    target: Target, url: str, wire: Wire, timers: Timers, body: Mapping[str, Any] | None = None
) -> tuple[int, Any]:
    return fetch_json(target, url, protocol(target).headers(target), timers, wire, body)


def offers_tools(target: Target, wire: Wire, timers: Timers) -> bool | None:
    """Whether this model can be given a tool, as its server says; None when the server could not be asked."""
    try:
        if target.kind == "llamacpp":
            status, shown = _ask(target, _root(target) + "/props", wire, timers)
            able = _path(shown, "chat_template_caps", "supports_tools") is True
        elif target.kind == "ollama":
            status, shown = _ask(target, _root(target) + "/api/show", wire, timers, {"model": target.model})
            able = _is_able("tools", shown)
        elif target.kind == "lm_studio":
            status, shown = _ask(target, f"{_root(target)}/api/v0/models/{quote(target.model)}", wire, timers)
            able = _is_able("tool_use", shown)
        else:
            # vLLM says nothing beforehand, but rejects tools in so many words: the request is mended then, once.
            return target.kind == "vllm"
    except MrtError:
        return None
    return able if status == 200 else None


def _is_able(capability: str, shown: Any) -> bool:
    capabilities = _path(shown, "capabilities")
    return isinstance(capabilities, list) and capability in capabilities


def model_names(payload: Any) -> tuple[str, ...] | None:
    """The models in a list of either shape, `data[].id` or `models[].name`; None when it is no such list."""
    rows = next((rows for name in ("data", "models") if isinstance(rows := _path(payload, name), list)), None)
    if rows is None:
        return None
    names = (row.get("id") or row.get("name") or row.get("model") for row in rows if isinstance(row, dict))
    return tuple(name for name in names if isinstance(name, str))


def models_url(target: Target) -> str:
    """Where the list of models of this target's server is."""
    if target.protocol == "ollama":
        return _root(target) + "/api/tags"
    if target.protocol == "anthropic":
        return _root(target) + "/v1/models"
    return protocol(target).url(target).removesuffix("/chat/completions") + "/models"


def _root(target: Target) -> str:
    return target.url.rstrip("/").removesuffix("/v1").removesuffix("/api")


def _is_listed(model: str, listed: tuple[str, ...]) -> bool:
    return any(name in (model, f"{model}:latest") for name in listed)


def has_instead(model: str, listed: Sequence[str]) -> str:
    """The end of a message that a server lacks a model: what it has that looks like it."""
    near = nearest(model, listed, 2)
    return f"; it has {' and '.join(near)}" if near else ""


def _remedy(target: Target) -> str:
    return f"ollama pull {target.model}" if target.kind == "ollama" else "`--no-probe` asks it all the same"


def _path(document: Any, *names: str) -> Any:
    for name in names:
        document = document.get(name) if isinstance(document, dict) else None
    return document
